"""Hyperbolic functions and their inverses."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define
from tensorvar._ops._gradient_helpers import Gradients, conjugate


def _sinh_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * cosh(conjugate(context.inputs[0])),)


def _cosh_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * sinh(conjugate(context.inputs[0])),)


def _tanh_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (tanh_grad(conjugate(context.outputs[0]), gradient),)


def _tanh_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    y, dy = (conjugate(value) for value in context.inputs)
    return -2 * gradient * dy * y, tanh_grad(y, gradient)


def _tanh_grad(xp: Any, y: Any, dy: Any) -> Any:
    return dy * (1 - y * y)


def _asinh_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient / cosh(conjugate(context.outputs[0])),)


def _acosh_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient / sinh(conjugate(context.outputs[0])),)


def _atanh_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = conjugate(context.inputs[0])
    return (gradient / (1 - x * x),)


SINH = _define.unary('Sinh', 'sinh', _sinh_gradient, dtypes.INEXACT)
COSH = _define.unary('Cosh', 'cosh', _cosh_gradient, dtypes.INEXACT)
TANH = _define.unary('Tanh', 'tanh', _tanh_gradient, dtypes.INEXACT)
ASINH = _define.unary('Asinh', 'arcsinh', _asinh_gradient, dtypes.INEXACT)
ACOSH = _define.unary('Acosh', 'arccosh', _acosh_gradient, dtypes.INEXACT)
ATANH = _define.unary('Atanh', 'arctanh', _atanh_gradient, dtypes.INEXACT)
TANH_GRAD = _define.binary('TanhGrad', _tanh_grad, _tanh_grad_gradient, dtypes.INEXACT, wide=True)


def sinh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic sine.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(SINH, x)
    return result


def cosh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic cosine.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(COSH, x)
    return result


def tanh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic tangent.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(TANH, x)
    return result


def tanh_grad(y: Any, dy: Any, name: str | None = None) -> Tensor:
    """The gradient of ``tanh`` from its result: ``dy * (1 - y * y)``.

    Args:
        y: result of ``tanh``.
        dy: gradient with respect to ``y``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``y``.

    Raises:
        InvalidTypeError: ``y`` is neither floating-point nor complex.
    """
    result: Tensor = executor.run(TANH_GRAD, y, dy)
    return result


def asinh(x: Any, name: str | None = None) -> Tensor:
    """The inverse of ``sinh``.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ASINH, x)
    return result


def acosh(x: Any, name: str | None = None) -> Tensor:
    """The inverse of ``cosh``; nan for reals below 1.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ACOSH, x)
    return result


def atanh(x: Any, name: str | None = None) -> Tensor:
    """The inverse of ``tanh``; nan for reals outside [-1, 1].

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ATANH, x)
    return result
