"""``crelu``, which halves sparsity, and ``zero_fraction``, which measures it."""

import math
from typing import Any

from tensorvar import dtypes
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import activation, array_join, cast, statistics


def crelu(features: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """``relu`` of the values beside ``relu`` of the negated values, along an axis.

    Args:
        features: real values of rank 1 or more; no unsigned integers.
        axis: the axis that becomes twice as long.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the dtype of ``features``.

    Raises:
        InvalidArgumentError: the axis is out of range, or the dtype is wrong.
    """
    values = conversion.convert_to_tensor(features)
    return activation.relu(array_join.concat([values, -values], axis))


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of elements that are 0; NaN for no elements.

    Args:
        value: numbers, bools or strings.
        name: accepted for TensorFlow's sake.

    Returns:
        A float32 tensor of rank 0.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.nn.zero_fraction([0.0, 1.0, 0.0, 2.0]))
        tv.Tensor(0.5, shape=(), dtype=float32)
    """
    values = conversion.convert_to_tensor(value)
    size = math.prod(values._shape)
    others = statistics.count_nonzero(values, dtype=dtypes.int64)
    result: Tensor = cast.cast(size - others, dtypes.float32) / size
    return result
