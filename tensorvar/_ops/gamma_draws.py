"""Draws from gamma distributions, by the method of Marsaglia and Tsang.

(A simple method for generating gamma variables, ACM TOMS 26, 2000.) The steps, and the
order in which they take random numbers, are TensorFlow's, and so are the values.
"""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _define,
    _gradient_helpers,
    _random_arguments,
    _rejection,
    array_shape,
    cast,
    distributions,
    exponential,
    incomplete_gamma,
    philox,
    random_seed,
    special_functions,
    stateless_random,
)
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._rejection import FLOAT64, Shape
from tensorvar._ops.random_seed import Stream

_NAME, _STATELESS = 'RandomGamma', 'StatelessRandomGammaV3'
_ALLOWED = dtypes.FLOATING - {dtypes.bfloat16.numpy}


class _Supply:
    """The random numbers of many values, each of which takes its own number of them."""

    def __init__(self, xp: Any, key: int, counter: int, numbers: Array) -> None:
        self._xp = xp
        self._start = key, counter
        self._next = numbers.astype(_rejection.UINT64) * _rejection.COUNTERS_PER_VALUE
        zeros, none = xp.zeros(numbers.shape, FLOAT64), xp.zeros(numbers.shape, _rejection.BOOL)
        self._normals, self._has_normal = zeros, none
        self._units, self._has_unit = zeros, none

    def normals(self) -> Array:
        """A normal value for each."""
        words = philox.words(self._xp, *self._start, self._next)
        second, first = distributions.box_muller_float64(self._xp, words)
        taken = self._xp.where(self._has_normal, self._normals, first)
        self._normals = second
        self._next = self._next + ~self._has_normal
        self._has_normal = ~self._has_normal
        return taken

    def units(self, wanted: Array) -> Array:
        """A uniform value for those that want one, and anything for the others."""
        first, second = _rejection.pairs_of_units(self._xp, *self._start, self._next)
        taken = self._xp.where(self._has_unit, self._units, first)
        fresh = wanted & ~self._has_unit
        self._units = self._xp.where(fresh, second, self._units)
        self._next = self._next + fresh
        self._has_unit = self._has_unit ^ wanted
        return taken

    def keep(self, places: Array) -> None:
        """Goes on for some of the values only."""
        self._next = self._next[places]
        self._normals, self._has_normal = self._normals[places], self._has_normal[places]
        self._units, self._has_unit = self._units[places], self._has_unit[places]


def _draw(xp: Any, key: int, counter: int, alpha: Array, samples: int) -> Array:
    def portion(start: int, stop: int) -> Array:
        each = _rejection.per_value(xp, alpha, samples, start, stop)
        numbers = xp.arange(start, stop, dtype=dtypes.int64.numpy)
        return _draw_portion(xp, key, counter, each, numbers)

    return _rejection.in_portions(xp, alpha.shape[0] * samples, portion)


def _draw_portion(xp: Any, key: int, counter: int, alpha: Array, numbers: Array) -> Array:
    offsets = numbers.astype(_rejection.UINT64) * _rejection.COUNTERS_PER_VALUE
    # For alpha 1 this is an exponential distribution.
    result = -xp.log1p(-_rejection.pairs_of_units(xp, key, counter, offsets)[0])
    places = xp.nonzero(alpha != 1)[0]
    alpha = alpha[places]
    supply = _Supply(xp, key, counter, numbers[places])
    while places.size:
        values, accepted = _attempt(xp, supply, alpha)
        chosen = xp.nonzero(accepted)[0]
        result[places[chosen]] = values[chosen]
        rest = xp.nonzero(~accepted)[0]
        supply.keep(rest)
        places, alpha = places[rest], alpha[rest]
    return result


def _attempt(xp: Any, supply: _Supply, alpha: Array) -> tuple[Array, Array]:
    """A value for each alpha, and whether it is accepted; NaN is, where alpha is bad."""
    small = alpha < 1
    d = alpha + xp.where(small, 2.0 / 3.0, -1.0 / 3.0)
    x = supply.normals()
    root = 1.0 + 1.0 / 3.0 / xp.sqrt(d) * x
    v = root * root * root
    possible = ~(root <= 0)
    u = supply.units(possible)
    square = x * x
    outside = u >= 1.0 - 0.0331 * square * square
    log_v = xp.log(xp.where(v > 0, v, xp.ones_like(v)))
    outside &= xp.log(u) >= 0.5 * square + d * (1.0 - v + log_v)
    accepted = possible & ~outside
    values = d * v
    power = xp.power(supply.units(accepted & small), 1.0 / xp.where(small, alpha, 1.0))
    return xp.where(small, values * power, values), accepted


