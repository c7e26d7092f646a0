"""``dropout``: values set to 0 at random, the others scaled up."""

import numbers
from collections.abc import Callable
from typing import Any

from tensorvar import errors
from tensorvar._core import conversion
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    comparison,
    division,
    random_ops,
    random_seed,
    stateless_random,
    where,
)


def _drop(
    op: str, x: Any, rate: Any, noise_shape: Any, draw: Callable[..., Tensor], skip: Any
) -> Tensor:
    """TensorFlow's formula.

    Args:
        op: who asks, for the error text.
        x: the values.
        rate: the share to drop.
        noise_shape: shape of the decisions, or None.
        draw: gives numbers between 0 and 1 of a shape and dtype.
        skip: called with the dtype where nothing is drawn.
    """
    if isinstance(rate, numbers.Real) and not 0 <= float(rate) < 1:
        raise errors.InvalidArgumentError(
            f'[{op}] `rate` must be a scalar tensor or a float in the range [0, 1). Received: '
            f'rate={rate}; it is the share of values that are dropped',
            op,
        )
    values = conversion.convert_to_tensor(x)
    if not values.dtype.is_floating:
        raise errors.InvalidTypeError(
            f'[{op}] x has dtype {values.dtype.name}; `x.dtype` must be a floating point tensor '
            f'as `x` will be scaled; tv.cast it first',
            op,
        )
    if isinstance(rate, numbers.Real) and rate == 0:
        skip(values.dtype)
        return values
    rate, scaled = _scaled(op, values, rate)
    noise = draw(shape=_noise_shape(values, noise_shape), dtype=values.dtype)
    return where.where(comparison.greater_equal(noise, rate), scaled, 0)


def _scaled(op: str, values: Tensor, rate: Any) -> tuple[Any, Tensor]:
    """The rate in the dtype of the values, and the values over ``1 - rate``."""
    if isinstance(rate, ArrayValue):
        if rate.shape.rank != 0:
            raise errors.InvalidArgumentError(
                f'[{op}] rate has shape {rate.shape}: it must have rank 0; give a scalar', op
            )
        if rate.dtype is not values.dtype:
            raise errors.InvalidTypeError(
                f'[{op}] `x.dtype` must be compatible with `rate.dtype`. Received: x.dtype='
                f'{values.dtype.name} and rate.dtype={rate.dtype.name}; tv.cast the rate',
                op,
            )
        return rate, division.divide(values, 1 - rate)
    if not isinstance(rate, numbers.Real):
        raise errors.InvalidArgumentError(
            f'[{op}] `rate` must be a scalar or scalar tensor. Received: rate={rate!r:.80}; give '
            f'a number in [0, 1)',
            op,
        )
    share = float(rate)
    return share, values * (1 / (1 - share))


def _noise_shape(values: Tensor, noise_shape: Any) -> Any:
    """The shape of the decisions, with None replaced by dimensions of the values."""
    if noise_shape is None:
        return values._shape
    if isinstance(noise_shape, ArrayValue):
        return noise_shape
    dims = tuple(noise_shape)
    if len(dims) != len(values._shape):
        return dims
    return tuple(own if dim is None else dim for own, dim in zip(values._shape, dims, strict=True))


def dropout(
    x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Sets a share of the values to 0 at random and divides the others by ``1 - rate``.

    With a global seed (``tv.random.set_seed``) or ``seed``, the same values are dropped as by
    TensorFlow on its CPU, on every device.

    Args:
        x: floating-point values.
        rate: the share to drop, in [0, 1); a number or a scalar tensor of the dtype of ``x``.
        noise_shape: shape of the decisions, which broadcasts with ``x``; None stands for the
            shape of ``x``, and inside a list for that dimension of it.
        seed: see ``tv.random.normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``; ``x`` itself for a rate of 0.

    Raises:
        InvalidArgumentError: a rate out of range, or shapes that do not broadcast.
        InvalidTypeError: ``x`` is not floating-point.

    Example:
        >>> import tensorvar as tv
        >>> tv.random.set_seed(3)
        >>> print(tv.nn.dropout(tv.ones([4]), 0.5, seed=7))
        tv.Tensor([2. 2. 0. 0.], shape=(4,), dtype=float32)
    """

    def draw(shape: Any, dtype: Any) -> Tensor:
        return random_ops.uniform(shape, dtype=dtype, seed=seed)

    def skip(dtype: Any) -> None:
        # The next draws shall not depend on whether this one had to be made.
        random_seed.stream(random_ops.RANDOM_UNIFORM.name, seed, dtype.numpy, False)

    return _drop('dropout', x, rate, noise_shape, draw, skip)


def stateless_dropout(
    x: Any,
    rate: Any,
    seed: Any,
    rng_alg: Any = None,
    noise_shape: Any = None,
    name: str | None = None,
) -> Tensor:
    """``dropout`` that drops the same values each time it gets the same seed.

    Args:
        x: floating-point values.
        rate: see ``dropout``.
        seed: two integers.
        rng_alg: see ``tv.random.stateless_uniform``.
        noise_shape: see ``dropout``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: see ``dropout``; or a seed that is not two integers.
    """
    algorithm = 'auto_select' if rng_alg is None else rng_alg

    def draw(shape: Any, dtype: Any) -> Tensor:
        return stateless_random.stateless_uniform(shape, seed, dtype=dtype, alg=algorithm)

    return _drop('stateless_dropout', x, rate, noise_shape, draw, lambda dtype: None)
