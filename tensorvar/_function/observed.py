"""Runs the events of a node one by one and tells recorders of each, as an eager run does."""

import dataclasses
import types
from collections.abc import Sequence
from typing import Any

from tensorvar._backend import transfer
from tensorvar._backend.base import Array
from tensorvar._core import index_reports, replicas, update
from tensorvar._core.array_value import CopyNeed
from tensorvar._core.op_call import OpCall
from tensorvar._device import call_site, placement, scope
from tensorvar._device.call_site import CallSite
from tensorvar._function import events, liveness, steps
from tensorvar._function.events import Event
from tensorvar._function.tree import Node

State = scope.ContextState | None


def run(node: Node, values: list[Array], state: State) -> int:
    """Runs a node and keeps every value.

    Args:
        node: the node.
        values: arrays by slot, with places for the results.
        state: the current scopes.

    Returns:
        How many events were done: all, fewer if one failed, or ``steps.GONE``.
    """
    if not all(map(_is_in_place, node.events)):
        return steps.GONE
    deaths = {} if state is not None and state.tapes else _deaths(node)
    call: OpCall | None = None
    op: events.Op | None = None
    for position, event in enumerate(node.events):
        if call is None:
            call = _call_of(node.events[position:], state)
        try:
            # No name of this function may hold an array: a write would keep its value.
            _store(event, _perform(event, values, state, call), values)
        except Exception as error:
            if deaths and position > liveness.last_failing(node):
                raise
            if isinstance(event, events.Composite) and liveness.has_effect(event):
                raise
            # The re-run meets the same failure and words the error.
            index_reports.put_back(error)
            return position
        if isinstance(event, events.Op):
            op = event
        elif isinstance(event, events.Write | events.Composite):
            call = None
        if op is not None and not _is_of(op, node.events[position + 1 : position + 2]):
            _report(op, values, call)
            op = call = None
        for slot in deaths.get(position, ()):
            values[slot] = None
    return len(node.events)


def _line_of(frame: types.FrameType) -> CallSite | None:
    """The line whose event is done."""
    if frame.f_code is not run.__code__:
        return None
    event: Event | None = frame.f_locals.get('event')
    return None if event is None else event.where


call_site.replays(run.__code__.co_filename, _line_of)


def _is_of(op: events.Op, following: Sequence[Event]) -> bool:
    """Whether an op goes on with a copy of its result to the device of the scope."""
    return any(
        isinstance(event, events.Copy)
        and event.need[:2] == (op.op.name, 'result')
        and event.inputs[0] in op.outputs
        for event in following
    )


def _report(op: events.Op, values: Sequence[Array], call: OpCall | None) -> None:
    assert call is not None
    record = dataclasses.replace(op.record)
    record.nbytes = sum(values[slot].nbytes for slot in op.outputs)
    call.emit(record, op.device)


def _store(event: Event, results: Sequence[Array], values: list[Array]) -> None:
    for slot, array in zip(event.outputs, results, strict=True):
        values[slot] = array


def _deaths(node: Node) -> dict[int, list[int]]:
    """By position, the values that are let go of there."""
    kept = liveness.last_failing(node)
    found: dict[int, list[int]] = {}
    if node.point is None:
        for position, slots in liveness.deaths(node, list(enumerate(node.events)), {}).items():
            found.setdefault(max(position, kept), []).extend(slots)
    return found


def _is_in_place(event: Event) -> bool:
    """Whether the variables of an event are as they were."""
    for access in events.accesses(event):
        variable = access.variable()
        home = access.device if isinstance(access, events.Write) else access.home
        if variable is None or variable._device is not home or variable._concrete != access.shape:
            return False
    return True


def _call_of(rest: Sequence[Event], state: State) -> OpCall | None:
    """The call to which the next copies belong, if they belong to one."""
    for event in rest:
        if isinstance(event, events.Composite):
            return OpCall(event.op, {}, state)
        if isinstance(event, events.Op | events.Write):
            attributes = {
                key: steps.stream(event.op.name, value) if key == events.STREAM else value
                for key, value in event.attributes.items()
            }
            return OpCall(event.op, attributes, state)
    return None


def _perform(
    event: Event, values: Sequence[Array], state: State, call: OpCall | None
) -> Sequence[Array]:
    arrays = [values[slot] for slot in event.inputs]
    if isinstance(event, events.Copy):
        need = _need(event.need, state, call)
        copied = transfer.to_device(arrays[0], event.source, event.device, **need._asdict())
        if call is not None:
            # If it was the result of an op, the op ends here.
            call.finish()
        return (copied,)
    if isinstance(event, events.Read):
        variable: Any = event.variable()
        if event.home is event.device:
            return (variable._read(),)
        return (replicas.read(variable, event.device, _need(event.need, state, call)),)
    if isinstance(event, events.Check):
        event.check(*arrays)
        return ()
    if isinstance(event, events.Op):
        assert call is not None
        return _compute(event, arrays, call)
    if isinstance(event, events.Composite):
        assert call is not None
        return _run_composite(event, arrays, call)
    if isinstance(event, events.Write):
        assert call is not None
        _write(event, arrays, call)
    return ()


def _need(need: tuple[str, str, bool], state: State, call: OpCall | None) -> CopyNeed:
    op, operand, explicit = need
    if call is not None and call.op.name == op:
        return call.need(operand)._replace(explicit=explicit)
    return CopyNeed(op, operand, state, explicit=explicit)


def _compute(event: events.Op, arrays: list[Array], call: OpCall) -> Sequence[Array]:
    decision = placement.Decision(event.device, event.record.reason, event.record.note)
    state = call.state
    if event.scope is not None and event.op.stateful:
        # The state of a generator changes by an op of its own, which has a record, too.
        state = (state or scope.EMPTY).derive(event.scope, state)
    with scope.Pushed(state):
        return call.compute(arrays, event.specs, decision)


def _write(event: events.Write, arrays: Sequence[Array], call: OpCall) -> None:
    variable: Any = event.variable()
    kept = steps.write(variable, event.op, event.attributes, event.device.backend, *arrays)
    call.finish()
    record = dataclasses.replace(event.record)
    if not kept:
        record.note = update.FRESH_BUFFER
    call.emit(record, event.device)


def _run_composite(event: events.Composite, arrays: list[Array], call: OpCall) -> Sequence[Array]:
    results: Sequence[Array] = event.plan.run(arrays, call.state, True)
    call.finish()
    call.emit(dataclasses.replace(event.record), event.device)
    return results
