"""Powers, and products with logarithms."""

from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend import host_products
from tensorvar._core import executor
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _define,
    _value_checks,
    cast,
    comparison,
    division,
    elementwise_binary,
    exponential,
)
from tensorvar._ops._gradient_helpers import (
    Gradients,
    conjugate,
    nonzero,
    sum_to_shape,
    where,
)

_POWERS = dtypes.INEXACT | dtypes.SIGNED_INTEGERS


def _pow_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    if x._array.dtype.kind == 'c':
        x, y = conjugate(x), conjugate(y)
    return (
        sum_to_shape(gradient * _base_slope(x, y), x._shape) if context.needs[0] else None,
        sum_to_shape(gradient * conjugate(context.outputs[0]) * _safe_log(x), y._shape)
        if context.needs[1]
        else None,
    )


def _base_slope(x: Tensor, y: Tensor) -> Tensor:
    """``y * x ** (y - 1)``, and 0 for the constant ``x ** 0`` at ``x == 0`` too."""
    return elementwise_binary.multiply_no_nan(pow(x, y - 1), y)


def _safe_log(x: Tensor) -> Tensor:
    """The logarithm, and 0 where the slope in the exponent is not defined."""
    inside = cast.cast(x, dtypes.bool_) if x.dtype.is_complex else comparison.greater(x, 0)
    return where(inside, exponential.log(where(inside, x, 1)), 0)


def _xlogy_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = (conjugate(value) for value in context.inputs)
    return (
        sum_to_shape(gradient * xlogy(nonzero(x), y), x._shape) if context.needs[0] else None,
        sum_to_shape(gradient * division.xdivy(x, y), y._shape) if context.needs[1] else None,
    )


def _xlog1py_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = (conjugate(value) for value in context.inputs)
    return (
        sum_to_shape(gradient * xlog1py(nonzero(x), y), x._shape) if context.needs[0] else None,
        sum_to_shape(gradient * division.xdivy(x, y + 1), y._shape) if context.needs[1] else None,
    )


def _pow(xp: Any, x: Any, y: Any) -> Any:
    if y.dtype.kind != 'i':
        return host_products.power(x, y) if xp is np else xp.power(x, y)
    negative = xp.asarray(y < 0)
    _value_checks.refuse_where(
        xp,
        negative,
        'Pow',
        'Integers to negative integer powers are not allowed; the exponents of integers are 0 or '
        'more; tv.cast to a float type',
    )
    powers = xp.power(x, xp.where(negative, 0, y))
    return xp.where(negative, 0, powers)


POW = _define.binary('Pow', _pow, _pow_gradient, _POWERS, wide=True)
XLOGY = _define.binary(
    'Xlogy',
    lambda xp, x, y: xp.where(x == 0, 0, x * xp.log(y)),
    _xlogy_gradient,
    dtypes.INEXACT,
    wide=True,
)
XLOG1PY = _define.binary(
    'Xlog1py',
    lambda xp, x, y: xp.where(x == 0, 0, x * xp.log1p(y)),
    _xlog1py_gradient,
    dtypes.INEXACT,
    wide=True,
)


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x`` to the power of ``y``; also the operator.

    Args:
        x: signed numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong,
            or an exponent of integers is negative (a GPU gives 0 there).
    """
    result: Tensor = executor.run_pair(POW, x, y)
    return result


def xlogy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x * log(y)``, and 0 where ``x`` is 0, whatever ``y`` is.

    Args:
        x: floating-point or complex values.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(XLOGY, x, y)
    return result


def xlog1py(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x * log1p(y)``, and 0 where ``x`` is 0, whatever ``y`` is.

    Args:
        x: floating-point or complex values.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(XLOG1PY, x, y)
    return result
