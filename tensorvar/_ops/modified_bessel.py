"""Modified Bessel functions of the orders 0 and 1."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.op_registry import Gradient, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _gradient_helpers, elementwise_unary
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._special import special

_POSITIVE_ONLY = ('k0', 'k0e', 'k1', 'k1e')
_ALLOWED = dtypes.FLOATING - {dtypes.bfloat16.numpy}


def _i0_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * bessel_i1(context.inputs[0]),)


def _i0e_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * (bessel_i1e(x) - elementwise_unary.sign(x) * bessel_i0e(x)),)


def _i1_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * (bessel_i0(x) - _over_x(bessel_i1(x), x)),)


def _i1e_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    scaled = bessel_i1e(x)
    slope = bessel_i0e(x) - _over_x(scaled, x) - elementwise_unary.sign(x) * scaled
    return (gradient * slope,)


def _k0_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (-gradient * bessel_k1(context.inputs[0]),)


def _k0e_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * (bessel_k0e(x) - bessel_k1e(x)),)


def _k1_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (-gradient * (bessel_k0(x) + bessel_k1(x) / x),)


def _k1e_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    scaled = bessel_k1e(x)
    return (gradient * (scaled - scaled / x - bessel_k0e(x)),)


def _over_x(values: Tensor, x: Tensor) -> Tensor:
    """``values / x``, and its limit 1/2 at 0, where TensorFlow's gradient is wrong."""
    at_zero = x == 0
    quotient = values / _gradient_helpers.where(at_zero, 1, x)
    return _gradient_helpers.where(at_zero, 0.5, quotient)


def _register(name: str, function: str, gradient: Gradient) -> OpDef:
    """The op that is a function of scipy.special."""

    def forward(xp: Any, x: Any) -> Any:
        found = getattr(special(xp), function)(x)
        if function not in _POSITIVE_ONLY:
            return found
        # What TensorFlow gives where the function is not defined.
        return xp.where(x < 0, xp.full((), xp.inf, found.dtype), found)

    return _define.unary(name, forward, gradient, _ALLOWED, wide=True)


I0 = _register('BesselI0', 'i0', _i0_gradient)
I0E = _register('BesselI0e', 'i0e', _i0e_gradient)
I1 = _register('BesselI1', 'i1', _i1_gradient)
I1E = _register('BesselI1e', 'i1e', _i1e_gradient)
K0 = _register('BesselK0', 'k0', _k0_gradient)
K0E = _register('BesselK0e', 'k0e', _k0e_gradient)
K1 = _register('BesselK1', 'k1', _k1_gradient)
K1E = _register('BesselK1e', 'k1e', _k1e_gradient)


def bessel_i0(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of the first kind of order 0.

    Args:
        x: float16, float32 or float64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(I0, x)
    return result


def bessel_i0e(x: Any, name: str | None = None) -> Tensor:
    """``exp(-abs(x)) * bessel_i0(x)``, which does not overflow. See ``bessel_i0``."""
    result: Tensor = executor.run(I0E, x)
    return result


def bessel_i1(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of the first kind of order 1. See ``bessel_i0``."""
    result: Tensor = executor.run(I1, x)
    return result


def bessel_i1e(x: Any, name: str | None = None) -> Tensor:
    """``exp(-abs(x)) * bessel_i1(x)``, which does not overflow. See ``bessel_i0``."""
    result: Tensor = executor.run(I1E, x)
    return result


def bessel_k0(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of the second kind of order 0.

    See ``bessel_i0``. Below 0 it is inf.
    """
    result: Tensor = executor.run(K0, x)
    return result


def bessel_k0e(x: Any, name: str | None = None) -> Tensor:
    """``exp(x) * bessel_k0(x)``, which does not vanish. See ``bessel_i0``."""
    result: Tensor = executor.run(K0E, x)
    return result


def bessel_k1(x: Any, name: str | None = None) -> Tensor:
    """The modified Bessel function of the second kind of order 1.

    See ``bessel_i0``. Below 0 it is inf.
    """
    result: Tensor = executor.run(K1, x)
    return result


def bessel_k1e(x: Any, name: str | None = None) -> Tensor:
    """``exp(x) * bessel_k1(x)``, which does not vanish. See ``bessel_i0``."""
    result: Tensor = executor.run(K1E, x)
    return result