def _forward(xp: Any, alpha: Array, *, shape: Shape, stream: Stream | None) -> Array:
    size = math.prod(shape)
    key, counter = _rejection.reserve(stream, size * _rejection.COUNTERS_PER_VALUE)
    count = math.prod(alpha.shape)
    if size == 0:
        return xp.empty(shape, alpha.dtype)
    values = _draw(xp, key, counter, alpha.reshape((-1,)).astype(FLOAT64), size // count)
    return _rejection.samples_first(xp, values, count, shape).astype(alpha.dtype)


def _infer(alpha: ArraySpec, *, shape: Shape, stream: Stream | None) -> ArraySpec:
    _rejection.check_ends_with(_NAME, shape, alpha.shape)
    return ArraySpec(shape, alpha.dtype)


def _infer_stateless(alpha: ArraySpec, *, shape: Shape, stream: Stream | None) -> ArraySpec:
    _rejection.check_ends_with(_STATELESS, shape, alpha.shape)
    return ArraySpec(shape, alpha.dtype)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    """How a value moves with alpha, its quantile kept: -(dP/da) / (dP/dx)."""
    alpha, values = context.inputs[0], context.outputs[0]
    if alpha.dtype.numpy in dtypes.HALF_PRECISION:
        wide = cast.cast(alpha, dtypes.float32), cast.cast(values, dtypes.float32)
    else:
        wide = alpha, values
    order, x = wide
    by_order = executor.run(incomplete_gamma.IGAMMA_GRAD_A, order, x)
    log_density = (order - 1) * exponential.log(x) - x - special_functions.lgamma(order)
    slope = cast.cast(-by_order * exponential.exp(-log_density), alpha.dtype)
    return (_gradient_helpers.sum_to_shape(gradient * slope, alpha._shape),)


def _register(name: str, infer: Any) -> OpDef:
    return op_registry.register(
        OpDef(name, infer, _forward, _gradient, dtypes={'T': _ALLOWED}, stateful=True, wide=True)
    )


RANDOM_GAMMA = _register(_NAME, _infer)
STATELESS_GAMMA = _register(_STATELESS, _infer_stateless)


def _parameters(op: str, alpha: Any, beta: Any, dtype: Any) -> tuple[Tensor, Tensor]:
    alpha = conversion.convert_to_tensor(alpha, dtype)
    beta = conversion.convert_to_tensor(1 if beta is None else beta, dtype)
    common = _define.broadcast(op, alpha._spec(), beta._spec())
    return array_shape.broadcast_to(alpha, common), beta


def _scaled(drawn: Tensor, beta: Tensor) -> Tensor:
    least = float(np.finfo(drawn.dtype.numpy).tiny)
    result: Tensor = executor.run(OPS['Maximum'], least, drawn / beta)
    return result


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws from gamma distributions.

    With a seed the values are those of TensorFlow on its CPU, on every device, but for
    rounding. They are differentiable by ``alpha`` and ``beta``.

    Args:
        shape: how many values to draw for each pair of parameters, 1-D.
        alpha: the shape parameter of the distribution, above 0.
        beta: its inverse scale, which broadcasts with ``alpha``; None for 1.
        dtype: of the parameters and the result: float16, float32 or float64.
        seed: see ``normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape`` followed by the broadcast shape of the parameters. Where
        ``alpha`` is negative, NaN.

    Raises:
        InvalidArgumentError: a bad shape or dtype.
    """
    alpha, beta = _parameters(_NAME, alpha, beta, dtype)
    dims = _random_arguments.read_shape(_NAME, shape) + alpha._shape
    stream = random_seed.stream(_NAME, seed, alpha.dtype.numpy)
    drawn: Tensor = executor.run(RANDOM_GAMMA, alpha, shape=dims, stream=stream)
    return _scaled(drawn, beta)


def stateless_gamma(
    shape: Any,
    seed: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Draws from gamma distributions; the same seed gives the same values.

    See ``gamma``.

    Args:
        shape: the shape of the result, which ends with that of the parameters.
        seed: see ``stateless_normal``.
        alpha: the shape parameter of the distribution, above 0.
        beta: its inverse scale, which broadcasts with ``alpha``; None for 1.
        dtype: of the parameters and the result: float16, float32 or float64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape``.

    Raises:
        InvalidArgumentError: a bad shape, dtype or seed.
    """
    alpha, beta = _parameters(_STATELESS, alpha, beta, dtype)
    drawn: Tensor = executor.run(
        STATELESS_GAMMA,
        alpha,
        shape=_random_arguments.read_shape(_STATELESS, shape),
        stream=stateless_random.fixed_stream(_STATELESS, seed),
    )
    return _scaled(drawn, beta)
