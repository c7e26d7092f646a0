"""Divisions: true, floored, truncated, and without nan; their remainders."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion, executor, host_data, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _value_checks, cast
from tensorvar._ops._gradient_helpers import Gradients, conjugate, nonzero, sum_to_shape

_DTypes = _define.DTypes
# Integer types that TensorFlow divides in float32; the others are divided in float64.
_PLAIN = frozenset({Tensor, float, int})
_SMALL_INTEGERS = frozenset({dtypes.int8, dtypes.int16, dtypes.uint8, dtypes.uint16})


def _divide_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    over_y = gradient / conjugate(y)
    return (
        sum_to_shape(over_y, x._shape) if context.needs[0] else None,
        sum_to_shape(-over_y * conjugate(context.outputs[0]), y._shape)
        if context.needs[1]
        else None,
    )


def _floormod_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    return (
        sum_to_shape(gradient, x._shape) if context.needs[0] else None,
        sum_to_shape(-gradient * floordiv(x, y), y._shape) if context.needs[1] else None,
    )


def _divide_no_nan_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    over_y = divide_no_nan(gradient, conjugate(y))
    return (
        sum_to_shape(over_y, x._shape) if context.needs[0] else None,
        sum_to_shape(-over_y * conjugate(context.outputs[0]), y._shape)
        if context.needs[1]
        else None,
    )


def _xdivy_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    slope = xdivy(-conjugate(x), conjugate(y) * conjugate(y))
    return (
        sum_to_shape(gradient * xdivy(nonzero(x), conjugate(y)), x._shape)
        if context.needs[0]
        else None,
        sum_to_shape(gradient * slope, y._shape) if context.needs[1] else None,
    )


def _refuse_zero(xp: Any, divisor: Any, op: str) -> None:
    if divisor.dtype.kind in 'iu':
        _value_checks.refuse_where(
            xp,
            xp.asarray(divisor == 0),
            op,
            'Integer division by zero; divisors of integers are not 0; mask them with tv.where, '
            'or tv.cast to a float type, where the result is inf or nan',
        )


def _floordiv(xp: Any, x: Any, y: Any) -> Any:
    if x.dtype.kind in 'iu':
        _refuse_zero(xp, y, 'FloorDiv')
        return x // y
    # As in TensorFlow; NumPy's own floor division corrects for the rounding of x / y.
    return xp.floor(x / y)


def _floormod(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y, 'FloorMod')
    return xp.remainder(x, y)


def _truncatediv(xp: Any, x: Any, y: Any) -> Any:
    if x.dtype.kind not in 'iu':
        return xp.trunc(x / y)
    _refuse_zero(xp, y, 'TruncateDiv')
    quotient = x // y
    if x.dtype.kind == 'u':
        return quotient
    rounded_down = ((x < 0) != (y < 0)) & (quotient * y != x) & (y != 0)
    return quotient + rounded_down.astype(x.dtype)


def _truncatemod(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y, 'TruncateMod')
    return xp.fmod(x, y)


REAL_DIV = _define.binary('RealDiv', 'divide', _divide_gradient, dtypes.INEXACT)
FLOOR_DIV = _define.binary('FloorDiv', _floordiv, NOT_DIFFERENTIABLE, dtypes.REAL, wide=True)
FLOOR_MOD = _define.binary('FloorMod', _floormod, _floormod_gradient, dtypes.REAL, wide=True)
TRUNCATE_DIV = _define.binary(
    'TruncateDiv', _truncatediv, NOT_DIFFERENTIABLE, dtypes.REAL, wide=True
)
TRUNCATE_MOD = _define.binary(
    'TruncateMod',
    _truncatemod,
    NOT_DIFFERENTIABLE,
    dtypes.FLOATING | {dtypes.int32.numpy, dtypes.int64.numpy},
    wide=True,
)
DIV_NO_NAN = _define.binary(
    'DivNoNan',
    lambda xp, x, y: xp.where(y == 0, 0, x / y),
    _divide_no_nan_gradient,
    dtypes.INEXACT,
)
XDIVY = _define.binary(
    'Xdivy', lambda xp, x, y: xp.where(x == 0, 0, x / y), _xdivy_gradient, dtypes.INEXACT
)


def _divide(op: OpDef, x: Any, y: Any) -> Tensor:
    """Runs a division of inexact types; integers are cast first."""
    # What comes most often needs no look at the operands.
    plain = type(x) is Tensor and type(y) in _PLAIN and x._array.dtype in dtypes.INEXACT
    if not plain:
        x, y = _inexact([conversion.unwrap(x), conversion.unwrap(y)], op.name)
    result: Tensor = executor.run_pair(op, x, y)
    return result


def _inexact(values: list[Any], op: str) -> list[Any]:
    given = _common_dtype(values, op)
    if given.is_integer:
        target = dtypes.float32 if given in _SMALL_INTEGERS else dtypes.float64
        return [_as_float(value, given, target, op) for value in values]
    if any(isinstance(value, ArrayValue) for value in values):
        return values
    return [host_data.to_array(value, given.numpy, op) for value in values]


def _common_dtype(values: list[Any], op: str) -> dtypes.DType:
    """The dtype of the tensors among the operands, else the natural one of the data."""
    found = [value.dtype for value in values if isinstance(value, ArrayValue)]
    if not found:
        arrays = [host_data.to_array(value, None, op) for value in values]
        found = [dtypes.from_numpy(array.dtype) for array in arrays]
        # Between host values a float wins, as it does in Python.
        return next((dtype for dtype in found if not dtype.is_integer), found[0])
    if found[0] is not found[-1]:
        raise errors.InvalidTypeError(
            f'[{op}] `x` and `y` must have the same dtype, got {found[0].name} != '
            f'{found[-1].name}; tensors are not promoted silently; tv.cast one of them',
            op,
        )
    return found[0]


def _as_float(value: Any, given: dtypes.DType, target: dtypes.DType, op: str) -> Any:
    if isinstance(value, ArrayValue):
        return cast.cast(value, target)
    # First into the integer type, so that a fraction is refused as in every other op.
    integers = host_data.to_array(value, given.numpy, op)
    return np.asarray(integers, target.numpy)


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``; also the operator. Integers are divided as floats.

    Args:
        x: numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape: of the dtype of ``x``, but float32 for integers
        of 8 and 16 bits and float64 for larger ones.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    return _divide(REAL_DIV, x, y)


def realdiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y`` of floats or complex numbers; integers are refused. See ``truediv``."""
    result: Tensor = executor.run(REAL_DIV, x, y)
    return result


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The same as ``truediv``.

    Args:
        x: numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        See ``truediv``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    return _divide(REAL_DIV, x, y)


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``, and 0 where ``y`` is 0. Integers are divided as floats.

    Args:
        x: numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape; for its dtype see ``truediv``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    return _divide(DIV_NO_NAN, x, y)


