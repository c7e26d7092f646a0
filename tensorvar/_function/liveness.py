"""What of a segment is needed when: which events may fail, and when each value dies."""

from collections.abc import Sequence

from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._device.device import Device
from tensorvar._function import events, lowering
from tensorvar._function.events import Event, Op
from tensorvar._function.tree import Node

_ROW_WRITES = frozenset(
    f'ResourceScatter{name}' for name in ('Update', 'Add', 'Sub', 'Mul', 'Min', 'Max')
)
_EVERY_NUMBER = float('inf')
# Their checks wait for a card, too, and raise at once.
_CHECKED_ON_CARDS = frozenset({
    'CheckNumerics', 'HistogramFixedWidth', 'InvertPermutation', 'ResourceScatterDiv',
})  # fmt: skip


def on_numpy(device: Device) -> bool:
    """Whether a device computes with bare NumPy."""
    return type(device.backend) is NumpyBackend


def may_fail(event: Event) -> bool:
    """Whether values can make an event fail that did not when it was traced.

    Want of memory can stop every event. If all values were kept for that, a plan would ask
    for much more memory than an eager run does.
    """
    if isinstance(event, Op):
        if event.op.name == 'Pow':
            # Of integers it refuses negative exponents.
            return event.specs[0].dtype.kind in 'iu'
        return not (event.op.name in lowering.LOWERINGS or event.op.name in lowering.NEVER_FAIL)
    if isinstance(event, events.Write):
        return event.op.name not in lowering.WRITES
    if isinstance(event, events.Composite):
        # A branch may be taken that the trace did not take.
        return any(may_fail(inner) for part in event.plan.parts for inner in part.events)
    return isinstance(event, events.Check) or is_copy(event)


def is_copy(event: Event) -> bool:
    """Whether an event copies to another device, which guards may refuse."""
    return isinstance(event, events.Copy) or (
        isinstance(event, events.Read) and event.home is not event.device
    )


def has_effect(event: Event) -> bool:
    """Whether an event must happen even if nobody needs its results."""
    if isinstance(event, events.Composite):
        return any(has_effect(inner) for part in event.plan.parts for inner in part.events)
    return isinstance(event, events.Write) or (isinstance(event, Op) and event.op.stateful)


def last_kept(node: Node) -> int:
    """Before which event all values must stay whole, for a re-run that gets them back.

    That is the end where there is a branch point; else the last event which may fail once
    something was done that must not be done again. Before that, a re-run begins anew.
    """
    if node.point is not None:
        return len(node.events)
    begun = _have_begun(node)
    return max((position for position in _failing(node.events) if begun[position]), default=-1)


def last_failing(node: Node) -> int:
    """The last event that may fail, or the end where there is a branch point."""
    if node.point is not None:
        return len(node.events)
    return max(_failing(node.events), default=-1)


def _have_begun(node: Node) -> list[bool]:
    """By event whether something comes before it that must not be done again."""
    *before, _ = node.path()
    begun = any(_once_only(event) for each in before for event in each.events)
    found = []
    for event in node.events:
        found.append(begun)
        begun = begun or _once_only(event)
    return found


def _once_only(event: Event) -> bool:
    """Whether a re-run must not do an event again; copies are counted."""
    return has_effect(event) or is_copy(event)


def _failing(sequence: Sequence[Event]) -> list[int]:
    """Positions of the events that may fail there and then."""
    sure = _checked_before(sequence)
    return [
        position
        for position, event in enumerate(sequence)
        if position not in sure and may_fail(event) and not _reports_late(event)
    ]


def _reports_late(event: Event) -> bool:
    """Whether bad values are reported after an event, as most of a card are."""
    if not isinstance(event, Op | events.Write) or on_numpy(event.device):
        return False
    return event.op.name not in _CHECKED_ON_CARDS


def _checked_before(sequence: Sequence[Event]) -> set[int]:
    """Positions of the events that go by row numbers which a gather has checked before.

    Such is the step of an embedding: the rows that it has gathered it then changes.
    """
    rows: dict[int, int] = {}
    # Each of these values holds only numbers in [0, bound).
    bounds: dict[int, float] = {}
    found = set()
    for position, event in enumerate(sequence):
        if isinstance(event, events.Read) and event.shape:
            rows[event.outputs[0]] = event.shape[0]
        elif isinstance(event, Op | events.Write) and on_numpy(event.device):
            goes_by = _row_numbers(event)
            if goes_by is None:
                _learn_bounds(event, rows, bounds)
            elif bounds.get(goes_by[0], _EVERY_NUMBER) <= goes_by[1]:
                found.add(position)
    return found


def _row_numbers(event: Op | events.Write) -> tuple[int, int] | None:
    """By which value an event goes, if it fails for row numbers alone, and their bound."""
    if event.op.name == 'UnsortedSegmentSum':
        return event.inputs[1], event.attributes['num_segments']
    if event.op.name in _ROW_WRITES and isinstance(event, events.Write):
        return event.inputs[0], event.shape[0]
    return None


def _learn_bounds(event: Op | events.Write, rows: dict[int, int], bounds: dict[int, float]) -> None:
    """Adds what is known of integers once an event has happened.

    Args:
        event: the event.
        rows: by slot, how many rows a variable has that was read.
        bounds: by slot, what the integers of a value are less than.
    """
    known = [bounds.get(slot, _EVERY_NUMBER) for slot in event.inputs]
    if event.op.name in ('Reshape', 'ConcatV2'):
        bounds[event.outputs[0]] = max(known)
    elif event.op.name == 'GatherV2' and not any(event.attributes.values()):
        # Along axis 0, without dimensions in common.
        table, numbers = event.inputs
        bounds[numbers] = min(known[1], rows.get(table, _EVERY_NUMBER))


def needed_events(node: Node, kept: int) -> list[bool]:
    """Per event whether a replay has to do it."""
    needed = {output.slot for output in node.outputs.tensors} if node.outputs else set()
    answer = [True] * len(node.events)
    for position in range(len(node.events) - 1, kept, -1):
        event = node.events[position]
        happens = has_effect(event) or may_fail(event)
        answer[position] = happens or not needed.isdisjoint(event.outputs)
        if answer[position]:
            needed.update(event.inputs)
    return answer


def deaths(
    node: Node, stretch: Sequence[tuple[int, Event]], names: dict[int, int]
) -> dict[int, list[int]]:
    """By position, the values that are needed there for the last time.

    Args:
        node: the segment.
        stretch: its events that are done, with their positions.
        names: slots whose values stand for others.
    """
    last: dict[int, int] = {}
    for position, event in stretch:
        for slot in (*event.inputs, *event.outputs):
            last[names.get(slot, slot)] = position
    for output in node.outputs.tensors if node.outputs else ():
        last.pop(names.get(output.slot, output.slot), None)
    found: dict[int, list[int]] = {}
    for slot, position in last.items():
        found.setdefault(position, []).append(slot)
    return found


def foldable(event: Event, constants: set[int]) -> bool:
    """Whether the results of an event are the same in every replay."""
    if not isinstance(event, Op) or event.op.stateful or event.has_unknown_shape:
        return False
    return event.op.name in lowering.SHAPE_ONLY or constants.issuperset(event.inputs)
