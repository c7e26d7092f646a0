"""Large arrays on the host, in memory that earlier ones have left.

The allocator asks the system for each block of over 32 MiB anew and gives it back when it is
freed, and the system clears every page before its first use: an addition of 64 MB spends half
of its time on that. So memory of that size is kept for the next array. Measured on a 2-core
Zen 5 in ms, 64 MB each, afresh and in kept memory: adding 7.5 and 4.6, ``tanh`` 4.9 and 3.5.

At most ``LIMIT`` bytes wait for a next array; what has waited longest goes first. All goes
if memory runs short or is asked back (``release``).
"""

import math
import sys
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tensorvar._backend.base import Array

LARGE = 32 << 20
"""Bytes from which on no allocator known keeps memory by itself."""

LIMIT = 256 << 20
"""Bytes that are kept at most."""

_SPARE = 8
"""A block may be larger than its array by one part of so many."""

_waiting: dict[int, Array] = {}
"""Memory without an array, by its address, the longest unused first.

A block may come back at any moment, also from within a loop over this, so loops take copies.
"""


class Block:
    """Memory as NumPy asks for it: the base of one array.

    It is no array, so that views of the array hold the array itself: who holds a value is
    told by the references to its array. When the array is gone the memory waits for the next.

    Args:
        memory: its bytes.
        shape: of the array.
        dtype: likewise.
        order: likewise.
    """

    __slots__ = ('__array_interface__', '_memory')

    def __init__(
        self, memory: Array, shape: tuple[int, ...], dtype: np.dtype[Any], order: Literal['C', 'F']
    ) -> None:
        self._memory = memory
        self.__array_interface__ = {
            'version': 3, 'data': (memory.ctypes.data, False), 'shape': shape,
            'typestr': dtype.str, 'strides': _strides(shape, dtype.itemsize, order),
        }  # fmt: skip

    def __del__(self, is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
        # When the interpreter ends, what this module needs may be gone before.
        if not is_ending():
            keep(self._memory)


def empty(shape: tuple[int, ...], dtype: np.dtype[Any], order: Literal['C', 'F'] = 'C') -> Array:
    """As ``np.empty`` for a dtype of plain numbers, in kept memory if it is large.

    Raises:
        MemoryError: there is none, also without what was kept.
    """
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < LARGE or dtype.kind not in 'biufc':
        return np.empty(shape, dtype, order)
    memory = _take(nbytes)
    if memory is None:
        try:
            memory = np.empty(nbytes, np.uint8)
        except MemoryError:
            release()
            memory = np.empty(nbytes, np.uint8)
    return np.asarray(Block(memory, shape, dtype, order))


def is_whole(array: Array) -> bool:
    """Whether an array is no part of another one, and of nobody else's memory."""
    return array.base is None or type(array.base) is Block


def keep(memory: Array) -> None:
    """Lets memory wait for the next array."""
    if memory.nbytes > LIMIT:
        return
    _waiting[memory.ctypes.data] = memory
    while kept() > LIMIT:
        _drop(next(iter(_waiting.copy()), 0))


def kept() -> int:
    """The bytes that wait for an array."""
    return sum(memory.nbytes for memory in _waiting.copy().values())


def release() -> int:
    """Gives all memory without an array back to the system.

    Returns:
        Its bytes.
    """
    return sum(map(_drop, _waiting.copy()))


def _take(nbytes: int) -> Array | None:
    for address, memory in _waiting.copy().items():
        fits = nbytes <= memory.nbytes <= nbytes + nbytes // _SPARE
        if fits and _waiting.pop(address, None) is not None:
            return memory
    return None


def _drop(address: int) -> int:
    memory = _waiting.pop(address, None)
    return 0 if memory is None else memory.nbytes


def _strides(shape: tuple[int, ...], itemsize: int, order: Literal['C', 'F']) -> tuple[int, ...]:
    """Bytes between neighbours along each axis of an array without gaps."""
    axes = range(len(shape))
    if order == 'C':
        return tuple(itemsize * math.prod(shape[axis + 1 :]) for axis in axes)
    return tuple(itemsize * math.prod(shape[:axis]) for axis in axes)
