"""Bessel functions of the orders 0 and 1, and the exponential integral."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.op_registry import Gradient, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _gradient_helpers, exponential
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._special import special

_POSITIVE_ONLY = ('y0', 'y1')
_ALLOWED = dtypes.FLOATING - {dtypes.bfloat16.numpy}


def _j0_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (-gradient * bessel_j1(context.inputs[0]),)


def _j1_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    at_zero = x == 0
    quotient = bessel_j1(x) / _gradient_helpers.where(at_zero, 1, x)
    return (gradient * (bessel_j0(x) - _gradient_helpers.where(at_zero, 0.5, quotient)),)


def _y0_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (-gradient * bessel_y1(context.inputs[0]),)


def _y1_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * (bessel_y0(x) - bessel_y1(x) / x),)


def _expint_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * exponential.exp(x) / x,)


def _expint(xp: Any, x: Any) -> Any:
    # As in TensorFlow, only what is right of the pole counts.
    return xp.where(x < 0, xp.full_like(x, xp.nan), special(xp).expi(x))


def _register(name: str, function: str, gradient: Gradient) -> OpDef:
    """The op that is a function of scipy.special."""

    def forward(xp: Any, x: Any) -> Any:
        found = getattr(special(xp), function)(x)
        if function not in _POSITIVE_ONLY:
            return found
        # What TensorFlow gives where the function is not defined.
        return xp.where(x < 0, xp.full((), -xp.inf, found.dtype), found)

    return _define.unary(name, forward, gradient, _ALLOWED, wide=True)


J0 = _register('BesselJ0', 'j0', _j0_gradient)
J1 = _register('BesselJ1', 'j1', _j1_gradient)
Y0 = _register('BesselY0', 'y0', _y0_gradient)
Y1 = _register('BesselY1', 'y1', _y1_gradient)
EXPINT = _define.unary('Expint', _expint, _expint_gradient, _ALLOWED, wide=True)


def bessel_j0(x: Any, name: str | None = None) -> Tensor:
    """The Bessel function of the first kind of order 0.

    Args:
        x: float16, float32 or float64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(J0, x)
    return result


def bessel_j1(x: Any, name: str | None = None) -> Tensor:
    """The Bessel function of the first kind of order 1. See ``bessel_j0``."""
    result: Tensor = executor.run(J1, x)
    return result


def bessel_y0(x: Any, name: str | None = None) -> Tensor:
    """The Bessel function of the second kind of order 0.

    See ``bessel_j0``. Below 0 it is -inf.
    """
    result: Tensor = executor.run(Y0, x)
    return result


def bessel_y1(x: Any, name: str | None = None) -> Tensor:
    """The Bessel function of the second kind of order 1.

    See ``bessel_j0``. Below 0 it is -inf.
    """
    result: Tensor = executor.run(Y1, x)
    return result


def expint(x: Any, name: str | None = None) -> Tensor:
    """The exponential integral, of ``exp(t) / t`` from -inf to ``x``.

    See ``bessel_j0``. Below 0 it is NaN.
    """
    result: Tensor = executor.run(EXPINT, x)
    return result
