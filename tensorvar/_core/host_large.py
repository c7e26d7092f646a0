"""How an op with a ``grain`` runs on large NumPy arrays: in pieces, on several threads."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend import host_pieces
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import ArraySpec, Forward, OpDef

Kind = tuple[tuple[int, ...], np.dtype[Any]]
"""A shape and a dtype."""

LARGE = host_pieces.LARGE
"""Bytes of an input from which on to ask this module; below, it has nothing to gain."""


def is_one_large(arrays: Sequence[Array]) -> bool:
    """Whether to ask this module for an op on NumPy's arrays."""
    return any(array.nbytes >= LARGE for array in arrays)


def is_worth_a_cut(op: OpDef, nbytes: int) -> bool:
    """Whether an op runs in pieces if its largest input has so many bytes."""
    return op.grain > 0 and nbytes >= max(LARGE, 2 * op.grain)


def forward_of(op: OpDef) -> Forward:
    """What gives the same as ``op.forward``, faster for large arrays."""

    def forward(xp: Any, *arrays: Array, **attributes: Any) -> Any:
        result = _in_pieces(op, arrays, attributes)
        if result is not None:
            return result
        if op.host_into is not None and not attributes:
            return op.host_into(*arrays)
        return op.forward(np, *arrays, **attributes)

    return forward


def call_of(
    op: OpDef, result: Kind, function: Callable[..., Array], last: Sequence[Array] = ()
) -> Callable[..., Array]:
    """What gives the same as a function for an op without attributes, in pieces.

    Args:
        op: the record of the op, which has a grain.
        result: shape and dtype of its result.
        function: ``function(*arrays, *last, out=None)``, which runs if cutting does not pay.
        last: what it takes after the inputs of the op.
    """

    def call(*arrays: Array, out: Array | None = None) -> Array:
        made = _cut(op, arrays, {}, *result, out)
        return function(*arrays, *last, out=out) if made is None else made

    return call


def in_place_of(op: OpDef) -> Forward:
    """What writes the same as ``op.in_place``, faster for large arrays."""

    def in_place(xp: Any, target: Array, *arrays: Array, **attributes: Any) -> None:
        assert op.in_place is not None
        write = functools.partial(op.in_place, np, **attributes)
        if not host_pieces.write(write, target, arrays):
            write(target, *arrays)

    return in_place


def _in_pieces(op: OpDef, arrays: tuple[Array, ...], attributes: dict[str, Any]) -> Array | None:
    """The result of an op; None if it is to run as a whole."""
    if not op.grain:
        return None
    try:
        result = op.infer(*[ArraySpec(a.shape, a.dtype) for a in arrays], **attributes)
    except (errors.OpError, ValueError, TypeError):
        # The forward computation refuses them too, and what called it words the error.
        return None
    return _cut(op, arrays, attributes, *result)


def _cut(
    op: OpDef,
    arrays: Sequence[Array],
    attributes: dict[str, Any],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    out: Array | None = None,
) -> Array | None:
    into = op.host_into
    function = functools.partial(op.forward, np, **attributes) if into is None else into
    return host_pieces.compute(function, arrays, shape, dtype, op.grain, into is not None, out)
