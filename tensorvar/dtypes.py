"""Element types: ``tv.float32`` and friends.

A ``DType`` is a thin, interned value around a canonical ``numpy.dtype``. Inside
the library arrays are compared by ``array.dtype is ...``, which holds because
every array gets its dtype object from this module (see ``canonical``).
"""

import math
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from tensorvar import _left_out

__all__ = [
    'DType', 'as_dtype', 'bfloat16', 'bool_', 'complex64', 'complex128', 'double', 'float16',
    'float32', 'float64', 'half', 'int8', 'int16', 'int32', 'int64', 'string', 'uint8',
    'uint16', 'uint32', 'uint64',
]  # fmt: skip

_bfloat16 = np.dtype(ml_dtypes.bfloat16)


class DType:
    """An element type, as in TensorFlow.

    Compares equal to its name, to the NumPy dtype and to the NumPy scalar type:
    ``tv.float32 == 'float32' == numpy.float32``.

    Instances are interned; use ``as_dtype`` to get one.
    """

    __slots__ = ('_enum', '_name', 'numpy')

    def __init__(self, name: str, numpy_dtype: np.dtype[Any], enum: int) -> None:
        self._name = name
        self.numpy = numpy_dtype
        self._enum = enum

    @property
    def name(self) -> str:
        """The name, such as ``'float32'``."""
        return self._name

    @property
    def as_numpy_dtype(self) -> type:
        """The NumPy scalar type; ``object`` for strings, as in TensorFlow."""
        return self.numpy.type if self.numpy.kind != 'O' else object

    @property
    def as_datatype_enum(self) -> int:
        """TensorFlow's number of this type."""
        return self._enum

    @property
    def base_dtype(self) -> 'DType':
        """The type itself; there are no reference types here."""
        return self

    @property
    def real_dtype(self) -> 'DType':
        """The type of the real part: float32 for complex64."""
        if self is complex64:
            return float32
        if self is complex128:
            return float64
        return self

    @property
    def size(self) -> int:
        """Bytes per element; 0 for strings, as in TensorFlow."""
        return 0 if self.numpy.kind == 'O' else self.numpy.itemsize

    @property
    def is_floating(self) -> bool:
        """Whether this is a real floating-point type."""
        return self.numpy.kind == 'f' or self.numpy is _bfloat16

    @property
    def is_complex(self) -> bool:
        """Whether this is a complex type."""
        return self.numpy.kind == 'c'

    @property
    def is_integer(self) -> bool:
        """Whether this is a signed or unsigned integer type."""
        return self.numpy.kind in 'iu'

    @property
    def is_unsigned(self) -> bool:
        """Whether this is an unsigned integer type."""
        return self.numpy.kind == 'u'

    @property
    def is_bool(self) -> bool:
        """Whether this is the boolean type."""
        return self.numpy.kind == 'b'

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic is defined: neither bool nor string."""
        return self.is_floating or self.is_complex or self.is_integer

    @property
    def is_numpy_compatible(self) -> bool:
        """Always True: every type here has a NumPy counterpart."""
        return True

    @property
    def is_quantized(self) -> bool:
        """Always False: there are no quantized types here."""
        return False

    @property
    def min(self) -> Any:
        """Smallest finite value, as a NumPy scalar."""
        return self._limit('min')

    @property
    def max(self) -> Any:
        """Largest finite value, as a NumPy scalar."""
        return self._limit('max')

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of images of this type, as in TensorFlow: 0 and the highest value.

        Those of floating-point types end at 1. See ``min`` and ``max`` for all values.

        Raises:
            ValueError: TensorFlow has no images of this type.
        """
        if self in (float32, float64):
            return 0, 1
        if self.is_bool or self.is_integer:
            return 0, True if self.is_bool else self.max
        raise ValueError(f'[dtype] {self._name} has no limits; use min and max')

    def _limit(self, which: str) -> Any:
        if self.is_floating:
            return getattr(ml_dtypes.finfo(self.numpy), which)
        if self.is_integer:
            return getattr(np.iinfo(self.numpy), which)
        raise TypeError(f'[dtype] {self._name} has no {which}; use a real type')

    def is_compatible_with(self, other: Any) -> bool:
        """Whether ``other`` names the same type."""
        return as_dtype(other) is self

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __hash__(self) -> int:
        return self._enum

    def __repr__(self) -> str:
        return f'tv.{self._name}'

    def __str__(self) -> str:
        return f"<dtype: '{self._name}'>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (as_dtype, (self._name,))


