"""Runs an op that changes a variable: check -> copy -> lock -> write -> record -> tape."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import (
    device_kernels,
    host_large,
    index_reports,
    moves,
    op_call,
    operands,
    tape_entries,
    variable_write,
)
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_call import OpCall, as_array
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import call_site, placement, scope, switches
from tensorvar._device.device import Device

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

FRESH_BUFFER = 'written to a fresh buffer: the old one is held'
"""What the record of such a write notes."""

Hosts = Sequence[np.ndarray[Any, Any] | None]

_ndarray = np.ndarray


def update(
    variable: 'Variable', op: OpDef, values: Sequence[Any], hosts: Hosts = (), **attributes: Any
) -> 'Variable':
    """Changes a variable by an op, where the variable lives.

    Args:
        variable: the variable; the op's first input.
        op: the record of the op, with ``in_place``.
        values: the other inputs.
        hosts: for each input what the host knows of its value, if anything.
        **attributes: the op's attributes.

    Returns:
        The variable.

    Raises:
        InvalidArgumentError: the op's rule refuses the values; nothing has changed.
    """
    state = scope.current()
    simple = not (switches.flags or variable._enforced) and (state is None or state.bare)
    if simple and op.direct and _write_like(variable, op, values, attributes):
        return variable
    try:
        if simple and _write_tensors(variable, op, values, attributes):
            return variable
        if variable._enforced:
            _update_constrained(variable, op, values, hosts, attributes, state)
        else:
            _update_full(variable, op, values, hosts, attributes, state)
    except errors.InvalidArgumentError as error:
        name_variable(error, variable)
        raise
    return variable


def name_variable(error: errors.InvalidArgumentError, variable: 'Variable') -> None:
    """Adds to the error of a write which variable it concerns."""
    # A late one is of any op before.
    is_late = isinstance(error, index_reports.LateIndexError)
    if not is_late and repr(variable.name) not in error.message:
        error._add(f'this concerns {variable._describe()}')


def _write_like(
    variable: 'Variable', op: OpDef, values: Sequence[Any], attributes: dict[str, Any]
) -> bool:
    """Writes if the one value is a tensor just like the variable; says whether it did."""
    value = values[0]
    if type(value) is not Tensor:
        return False
    device, shape = variable._device, variable._concrete
    array = value._array
    if (
        value._device is not device
        or array.shape != shape
        or array.dtype is not variable._numpy_dtype
        or array.dtype not in op.allowed
    ):
        return False
    # Ops that are one function of the array module have tried this in ``write_direct``.
    tried = type(array) is _ndarray or op.host_function is not None
    if not tried and variable_write.launch_direct(variable, op, value):
        return True
    return _write(variable, device, shape, op, [array], attributes, shape) is not None


def _write_tensors(
    variable: 'Variable', op: OpDef, values: Sequence[Any], attributes: dict[str, Any]
) -> bool:
    """Writes if all values are tensors of the host, as the variable is; says whether it did."""
    device, shape = variable._device, variable._concrete
    arrays = []
    for value in values:
        if type(value) is not Tensor or type(value._array) is not _ndarray:
            return False
        if value._device is not device:
            return False
        arrays.append(value._array)
    specs = [ArraySpec(array.shape, array.dtype) for array in arrays]
    specs.insert(0, ArraySpec(shape, variable._numpy_dtype))
    if not operands.dtypes_agree(op, specs):
        return False
    try:
        result = op.infer(*specs, **attributes)
    except errors.OpError:
        # The full path words the error.
        return False
    if result.shape != shape:
        return False
    return _write(variable, device, shape, op, arrays, attributes, shape) is not None


def _is_still(variable: 'Variable', device: Device, shape: tuple[int, ...]) -> bool:
    """Whether no other thread has moved or reshaped a variable, whose lock is held."""
    return variable._device is device and variable._concrete is shape


def _update_full(
    variable: 'Variable',
    op: OpDef,
    values: Sequence[Any],
    hosts: Hosts,
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> None:
    call = OpCall(op, attributes, state)
    prepared = operands.prepare(op, (variable, *values))
    kept = None
    while kept is None:
        device, shape = variable._device, variable._concrete
        result = op.infer(*_specs(prepared), **attributes)
        _check_static_shape(variable, op, result)
        decision = placement.choose(state, (), device)
        if device.is_gpu:
            op_call.check_values(op, prepared, attributes, hosts)
        arrays = call.bring(prepared[1:], decision.device, first=1)
        write = functools.partial(
            _write, variable, device, shape, op, arrays, attributes, result.shape
        )
        if state is not None and state.trace is not None:
            kept = state.trace.write(call, prepared, arrays, decision, result.shape, write)
        else:
            kept = write()
    if switches.flags & switches.SYNCHRONOUS:
        decision.device.backend.synchronize()
    call.finish()
    if not kept:
        decision = decision._replace(note=FRESH_BUFFER)
    call.report(prepared, (), decision, variable.name)
    if state is not None and state.tapes:
        where = call_site.user_call_site().short
        inputs = tuple(value for value in prepared if isinstance(value, ArrayValue))
        for tape in state.tapes:
            tape.write((tape_entries.ASSIGN, inputs, (), {'where': where}))


def _check_static_shape(variable: 'Variable', op: OpDef, result: ArraySpec) -> None:
    if not variable.shape.is_compatible_with(result.shape):
        raise errors.InvalidArgumentError(
            f'[{op.name}] Cannot assign value to variable {variable.name!r}: Shape mismatch. '
            f'The variable has shape {variable.shape}, the value {list(result.shape)}; '
            f"allowed is the variable's own shape; reshape the value",
            op.name,
        )


def _write(
    variable: 'Variable',
    device: Device,
    shape: tuple[int, ...],
    op: OpDef,
    arrays: Sequence[Array],
    attributes: dict[str, Any],
    new_shape: tuple[int, ...],
) -> bool | None:
    """Writes under the lock.

    Args:
        variable: the variable.
        device: where it was when the values were brought there.
        shape: which it had then.
        op: the record of the op.
        arrays: the values, on ``device``.
        attributes: the op's attributes.
        new_shape: which the variable will have.

    Returns:
        Whether the buffer was kept; None if another thread has moved or reshaped the
        variable, so that nothing was written.
    """
    backend = device.backend
    xp = backend.array_module
    forward, in_place = op.forward, op.in_place
    if backend.array_type is not _ndarray:
        forward, in_place = device_kernels.choose(op, backend)
    elif op.grain and arrays[0].nbytes >= host_large.LARGE:
        forward, in_place = host_large.forward_of(op), host_large.in_place_of(op)

    def write_into(target: Array) -> None:
        backend.call(in_place, xp, target, *arrays, **attributes)

    def compute(old: Array) -> Array:
        return as_array(backend.call(forward, xp, old, *arrays, **attributes), backend)

    with variable._lock:
        if not _is_still(variable, device, shape):
            return None
        if new_shape == shape:
            target = None if in_place is None else write_into
            return variable_write.replace(variable, target, compute)
        with moves.under_way():
            kept = variable_write.replace(variable, None, compute)
            variable._resized(new_shape)
    return kept


def _update_constrained(
    variable: 'Variable',
    op: OpDef,
    values: Sequence[Any],
    hosts: Hosts,
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> None:
    """Computes the new value aside, applies the constraint, and assigns the outcome."""
    scope.leave_trace('a variable enforces its constraint')
    call = OpCall(op, attributes, state)
    prepared = operands.prepare(op, (variable, *values))
    while True:
        device, shape = variable._device, variable._concrete
        _check_static_shape(variable, op, op.infer(*_specs(prepared), **attributes))
        if device.is_gpu:
            op_call.check_values(op, prepared, attributes, hosts)
        arrays = call.bring(prepared[1:], device, first=1)
        backend = device.backend
        with variable._lock:
            if not _is_still(variable, device, shape):
                continue
            forward = device_kernels.choose(op, backend).forward
            proposed = backend.call(
                forward, backend.array_module, variable._read(), *arrays, **attributes
            )
            value = variable.constraint(wrap(as_array(proposed, backend), device))
            _update_full(variable, OPS['AssignVariableOp'], (value,), (), {}, state)
            return


def _specs(prepared: Sequence[operands.Operand]) -> list[ArraySpec]:
    return [value._spec() for value in prepared]
