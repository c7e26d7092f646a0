"""The beta functions, Hurwitz's zeta function, and the next number."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, exponential, power, reduction, special_functions
from tensorvar._ops._gradient_helpers import Gradients, sum_to_shape
from tensorvar._ops._special import special

_ALLOWED = dtypes.FLOATING - dtypes.HALF_PRECISION

# Betainc


def _infer_betainc(a: ArraySpec, b: ArraySpec, x: ArraySpec) -> ArraySpec:
    shape = _define.broadcast('Betainc', a, b, x)
    for spec in (a, b, x):
        if spec.shape and spec.shape != shape:
            raise errors.InvalidArgumentError(
                f'[Betainc] Shapes of a, b and x are inconsistent: {list(a.shape)} vs. '
                f'{list(b.shape)} vs. {list(x.shape)}; allowed are equal shapes and scalars; '
                f'use tv.broadcast_to',
                'Betainc',
            )
    return ArraySpec(shape, a.dtype)


def _betainc(xp: Any, a: Array, b: Array, x: Array) -> Array:
    inside = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    found = special(xp).betainc(a, b, x)
    return xp.where(inside, found, xp.full((), xp.nan, found.dtype))


def _betainc_gradient(context: Any, gradient: Tensor) -> Gradients:
    a, b, x = context.inputs
    log_beta = (
        special_functions.lgamma(a) + special_functions.lgamma(b) - special_functions.lgamma(a + b)
    )
    logarithm = power.xlog1py(b - 1, -x) + power.xlogy(a - 1, x) - log_beta
    # As in TensorFlow, a and b have no gradient.
    return None, None, sum_to_shape(gradient * exponential.exp(logarithm), x._shape)


BETAINC = op_registry.register(
    OpDef(
        'Betainc',
        _infer_betainc,
        _betainc,
        _betainc_gradient,
        inputs='T T T',
        dtypes={'T': _ALLOWED},
    )
)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """The regularised incomplete beta function, differentiable by ``x``.

    Args:
        a: above 0; float32 or float64.
        b: above 0, of the same dtype.
        x: in [0, 1], of the same dtype. Those of the three that are no scalars have one
            shape.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of that shape; NaN where an argument is out of range.

    Raises:
        InvalidArgumentError: the shapes differ, or the dtypes are wrong.
    """
    result: Tensor = executor.run(BETAINC, a, b, x)
    return result


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the absolute value of the beta function along the last axis.

    Args:
        x: floating-point values of rank 1 or more; the arguments of one beta function lie
            along the last axis.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape of ``x`` less the last axis.

    Raises:
        InvalidArgumentError: ``x`` is a scalar, or no float.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.math.lbeta([1.0, 1.0]))
        tv.Tensor(0.0, shape=(), dtype=float32)
    """
    values = conversion.convert_to_tensor(x)
    logarithms = reduction.reduce_sum(special_functions.lgamma(values), axis=[-1])
    whole = special_functions.lgamma(reduction.reduce_sum(values, axis=[-1]))
    result: Tensor = logarithms - whole
    return result


# Zeta


def _zeta(xp: Any, x: Array, q: Array) -> Array:
    found = special(xp).zeta(x, q)
    # At the poles, the two sides agree for even exponents alone.
    one_sided = (q <= 0) & (q == xp.floor(q)) & (x % 2 != 0)
    return xp.where(one_sided, xp.full((), xp.nan, found.dtype), found)


def _zeta_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, q = context.inputs
    # As in TensorFlow, the exponent has no gradient.
    return None, sum_to_shape(gradient * (-x * zeta(x + 1, q)), q._shape)


ZETA = _define.binary('Zeta', _zeta, _zeta_gradient, _ALLOWED)


def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Hurwitz's zeta function: the sum of ``(q + n)**-x`` over n = 0, 1, ....

    Args:
        x: exponents above 1; float32 or float64.
        q: values of the same dtype that broadcast with ``x``; differentiable.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(ZETA, x, q)
    return result


# NextAfter


def _next_after_gradient(context: Any, gradient: Tensor) -> Gradients:
    x1, x2 = context.inputs
    return sum_to_shape(gradient, x1._shape), sum_to_shape(gradient * 0, x2._shape)


NEXT_AFTER = _define.binary(
    'NextAfter', lambda xp, x1, x2: xp.nextafter(x1, x2), _next_after_gradient, _ALLOWED
)


def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """The number that follows ``x1`` in its dtype, in the direction of ``x2``.

    Args:
        x1: float32 or float64.
        x2: values of the same dtype that broadcast with ``x1``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the broadcast shape; its gradient is that of ``x1``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(NEXT_AFTER, x1, x2)
    return result
