"""Host data into NumPy arrays of a known dtype, without damage.

Python numbers, nested lists, strings and NumPy arrays become own, C-ordered arrays
with a canonical dtype. A dtype asked for is reached only by conversions that keep the
value: rounding among floats, integers that fit, floats that are whole numbers, 0 and 1
to bool. Everything else is refused, naming the first bad index and value. Conversion
happens on the host, before any copy to a device.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorvar import dtypes, errors

NumpyArray = np.ndarray[Any, Any]
NumpyDType = np.dtype[Any]

_INT32 = dtypes.int32.numpy
_INT64 = dtypes.int64.numpy
_FLOAT32 = dtypes.float32.numpy
_STRING = dtypes.string.numpy
_FLOATING = dtypes.FLOATING
_SMALL = 65504
"""The largest float16, which every floating type can hold."""


def to_array(value: Any, dtype: NumpyDType | None, op: str) -> NumpyArray:
    """An own host array of ``value``.

    Args:
        value: a Python or NumPy scalar, an array, or a nested list or tuple of them.
        dtype: a canonical dtype, or None for the natural one: bool, int32 (int64 if
            needed), float32, complex128, string; NumPy data keeps its dtype.
        op: who asks, for the error text.

    Returns:
        A C-ordered array with a canonical dtype that shares no memory with ``value``.

    Raises:
        InvalidArgumentError: ragged lists, mixed types, unsupported objects, or a value
            that ``dtype`` cannot hold.
    """
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return _python_number(value, dtype, op)
    array = _natural_array(value, op)
    if dtype is None or array.dtype is dtype:
        return array
    return convert(array, dtype, op)


def _python_number(value: float | int, dtype: NumpyDType | None, op: str) -> NumpyArray:
    if dtype is None:
        if type(value) is bool:
            return np.array(value)
        if type(value) is float:
            return convert(np.array(value), _FLOAT32, op)
        dtype = _natural_integer(value, value, op)
        return np.array(value, dtype)
    if dtype in _FLOATING and -_SMALL <= value <= _SMALL:
        # Within every float's range: this only rounds.
        return np.array(value, dtype)
    if type(value) is not int:
        return convert(np.array(value), dtype, op)
    if dtype.kind in 'iu' and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise _refused(op, (), value, dtype)
    if dtype.kind in 'iu':
        return np.array(value, dtype)
    if -(2**63) <= value < 2**63:
        return convert(np.array(value, _INT64), dtype, op)
    return convert(np.array(float(value)), dtype, op)


def _natural_integer(low: int, high: int, op: str) -> NumpyDType:
    if -(2**31) <= low and high < 2**31:
        return _INT32
    if -(2**63) <= low and high < 2**63:
        return _INT64
    raise errors.InvalidArgumentError(
        f'[{op}] the integer {high if high >= 2**63 else low} is out of range; without a dtype '
        f'integers must fit int64; give a float dtype or uint64', op
    )


def _natural_array(value: Any, op: str) -> NumpyArray:
    if isinstance(value, np.ndarray):
        return _canonical_copy(value, op)
    if isinstance(value, np.generic):
        return _canonical_copy(np.asarray(value), op)
    if isinstance(value, str | bytes):
        return _string_array(value)
    if isinstance(value, int | float | complex):
        return np.array(value)
    if isinstance(value, list | tuple | range):
        return _from_sequence(value, op)
    if value is None:
        raise errors.InvalidArgumentError(
            f'[{op}] None was given; None values are not supported; give a number, a list, '
            f'an array or a tensor', op
        )
    if hasattr(value, '__array__') and not isinstance(value, type):
        return _canonical_copy(np.asarray(value), op)
    raise errors.InvalidTypeError(
        f'[{op}] a value of unsupported type {type(value).__name__} was given ({value!r:.80}); '
        f'allowed are numbers, strings, nested lists, NumPy arrays, tensors and variables', op
    )


def _canonical_copy(array: NumpyArray, op: str) -> NumpyArray:
    """A native, C-ordered copy; text becomes an object array of bytes."""
    if array.dtype.kind in 'SUO':
        return _string_array(array.tolist(), array.shape, op)
    try:
        dtype = dtypes.canonical(array.dtype)
    except TypeError as error:
        raise errors.InvalidTypeError(
            f'[{op}] a NumPy array of dtype {array.dtype} was given; {error}', op
        ) from error
    return np.array(array, dtype=dtype, order='C', copy=True, subok=False)


def _string_array(value: Any, shape: tuple[int, ...] = (), op: str = 'constant') -> NumpyArray:
    leaves = list(_leaves(value))
    result = np.empty(len(leaves), dtype=_STRING)
    for position, leaf in enumerate(leaves):
        if isinstance(leaf, str):
            leaf = leaf.encode()
        if not isinstance(leaf, bytes):
            raise errors.InvalidTypeError(
                f'[{op}] a {type(leaf).__name__} ({leaf!r:.60}) was given among strings or '
                f'objects; allowed are str and bytes, of one kind in one list', op
            )
        result[position] = leaf
    return result.reshape(shape)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | range):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _from_sequence(value: Any, op: str) -> NumpyArray:
    try:
        array = np.array(value, order='C')
    except (ValueError, OverflowError) as error:
        raise errors.InvalidArgumentError(
            f'[{op}] a list that is not rectangular was given ({error}); all parts of one '
            f'level need one shape; pad the short ones', op
        ) from error
    if array.size == 0:
        return np.zeros(array.shape, _FLOAT32)
    leaves = list(_leaves(value))
    if array.dtype.kind in 'SU':
        return _string_array(leaves, array.shape, op)
    if any(isinstance(leaf, np.ndarray | np.generic) or hasattr(leaf, '__array__')
           for leaf in leaves):
        return _canonical_copy(array, op)
    return _from_python_leaves(array, leaves, op)


def _from_python_leaves(array: NumpyArray, leaves: list[Any], op: str) -> NumpyArray:
    kinds = {type(leaf) for leaf in leaves}
    if kinds <= {bool}:
        return array
    if kinds <= {int}:
        if array.dtype.kind == 'O' or array.dtype.kind == 'u':
            raise errors.InvalidArgumentError(
                f'[{op}] an integer of the list is out of range; without a dtype integers must '
                f'fit int64; give a float dtype or uint64', op
            )
        return array.astype(_natural_integer(int(array.min()), int(array.max()), op))
    if kinds <= {int, float}:
        return convert(np.asarray(array, dtypes.float64.numpy), _FLOAT32, op)
    if kinds <= {int, float, complex}:
        return array.astype(dtypes.complex128.numpy)
    names = ', '.join(sorted(kind.__name__ for kind in kinds))
    raise errors.InvalidTypeError(
        f'[{op}] a list of mixed or unsupported types was given ({names}); allowed are numbers '
        f'of one kind (bool apart), or strings', op
    )


def convert(array: NumpyArray, dtype: NumpyDType, op: str) -> NumpyArray:
    """``array`` in another dtype, if every value survives (see the module's text).

    Args:
        array: a host array with a canonical dtype.
        dtype: the canonical dtype asked for.
        op: who asks, for the error text.

    Raises:
        InvalidTypeError: a value does not survive; the text names the first one.
    """
    if array.dtype is dtype:
        return array
    if array.dtype.kind == 'O' or dtype.kind == 'O':
        given, asked = dtypes.from_numpy(array.dtype).name, dtypes.from_numpy(dtype).name
        raise errors.InvalidTypeError(
            f'[{op}] {given} data was given where {asked} is asked for; text and numbers do not '
            f'convert into each other; parse or format it first', op
        )
    with np.errstate(all='ignore'):
        result = array.astype(dtype)
        damaged = _damage(array, result)
    if damaged is not None and damaged.any():
        index = tuple(int(i) for i in np.argwhere(damaged)[0])
        raise _refused(op, index, array[index], dtype)
    return result


def _damage(before: NumpyArray, after: NumpyArray) -> NumpyArray | None:
    """Where the conversion lost more than rounding; None if it cannot have."""
    source, target = dtypes.from_numpy(before.dtype), dtypes.from_numpy(after.dtype)
    if source.is_bool:
        return None
    if source.is_complex and not target.is_complex:
        lost: NumpyArray = before.imag != 0
        part = _damage(before.real, after)
        return lost if part is None else lost | part
    if target.is_complex:
        return np.isfinite(before) & ~np.isfinite(after)
    if target.is_bool:
        return (before != 0) & (before != 1)
    if target.is_floating:
        finite = True if source.is_integer else np.isfinite(before)
        return finite & ~np.isfinite(after)
    return _integer_damage(before, after, source)


def _integer_damage(before: NumpyArray, after: NumpyArray, source: dtypes.DType) -> NumpyArray:
    limits = np.iinfo(after.dtype)
    if source.is_integer:
        return _outside(before, limits)
    wide = before.astype(np.float64)
    # 2**63 and 2**64 are exact in float64, their predecessors are not.
    inside = (wide >= float(limits.min)) & (wide < float(limits.max) + 1.0)
    return ~(inside & (np.trunc(wide) == wide))


def _outside(before: NumpyArray, limits: Any) -> NumpyArray:
    own = np.iinfo(before.dtype)
    low = before < limits.min if own.min < limits.min else np.zeros(before.shape, np.bool_)
    return low | (before > limits.max) if own.max > limits.max else np.asarray(low)


def _refused(op: str, index: tuple[int, ...], value: Any, dtype: NumpyDType) -> Exception:
    where = f'element {list(index)} is' if index else 'the value is'
    return errors.InvalidTypeError(
        f'[{op}] {where} {value}, which {dtypes.from_numpy(dtype).name} cannot hold without '
        f'damage; allowed is rounding among floats, whole numbers in range, and 0 or 1 for bool; '
        f'round, clip or tv.cast it first', op
    )
