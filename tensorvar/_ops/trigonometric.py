"""Trigonometric functions and their inverses."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, elementwise_unary
from tensorvar._ops._gradient_helpers import Gradients, conjugate, sum_to_shape


def _sin_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * cos(conjugate(context.inputs[0])),)


def _cos_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (-gradient * sin(conjugate(context.inputs[0])),)


def _tan_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient / elementwise_unary.square(cos(conjugate(context.inputs[0]))),)


def _asin_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = conjugate(context.inputs[0])
    return (gradient / elementwise_unary.sqrt(1 - x * x),)


def _acos_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = conjugate(context.inputs[0])
    return (-gradient / elementwise_unary.sqrt(1 - x * x),)


def _atan_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = conjugate(context.inputs[0])
    return (gradient / (1 + x * x),)


def _atan2_gradient(context: Any, gradient: Tensor) -> Gradients:
    y, x = context.inputs
    scaled = gradient / (x * x + y * y)
    return (
        sum_to_shape(scaled * x, y._shape) if context.needs[0] else None,
        sum_to_shape(-scaled * y, x._shape) if context.needs[1] else None,
    )


SIN = _define.unary('Sin', 'sin', _sin_gradient, dtypes.INEXACT)
COS = _define.unary('Cos', 'cos', _cos_gradient, dtypes.INEXACT)
TAN = _define.unary('Tan', 'tan', _tan_gradient, dtypes.INEXACT)
ASIN = _define.unary('Asin', 'arcsin', _asin_gradient, dtypes.INEXACT)
ACOS = _define.unary('Acos', 'arccos', _acos_gradient, dtypes.INEXACT)
ATAN = _define.unary('Atan', 'arctan', _atan_gradient, dtypes.INEXACT)
ATAN2 = _define.binary('Atan2', 'arctan2', _atan2_gradient, dtypes.FLOATING)


def sin(x: Any, name: str | None = None) -> Tensor:
    """The sine of an angle in radians.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(SIN, x)
    return result


def cos(x: Any, name: str | None = None) -> Tensor:
    """The cosine of an angle in radians.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(COS, x)
    return result


def tan(x: Any, name: str | None = None) -> Tensor:
    """The tangent of an angle in radians.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(TAN, x)
    return result


def asin(x: Any, name: str | None = None) -> Tensor:
    """The angle whose sine is ``x``; nan for reals outside [-1, 1].

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ASIN, x)
    return result


def acos(x: Any, name: str | None = None) -> Tensor:
    """The angle whose cosine is ``x``; nan for reals outside [-1, 1].

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ACOS, x)
    return result


def atan(x: Any, name: str | None = None) -> Tensor:
    """The angle in [-pi/2, pi/2] whose tangent is ``x``.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ATAN, x)
    return result


def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point (x, y) in [-pi, pi].

    Args:
        y: floating-point values.
        x: values of the same dtype that broadcast with ``y``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(ATAN2, y, x)
    return result