def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x // y``, rounded down; also the operator.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong,
            or an integer is divided by 0 (not checked on a GPU: any value).
    """
    result: Tensor = executor.run(FLOOR_DIV, x, y)
    return result


def floormod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x % y``, with the sign of ``y``; also the operator.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong,
            or an integer is divided by 0 (not checked on a GPU: any value).
    """
    result: Tensor = executor.run(FLOOR_MOD, x, y)
    return result


def truncatediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``, rounded towards 0.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong,
            or an integer is divided by 0 (not checked on a GPU: any value).
    """
    result: Tensor = executor.run(TRUNCATE_DIV, x, y)
    return result


def truncatemod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The remainder of ``truncatediv``, with the sign of ``x``.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong,
            or an integer is divided by 0 (not checked on a GPU: any value).
    """
    result: Tensor = executor.run(TRUNCATE_MOD, x, y)
    return result


def xdivy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``, and 0 where ``x`` is 0, whatever ``y`` is.

    Args:
        x: floating-point or complex values.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(XDIVY, x, y)
    return result


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """``1 / x``, and 0 where ``x`` is 0.

    Args:
        x: floating-point or complex values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(DIV_NO_NAN, 1, x)
    return result


mod = floormod

op_registry.provide('truediv', truediv)
