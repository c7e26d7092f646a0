"""What a gradient tape writes down.

An entry is a plain tuple ``(op, inputs, outputs, attributes)``; ``inputs`` and
``outputs`` are tuples of tensors, but the single input of ``READ`` is a variable. The
tape holds them, so an object's ``id`` names it for as long as the tape lives.
"""

from typing import Any

from tensorvar import dtypes
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef, register
from tensorvar._device import call_site, scope

Entry = tuple[OpDef, tuple[Any, ...], tuple[Any, ...], dict[str, Any]]


def _same(value: ArraySpec) -> ArraySpec:
    return value


def _pass_through(xp: Any, value: Any) -> Any:
    return value


def _identity_gradient(context: Any, gradient: Any) -> tuple[Any, ...]:
    return (gradient,)


READ = register(
    OpDef('ReadVariableOp', _same, _pass_through, _identity_gradient, dtypes={'T': dtypes.ANY})
)
"""A variable's value became a tensor. Also the op behind ``read_value``."""

COPY = register(OpDef('Copy', _same, _pass_through, _identity_gradient, dtypes={'T': dtypes.ANY}))
"""A tensor was copied to the device of an op. Its gradient stays where it was computed."""

WATCH = OpDef('Watch', _same, _pass_through, NOT_DIFFERENTIABLE)
"""``tape.watch(value)``. Never run, so not registered."""

ASSIGN = OpDef('Assign', _same, _pass_through, NOT_DIFFERENTIABLE)
"""A variable, the first input, was written, with the other inputs as values; kept for
``tape.explain``. Never run, so not registered."""

LOOK = OpDef('Look', _same, _pass_through, NOT_DIFFERENTIABLE)
"""A value became a host value; kept for ``tape.explain``. Never run, so not registered."""

_PRINTING = frozenset({'repr', 'print', 'format'})


def note_look(value: Any, look: str, state: scope.ContextState) -> None:
    """Writes down that a value became a host value; printing takes nothing away.

    Args:
        value: the tensor or variable.
        look: how, such as ``'numpy'``.
        state: the current scopes, with tapes.
    """
    if look in _PRINTING:
        return
    attributes = {'look': look, 'where': call_site.user_call_site().short}
    for tape in state.tapes:
        tape.write((LOOK, (value,), (), attributes))
