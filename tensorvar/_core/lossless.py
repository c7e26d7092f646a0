"""Conversions between dtypes that keep every value.

Allowed are rounding among floats, integers that fit, floats that are whole numbers in
range, 0 and 1 to bool, infinity and nan among floats. Everything else is refused,
naming the first bad index and value.
"""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors

NumpyArray = np.ndarray[Any, Any]
NumpyDType = np.dtype[Any]

_INT32 = dtypes.int32.numpy
_INT64 = dtypes.int64.numpy
_FLOAT32 = dtypes.float32.numpy
_FLOATING = dtypes.FLOATING
_SMALL = 65504
"""The largest float16, which every floating type can hold."""


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
        raise errors.UnsupportedTypeError(
            f'[{op}] {given} data was given where {asked} is asked for; text and numbers do not '
            f'convert into each other; parse or format it first',
            op,
        )
    result, damaged = attempt(array, dtype)
    if damaged is not None and damaged.any():
        index = tuple(int(i) for i in np.argwhere(damaged)[0])
        raise refused(op, index, array[index], dtype)
    return result


def attempt(array: NumpyArray, dtype: NumpyDType) -> tuple[NumpyArray, NumpyArray | None]:
    """``array`` in another numeric dtype, and where values were damaged (None: nowhere)."""
    if array.dtype is dtype:
        return array, None
    # The imaginary part is looked at below; NumPy would warn of dropping it.
    source = array.real if array.dtype.kind == 'c' and dtype.kind != 'c' else array
    with np.errstate(all='ignore'):
        result = source.astype(dtype)
        return result, _damage(array, result)


def number(value: float | int, dtype: NumpyDType | None, op: str) -> NumpyArray:
    """A Python bool, int or float as an array of rank 0, in its natural dtype if None."""
    if dtype is None:
        if type(value) is bool:
            return np.array(value)
        if type(value) is float:
            return convert(np.array(value), _FLOAT32, op)
        dtype = natural_integer(int(value), int(value), op)
        return np.array(value, dtype)
    if dtype in _FLOATING and -_SMALL <= value <= _SMALL:
        # Within every float's range: this only rounds.
        return np.array(value, dtype)
    if type(value) is not int:
        return convert(np.array(value), dtype, op)
    if dtype.kind in 'iu':
        if not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            raise refused(op, (), value, dtype)
        return np.array(value, dtype)
    if -(2**63) <= value < 2**63:
        return convert(np.array(value, _INT64), dtype, op)
    if not -(2**1023) <= value <= 2**1023:
        # More than a Python float holds.
        raise refused(op, (), value, dtype)
    return convert(np.array(float(value)), dtype, op)


def natural_integer(low: int, high: int, op: str) -> NumpyDType:
    """int32 if it holds all integers from ``low`` to ``high``, else int64.

    Raises:
        InvalidArgumentError: int64 does not hold them either.
    """
    if -(2**31) <= low and high < 2**31:
        return _INT32
    if -(2**63) <= low and high < 2**63:
        return _INT64
    raise errors.InvalidArgumentError(
        f'[{op}] the integer {high if high >= 2**63 else low} is out of range; without a dtype '
        f'integers must fit int64; give a float dtype or uint64',
        op,
    )


def refused(
    op: str, index: tuple[int, ...], value: Any, dtype: NumpyDType
) -> errors.InvalidTypeError:
    """The error for a value at ``index`` (empty for a scalar) that ``dtype`` cannot hold."""
    where = f'element {list(index)} is' if index else 'the value is'
    return errors.InvalidTypeError(
        f'[{op}] {where} {value!s:.60}, which {dtypes.from_numpy(dtype).name} cannot hold without '
        f'damage; allowed is rounding among floats, whole numbers in range, and 0 or 1 for bool; '
        f'round, clip or tv.cast it first',
        op,
    )


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
        return np.asarray(np.isfinite(before) & ~np.isfinite(after))
    if target.is_bool:
        return np.asarray((before != 0) & (before != 1))
    if target.is_floating:
        finite = True if source.is_integer else np.isfinite(before)
        return np.asarray(finite & ~np.isfinite(after))
    return _integer_damage(before, after, source)


def _integer_damage(before: NumpyArray, after: NumpyArray, source: dtypes.DType) -> NumpyArray:
    limits = np.iinfo(after.dtype)
    if source.is_integer:
        return _outside(before, limits)
    wide = before.astype(np.float64)
    # 2**63 and 2**64 are exact in float64, their predecessors are not.
    inside = (wide >= float(limits.min)) & (wide < float(limits.max) + 1.0)
    return np.asarray(~(inside & (np.trunc(wide) == wide)))


def _outside(before: NumpyArray, limits: Any) -> NumpyArray:
    own = np.iinfo(before.dtype)
    low = before < limits.min if own.min < limits.min else np.zeros(before.shape, np.bool_)
    return low | (before > limits.max) if own.max > limits.max else np.asarray(low)
