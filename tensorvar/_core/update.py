"""Runs an op that changes a variable: check -> copy -> lock -> write -> record -> tape."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import operands, tape_entries, variable_write
from tensorvar._core.op_call import OpCall, as_array
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import call_site, placement, scope, switches

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


def update(
    variable: 'Variable', op: OpDef, values: Sequence[Any], **attributes: Any
) -> 'Variable':
    """Changes a variable by an op, where the variable lives.

    Args:
        variable: the variable; the op's first input.
        op: the record of the op, with ``in_place``.
        values: the other inputs.
        **attributes: the op's attributes.

    Returns:
        The variable.

    Raises:
        InvalidArgumentError: the op's rule refuses the values; nothing has changed.
    """
    state = scope.current()
    if (
        op.direct
        and not switches.flags
        and (state is None or (state.plain and not state.tapes))
        and _fits(variable, op, values)
    ):
        _write(variable, op, [values[0]._array], attributes, variable._spec())
        return variable
    if variable._enforced:
        _update_constrained(variable, op, values, attributes, state)
    else:
        _update_full(variable, op, values, attributes, state)
    return variable


def _fits(variable: 'Variable', op: OpDef, values: Sequence[Any]) -> bool:
    """Whether the one value is a tensor just like the variable."""
    value = values[0]
    if type(value) is not Tensor or value._device is not variable._device:
        return False
    array = value._array
    spec = variable._spec()
    return (
        array.shape == spec.shape
        and array.dtype is spec.dtype
        and array.dtype in op.allowed
        and not variable._enforced
    )


def _update_full(
    variable: 'Variable',
    op: OpDef,
    values: Sequence[Any],
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> None:
    call = OpCall(op, attributes, state)
    prepared = operands.prepare(op, (variable, *values))
    result = op.infer(*_specs(prepared), **attributes)
    _check_static_shape(variable, op, result)
    decision = placement.choose(state, (), variable._device)
    arrays = call.bring(prepared[1:], decision.device, first=1)
    kept = _write(variable, op, arrays, attributes, result)
    if switches.flags & switches.SYNCHRONOUS:
        decision.device.backend.synchronize()
    call.finish()
    if not kept:
        decision = decision._replace(note='written to a fresh buffer: the old one is held')
    call.report(prepared, (), decision, variable.name)
    if state is not None and state.tapes:
        where = str(call_site.user_call_site())
        for tape in state.tapes:
            tape.write((tape_entries.ASSIGN, (variable,), (), {'where': where}))


def _check_static_shape(variable: 'Variable', op: OpDef, result: ArraySpec) -> None:
    if not variable.shape.is_compatible_with(result.shape):
        raise errors.InvalidArgumentError(
            f'[{op.name}] Cannot assign value to variable {variable.name!r}: Shape mismatch. '
            f'The variable has shape {variable.shape}, the value {list(result.shape)}; '
            f'allowed is the variable\'s own shape; reshape the value', op.name
        )


def _write(
    variable: 'Variable',
    op: OpDef,
    arrays: Sequence[Array],
    attributes: dict[str, Any],
    result: ArraySpec,
) -> bool:
    """Writes under the lock; returns whether the buffer was kept."""
    backend = variable._device.backend
    xp = backend.array_module
    forward, in_place = op.forward, op.in_place

    def write_into(target: Array) -> None:
        backend.call(in_place, xp, target, *arrays, **attributes)

    def compute(old: Array) -> Array:
        return as_array(backend.call(forward, xp, old, *arrays, **attributes), backend)

    with variable._lock:
        same_shape = result.shape == variable._concrete
        target = write_into if same_shape and in_place is not None else None
        kept = variable_write.replace(variable, target, compute)
        if not same_shape:
            variable._resized(result.shape)
    return kept


def _update_constrained(
    variable: 'Variable',
    op: OpDef,
    values: Sequence[Any],
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> None:
    """Computes the new value aside, applies the constraint, and assigns the outcome."""
    device = variable._device
    backend = device.backend
    call = OpCall(op, attributes, state)
    prepared = operands.prepare(op, (variable, *values))
    _check_static_shape(variable, op, op.infer(*_specs(prepared), **attributes))
    arrays = call.bring(prepared[1:], device, first=1)
    with variable._lock:
        proposed = backend.call(
            op.forward, backend.array_module, variable._read(), *arrays, **attributes
        )
        value = variable.constraint(wrap(as_array(proposed, backend), device))
        _update_full(variable, OPS['AssignVariableOp'], (value,), {}, state)


def _specs(prepared: Sequence[operands.Operand]) -> list[ArraySpec]:
    return [value._spec() for value in prepared]
