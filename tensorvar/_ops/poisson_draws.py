"""Draws from Poisson distributions.

Small rates by Knuth's products of uniform values, large ones by Hörmann's transformed
rejection (PTRS, Insurance: Mathematics and Economics 12, 1993). The steps, and the order
in which they take random numbers, are TensorFlow's, and so are the values.
"""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _random_arguments, _rejection, random_seed, stateless_random
from tensorvar._ops._rejection import COUNTERS_PER_VALUE, FLOAT64, Shape
from tensorvar._ops._special import special
from tensorvar._ops.random_seed import Stream

_NAME, _STATELESS = 'RandomPoissonV2', 'StatelessRandomPoisson'
_ALLOWED = frozenset(
    d.numpy for d in (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
)

# From this rate on, rejection is faster than products.
_LARGE_RATE = 10.0


def _draw(xp: Any, key: int, counter: int, rates: Array, samples: int, greatest: float) -> Array:
    def portion(start: int, stop: int) -> Array:
        each = _rejection.per_value(xp, rates, samples, start, stop)
        offsets = xp.arange(start, stop, dtype=_rejection.UINT64) * COUNTERS_PER_VALUE
        # An infinite rate, and NaN for no rate at all, stay what they are.
        result = each.copy()
        small = xp.nonzero(each < _LARGE_RATE)[0]
        result[small] = _by_products(xp, key, counter, each[small], offsets[small])
        large = xp.nonzero((each >= _LARGE_RATE) & (each < math.inf))[0]
        result[large] = _by_rejection(xp, key, counter, each[large], offsets[large], greatest)
        return result

    return _rejection.in_portions(xp, rates.shape[0] * samples, portion)


def _by_products(xp: Any, key: int, counter: int, rates: Array, offsets: Array) -> Array:
    """Counts how many uniform values have a product above ``exp(-rate)``."""
    result = xp.zeros(rates.shape, FLOAT64)
    places = xp.arange(rates.shape[0])
    bounds, products = xp.exp(-rates), xp.ones(rates.shape, FLOAT64)
    drawn = 0
    while places.size:
        for units in _rejection.pairs_of_units(xp, key, counter, offsets + drawn // 2):
            # Products that have fallen below their bound stay there.
            finished = products <= bounds
            products = xp.where(finished, products, products * units)
            ends = ~finished & (products <= bounds)
            result[places[xp.nonzero(ends)[0]]] = drawn
            drawn += 1
        rest = xp.nonzero(products > bounds)[0]
        places, offsets = places[rest], offsets[rest]
        bounds, products = bounds[rest], products[rest]
    return result


def _by_rejection(
    xp: Any, key: int, counter: int, rates: Array, offsets: Array, greatest: float
) -> Array:
    result = xp.empty(rates.shape, FLOAT64)
    places = xp.arange(rates.shape[0])
    rounds = 0
    while places.size:
        u, v = _rejection.pairs_of_units(xp, key, counter, offsets + rounds)
        values, accepted = _attempt(xp, rates, u - 0.5, v, greatest)
        chosen, rest = xp.nonzero(accepted)[0], xp.nonzero(~accepted)[0]
        result[places[chosen]] = values[chosen]
        places, offsets, rates = places[rest], offsets[rest], rates[rest]
        rounds += 1
    return result


def _attempt(xp: Any, rates: Array, u: Array, v: Array, greatest: float) -> tuple[Array, Array]:
    """A value for each rate, and whether it is accepted. The names are Hörmann's."""
    b = 0.931 + 2.53 * xp.sqrt(rates)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    shifted = 0.5 - xp.abs(u)
    k = xp.floor((2.0 * a / shifted + b) * u + rates + 0.43)
    inside = (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2.0))
    refused = (k < 0) | ((shifted < 0.013) & (v > shifted))
    s = xp.log(v * inverse_alpha / (a / (shifted * shifted) + b))
    positive = xp.maximum(k, 0.0)
    t = -rates + positive * xp.log(rates) - special(xp).gammaln(positive + 1.0)
    accepted = (inside | (~refused & (s <= t))) & ~(k > greatest)
    return k, accepted


def _forward(
    xp: Any, rate: Array, *, shape: Shape, dtype: np.dtype[Any], stream: Stream | None
) -> Array:
    size = math.prod(shape)
    key, counter = _rejection.reserve(stream, size * COUNTERS_PER_VALUE)
    if size == 0:
        return xp.empty(shape, dtype)
    count = math.prod(rate.shape)
    greatest = float(np.iinfo(dtype).max if dtype.kind == 'i' else np.finfo(dtype).max)
    rates = rate.reshape((-1,)).astype(FLOAT64)
    values = _draw(xp, key, counter, rates, size // count, greatest)
    return _rejection.samples_first(xp, values, count, shape).astype(dtype)


def _register(name: str) -> OpDef:
    def infer(
        rate: ArraySpec, *, shape: Shape, dtype: np.dtype[Any], stream: Stream | None
    ) -> ArraySpec:
        _rejection.check_ends_with(name, shape, rate.shape)
        return ArraySpec(shape, dtype)

    return op_registry.register(
        OpDef(name, infer, _forward, NOT_DIFFERENTIABLE, dtypes={'T': _ALLOWED}, stateful=True)
    )


RANDOM_POISSON = _register(_NAME)
STATELESS_POISSON = _register(_STATELESS)


def _result_dtype(op: str, dtype: Any) -> np.dtype[Any]:
    wanted = dtypes.as_dtype(dtype)
    if wanted.numpy not in _ALLOWED:
        raise errors.InvalidTypeError(
            f'[{op}] dtype {wanted.name} was asked for; allowed are float16, float32, float64, '
            f'int32 and int64; draw one of them and tv.cast it',
            op,
        )
    return wanted.numpy


def poisson(
    shape: Any,
    lam: Any,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws from Poisson distributions.

    With a seed the values are those of TensorFlow on its CPU, on every device.

    Args:
        shape: how many values to draw for each rate, 1-D.
        lam: the rates; float16, float32, float64, int32 or int64.
        dtype: of the result, one of these.
        seed: see ``normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape`` followed by the shape of ``lam``; 0 for negative rates. A NaN
        gives NaN; TensorFlow never ends there.

    Raises:
        InvalidArgumentError: a bad shape or dtype.
    """
    wanted = _result_dtype(_NAME, dtype)
    rate = conversion.convert_to_tensor(lam)
    dims = _random_arguments.read_shape(_NAME, shape) + rate._shape
    stream = random_seed.stream(_NAME, seed, rate.dtype.numpy, wanted)
    result: Tensor = executor.run(RANDOM_POISSON, rate, shape=dims, dtype=wanted, stream=stream)
    return result


def stateless_poisson(
    shape: Any, seed: Any, lam: Any, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Draws from Poisson distributions; the same seed gives the same values.

    See ``poisson``.

    Args:
        shape: the shape of the result, which ends with that of ``lam``.
        seed: see ``stateless_normal``.
        lam: the rates; float16, float32, float64, int32 or int64.
        dtype: of the result, one of these.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape``.

    Raises:
        InvalidArgumentError: a bad shape, dtype or seed.
    """
    wanted = _result_dtype(_STATELESS, dtype)
    result: Tensor = executor.run(
        STATELESS_POISSON,
        lam,
        shape=_random_arguments.read_shape(_STATELESS, shape),
        dtype=wanted,
        stream=stateless_random.fixed_stream(_STATELESS, seed),
    )
    return result
