"""The text of ``pretty_printed_plan``."""

import re
from collections.abc import Iterator, Sequence

from tensorvar._function import events, graphs
from tensorvar._function.engine import Engine
from tensorvar._function.events import Event
from tensorvar._function.segment import Program
from tensorvar._function.tree import Node

_RESULT = re.compile(r'(s\d+) = \w+\((.*), (?:out=)?(b\d+)\)')
_NAME = re.compile(r'\bs\d+\b')


def plan_text(engine: Engine) -> str:
    """All plans of a function."""
    if engine.eager is not None:
        return f'{engine.name} runs eagerly: {engine.eager.text} ({engine.eager.where.short})'
    lines = [f'{engine.name}: {len(engine.plans)} signature(s)']
    for number, plan in enumerate(list(engine.plans.values())):
        lines.append(f'signature {number}')
        lines += _node_lines(plan.root, 1)
    return '\n'.join(lines)


def _node_lines(node: Node, depth: int) -> Iterator[str]:
    margin = '  ' * depth
    if isinstance(node.program.run, graphs.GraphedRun):
        yield f'{margin}# {node.program.run.state}'
    for line in _program_lines(node.program, node.events):
        yield f'{margin}{line}'
    if node.point is not None:
        how = node.point.look.name if isinstance(node.point, events.Look) else 'shape'
        yield f'{margin}branch: {how} at {node.point.where.short}'
        for outcome, child in list(node.children.items()):
            yield f'{margin}outcome {outcome!r}:'
            yield from _node_lines(child, depth + 1)


def _program_lines(program: Program, log: Sequence[Event]) -> Iterator[str]:
    """Code with a note where an event begins."""
    buffers = _Buffers()
    before = -1
    for text, position in zip(program.source.splitlines(), program.positions, strict=False):
        notes = []
        begins = before < position < len(log)
        if begins:
            notes.append(_event_text(log[position]))
        before = max(before, position)
        notes += buffers.notes(text)
        yield f'{text}  # {"; ".join(notes)}' if notes else text
        if begins:
            yield from _part_lines(log[position])


def _part_lines(event: Event) -> Iterator[str]:
    """The code of what a loop or a choice runs."""
    if isinstance(event, events.Composite):
        for number, part in enumerate(event.plan.parts):
            yield f'        part {number} of {event.text}:'
            for line in _program_lines(part.program, part.events):
                yield f'          {line}'


class _Buffers:
    """Which values lie in which buffer."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def notes(self, text: str) -> list[str]:
        """What a line does with buffers."""
        found = _RESULT.search(text)
        if found is None:
            return []
        result, arguments, buffer = found.groups()
        used = {self._of.get(name) for name in _NAME.findall(arguments)}
        known = buffer in self._of.values()
        self._of[result] = buffer
        if buffer in used:
            return [f'in place in {buffer}']
        return [f'{buffer} again'] if known else [f'{buffer} is kept between calls']


def _event_text(event: Event) -> str:
    where = event.where.short
    if isinstance(event, events.Copy):
        return f'copy {event.source.short} -> {event.device.short} for {event.need[0]}, {where}'
    if isinstance(event, events.Read) and event.home is not event.device:
        return f'{event.text} from {event.home.short}, replica on {event.device.short}, {where}'
    if isinstance(event, events.Write):
        return f'{event.text} on {event.device.short}, in place if nobody holds it, {where}'
    device = getattr(event, 'device', None)
    place = f' on {device.short}' if device is not None else ''
    return f'{event.text}{place}, {where}'
