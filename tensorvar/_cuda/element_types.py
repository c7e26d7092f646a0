"""NumPy's dtypes as the kernels name them, and the type that an op computes with."""

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from tensorvar import dtypes, errors

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
_FLOAT32 = np.dtype(np.float32)


class ElementType(NamedTuple):
    """An element type on the C++ side.

    Attributes:
        code: its name in the kernels, such as ``'tv::Half'``.
        short: its name in kernel names, such as ``'f16'``.
        size: bytes per element.
        alignment: what an address must be a multiple of.
    """

    code: str
    short: str
    size: int
    alignment: int


_BY_DTYPE = {
    dtypes.float16.numpy: ElementType('tv::Half', 'f16', 2, 2),
    dtypes.bfloat16.numpy: ElementType('tv::BFloat16', 'bf16', 2, 2),
    dtypes.float32.numpy: ElementType('float', 'f32', 4, 4),
    dtypes.float64.numpy: ElementType('double', 'f64', 8, 8),
    dtypes.int8.numpy: ElementType('tv::i8', 'i8', 1, 1),
    dtypes.int16.numpy: ElementType('tv::i16', 'i16', 2, 2),
    dtypes.int32.numpy: ElementType('tv::i32', 'i32', 4, 4),
    dtypes.int64.numpy: ElementType('tv::i64', 'i64', 8, 8),
    dtypes.uint8.numpy: ElementType('tv::u8', 'u8', 1, 1),
    dtypes.uint16.numpy: ElementType('tv::u16', 'u16', 2, 2),
    dtypes.uint32.numpy: ElementType('tv::u32', 'u32', 4, 4),
    dtypes.uint64.numpy: ElementType('tv::u64', 'u64', 8, 8),
    dtypes.bool_.numpy: ElementType('tv::Bool', 'bool', 1, 1),
    dtypes.complex64.numpy: ElementType('tv::Complex64', 'c64', 8, 8),
    dtypes.complex128.numpy: ElementType('tv::Complex128', 'c128', 16, 16),
}
# Values of one size are the same to a kernel that only moves them.
_BITS = {
    1: ElementType('tv::u8', 'b1', 1, 1),
    2: ElementType('tv::u16', 'b2', 2, 2),
    4: ElementType('tv::u32', 'b4', 4, 4),
    8: ElementType('tv::u64', 'b8', 8, 8),
    16: ElementType('uint4', 'b16', 16, 16),
}
# A value may go where its kind comes before: as NumPy's casting='same_kind'.
_KINDS = 'buifc'


def element_type(op: str, dtype: np.dtype[Any]) -> ElementType:
    """The C++ type of a dtype.

    Raises:
        InvalidTypeError: the kernels have no such type.
    """
    found = _BY_DTYPE.get(dtype)
    if found is None:
        allowed = ', '.join(sorted(known.name for known in _BY_DTYPE))
        raise errors.InvalidTypeError(f'[{op}] an array of {dtype}; the kernels know {allowed}')
    return found


def bits(dtype: np.dtype[Any]) -> ElementType:
    """The unsigned type of a dtype's size, for kernels that only move values."""
    return _BITS[dtype.itemsize]


def kind(dtype: np.dtype[Any]) -> str:
    """NumPy's kind of a dtype; bfloat16 is a float, which NumPy does not know."""
    return 'f' if dtype == _BFLOAT16 else dtype.kind


def compute_type(op: str, destination: np.dtype[Any], source: np.dtype[Any]) -> np.dtype[Any]:
    """What ``destination (op) source`` is computed with before it is stored.

    NumPy's promotion, except that 16-bit floats are computed with as float32.

    Raises:
        InvalidTypeError: the result is of a kind that the destination cannot hold.
    """
    computed = np.promote_types(_wide(destination), _wide(source))
    if _KINDS.index(kind(computed)) > _KINDS.index(kind(destination)):
        raise errors.InvalidTypeError(
            f'[{op}] a destination of {destination.name} and a source of {source.name}: the '
            f'result would be {computed.name}; the source must be of no higher kind than the '
            f'destination; cast it first'
        )
    return computed


def can_store(destination: np.dtype[Any], source: np.dtype[Any]) -> bool:
    """Whether values of one dtype may be stored as another without an explicit cast."""
    return _KINDS.index(kind(source)) <= _KINDS.index(kind(destination))


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return _FLOAT32 if dtype in dtypes.HALF_PRECISION else dtype
