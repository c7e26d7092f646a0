"""How an op runs: place -> copy -> choose the kernel -> run -> record -> tape.

``run`` first tries the direct path: nothing listens, guards or traces, and all inputs
are tensors, variables or numbers on one device with one dtype. Everything else, and whatever
fails on the direct path, takes the full path, which words the errors.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import dispatch, host_data, operands, tape_entries
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_call import OpCall, as_array
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef, register
from tensorvar._core.operands import HostOperand, Operand
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import call_site, placement, scope, switches
from tensorvar._device.device import Device

_NUMBERS = frozenset({bool, int, float})


def run(op: OpDef, *inputs: Any, **attributes: Any) -> Any:
    """Runs an op.

    Args:
        op: the record of the op.
        *inputs: tensors, variables, arrays, Python numbers or nested lists.
        **attributes: plain, hashable Python values.

    Returns:
        A tensor, or a tuple of tensors if the op's rule gives a tuple.

    Raises:
        InvalidArgumentError: the rule of the op refuses the inputs or attributes.
        TransferError: a guard refuses a copy the op needs.
        ResourceExhaustedError: the device is full.
    """
    state = scope.current()
    if op.direct and not switches.flags and (state is None or state.plain):
        result = _run_direct(op, inputs, attributes, state)
        if result is not None:
            return result
    return _run_full(op, inputs, attributes, state)


def _run_direct(
    op: OpDef,
    inputs: tuple[Any, ...],
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> Tensor | None:
    """One result array, or None if the full path has to look at the call."""
    arrays: list[Any] = []
    numbers: list[int] | None = None
    device: Any = None
    dtype: Any = None
    for value in inputs:
        if type(value) is Tensor:
            array, where = value._array, value._device
        elif isinstance(value, ArrayValue):
            array, where = value._located()
        elif type(value) in _NUMBERS:
            numbers = [*(numbers or ()), len(arrays)]
            arrays.append(value)
            continue
        else:
            return None
        arrays.append(array)
        if device is None:
            if type(array) is ShapeOnlyArray:
                return None
            device, dtype = where, array.dtype
        elif where is not device or array.dtype is not dtype:
            return None
    if device is None or dtype not in op.allowed:
        return None
    if op.on_variable and type(inputs[0]) is not Tensor:
        # What is picked out of a variable must not keep its whole buffer.
        return None
    if state is not None:
        wanted = state.device or state.gradient_device
        if wanted is not None and wanted is not device:
            return None
    backend = device.backend
    try:
        if numbers is not None:
            for position in numbers:
                number = host_data.to_array(arrays[position], dtype, op.name)
                arrays[position] = backend.from_host(number)
        result = backend.call(op.forward, backend.array_module, *arrays, **attributes)
        if type(result) is not backend.array_type:
            result = as_array(result, backend)
    except (ValueError, TypeError):
        # The full path checks the same inputs by the op's rule and words the error.
        return None
    output = wrap(result, device)
    if state is not None and state.tapes:
        local = _as_tensors(inputs, arrays, device, state)
        _write_down(state, op, local, (output,), attributes)
    return output


def _as_tensors(
    inputs: Sequence[Any], arrays: Sequence[Array], device: Device, state: scope.ContextState
) -> tuple[Tensor, ...]:
    """The inputs as tensors of one device; reads and copies are written down."""
    local = []
    for value, array in zip(inputs, arrays, strict=True):
        if type(value) is Tensor and value._array is array:
            local.append(value)
            continue
        tensor = wrap(array, device)
        if isinstance(value, Tensor):
            _write_down(state, tape_entries.COPY, (value,), (tensor,), {})
        elif isinstance(value, ArrayValue):
            _write_down(state, tape_entries.READ, (value,), (tensor,), {})
        local.append(tensor)
    return tuple(local)


def _write_down(
    state: scope.ContextState,
    op: OpDef,
    inputs: tuple[Any, ...],
    outputs: tuple[Any, ...],
    attributes: dict[str, Any],
) -> None:
    entry = (op, inputs, outputs, attributes)
    for tape in state.tapes:
        tape.write(entry)


def _run_full(
    op: OpDef,
    inputs: Sequence[Any],
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> Any:
    call = OpCall(op, attributes, state)
    values = operands.prepare(op, inputs)
    expected = op.infer(*[value._spec() for value in values], **attributes)
    specs = (expected,) if isinstance(expected, ArraySpec) else expected
    decision = _place(op, values, specs, state)
    if state is not None and state.trace is not None:
        arrays, results = state.trace.compute(call, values, specs, decision)
    else:
        arrays = call.bring(values, decision.device)
        results = call.compute(arrays, specs, decision)
    outputs = tuple(wrap(array, decision.device) for array in results)
    if state is not None and state.tapes:
        local = _as_tensors(values, arrays, decision.device, state)
        _write_down(state, op, local, outputs, attributes)
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
        _write_down(state, tape_entries.COPY, (before,), (after,), {})
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


dispatch.run = run
dispatch.create = create