float16 = DType('float16', np.dtype(np.float16), 19)
bfloat16 = DType('bfloat16', _bfloat16, 14)
float32 = DType('float32', np.dtype(np.float32), 1)
float64 = DType('float64', np.dtype(np.float64), 2)
int8 = DType('int8', np.dtype(np.int8), 6)
int16 = DType('int16', np.dtype(np.int16), 5)
int32 = DType('int32', np.dtype(np.int32), 3)
int64 = DType('int64', np.dtype(np.int64), 9)
uint8 = DType('uint8', np.dtype(np.uint8), 4)
uint16 = DType('uint16', np.dtype(np.uint16), 17)
uint32 = DType('uint32', np.dtype(np.uint32), 22)
uint64 = DType('uint64', np.dtype(np.uint64), 23)
bool_ = DType('bool', np.dtype(np.bool_), 10)
complex64 = DType('complex64', np.dtype(np.complex64), 8)
complex128 = DType('complex128', np.dtype(np.complex128), 18)
string = DType('string', np.dtype(object), 7)

half = float16
double = float64

ALL = (
    float16, bfloat16, float32, float64, int8, int16, int32, int64, uint8, uint16,
    uint32, uint64, bool_, complex64, complex128, string,
)  # fmt: skip
_by_name: Mapping[str, DType] = {d.name: d for d in ALL} | {
    'half': half, 'float': float32, 'double': double,
}  # fmt: skip
_by_numpy: Mapping[np.dtype[Any], DType] = {d.numpy: d for d in ALL}
_by_enum: Mapping[int, DType] = {d.as_datatype_enum: d for d in ALL}
_by_type: Mapping[Any, DType] = {
    float: float32, int: int32, bool: bool_, complex: complex128, str: string, bytes: string,
    object: string,
}  # fmt: skip

FLOATING = frozenset(d.numpy for d in ALL if d.is_floating)
COMPLEX = frozenset(d.numpy for d in ALL if d.is_complex)
SIGNED_INTEGERS = frozenset(d.numpy for d in ALL if d.numpy.kind == 'i')
INTEGERS = frozenset(d.numpy for d in ALL if d.is_integer)
BOOLEAN = frozenset({bool_.numpy})
REAL = FLOATING | INTEGERS
NUMERIC = REAL | COMPLEX
INEXACT = FLOATING | COMPLEX
ANY = frozenset(d.numpy for d in ALL)
HALF_PRECISION = frozenset({float16.numpy, bfloat16.numpy})


def as_dtype(type_value: Any) -> DType:
    """Gives the ``DType`` that a value names.

    Args:
        type_value: a ``DType``, its name, TensorFlow's number, a NumPy dtype or scalar
            type, or one of Python's ``float`` (float32), ``int`` (int32), ``bool``,
            ``complex`` (complex128), ``str``.

    Returns:
        The interned ``DType``.

    Raises:
        TypeError: ``type_value`` names no type of this library.
    """
    if isinstance(type_value, DType):
        return type_value
    try:
        found = _by_numpy.get(type_value) or _by_type.get(type_value) or _by_name.get(type_value)
    except TypeError:
        found = None
    if found is None and isinstance(type_value, int) and not isinstance(type_value, bool):
        found = _by_enum.get(type_value)
    if found is None and type_value is not None:
        found = _from_numpy_spelling(type_value)
    if found is None:
        allowed = ', '.join(d.name for d in ALL)
        raise TypeError(
            f'[dtype] Cannot convert the argument {type_value!r} to a dtype; '
            f'allowed are {allowed} and the NumPy types of the same names'
        )
    return found


def _from_numpy_spelling(value: Any) -> DType | None:
    try:
        dtype = np.dtype(value)
    except TypeError:
        return None
    if dtype.kind in 'SU':
        return string
    return _by_numpy.get(dtype.newbyteorder('='))


def canonical(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The one NumPy dtype object of this library that equals ``dtype``.

    Unpickled or byte-swapped dtypes are equal to, but not identical with, the
    objects that ``numpy.dtype(...)`` gives; identity is what the fast path compares.
    """
    return as_dtype(dtype).numpy


def from_numpy(dtype: np.dtype[Any]) -> DType:
    """The ``DType`` of a canonical NumPy dtype; the reverse of ``DType.numpy``."""
    return _by_numpy[dtype]


def size_in_bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Bytes of a dense array."""
    return math.prod(shape) * dtype.itemsize


PROVIDED: dict[str, Any] = {'bool': bool_}
"""Public names that cannot be globals here: `bool` and `complex` would hide the builtins,
and `cast` and kin, which higher layers bring, are no part of the types."""

_left_out.install(__name__, __all__, PROVIDED)
