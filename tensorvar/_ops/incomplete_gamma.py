"""The regularised incomplete gamma functions, and their derivative by order."""

from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, Gradient, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _index_checks, exponential, special_functions
from tensorvar._ops._gradient_helpers import Gradients, sum_to_shape
from tensorvar._ops._special import special

_FLOAT64 = dtypes.float64.numpy

# Terms of the series and of the continued fraction; both meet where x is about a, and need
# some multiples of the square root of a there.
_MOST_TERMS = 2000
_TERMS_BETWEEN_LOOKS = 16
_ACCURACY = 1e-16
_RESCALE_ABOVE = 1e100


def _lower(xp: Any, a: Array, x: Array) -> Array:
    # TensorFlow defines 0 at x = 0 for every order, and nothing else for orders up to 0.
    found = xp.where(a > 0, special(xp).gammainc(a, x), xp.full((), xp.nan, a.dtype))
    return xp.where(x == 0, xp.zeros((), a.dtype), found)


def _upper(xp: Any, a: Array, x: Array) -> Array:
    return xp.where(a > 0, special(xp).gammaincc(a, x), xp.full((), xp.nan, a.dtype))


def _slope_by_order(xp: Any, a: Array, x: Array) -> Array:
    """The derivative of ``igamma`` by ``a``."""
    dtype = a.dtype
    wide_a, wide_x = xp.broadcast_arrays(a.astype(_FLOAT64), x.astype(_FLOAT64))
    valid = (wide_a > 0) & (wide_x > 0) & xp.isfinite(wide_a) & xp.isfinite(wide_x)
    one = xp.ones((), _FLOAT64)
    safe_a, safe_x = xp.where(valid, wide_a, one), xp.where(valid, wide_x, one)
    by_fraction = (safe_x > 1) & (safe_x > safe_a)
    two = one + one
    # Where the other branch is taken, harmless values stand in.
    series = _series(xp, xp.where(by_fraction, two, safe_a), xp.where(by_fraction, one, safe_x))
    fraction = _fraction(xp, xp.where(by_fraction, safe_a, one), xp.where(by_fraction, safe_x, two))
    slope = xp.where(by_fraction, -fraction, series)
    # At the ends of x, the order makes no difference.
    at_end = (wide_a > 0) & ((wide_x == 0) | (wide_x == np.inf))
    outside = xp.where(at_end, xp.zeros((), _FLOAT64), xp.full((), np.nan, _FLOAT64))
    return xp.where(valid, slope, outside).astype(dtype)


def _series(xp: Any, a: Array, x: Array) -> Array:
    """For x up to a: ``x**a exp(-x) / gamma(a + 1) * sum x**n / ((a + 1) ... (a + n))``."""
    functions = special(xp)
    term, total = xp.ones_like(a), xp.ones_like(a)
    term_slope, total_slope = xp.zeros_like(a), xp.zeros_like(a)
    order = a
    for step in range(_MOST_TERMS):
        order = order + 1
        factor = x / order
        term_slope = factor * term_slope - factor / order * term
        term = term * factor
        total, total_slope = total + term, total_slope + term_slope
        small = xp.abs(term_slope) <= _ACCURACY * xp.abs(total_slope)
        if _is_done(xp, step, small):
            break
    logarithm = a * xp.log(x) - x - functions.gammaln(a + 1)
    rise = xp.log(x) - functions.digamma(a + 1)
    return xp.exp(logarithm) * (total_slope + total * rise)


def _fraction(xp: Any, a: Array, x: Array) -> Array:
    """For x above a: the slope of ``igammac`` by its continued fraction.

    Numerators and denominators of the convergents follow one recurrence; so do their
    derivatives.
    """
    functions = special(xp)
    zero, one = xp.zeros_like(a), xp.ones_like(a)
    y, z = 1 - a, x + 1 - a + 1
    p, p_before, q, q_before = x + 1, one, z * x, x
    dp, dp_before, dq, dq_before = zero, zero, -x, zero
    value = p / q
    slope = (dp - value * dq) / q
    for step in range(_MOST_TERMS):
        count = step + 1.0
        y, z = y + 1, z + 2
        weight = y * count
        dp, dp_before = dp * z - p - dp_before * weight + p_before * count, dp
        dq, dq_before = dq * z - q - dq_before * weight + q_before * count, dq
        p, p_before = p * z - p_before * weight, p
        q, q_before = q * z - q_before * weight, q
        usable = q != 0
        divisor = xp.where(usable, q, one)
        value = xp.where(usable, p / divisor, value)
        newer = xp.where(usable, (dp - value * dq) / divisor, slope)
        small = xp.abs(newer - slope) <= _ACCURACY * xp.maximum(xp.abs(newer), one)
        slope = newer
        if _is_done(xp, step, small):
            break
        scale = xp.where(xp.abs(p) > _RESCALE_ABOVE, 1 / _RESCALE_ABOVE * one, one)
        p, p_before, q, q_before = p * scale, p_before * scale, q * scale, q_before * scale
        dp, dp_before, dq, dq_before = dp * scale, dp_before * scale, dq * scale, dq_before * scale
    logarithm = a * xp.log(x) - x - functions.gammaln(a)
    rise = xp.log(x) - functions.digamma(a)
    return xp.exp(logarithm) * (slope + value * rise)


def _is_done(xp: Any, step: int, small: Array) -> bool:
    """Whether no element needs more terms; a card is not waited for to know."""
    if step % _TERMS_BETWEEN_LOOKS or not _index_checks.may_look(xp):
        return False
    return bool(np.asarray(_index_checks.look(xp, small)).all())


def _density(a: Tensor, x: Tensor) -> Tensor:
    """The derivative of ``igamma`` by ``x``."""
    logarithm = (a - 1) * exponential.log(x) - x - special_functions.lgamma(a)
    return exponential.exp(logarithm)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    a, x = context.inputs
    by_order = by_value = None
    if context.needs[0]:
        by_order = sum_to_shape(gradient * executor.run(IGAMMA_GRAD_A, a, x), a._shape)
    if context.needs[1]:
        by_value = sum_to_shape(gradient * _density(a, x), x._shape)
    return by_order, by_value


def _upper_gradient(context: Any, gradient: Tensor) -> Gradients:
    return _gradient(context, -gradient)


def _register(name: str, forward: Any, gradient: Gradient | Any) -> OpDef:
    # TensorFlow has no kernel for 16-bit floats.
    allowed = dtypes.FLOATING - dtypes.HALF_PRECISION
    return _define.binary(name, forward, gradient, allowed)


IGAMMA = _register('Igamma', _lower, _gradient)
IGAMMAC = _register('Igammac', _upper, _upper_gradient)
IGAMMA_GRAD_A = _register('IgammaGradA', _slope_by_order, NOT_DIFFERENTIABLE)


def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The lower regularised incomplete gamma function.

    That is the integral of ``exp(-t) * t**(a - 1)`` from 0 to ``x``, over ``gamma(a)``.
    Its derivative by ``a`` has, as in TensorFlow, no gradient itself.

    Args:
        a: the order, above 0; float32 or float64.
        x: values of the same dtype, 0 or more, that broadcast with ``a``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(IGAMMA, a, x)
    return result


def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """``1 - igamma(a, x)``, exact where that is small. See ``igamma``."""
    result: Tensor = executor.run(IGAMMAC, a, x)
    return result
