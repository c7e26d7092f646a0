"""What a gradient tape writes down.

An entry is a plain tuple ``(op, inputs, outputs, attributes)``; ``inputs`` and
``outputs`` are tuples of tensors, but the single input of ``READ`` is a variable. The
tape holds them, so an object's ``id`` names it for as long as the tape lives.
"""

from typing import Any

from tensorvar import dtypes
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef, register

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

COPY = register(
    OpDef('Copy', _same, _pass_through, _identity_gradient, dtypes={'T': dtypes.ANY})
)
"""A tensor was copied to the device of an op. Its gradient stays where it was computed."""

WATCH = OpDef('Watch', _same, _pass_through, NOT_DIFFERENTIABLE)
"""``tape.watch(value)``. Never run, so not registered."""

ASSIGN = OpDef('Assign', _same, _pass_through, NOT_DIFFERENTIABLE)
"""A variable was written; kept for ``tape.explain``. Never run, so not registered."""
