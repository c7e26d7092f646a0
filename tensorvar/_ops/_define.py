"""Shape rules and records that most elementwise ops share."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes
from tensorvar._backend import host_pieces
from tensorvar._core import op_registry
from tensorvar._core.op_registry import (
    ArraySpec,
    Forward,
    Gradient,
    Infer,
    NotDifferentiable,
    OpDef,
)
from tensorvar._ops import _half_precision

DTypes = frozenset[np.dtype[Any]]
BOOL = dtypes.bool_.numpy

# What one instruction or few compute, so that it waits for the memory.
_LIGHT = frozenset({
    'abs', 'add', 'bitwise_and', 'bitwise_or', 'bitwise_xor', 'ceil', 'divide', 'equal', 'floor',
    'greater', 'greater_equal', 'invert', 'isfinite', 'isinf', 'isnan', 'left_shift', 'less',
    'less_equal', 'logical_and', 'logical_not', 'logical_or', 'logical_xor', 'maximum', 'minimum',
    'multiply', 'negative', 'not_equal', 'reciprocal', 'right_shift', 'rint', 'sqrt', 'square',
    'subtract',
})  # fmt: skip


def same_as_input(x: ArraySpec) -> ArraySpec:
    """The rule of ops whose result has the shape and dtype of their one input."""
    return x


def bool_like_input(x: ArraySpec) -> ArraySpec:
    """The rule of ops that answer yes or no for each element."""
    return ArraySpec(x.shape, BOOL)


def broadcast(name: str, *specs: ArraySpec) -> _shapes.PartialShape:
    """The shape to which the inputs of the op ``name`` broadcast."""
    return _shapes.broadcast_shapes(name, *[spec.shape for spec in specs])


def broadcast_rule(name: str, dtype: np.dtype[Any] | None = None) -> Infer:
    """The rule of ops that broadcast two inputs.

    Args:
        name: of the op, for its errors.
        dtype: of the result; None for the dtype of the first input.
    """

    def infer(x: ArraySpec, y: ArraySpec) -> ArraySpec:
        return ArraySpec(broadcast(name, x, y), dtype or x.dtype)

    return infer


def array_function(name: str) -> Forward:
    """The forward that is one function of the array module."""

    def forward(xp: Any, *arrays: Any) -> Any:
        return getattr(xp, name)(*arrays)

    return forward


def unary(
    name: str,
    forward: Forward | str,
    gradient: Gradient | NotDifferentiable,
    allowed: DTypes,
    *,
    wide: bool = False,
    infer: Infer = same_as_input,
    grain: int | None = None,
    into: Callable[..., Any] | None = None,
) -> OpDef:
    """Registers an op of one input that refuses no value.

    Args:
        name: of the op.
        forward: see ``OpDef``; or the name of the array module's function that is all of it.
        gradient: see ``OpDef``.
        allowed: dtypes of the input.
        wide: whether ``forward`` is to see float32 in place of 16-bit floats.
        infer: the rule, if shape or dtype change.
        grain: see ``OpDef``; None for that of an elementwise op of its weight.
        into: see ``host_into`` of ``OpDef``.
    """
    return op_registry.register(
        OpDef(
            name=name,
            infer=infer,
            forward=_forward(forward, wide),
            gradient=gradient,
            dtypes={'T': allowed},
            direct=True,
            wide=wide,
            grain=_grain(forward) if grain is None else grain,
            host_into=into,
            ufunc=forward if isinstance(forward, str) else None,
        )
    )


def binary(
    name: str,
    forward: Forward | str,
    gradient: Gradient | NotDifferentiable,
    allowed: DTypes,
    *,
    wide: bool = False,
    infer: Infer | None = None,
    grain: int | None = None,
    into: Callable[..., Any] | None = None,
) -> OpDef:
    """Registers an op of two inputs of one dtype that broadcast against each other.

    Args:
        name: of the op.
        forward: raises, as array code does, for shapes that do not broadcast; or the name
            of the array module's function that is all of it.
        gradient: see ``OpDef``.
        allowed: dtypes of the inputs.
        wide: whether ``forward`` is to see float32 in place of 16-bit floats.
        infer: the rule, if the dtype changes or the inputs have other names than x and y.
        grain: see ``OpDef``; None for that of an elementwise op of its weight.
        into: see ``host_into`` of ``OpDef``.
    """
    computation = _forward(forward, wide)
    return op_registry.register(
        OpDef(
            name=name,
            infer=infer or broadcast_rule(name),
            forward=computation,
            gradient=gradient,
            inputs='T T',
            dtypes={'T': allowed},
            direct=True,
            wide=wide,
            grain=_grain(forward) if grain is None else grain,
            host_into=into,
            ufunc=forward if isinstance(forward, str) else None,
            host_function=functools.partial(computation, np),
        )
    )


def _forward(given: Forward | str, wide: bool) -> Forward:
    if isinstance(given, str):
        return array_function(given)
    return _half_precision.in_float32(given) if wide else given


def _grain(forward: Forward | str) -> int:
    return host_pieces.LIGHT if forward in _LIGHT else host_pieces.HEAVY
