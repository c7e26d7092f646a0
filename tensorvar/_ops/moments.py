"""Means and variances over axes, and what batch normalization makes of them."""

from typing import Any

from tensorvar import _shapes, dtypes
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    array_shape,
    cast,
    creation,
    division,
    elementwise_binary,
    elementwise_unary,
    reduction,
)


def _widened(x: Tensor) -> Tensor:
    """16-bit floats as float32, in which their statistics are computed."""
    half = x.dtype.numpy in dtypes.HALF_PRECISION
    return cast.cast(x, dtypes.float32) if half else x


def _finish(op: str, values: Tensor, axes: Any, keepdims: bool, dtype: dtypes.DType) -> Tensor:
    if not keepdims:
        over = _shapes.normalize_axes(op, axes, len(values._shape))
        values = array_shape.squeeze(values, over) if over else values
    return values if values.dtype is dtype else cast.cast(values, dtype)


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes; the variance is that of the values, not an estimate.

    16-bit floats are computed in float32. As in TensorFlow, the mean counts as a constant in
    the variance: the first derivative is the same, but the second leaves out a term.

    Args:
        x: numbers.
        axes: an axis, a list of axes, or None for all.
        shift: accepted for TensorFlow's sake.
        keepdims: whether the axes stay, with length 1.
        name: likewise.

    Returns:
        The mean and the variance, in the dtype of ``x``.

    Raises:
        InvalidArgumentError: an axis is out of range or named twice; wrong dtype.

    Example:
        >>> import tensorvar as tv
        >>> mean, variance = tv.nn.moments(tv.constant([1.0, 2.0, 3.0, 4.0]), [0])
        >>> print(variance)
        tv.Tensor(1.25, shape=(), dtype=float32)
    """
    given = conversion.convert_to_tensor(x)
    over = _arguments.axes('moments', axes)
    values = _widened(given)
    mean = reduction.reduce_mean(values, over, keepdims=True)
    squares = elementwise_binary.squared_difference(values, elementwise_unary.stop_gradient(mean))
    variance = reduction.reduce_mean(squares, over, keepdims=True)
    return (
        _finish('moments', mean, over, keepdims, given.dtype),
        _finish('moments', variance, over, keepdims, given.dtype),
    )


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes, where each value counts as often as its weight says.

    Args:
        x: numbers; 16-bit floats are computed in float32.
        axes: an axis, a list of axes, or None for all.
        frequency_weights: weights that broadcast with ``x``; cast to its dtype.
        keepdims: whether the axes stay, with length 1.
        name: accepted for TensorFlow's sake.

    Returns:
        The mean and the variance, in the dtype of ``x``; 0 where the weights sum to 0.

    Raises:
        InvalidArgumentError: shapes do not broadcast, or an axis is out of range.
    """
    given = conversion.convert_to_tensor(x)
    over = _arguments.axes('weighted_moments', axes)
    values = _widened(given)
    weights = cast.cast(conversion.convert_to_tensor(frequency_weights), values.dtype)
    # Every value has a weight, also where the weights are broadcast.
    spread = weights + creation.zeros_like(values)
    total = reduction.reduce_sum(spread, over, keepdims=True)
    weighted = reduction.reduce_sum(weights * values, over, keepdims=True)
    mean = division.divide_no_nan(weighted, total)
    squares = weights * elementwise_binary.squared_difference(values, mean)
    variance = division.divide_no_nan(reduction.reduce_sum(squares, over, keepdims=True), total)
    return (
        _finish('weighted_moments', mean, over, keepdims, given.dtype),
        _finish('weighted_moments', variance, over, keepdims, given.dtype),
    )


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """What mean and variance are made of: a count, a sum and a sum of squares.

    Args:
        x: numbers.
        axes: a list of axes.
        shift: subtracted from ``x`` before, or None; near the mean it makes
            ``normalize_moments`` more exact.
        keepdims: whether the axes stay, with length 1.
        name: accepted for TensorFlow's sake.

    Returns:
        The count, the sum and the sum of squares, of the dtype of ``x``, and the shift as a
        tensor, or None.

    Raises:
        InvalidArgumentError: an axis is out of range.
    """
    values = conversion.convert_to_tensor(x)
    over = _arguments.vector('sufficient_statistics', 'axes', axes)
    # As in TensorFlow, an axis may be named twice.
    over = tuple(sorted(set(over)))
    count = reduction.reduced_count(values, over)
    moved = None if shift is None else conversion.convert_to_tensor(shift, values.dtype)
    if moved is None:
        terms, squares = values, elementwise_unary.square(values)
    else:
        terms = values - moved
        squares = elementwise_binary.squared_difference(values, moved)
    return (
        conversion.constant(count, values.dtype),
        reduction.reduce_sum(terms, over, keepdims),
        reduction.reduce_sum(squares, over, keepdims),
        moved,
    )


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance from what ``sufficient_statistics`` gives.

    Args:
        counts: how many values there were.
        mean_ss: their sum.
        variance_ss: the sum of their squares.
        shift: what was subtracted from them, or None.
        name: accepted for TensorFlow's sake.

    Returns:
        The mean and the variance.
    """
    share = elementwise_unary.reciprocal(counts)
    shifted: Tensor = elementwise_binary.multiply(mean_ss, share)
    mean = shifted if shift is None else elementwise_binary.add(shifted, shift)
    mean_square = elementwise_binary.multiply(variance_ss, share)
    return mean, mean_square - elementwise_unary.square(shifted)
