"""Describes matrices to the copy engine of Hopper, which moves boxes of them by itself.

A tensor map holds a raw address: it says nothing of who owns the memory, and is as good as
its numbers. Equal descriptions give equal maps, so they may be kept.
"""

import ctypes
import struct
from typing import Any, NamedTuple, Protocol

import numpy as np

from tensorvar import dtypes, errors

BYTES = 128
ALIGNMENT = 128
SWIZZLE_BYTES = 128
UNIT = 16
"""What addresses, rows and matrices must be a multiple of, in bytes."""

_RANK = 3
_FURTHEST = 1 << 40
_LONGEST = 1 << 31
_WIDEST_BOX = 256
# Values of the driver's enumerations.
_DTYPES = {dtypes.float16.numpy: 6, dtypes.float32.numpy: 7, dtypes.bfloat16.numpy: 9}
_NO_INTERLEAVE = 0
_SWIZZLE_128_BYTES = 3
_PROMOTE_TO_256_BYTES = 3
_FILL_WITH_ZEROS = 0
_HOST = struct.Struct(f'<Q3Q2Q3II{BYTES - 64}x')


class Tiled(NamedTuple):
    """Matrices and the box of them that one copy moves, with rows of at most 128 bytes.

    Attributes:
        dtype: of the elements.
        address: of the first.
        extents: elements of a row, rows of a matrix, matrices.
        strides: bytes from one row to the next, and from one matrix to the next.
        box: elements of a row and rows that are moved at once.
    """

    dtype: np.dtype[np.generic]
    address: int
    extents: tuple[int, int, int]
    strides: tuple[int, int]
    box: tuple[int, int]


class Encoder(Protocol):
    """What encodes: the driver."""

    def encode_tensor_map(self, *values: Any) -> None:
        """``cuTensorMapEncodeTiled``; raises InternalError where it refuses."""


def can_describe(address: int, extents: tuple[int, int, int], strides: tuple[int, int]) -> bool:
    """Whether the copy engine can reach these matrices; see ``Tiled``."""
    return (
        address % UNIT == 0
        and all(stride % UNIT == 0 and 0 < stride < _FURTHEST for stride in strides)
        and all(0 < extent <= _LONGEST for extent in extents)
    )


def encode(encoder: Encoder, tiled: Tiled) -> bytes:
    """The map as the driver makes it: 128 bytes that a kernel takes by value.

    Raises:
        InvalidArgumentError: the copy engine cannot reach the matrices.
        InternalError: the driver refuses.
    """
    _check(tiled)
    # The driver writes to a multiple of the alignment only.
    owner = ctypes.create_string_buffer(BYTES + ALIGNMENT)
    skip = -ctypes.addressof(owner) % ALIGNMENT
    encoder.encode_tensor_map(
        ctypes.c_void_p(ctypes.addressof(owner) + skip),
        ctypes.c_int(_DTYPES[tiled.dtype]),
        ctypes.c_uint32(_RANK),
        ctypes.c_void_p(tiled.address),
        (ctypes.c_uint64 * _RANK)(*tiled.extents),
        (ctypes.c_uint64 * (_RANK - 1))(*tiled.strides),
        (ctypes.c_uint32 * _RANK)(*tiled.box, 1),
        (ctypes.c_uint32 * _RANK)(*[1] * _RANK),
        ctypes.c_int(_NO_INTERLEAVE),
        ctypes.c_int(_SWIZZLE_128_BYTES),
        ctypes.c_int(_PROMOTE_TO_256_BYTES),
        ctypes.c_int(_FILL_WITH_ZEROS),
    )
    return owner.raw[skip : skip + BYTES]


def pack_for_host(tiled: Tiled) -> bytes:
    """The map as the emulation reads it: ``tvcpu::Map`` of ``tv_hopper_cpu.h``."""
    _check(tiled)
    return _HOST.pack(
        tiled.address, *tiled.extents, *tiled.strides, *tiled.box, 1, tiled.dtype.itemsize
    )


def _check(tiled: Tiled) -> None:
    row, rows = tiled.box
    fits = row * tiled.dtype.itemsize <= SWIZZLE_BYTES and 0 < rows <= _WIDEST_BOX
    if (
        tiled.dtype not in _DTYPES
        or not fits
        or not can_describe(tiled.address, tiled.extents, tiled.strides)
    ):
        raise errors.InvalidArgumentError(
            f'[tensor map] {tiled}: float16, bfloat16 and float32 are known; the address and '
            f'the strides must be multiples of {UNIT} bytes, rows of the box have at most '
            f'{SWIZZLE_BYTES} bytes, a box has at most {_WIDEST_BOX} rows; copy the operand'
        )
