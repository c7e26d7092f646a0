"""The text of ``pretty_printed_plan``."""

from tensorvar._function import events
from tensorvar._function.engine import Engine
from tensorvar._function.events import Event
from tensorvar._function.tree import Node


def plan_text(engine: Engine) -> str:
    """All plans of a function."""
    if engine.eager is not None:
        return f'{engine.name} runs eagerly: {engine.eager.text} ({engine.eager.where.short})'
    lines = [f'{engine.name}: {len(engine.plans)} signature(s)']
    for number, plan in enumerate(list(engine.plans.values())):
        lines.append(f'signature {number}')
        lines += _node_lines(plan.root, 1)
    return '\n'.join(lines)


def _node_lines(node: Node, depth: int) -> list[str]:
    margin = '  ' * depth
    lines = []
    program = node.program
    for text, position in zip(program.source.splitlines(), program.positions, strict=False):
        note = ''
        if position < len(node.events) and not text.startswith('def'):
            note = f'  # {_event_text(node.events[position])}'
        lines.append(f'{margin}{text}{note}')
    if node.point is not None:
        how = node.point.look if isinstance(node.point, events.Look) else 'shape'
        lines.append(f'{margin}branch: {how} at {node.point.where.short}')
        for outcome, child in list(node.children.items()):
            lines.append(f'{margin}outcome {outcome!r}:')
            lines += _node_lines(child, depth + 1)
    return lines


def _event_text(event: Event) -> str:
    device = getattr(event, 'device', None)
    place = f' on {device.short}' if device is not None else ''
    return f'{event.text}{place}, {event.where.short}'
