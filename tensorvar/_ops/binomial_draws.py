"""Draws from binomial distributions.

Few expected hits by sums of geometric values, many by Hörmann's transformed rejection
(BTRS, Journal of Statistical Computation and Simulation 46, 1993). The steps, and the
order in which they take random numbers, are TensorFlow's, and so are the values.
"""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _random_arguments, _rejection, stateless_random
from tensorvar._ops._rejection import COUNTERS_PER_VALUE, FLOAT64, Shape
from tensorvar._ops._special import special
from tensorvar._ops.random_seed import Stream

_NAME = 'StatelessRandomBinomial'
_PARAMETERS = frozenset(d.numpy for d in (dtypes.float16, dtypes.float32, dtypes.float64))
_RESULTS = _PARAMETERS | {dtypes.int32.numpy, dtypes.int64.numpy}

# From this many expected hits on, rejection is faster than sums.
_MANY_HITS = 10.0
# TensorFlow sets aside fewer counters for each sum.
_COUNTERS_PER_SUM = 42


def _draw(xp: Any, key: int, counter: int, counts: Array, chances: Array, samples: int) -> Array:
    def portion(start: int, stop: int) -> Array:
        count = xp.floor(_rejection.per_value(xp, counts, samples, start, stop))
        chance = _rejection.per_value(xp, chances, samples, start, stop)
        numbers = xp.arange(start, stop, dtype=_rejection.UINT64)
        # The rarer outcome is counted.
        swapped = chance > 0.5
        rare = xp.where(swapped, 1.0 - chance, chance)
        possible = (count > 0) & (rare > 0)
        hits = xp.zeros(count.shape, FLOAT64)
        few = xp.nonzero(possible & (count * rare < _MANY_HITS))[0]
        offsets = numbers[few] * _COUNTERS_PER_SUM
        hits[few] = _by_sums(xp, key, counter, count[few], rare[few], offsets)
        many = xp.nonzero(possible & (count * rare >= _MANY_HITS))[0]
        offsets = numbers[many] * COUNTERS_PER_VALUE
        hits[many] = _by_rejection(xp, key, counter, count[many], rare[many], offsets)
        hits = xp.where(swapped, xp.maximum(count, 0.0) - hits, hits)
        return xp.where(xp.isnan(chance) | xp.isnan(count), xp.full_like(hits, xp.nan), hits)

    return _rejection.in_portions(xp, counts.shape[0] * samples, portion)


