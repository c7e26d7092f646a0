"""Error functions, gamma functions and their relatives, by scipy.special."""

import math
from typing import Any

from tensorvar import dtypes
from tensorvar._core import conversion, executor
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, exponential
from tensorvar._ops._gradient_helpers import Gradients, sum_to_shape
from tensorvar._ops._special import special

_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_SQRT_TWO_PI = math.sqrt(2.0 * math.pi)


def _erf_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * (_TWO_OVER_SQRT_PI * exponential.exp(-x * x)),)


def _erfc_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    return (gradient * (-_TWO_OVER_SQRT_PI * exponential.exp(-x * x)),)


def _erfinv_gradient(context: Any, gradient: Tensor) -> Gradients:
    y = context.outputs[0]
    return (gradient * (exponential.exp(y * y) / _TWO_OVER_SQRT_PI),)


def _ndtri_gradient(context: Any, gradient: Tensor) -> Gradients:
    y = context.outputs[0]
    return (gradient * (_SQRT_TWO_PI * exponential.exp(0.5 * y * y)),)


def _lgamma_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * digamma(context.inputs[0]),)


def _digamma_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * polygamma(1, context.inputs[0]),)


def _polygamma_gradient(context: Any, gradient: Tensor) -> Gradients:
    a, x = context.inputs
    # As in TensorFlow, the order has no gradient.
    return None, sum_to_shape(gradient * polygamma(a + 1, x), x._shape)


def _digamma(xp: Any, x: Any) -> Any:
    # SciPy gives -inf at 0; the two sides disagree there, so TensorFlow gives nan.
    return xp.where(x == 0, xp.full_like(x, xp.nan), special(xp).digamma(x))


def _polygamma(xp: Any, a: Any, x: Any) -> Any:
    """The derivative of order ``a`` of digamma: (-1)^(a+1) a! zeta(a + 1, x)."""
    functions = special(xp)
    sign = 1 - 2 * ((a + 1) % 2)
    higher = sign * xp.exp(functions.gammaln(a + 1)) * functions.zeta(a + 1, x)
    return xp.where(a == 0, functions.digamma(x), higher)


ERF = _define.unary(
    'Erf', lambda xp, x: special(xp).erf(x), _erf_gradient, dtypes.FLOATING, wide=True
)
ERFC = _define.unary(
    'Erfc', lambda xp, x: special(xp).erfc(x), _erfc_gradient, dtypes.FLOATING, wide=True
)
ERFINV = _define.unary(
    'Erfinv', lambda xp, x: special(xp).erfinv(x), _erfinv_gradient, dtypes.FLOATING, wide=True
)
NDTRI = _define.unary(
    'Ndtri', lambda xp, x: special(xp).ndtri(x), _ndtri_gradient, dtypes.FLOATING, wide=True
)
LGAMMA = _define.unary(
    'Lgamma', lambda xp, x: special(xp).gammaln(x), _lgamma_gradient, dtypes.FLOATING, wide=True
)
DIGAMMA = _define.unary('Digamma', _digamma, _digamma_gradient, dtypes.FLOATING, wide=True)
POLYGAMMA = _define.binary(
    'Polygamma',
    _polygamma,
    _polygamma_gradient,
    frozenset({dtypes.float32.numpy, dtypes.float64.numpy}),
)


def erf(x: Any, name: str | None = None) -> Tensor:
    """The error function.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ERF, x)
    return result


def erfc(x: Any, name: str | None = None) -> Tensor:
    """``1 - erf(x)``, exact where that is small.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ERFC, x)
    return result


def erfinv(x: Any, name: str | None = None) -> Tensor:
    """The inverse of ``erf``; nan outside [-1, 1].

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ERFINV, x)
    return result


def erfcinv(x: Any, name: str | None = None) -> Tensor:
    """The inverse of ``erfc``; nan outside [0, 2].

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = ndtri(0.5 * conversion.convert_to_tensor(x)) * -math.sqrt(0.5)
    return result


def ndtri(x: Any, name: str | None = None) -> Tensor:
    """The quantile function of the standard normal distribution.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(NDTRI, x)
    return result


def lgamma(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the absolute value of the gamma function.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(LGAMMA, x)
    return result


def digamma(x: Any, name: str | None = None) -> Tensor:
    """The derivative of ``lgamma``; nan at 0 and the negative whole numbers.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(DIGAMMA, x)
    return result


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The derivative of order ``a`` of ``digamma``.

    Args:
        a: order, whole numbers from 0 on; floating-point.
        x: values above 0 of the same dtype that broadcast with ``a``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(POLYGAMMA, a, x)
    return result
