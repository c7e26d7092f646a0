"""Signs, powers with fixed exponents, and ops that pass their input on."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define
from tensorvar._ops._gradient_helpers import Gradients, conjugate, where, zeros_like

# TensorFlow has no sign-changing ops for unsigned types.
_SIGNED = dtypes.FLOATING | dtypes.SIGNED_INTEGERS


def _abs_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * sign(context.inputs[0]),)


def _negative_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (-gradient,)


def _sign_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs[0], context.outputs[0]
    if not x.dtype.is_complex:
        return (zeros_like(gradient),)
    # On the unit circle only the part of the gradient across the radius counts.
    along = (conjugate(gradient) * y + gradient * conjugate(y)) * 0.5
    radius = x * conjugate(y)
    slope = (gradient - y * along) / radius
    return (where(radius == 0, zeros_like(slope), slope),)


def _square_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * (2 * conjugate(context.inputs[0])),)


def _sqrt_gradient(context: Any, gradient: Tensor) -> Gradients:
    slope = gradient * 0.5 / conjugate(context.outputs[0])
    return (_nothing_of_nothing(gradient, slope),)


def _rsqrt_gradient(context: Any, gradient: Tensor) -> Gradients:
    y = conjugate(context.outputs[0])
    return (_nothing_of_nothing(gradient, gradient * -0.5 * (y * y * y)),)


def _nothing_of_nothing(gradient: Tensor, slope: Tensor) -> Tensor:
    """``slope``, but 0 where the gradient is: at 0 a square root would make nan of it."""
    return where(gradient == 0, zeros_like(slope), slope)


def _reciprocal_gradient(context: Any, gradient: Tensor) -> Gradients:
    y = conjugate(context.outputs[0])
    return (-gradient * (y * y),)


def _identity_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient,)


def _sign(xp: Any, x: Any) -> Any:
    if x.dtype.kind == 'c':
        # CuPy's own sign of complex numbers is that of the real part.
        return xp.where(x == 0, 0, x / xp.abs(x))
    return xp.sign(x)


ABS = _define.unary('Abs', 'abs', _abs_gradient, _SIGNED)
NEG = _define.unary('Neg', 'negative', _negative_gradient, _SIGNED | dtypes.COMPLEX)
SIGN = _define.unary('Sign', _sign, _sign_gradient, _SIGNED | dtypes.COMPLEX)
SQUARE = _define.unary('Square', 'square', _square_gradient, dtypes.NUMERIC)
SQRT = _define.unary('Sqrt', 'sqrt', _sqrt_gradient, dtypes.INEXACT)
RSQRT = _define.unary(
    'Rsqrt', lambda xp, x: 1 / xp.sqrt(x), _rsqrt_gradient, dtypes.INEXACT, wide=True
)
RECIPROCAL = _define.unary('Reciprocal', 'reciprocal', _reciprocal_gradient, dtypes.INEXACT)
IDENTITY = op_registry.register(
    OpDef(
        name='Identity',
        infer=_define.same_as_input,
        forward=lambda xp, x: x,
        gradient=_identity_gradient,
        direct=True,
        asks_for_copy=True,
    )
)
STOP_GRADIENT = _define.unary(
    'StopGradient', lambda xp, x: x, NOT_DIFFERENTIABLE, dtypes.ANY, grain=0
)


def negative(x: Any, name: str | None = None) -> Tensor:
    """``-x``; also the operator.

    Args:
        x: signed numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` is unsigned or no number.
    """
    result: Tensor = executor.run(NEG, x)
    return result


def sign(x: Any, name: str | None = None) -> Tensor:
    """-1, 0 or 1 as ``x`` is below, at or above 0; nan stays; ``x / abs(x)`` if complex.

    Its gradient is 0 for real numbers.

    Args:
        x: signed numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` is unsigned or no number.
    """
    result: Tensor = executor.run(SIGN, x)
    return result


def square(x: Any, name: str | None = None) -> Tensor:
    """``x * x``.

    Args:
        x: numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``; integers wrap around.

    Raises:
        InvalidTypeError: ``x`` is no number.
    """
    result: Tensor = executor.run(SQUARE, x)
    return result


def sqrt(x: Any, name: str | None = None) -> Tensor:
    """The square root: nan for negative reals.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(SQRT, x)
    return result


def rsqrt(x: Any, name: str | None = None) -> Tensor:
    """``1 / sqrt(x)``: inf at 0, nan for negative reals.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(RSQRT, x)
    return result


def reciprocal(x: Any, name: str | None = None) -> Tensor:
    """``1 / x``: inf at 0.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(RECIPROCAL, x)
    return result


def identity(input: Any, name: str | None = None) -> Tensor:
    """The value itself, as a tensor on the device of the scope.

    An explicit copy where the value lies elsewhere. The result of a variable keeps the
    value it had; later assigns do not reach it.

    Args:
        input: anything that converts to a tensor.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor with the value of ``input``.

    Raises:
        InvalidArgumentError: ``input`` does not convert to a tensor.
    """
    result: Tensor = executor.run(IDENTITY, input)
    return result


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The value itself, through which no gradient flows.

    Args:
        input: anything that converts to a tensor.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor with the value of ``input``.

    Raises:
        InvalidArgumentError: ``input`` does not convert to a tensor.
    """
    result: Tensor = executor.run(STOP_GRADIENT, input)
    return result
