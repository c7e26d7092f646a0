"""Replays the reverse walk of a tape that has recorded the same as tapes before it.

A training step records the same operations each time, with other values. After a few
walks of one kind the next is traced, and from then on a plan gives the gradients: the
same operations in the same order, without dispatch and with buffers kept.

Walks that somebody could tell from a replay are never replayed: under recorders, guards,
outer tapes and traces, with gradients of the program's own, beside the CPU. Neither are
walks over large arrays, where dispatch is little of the time and buffers are much memory.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar._backend import faults
from tensorvar._core import backward, dispatch, function_mode
from tensorvar._core.op_registry import OPS, ArraySpec
from tensorvar._core.tape_entries import COPY, READ, WATCH, Entry
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import registry, scope, switches
from tensorvar._function import layout, results
from tensorvar._function.plan import Plan, Stop
from tensorvar._function.prefix import NOTHING
from tensorvar._function.trace import Trace
from tensorvar._function.tree import Run
from tensorvar._function.walk_pattern import Place, Recogniser, recogniser

_WALKS_BEFORE_A_PLAN = 2
_MOST_PLANS = 64
_MOST_SEEN = 1024
_MOST_BYTES = 1 << 20
# Of a longer walk the code would take seconds and much memory to compile.
_MOST_ENTRIES = 2_000

_PLAIN_ATTRIBUTES = (bool, int, float, complex, str, type(None), np.dtype)

Key = tuple[Any, ...]
Size = tuple[int, int, bool]
_plans: 'dict[Key, _Kept | None]' = {}
"""None for a walk that no plan can do."""
_seen: dict[Key, int] = {}
_by_size: 'dict[Size, tuple[_Kept, ...]]' = {}
"""Plans that recognise their walks, by the counts of entries and sources and by whether
reads of variables count as watched; the newest first."""


class _Kept(NamedTuple):
    """A plan of a walk.

    Attributes:
        plan: takes the arrays of the tensors at ``places``.
        places: of what the walk reads.
        size: see ``_by_size``.
        recognise: gives the arrays of a walk of this kind; or None.
    """

    plan: Plan
    places: tuple[Place, ...]
    size: Size
    recognise: Recogniser | None


def replay(
    entries: Sequence[Entry], targets: Sequence[Any], sources: Sequence[Any], watch_accessed: bool
) -> list[Any] | None:
    """The gradients of the sum of the targets by each source.

    Args:
        entries: what the tape recorded.
        targets: tensors or variables.
        sources: tensors or variables.
        watch_accessed: whether reads of trainable variables count as watched.

    Returns:
        What ``backward.gradients`` gives with weights of one, or None if that has to do it.
    """
    if switches.flags & ~switches.VERIFY_RULES or faults.armed or function_mode.eager:
        return None
    if len(entries) > _MOST_ENTRIES:
        return None
    state = scope.current()
    if state is not None and not (
        state.bare and (state.wanted is None or state.wanted is registry.cpu())
    ):
        return None
    for kept in _by_size.get((len(entries), len(sources), watch_accessed), ()):
        arrays = kept.recognise(entries, targets, sources)  # type: ignore[misc]
        if arrays is not None:
            return _replayed(kept, arrays, state)
    key = _key_of(entries, targets, sources, watch_accessed)
    known = _plans.get(key)
    if known is None:
        if key in _plans or not _may_have_plan(key, entries, targets):
            return None
        return _traced(key, entries, targets, sources, watch_accessed)
    steps: Sequence[Any] = entries
    arrays = [steps[entry][part][at]._array for entry, part, at in known.places]
    return _replayed(known, arrays, state)


def _replayed(kept: _Kept, arrays: list[Any], state: scope.ContextState | None) -> list[Any] | None:
    outcome = kept.plan.replay(arrays, state)
    # Where an op has failed the walk words the error.
    return None if type(outcome) is Stop else outcome


def _key_of(
    entries: Sequence[Entry], targets: Sequence[Any], sources: Sequence[Any], watch_accessed: bool
) -> Key:
    """What tells one walk from another: ops, attributes, and what meets what.

    Values are numbered in the order in which they appear. Of those that come from outside
    the shape, dtype and backend are part of it, from which those of results follow. Written
    out at length, because it takes part in each walk.
    """
    numbers: dict[int, int] = {}
    find = numbers.get
    parts: list[Any] = [watch_accessed]
    add = parts.append

    def add_spec(tensor: Tensor) -> None:
        array = tensor._array
        # A device has another backend each time the devices are configured.
        parts.extend((array.shape, array.dtype, tensor._device.backend))
        if type(array) is np.ndarray and not array.flags.c_contiguous:
            order = layout.order_of(array)
            if order:
                add(order)

    for op, inputs, outputs, attributes in entries:
        if not outputs and op is not WATCH:
            # Kept for ``explain`` alone; counted, as places are positions of entries.
            add(None)
            continue
        add(op)
        if attributes and attributes is not op.plain:
            add(repr(attributes))
        for value in inputs:
            number = find(id(value))
            if number is None:
                number = numbers[id(value)] = len(numbers)
                if type(value) is Tensor:
                    add_spec(value)
                else:
                    # A variable, whose value is what was read.
                    add(value._trainable)
                    add(value._numpy_dtype)
            add(number)
        for value in outputs:
            numbers[id(value)] = len(numbers)
            if op is READ:
                add_spec(value)
    # Less than expected if a value is the result of two entries, see ``_may_have_plan``.
    add(len(numbers))
    parts += [find(id(target)) for target in targets]
    add(None)
    parts += [find(id(source)) for source in sources]
    return tuple(parts)


def _may_have_plan(key: Key, entries: Sequence[Entry], targets: Sequence[Any]) -> bool:
    """Whether to trace a walk now. Says once and for all if no plan can ever do it."""
    if not all(OPS.get(op.name) is op or op is WATCH for op, _, outputs, _ in entries if outputs):
        # The key holds what the program has made: it is not kept.
        return False
    if not _is_plain_walk(entries, targets):
        _keep(key, None)
        return False
    count = _seen.get(key, 0)
    if count == _WALKS_BEFORE_A_PLAN:
        return True
    if len(_seen) >= _MOST_SEEN:
        _seen.clear()
    _seen[key] = count + 1
    return False


def _is_plain_walk(entries: Sequence[Entry], targets: Sequence[Any]) -> bool:
    """Whether the key says all of a walk, and a plan of it is worth its buffers."""
    results = [value for _, _, outputs, _ in entries for value in outputs]
    tensors = {id(each): each for each in [*_inputs(entries), *results] if type(each) is Tensor}
    return (
        len({id(value) for value in results}) == len(results)
        and all(id(target) in tensors for target in targets)
        and all(type(tensor._array) is np.ndarray for tensor in tensors.values())
        and sum(tensor._array.nbytes for tensor in tensors.values()) <= _MOST_BYTES
        and not any(op is COPY for op, _, _, _ in entries)
        and all(map(_is_plain, entries))
    )


def _inputs(entries: Sequence[Entry]) -> list[Any]:
    return [value for _, inputs, outputs, _ in entries if outputs for value in inputs]


def _is_plain(entry: Entry) -> bool:
    """Whether texts say all of the attributes, and shapes follow from those of the inputs."""
    op, inputs, outputs, attributes = entry
    if not outputs:
        return True
    if not _is_text(tuple(attributes.values())):
        return False
    specs = op.infer(*[value._spec() for value in inputs], **attributes)
    specs = (specs,) if isinstance(specs, ArraySpec) else specs
    return all(None not in spec.shape for spec in specs)


def _is_text(value: Any) -> bool:
    """Whether ``repr`` says all of an attribute."""
    if isinstance(value, tuple):
        return all(map(_is_text, value))
    return isinstance(value, _PLAIN_ATTRIBUTES)


def _keep(key: Key, kept: _Kept | None) -> None:
    _seen.pop(key, None)
    # Other threads add and drop plans meanwhile, so that no iterator would hold.
    for oldest in list(_plans)[: max(0, len(_plans) + 1 - _MOST_PLANS)]:
        _plans.pop(oldest, None)
    _plans[key] = kept
    global _by_size
    by_size: dict[Size, tuple[_Kept, ...]] = {}
    for each in reversed(list(_plans.values())):
        if each is not None and each.recognise is not None:
            by_size[each.size] = (*by_size.get(each.size, ()), each)
    _by_size = by_size


def _traced(
    key: Key,
    entries: Sequence[Entry],
    targets: Sequence[Any],
    sources: Sequence[Any],
    watch_accessed: bool,
) -> list[Any]:
    """Walks back under a trace, and keeps the plan of it."""
    places: dict[int, Place] = {}
    for number, entry in enumerate(entries):
        for part in (1, 2):
            values: Any = entry[part]
            for position, value in enumerate(values):
                if type(value) is Tensor:
                    places.setdefault(id(value), Place(number, part, position))
    trace = Trace(NOTHING, first_creation=lambda where: None)
    gradients = _walked(entries, targets, sources, watch_accessed, trace, places.values())
    if not trace.usable:
        _keep(key, None)
        return gradients
    read = {slot for event in trace.log for slot in event.inputs}
    read.update(output.slot for output in results.describe(gradients, trace).tensors)
    needed = tuple(place for slot, place in enumerate(places.values()) if slot in read)
    trace = Trace(NOTHING, first_creation=lambda where: None)
    gradients = _walked(entries, targets, sources, watch_accessed, trace, needed)
    outputs = results.describe(gradients, trace)
    run = Run(trace.log, trace.values, trace.constants, outputs)
    size = len(entries), len(sources), watch_accessed
    recognise = recogniser(entries, targets, sources, needed)
    _keep(key, _Kept(Plan(run, len(needed)), needed, size, recognise))
    return gradients


def _walked(
    entries: Sequence[Entry],
    targets: Sequence[Any],
    sources: Sequence[Any],
    watch_accessed: bool,
    trace: Trace,
    places: Iterable[Place],
) -> list[Any]:
    """Walks back under a trace with the tensors at ``places`` as its arguments."""
    own: dict[int, Tensor] = {}
    for entry, part, position in places:
        tensor: Any = entries[entry][part][position]  # type: ignore[index]
        own[id(tensor)] = wrap(trace.argument(tensor._array), tensor._device)

    def owned(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([own.get(id(value), value) for value in values])

    own_entries = [(op, owned(i), owned(o), attributes) for op, i, o, attributes in entries]
    own_sources = owned(sources)
    with trace:
        leading = backward.leads_from(own_entries, own_sources, watch_accessed)
        weights = [None] * len(targets)
        return backward.gradients(own_entries, leading, owned(targets), own_sources, weights)


dispatch.replay_gradients = replay
