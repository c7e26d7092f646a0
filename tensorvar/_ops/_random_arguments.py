"""Arguments of random functions, and the step from standard draws to theirs."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion, host_data
from tensorvar._core.tensor import Tensor
from tensorvar._ops.distributions import Shape


def read_shape(op: str, shape: Any) -> Shape:
    """A shape argument as a tuple of integers.

    Raises:
        InvalidArgumentError: it is not 1-D, not made of integers, or not fully defined.
    """
    read = conversion.host_integers(shape, op, 'shape')
    if not isinstance(read, tuple) or not all(isinstance(dim, int) for dim in read):
        raise errors.InvalidTypeError(
            f'[{op}] shape must be a vector of integers, got {shape!r:.80}; '
            f'give a list such as [3]',
            op,
        )
    return read


def read_bounds(op: str, minval: Any, maxval: Any, dtype: dtypes.DType) -> tuple[int, int]:
    """The range of an integer draw, as Python integers.

    Raises:
        InvalidArgumentError: a bound is no scalar integer, or does not fit ``dtype``.
    """
    bounds = []
    for argument, value in (('minval', minval), ('maxval', maxval)):
        read = conversion.host_integers(value, op, argument)
        if not isinstance(read, int) or not dtype.min <= read <= dtype.max:
            raise errors.InvalidArgumentError(
                f'[{op}] {argument} must be 0-D and fit {dtype.name}, got {value!r:.80}; '
                f'give one integer in [{dtype.min}, {dtype.max}]',
                op,
            )
        bounds.append(read)
    return bounds[0], bounds[1]


def scale(values: Tensor, factor: Any, offset: Any) -> Tensor:
    """``values * factor + offset`` in the dtype of ``values``.

    Factor and offset may be tensors that need a gradient. Plain 1 and 0 cost nothing.
    """
    if not _is_number(factor, 1):
        values = values * _operand(factor, values)
    if not _is_number(offset, 0):
        values = values + _operand(offset, values)
    return values


def scale_to_range(values: Tensor, minval: Any, maxval: Any) -> Tensor:
    """Values in [0, 1) spread over [minval, maxval), as TensorFlow computes it."""
    if _is_number(minval, 0):
        return scale(values, maxval, 0)
    low = _operand(minval, values)
    high = _operand(maxval, values)
    # As in TensorFlow, a range that the dtype cannot hold becomes inf.
    with np.errstate(over='ignore'):
        span = high - low
    return scale(values, span, low)


def _is_number(value: Any, number: int) -> bool:
    return isinstance(value, int | float) and value == number


def _operand(value: Any, like: Tensor) -> Any:
    """A number as a NumPy scalar of the dtype of ``like``, anything else as a tensor."""
    if isinstance(value, int | float):
        return host_data.to_array(value, like.dtype.numpy, 'random')[()]
    return conversion.convert_to_tensor(value, like.dtype)
