"""``local_response_normalization``: each channel is damped by its neighbours.

The sums over neighbours are a product with a matrix of bands, so the gradient, which
needs the same sums, is made of ordinary ops and has gradients itself.
"""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import matmul, power
from tensorvar._ops._gradient_helpers import Gradients, reshape
from tensorvar._ops._half_precision import in_float32


def _infer(
    input: ArraySpec, *, depth_radius: int, bias: float, alpha: float, beta: float
) -> ArraySpec:
    if len(input.shape) != 4:
        raise errors.InvalidArgumentError(
            f'[LRN] in must be 4-dimensional, but shape {list(input.shape)} was given; allowed '
            f'is (batch, height, width, channels); reshape it',
            'LRN',
        )
    if depth_radius < 0:
        raise errors.InvalidArgumentError(
            f'[LRN] depth_radius = {depth_radius} was given; it must be >= 0; give the number '
            f'of neighbours on one side',
            'LRN',
        )
    return input


def _bands(xp: Any, channels: int, radius: int, dtype: Any) -> Array:
    """A matrix of ones where two channels are neighbours, else zeros."""
    number = xp.arange(channels)
    return (xp.abs(number[:, None] - number[None, :]) <= radius).astype(dtype)


@in_float32
def _normalize(
    xp: Any, array: Array, *, depth_radius: int, bias: float, alpha: float, beta: float
) -> Array:
    bands = _bands(xp, array.shape[-1], depth_radius, array.dtype)
    base = bias + alpha * xp.matmul(array * array, bands)
    # The usual exponent has a faster way.
    return array / xp.sqrt(base) if beta == 0.5 else array * base**-beta


def _gradient(context: Any, dy: Tensor) -> Gradients:
    """With n = bias + alpha sum(x^2): dx = dy n^-beta - 2 alpha beta x sum(dy x n^-beta-1)."""
    x = context.inputs[0]
    alpha, beta = context.attributes['alpha'], context.attributes['beta']
    bands = executor.run(
        BANDS,
        channels=x._shape[-1],
        depth_radius=context.attributes['depth_radius'],
        dtype=x.dtype.numpy,
    )
    base = context.attributes['bias'] + alpha * _sum_neighbours(x * x, bands)
    damped = power.pow(base, -beta)
    mixed = _sum_neighbours(dy * x * damped / base, bands)
    return (dy * damped - (2 * alpha * beta) * x * mixed,)


def _sum_neighbours(values: Tensor, bands: Tensor) -> Tensor:
    shape = values._shape
    rows = shape[0] * shape[1] * shape[2]
    return reshape(matmul.matmul(reshape(values, (rows, shape[3])), bands), shape)


def _infer_bands(*, channels: int, depth_radius: int, dtype: Any) -> ArraySpec:
    return ArraySpec((channels, channels), dtype)


def _make_bands(xp: Any, *, channels: int, depth_radius: int, dtype: Any) -> Array:
    return _bands(xp, channels, depth_radius, dtype)


BANDS = op_registry.register(
    OpDef('LRNBands', _infer_bands, _make_bands, NOT_DIFFERENTIABLE, inputs='')
)
LRN = op_registry.register(
    OpDef('LRN', _infer, _normalize, _gradient, dtypes={'T': dtypes.FLOATING}, wide=True)
)


def local_response_normalization(
    input: Any,
    depth_radius: int | None = 5,
    bias: float | None = 1,
    alpha: float | None = 1,
    beta: float | None = 0.5,
    name: str | None = None,
) -> Tensor:
    """``input / (bias + alpha * s) ** beta``, where s sums squares of nearby channels.

    Args:
        input: floating-point values of shape ``(batch, height, width, channels)``.
            (TensorFlow's CPU takes float16 and float32 alone.)
        depth_radius: how many channels on each side count.
        bias: keeps the divisor away from 0.
        alpha: weight of the sum.
        beta: the exponent.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``.

    Raises:
        InvalidArgumentError: wrong rank, dtype or radius.
        TypeError: an argument is no number. (None stands for the default, as in TensorFlow.)
    """
    result: Tensor = executor.run(
        LRN,
        input if hasattr(input, 'dtype') else _as_floats(input),
        depth_radius=_number('depth_radius', depth_radius, int, 5),
        bias=_number('bias', bias, float, 1.0),
        alpha=_number('alpha', alpha, float, 1.0),
        beta=_number('beta', beta, float, 0.5),
    )
    return result


def _number(argument: str, value: Any, kind: type[Any], default: float) -> Any:
    if value is None:
        return default
    try:
        if not isinstance(value, str | bytes):
            return kind(value)
    except (TypeError, ValueError):
        pass  # Worded below.
    raise errors.InvalidTypeError(
        f'[LRN] {argument} = {value!r:.80} was given; expected {kind.__name__}; give a number',
        'LRN',
    )


def _as_floats(values: Any) -> Tensor:
    return conversion.convert_to_tensor(values, dtype_hint=dtypes.float32)
