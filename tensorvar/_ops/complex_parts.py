"""Complex numbers: their parts, and making them of parts."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, comparison, division, elementwise_unary
from tensorvar._ops._gradient_helpers import Gradients, sum_to_shape, where, zeros_like

_REAL_OF = {
    dtypes.complex64.numpy: dtypes.float32.numpy,
    dtypes.complex128.numpy: dtypes.float64.numpy,
}
_COMPLEX_OF = {part: whole for whole, part in _REAL_OF.items()}
_PARTS = frozenset(_COMPLEX_OF)


def _real_rule(input: ArraySpec) -> ArraySpec:
    return ArraySpec(input.shape, _REAL_OF[input.dtype])


def _complex_rule(real: ArraySpec, imag: ArraySpec) -> ArraySpec:
    return ArraySpec(_define.broadcast('Complex', real, imag), _COMPLEX_OF[real.dtype])


def _complex_abs_gradient(context: Any, gradient: Tensor) -> Gradients:
    unit = division.divide_no_nan(gradient, context.outputs[0])
    return (complex(unit, 0.0) * context.inputs[0],)


def _conj_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (conj(gradient),)


def _real_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (complex(gradient, 0.0),)


def _imag_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (complex(0.0, gradient),)


def _angle_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (complex(0.0, gradient) / conj(context.inputs[0]),)


def _complex_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    return (
        sum_to_shape(real(gradient), x._shape) if context.needs[0] else None,
        sum_to_shape(imag(gradient), y._shape) if context.needs[1] else None,
    )


def _complex(xp: Any, x: Any, y: Any) -> Any:
    # Not x + 1j * y, which makes nan of an infinite part.
    parts = xp.stack(xp.broadcast_arrays(x, y), axis=-1)
    return parts.view(_COMPLEX_OF[x.dtype])[..., 0]


COMPLEX_ABS = _define.unary(
    'ComplexAbs', 'abs', _complex_abs_gradient, dtypes.COMPLEX, infer=_real_rule
)
CONJ = _define.unary('Conj', lambda xp, x: x.conj(), _conj_gradient, dtypes.COMPLEX)
REAL = _define.unary(
    'Real', lambda xp, x: x.real.copy(), _real_gradient, dtypes.COMPLEX, infer=_real_rule
)
IMAG = _define.unary(
    'Imag', lambda xp, x: x.imag.copy(), _imag_gradient, dtypes.COMPLEX, infer=_real_rule
)
ANGLE = _define.unary(
    'Angle',
    lambda xp, x: xp.arctan2(x.imag, x.real),
    _angle_gradient,
    dtypes.COMPLEX,
    infer=_real_rule,
)
COMPLEX = _define.binary('Complex', _complex, _complex_gradient, _PARTS, infer=_complex_rule)


def _is_complex(value: Any) -> bool:
    dtype = getattr(value, 'dtype', None)
    if dtype is None:
        return bool(np.iscomplexobj(value))
    return dtypes.as_dtype(dtype).is_complex


def _real_number(value: Any, op: str) -> Tensor:
    tensor = conversion.convert_to_tensor(value)
    if not tensor.dtype.is_numeric:
        raise errors.InvalidTypeError(
            f'[{op}] a {tensor.dtype.name} tensor of shape {tensor.shape} was given; allowed are '
            f'numbers; tv.cast it first',
            op,
        )
    return tensor


def abs(x: Any, name: str | None = None) -> Tensor:
    """The absolute value; also the builtin ``abs`` of tensors.

    Args:
        x: signed numbers or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``x``; real if ``x`` is complex.

    Raises:
        InvalidTypeError: ``x`` is unsigned or no number.
    """
    result: Tensor = executor.run(COMPLEX_ABS if _is_complex(x) else elementwise_unary.ABS, x)
    return result


def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate; real values themselves.

    Args:
        x: numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` is no number.
    """
    if not _is_complex(x):
        return _real_number(x, 'Conj')
    result: Tensor = executor.run(CONJ, x)
    return result


def real(input: Any, name: str | None = None) -> Tensor:
    """The real part.

    Args:
        input: numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``input``: float32 for complex64, float64 for
        complex128; real values themselves.

    Raises:
        InvalidTypeError: ``input`` is no number.
    """
    if not _is_complex(input):
        return _real_number(input, 'Real')
    result: Tensor = executor.run(REAL, input)
    return result


def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part; 0 for real values.

    Args:
        input: values of any dtype.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``input``: float32 for complex64, float64 for complex128;
        zeros of the dtype of ``input`` for all others.
    """
    if not _is_complex(input):
        return zeros_like(conversion.convert_to_tensor(input))
    result: Tensor = executor.run(IMAG, input)
    return result


def angle(input: Any, name: str | None = None) -> Tensor:
    """The angle of a number in the complex plane, in [-pi, pi].

    Args:
        input: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``input``, of the dtype of ``real(input)``: for real
        values pi where they are negative, else 0.

    Raises:
        InvalidTypeError: ``input`` is neither floating-point nor complex.
    """
    if _is_complex(input):
        result: Tensor = executor.run(ANGLE, input)
        return result
    tensor = _real_number(input, 'Angle')
    zeros = zeros_like(tensor)
    return where(comparison.less(tensor, zeros), math.pi, zeros)


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """Complex numbers of real and imaginary parts.

    Args:
        real: float32 or float64 values.
        imag: values of the same dtype that broadcast with ``real``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A complex64 or complex128 tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the dtypes are wrong, or the shapes do not broadcast.
    """
    result: Tensor = executor.run(COMPLEX, real, imag)
    return result


op_registry.provide('abs', abs)
