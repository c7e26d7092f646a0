"""Work on the rows of a large NumPy array, such as softmax, in pieces on several threads.

What lies between the calls of one piece stays in the cache. Each row is computed by the same
calls as without the cut, so results are the same bits.
"""

from collections.abc import Callable
from typing import Any

from tensorvar._backend import host_blocks, host_threads
from tensorvar._backend.base import Array

_PIECE = 1 << 16
"""Elements of a piece."""

MANY = 1 << 17
"""Elements of an array from which on it is cut."""


def are_many(array: Array, axis: int) -> bool:
    """Whether what is done along an axis is done by rows of a large array without gaps."""
    is_last = axis in (-1, array.ndim - 1)
    return is_last and array.size > MANY and bool(array.flags.c_contiguous)


def computed(fill: Callable[[Array, Array], None], array: Array) -> Array:
    """An array of the same shape and dtype, computed row by row.

    Args:
        fill: ``fill(rows, out)`` computes some rows.
        array: one of which ``are_many`` holds for the last axis.
    """
    result = host_blocks.empty(array.shape, array.dtype)
    width = array.shape[-1]
    rows, out = array.reshape(-1, width), result.reshape(-1, width)

    def fill_piece(start: int, stop: int) -> None:
        fill(rows[start:stop], out[start:stop])

    each_piece(fill_piece, len(rows), width)
    return result


def each_piece(function: Callable[[int, int], Any], rows: int, width: int) -> None:
    """Calls ``function(start, stop)`` for all rows of so many elements, on several threads."""
    host_threads.each(function, rows, max(1, _PIECE // width))