def _by_sums(
    xp: Any, key: int, counter: int, counts: Array, chances: Array, offsets: Array
) -> Array:
    """Counts how many waits for a hit fit into ``counts`` trials."""
    result = xp.empty(counts.shape, FLOAT64)
    places = xp.arange(counts.shape[0])
    waited = xp.zeros(counts.shape, FLOAT64)
    scale = 1.0 / xp.log1p(-chances)
    drawn = 0
    while places.size:
        for units in _rejection.pairs_of_units(xp, key, counter, offsets + drawn // 2):
            finished = waited > counts
            waited = xp.where(finished, waited, waited + xp.ceil(xp.log(units) * scale))
            result[places[xp.nonzero(~finished & (waited > counts))[0]]] = drawn
            drawn += 1
        rest = xp.nonzero(waited <= counts)[0]
        places, offsets, waited = places[rest], offsets[rest], waited[rest]
        counts, scale = counts[rest], scale[rest]
    return result


def _by_rejection(
    xp: Any, key: int, counter: int, counts: Array, chances: Array, offsets: Array
) -> Array:
    result = xp.empty(counts.shape, FLOAT64)
    places = xp.arange(counts.shape[0])
    rounds = 0
    while places.size:
        u, v = _rejection.pairs_of_units(xp, key, counter, offsets + rounds)
        values, accepted = _attempt(xp, counts, chances, u - 0.5, v)
        chosen, rest = xp.nonzero(accepted)[0], xp.nonzero(~accepted)[0]
        result[places[chosen]] = values[chosen]
        places, offsets = places[rest], offsets[rest]
        counts, chances = counts[rest], chances[rest]
        rounds += 1
    return result


def _attempt(xp: Any, counts: Array, chances: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """A value for each pair, and whether it is accepted. The names are Hörmann's."""
    spread = xp.sqrt(counts * chances * (1.0 - chances))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * chances
    r = chances / (1.0 - chances)
    alpha = (2.83 + 5.1 / b) * spread
    m = xp.floor((counts + 1.0) * chances)
    us = 0.5 - xp.abs(u)
    k = xp.floor((2.0 * a / us + b) * u + counts * chances + 0.5)
    inside = (us >= 0.07) & (v <= 0.92 - 4.2 / b)
    possible = (k >= 0) & (k <= counts)
    # Where k is not possible, a harmless value stands in.
    hits = xp.where(possible, k, m)
    level = xp.log(v * alpha / (a / (us * us) + b))
    bound = (
        (m + 0.5) * xp.log((m + 1.0) / (r * (counts - m + 1.0)))
        + (counts + 1.0) * xp.log((counts - m + 1.0) / (counts - hits + 1.0))
        + (hits + 0.5) * xp.log(r * (counts - hits + 1.0) / (hits + 1.0))
        + _stirling_rest(xp, m)
        + _stirling_rest(xp, counts - m)
        - _stirling_rest(xp, hits)
        - _stirling_rest(xp, counts - hits)
    )
    return k, inside | (possible & (level <= bound))


def _stirling_rest(xp: Any, k: Array) -> Array:
    """What Stirling's formula for ``log(k!)`` leaves out."""
    exact = (
        special(xp).gammaln(k + 1.0)
        - (k + 0.5) * xp.log(k + 1.0)
        + (k + 1.0)
        - 0.5 * math.log(2.0 * math.pi)
    )
    square = (k + 1.0) * (k + 1.0)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1.0)
    # The differences of large terms lose what the series keeps.
    return xp.where(k <= 9, exact, series)


def _infer(
    counts: ArraySpec,
    probs: ArraySpec,
    *,
    shape: Shape,
    dtype: np.dtype[Any],
    stream: Stream | None,
) -> ArraySpec:
    _rejection.check_ends_with(_NAME, shape, _define.broadcast(_NAME, counts, probs))
    return ArraySpec(shape, dtype)


def _forward(
    xp: Any,
    counts: Array,
    probs: Array,
    *,
    shape: Shape,
    dtype: np.dtype[Any],
    stream: Stream | None,
) -> Array:
    both = xp.broadcast_arrays(counts.astype(FLOAT64), probs.astype(FLOAT64))
    pairs = math.prod(both[0].shape)
    samples = math.prod(shape) // max(pairs, 1)
    # By so many a generator of TensorFlow moves on; the values need fewer.
    reserved = pairs * 200 * (samples + 3) // 4 * COUNTERS_PER_VALUE
    key, counter = _rejection.reserve(stream, reserved)
    if pairs * samples == 0:
        return xp.empty(shape, dtype)
    trials, chances = (parameter.reshape((-1,)) for parameter in both)
    values = _draw(xp, key, counter, trials, chances, samples)
    return _rejection.samples_first(xp, values, pairs, shape).astype(dtype)


STATELESS_BINOMIAL = op_registry.register(
    OpDef(
        _NAME,
        _infer,
        _forward,
        NOT_DIFFERENTIABLE,
        inputs='T T',
        dtypes={'T': _PARAMETERS},
        stateful=True,
    )
)


def stateless_binomial(
    shape: Any,
    seed: Any,
    counts: Any,
    probs: Any,
    output_dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """Draws from binomial distributions; the same seed gives the same values.

    The values are those of TensorFlow on its CPU, on every device.

    Args:
        shape: the shape of the result, which ends with that of the parameters.
        seed: see ``stateless_normal``.
        counts: the numbers of trials; float16, float32 or float64.
        probs: the chances of a hit, of the same dtype, which broadcast with ``counts``.
        output_dtype: of the result: float16, float32, float64, int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape``, the numbers of hits.

    Raises:
        InvalidArgumentError: a bad shape, dtype or seed.
    """
    stream = stateless_random.fixed_stream(_NAME, seed)
    return draw(shape, counts, probs, output_dtype, stream)


def draw(shape: Any, counts: Any, probs: Any, dtype: Any, stream: Stream) -> Tensor:
    """Runs the op; for ``stateless_binomial`` and generators."""
    wanted = dtypes.as_dtype(dtype)
    if wanted.numpy not in _RESULTS:
        raise errors.InvalidTypeError(
            f'[{_NAME}] {wanted.name} was asked for; allowed are float16, float32, float64, '
            f'int32 and int64; draw one of them and tv.cast it',
            _NAME,
        )
    chances = conversion.convert_to_tensor(probs)
    trials = conversion.convert_to_tensor(counts, chances.dtype)
    result: Tensor = executor.run(
        STATELESS_BINOMIAL,
        trials,
        chances,
        shape=_random_arguments.read_shape(_NAME, shape),
        dtype=wanted.numpy,
        stream=stream,
    )
    return result
