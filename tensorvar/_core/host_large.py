"""How an op with a ``grain`` runs on large NumPy arrays: in pieces, on several threads."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend import host_pieces
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import ArraySpec, Forward, OpDef

LARGE = host_pieces.LARGE
"""Bytes of the first input from which on to ask this module; below, it has nothing to gain."""


def forward_of(op: OpDef) -> Forward:
    """What gives the same as ``op.forward``, faster for large arrays."""

    def forward(xp: Any, *arrays: Array, **attributes: Any) -> Any:
        result = _in_pieces(op, arrays, attributes)
        return op.forward(np, *arrays, **attributes) if result is None else result

    return forward


def pair_of(op: OpDef) -> Callable[..., Any]:
    """What gives the same as ``op.host_function``, faster for large arrays."""
    return functools.partial(forward_of(op), np, **op.plain)


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
    into = op.host_into
    function = functools.partial(op.forward, np, **attributes) if into is None else into
    return host_pieces.compute(
        function, arrays, result.shape, result.dtype, op.grain, into is not None
    )
