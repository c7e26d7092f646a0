"""Normalized values: by a mean and variance, or by a norm."""

from typing import Any

from tensorvar import errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    cast,
    complex_parts,
    elementwise_binary,
    elementwise_unary,
    linalg,
    reduction,
)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:
    """``(x - mean) / sqrt(variance + variance_epsilon) * scale + offset``.

    Args:
        x: floating-point or complex values.
        mean: broadcasts with ``x``, as do the next three; their dtype may be wider than
            that of ``x``.
        variance: likewise.
        offset: likewise; None for 0.
        scale: likewise; None for 1.
        variance_epsilon: a small number that keeps the root away from 0.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the dtype of ``x``.

    Raises:
        InvalidArgumentError: shapes do not broadcast, or dtypes do not fit.

    Example:
        >>> import tensorvar as tv
        >>> x = tv.constant([[1.0, 2.0], [3.0, 6.0]])
        >>> mean, variance = tv.nn.moments(x, [0])
        >>> print(tv.nn.batch_normalization(x, mean, variance, None, None, 0.0))
        tv.Tensor(
        [[-1. -1.]
         [ 1.  1.]], shape=(2, 2), dtype=float32)
    """
    values = conversion.convert_to_tensor(x)
    factor = elementwise_unary.rsqrt(elementwise_binary.add(variance, variance_epsilon))
    if scale is not None:
        factor = factor * scale
    shift = (
        -(factor * mean) if offset is None else elementwise_binary.subtract(offset, factor * mean)
    )
    scaled = values * cast.cast(factor, values.dtype)
    result: Tensor = scaled + cast.cast(shift, values.dtype)
    return result


def l2_normalize(
    x: Any, axis: Any = None, epsilon: Any = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """``x / sqrt(max(sum(x ** 2), epsilon))``, with the sum over ``axis``.

    Args:
        x: floating-point or complex values.
        axis: an axis, a list of axes, or None for all.
        epsilon: lower bound of the sum of squares.
        name: accepted for TensorFlow's sake.
        dim: an old name of ``axis``.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: an axis is out of range, wrong dtype, or both ``axis`` and
            ``dim`` are given.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.nn.l2_normalize([3.0, 4.0]))
        tv.Tensor([0.6 0.8], shape=(2,), dtype=float32)
    """
    if axis is not None and dim is not None:
        raise errors.InvalidArgumentError(
            "[l2_normalize] Cannot specify both 'dim' and 'axis'; dim is the old name of axis; "
            'give axis',
            'l2_normalize',
        )
    values = conversion.convert_to_tensor(x)
    if not (values.dtype.is_floating or values.dtype.is_complex):
        raise errors.InvalidTypeError(
            f'[l2_normalize] {values.dtype.name} was given; allowed are floats and complex '
            f'numbers; tv.cast it first',
            'l2_normalize',
        )
    over = _arguments.axes('l2_normalize', dim if axis is None else axis)
    if values.dtype.is_complex:
        real, imag = complex_parts.real(values), complex_parts.imag(values)
        factor = _inverse_norm(real * real + imag * imag, over, epsilon)
        return complex_parts.complex(real * factor, imag * factor)
    result: Tensor = values * _inverse_norm(elementwise_unary.square(values), over, epsilon)
    return result


def _inverse_norm(squares: Tensor, over: Any, epsilon: Any) -> Tensor:
    total = reduction.reduce_sum(squares, over, keepdims=True)
    return elementwise_unary.rsqrt(elementwise_binary.maximum(total, epsilon))


def normalize(
    tensor: Any, ord: Any = 'euclidean', axis: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Divides by the norm; see ``tv.linalg.norm``.

    Args:
        tensor: floating-point or complex values.
        ord: the kind of norm.
        axis: None to take all elements as one vector; one axis of vectors; or two axes of
            matrices.
        name: accepted for TensorFlow's sake.

    Returns:
        The normalized values, and the norms with the axes kept, both of the dtype of
        ``tensor``.

    Raises:
        InvalidArgumentError: an unknown ``ord``, three or more axes, or integers.
    """
    values = conversion.convert_to_tensor(tensor)
    norm = cast.cast(linalg.norm(values, ord, axis, keepdims=True), values.dtype)
    return values / norm, norm
