"""``saturate_cast``: conversion between element types that clips."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.tensor import Tensor
from tensorvar._ops import cast, clip, complex_parts

Number = int | float


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Converts values to another element type, clipping what it cannot hold.

    Floats on the way to integers are clipped to the outermost values that both types
    hold: 1e10 becomes 2147483520 as float32 to int32. nan converts as in ``cast``.

    Args:
        value: anything that converts to a tensor of numbers.
        dtype: the element type asked for, not bool or string.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``value``.

    Raises:
        InvalidTypeError: one of the dtypes has no range.
    """
    target = dtypes.as_dtype(dtype)
    tensor = value if isinstance(value, ArrayValue) else conversion.convert_to_tensor(value)
    for each in (tensor.dtype, target):
        if not each.is_numeric:
            raise errors.InvalidTypeError(
                f'[saturate_cast] from {tensor.dtype.name} to {target.name} was asked for; '
                f'{each.name} has no smallest and largest value; use tv.cast',
                'saturate_cast',
            )
    if tensor.dtype.is_complex:
        if target.is_complex:
            return _saturate_parts(tensor, target)
        tensor = complex_parts.real(tensor)
    source = tensor.dtype
    low, high = _common_range(source, target.real_dtype)
    # Infinities lie outside of every integer type, so floats are always clipped.
    to_integer = source.is_floating and target.is_integer
    if to_integer or low > source.min or high < source.max:
        tensor = clip.clip_by_value(tensor, low, high)
    return cast.cast(tensor, target)


def _saturate_parts(tensor: Any, target: dtypes.DType) -> Tensor:
    part = target.real_dtype
    return complex_parts.complex(
        saturate_cast(complex_parts.real(tensor), part),
        saturate_cast(complex_parts.imag(tensor), part),
    )


def _common_range(source: dtypes.DType, target: dtypes.DType) -> tuple[Number, Number]:
    """The outermost finite values that both real types hold."""
    low = max(_number(source.min), _number(target.min))
    high = min(_number(source.max), _number(target.max))
    if source.is_integer:
        return int(low), int(high)
    return -_rounded_down(-low, source), _rounded_down(high, source)


def _number(limit: Any) -> Number:
    """The end of a type as a Python number; Python compares ints and floats exactly."""
    return int(limit) if isinstance(limit, np.integer | int) else float(limit)


def _rounded_down(value: Number, dtype: dtypes.DType) -> float:
    """The largest number of a float type that is not above ``value``, which is >= 0."""
    nearest = np.asarray(float(value), dtype.numpy)
    if float(nearest) > value:
        nearest = np.nextafter(nearest, np.zeros_like(nearest))
    return float(nearest)
