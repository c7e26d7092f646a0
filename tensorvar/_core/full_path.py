"""How an op runs where something listens, guards, converts or copies.

Place -> copy -> choose the kernel -> run -> record -> tape. The errors are worded here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar._core import dispatch, op_call, operands, tape_entries, tape_writing
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_call import OpCall
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef, register
from tensorvar._core.operands import HostOperand, Operand
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import call_site, placement, scope


def run(
    op: OpDef,
    inputs: Sequence[Any],
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> Any:
    """Runs an op; see ``executor.run``.

    Args:
        op: the record of the op.
        inputs: whatever converts to tensors.
        attributes: its attributes.
        state: the current scopes.
    """
    call = OpCall(op, attributes, state)
    values = operands.prepare(op, inputs)
    expected = op.infer(*[value._spec() for value in values], **attributes)
    specs = (expected,) if isinstance(expected, ArraySpec) else expected
    decision = _place(op, values, specs, state)
    if decision.device.is_gpu:
        op_call.check_values(op, values, attributes)
    if state is not None and state.trace is not None:
        arrays, results = state.trace.compute(call, values, specs, decision)
    else:
        arrays = call.bring(values, decision.device)
        results = call.compute(arrays, specs, decision)
    outputs = tuple(wrap(array, decision.device) for array in results)
    if state is not None and state.tapes:
        local = tape_writing.as_tensors(values, arrays, decision.device, state)
        tape_writing.write_down(state, op, local, outputs, attributes)
    if decision.reason is placement.VARIABLE:
        outputs = _follow_scope(call, outputs)
    if state is not None and state.guards:
        _note_creation(outputs)
    call.report(values, outputs, decision)
    return outputs[0] if isinstance(expected, ArraySpec) else outputs


def _note_creation(outputs: Sequence[Tensor]) -> None:
    """Keeps the line of user code, for the errors of the guards that are open."""
    where = str(call_site.user_call_site())
    for output in outputs:
        output._where = where


def _place(
    op: OpDef,
    values: Sequence[Operand],
    results: Sequence[ArraySpec],
    state: scope.ContextState | None,
) -> placement.Decision:
    located = [
        (value._device, value._spec().nbytes) for value in values if isinstance(value, ArrayValue)
    ]
    variable = None
    if op.on_variable and isinstance(values[0], ArrayValue) and values[0]._label() is not None:
        variable = values[0]._device
    decision = placement.choose(state, located, variable)
    specs = [value._spec() for value in values]
    if any(spec.dtype.kind == 'O' for spec in (*specs, *results)):
        return placement.without_gpu(decision, 'strings')
    return decision


def _follow_scope(call: OpCall, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Moves what was picked out of a variable to the device of the scope."""
    state = call.state
    if state is None or state.device is None or outputs[0]._device is state.device:
        return outputs
    if state.device.is_gpu and outputs[0]._spec().dtype.kind == 'O':
        # No GPU holds text.
        return outputs
    device, need = state.device, call.need('result')
    moved = tuple(wrap(output._on_device(device, need), device) for output in outputs)
    for before, after in zip(outputs, moved, strict=True):
        tape_writing.write_down(state, tape_entries.COPY, (before,), (after,), {})
    call.finish()
    return moved


def _constant_rule() -> ArraySpec:
    raise NotImplementedError('a constant takes its shape from its data')


CONST = register(OpDef('Const', _constant_rule, _constant_rule, NOT_DIFFERENTIABLE, inputs=''))


def create(
    host: np.ndarray[Any, Any], decision: placement.Decision, state: scope.ContextState | None
) -> Tensor:
    """A tensor of host data on the device decided for it: an explicit copy."""
    call = OpCall(CONST, {}, state)
    array = call.place_host(HostOperand(host, host.size == 1), 'value', decision.device, True)
    call.finish()
    tensor = wrap(array, decision.device)
    if state is not None and state.guards:
        _note_creation((tensor,))
    call.report((), (tensor,), decision)
    return tensor


dispatch.create = create
