"""Sums, products, extremes: ops of two inputs that broadcast."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import host_extremes, host_pieces, host_products
from tensorvar._core import executor, op_registry
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _half_precision, comparison
from tensorvar._ops._gradient_helpers import (
    Gradients,
    conjugate,
    sum_to_shape,
    where,
    zeros_like,
)


def _add_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    return (
        sum_to_shape(gradient, x._shape) if context.needs[0] else None,
        sum_to_shape(gradient, y._shape) if context.needs[1] else None,
    )


def _subtract_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    return (
        sum_to_shape(gradient, x._shape) if context.needs[0] else None,
        -sum_to_shape(gradient, y._shape) if context.needs[1] else None,
    )


def _multiply_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    return (
        sum_to_shape(gradient * conjugate(y), x._shape) if context.needs[0] else None,
        sum_to_shape(gradient * conjugate(x), y._shape) if context.needs[1] else None,
    )


def _squared_difference_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    # The result is real, so only the real part of its gradient counts: twice that is g + conj(g).
    slope = (gradient + conjugate(gradient)) * (x - y)
    return (
        sum_to_shape(slope, x._shape) if context.needs[0] else None,
        -sum_to_shape(slope, y._shape) if context.needs[1] else None,
    )


def _choose_gradient(context: Any, gradient: Tensor, first_chosen: Tensor) -> Gradients:
    x, y = context.inputs
    nothing = zeros_like(gradient)
    return (
        sum_to_shape(where(first_chosen, gradient, nothing), x._shape)
        if context.needs[0]
        else None,
        sum_to_shape(where(first_chosen, nothing, gradient), y._shape)
        if context.needs[1]
        else None,
    )


def _maximum_gradient(context: Any, gradient: Tensor) -> Gradients:
    # As in TensorFlow, equal values send the whole gradient to the first input.
    return _choose_gradient(context, gradient, comparison.greater_equal(*context.inputs))


def _minimum_gradient(context: Any, gradient: Tensor) -> Gradients:
    return _choose_gradient(context, gradient, comparison.less_equal(*context.inputs))


def _multiply_no_nan_gradient(context: Any, gradient: Tensor) -> Gradients:
    x, y = context.inputs
    return (
        sum_to_shape(multiply_no_nan(gradient, conjugate(y)), x._shape)
        if context.needs[0]
        else None,
        sum_to_shape(multiply_no_nan(conjugate(x), gradient), y._shape)
        if context.needs[1]
        else None,
    )


def _add_n_rule(*inputs: ArraySpec) -> ArraySpec:
    first = inputs[0]
    for position, spec in enumerate(inputs):
        if spec.shape != first.shape:
            raise errors.InvalidArgumentError(
                f'[AddN] Inputs must have the same size and shape; input #0 has shape '
                f'{list(first.shape)}, input #{position} has shape {list(spec.shape)}; '
                f'use tv.add, which broadcasts, or reshape one of them',
                'AddN',
            )
    if len(inputs) > 1 and first.dtype not in dtypes.NUMERIC:
        raise errors.InvalidTypeError(
            f'[AddN] {len(inputs)} inputs of dtype {dtypes.from_numpy(first.dtype).name} were '
            f'given; allowed are numbers; tv.cast them first',
            'AddN',
        )
    return first


def _add_n_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient,) * len(context.inputs)


def _squared_difference(xp: Any, x: Any, y: Any) -> Any:
    difference = x - y
    return difference * difference.conj()


def _multiply_no_nan(xp: Any, x: Any, y: Any) -> Any:
    return host_products.multiply_no_nan(x, y) if xp is np else xp.where(y, x * y, 0)


def _add_n(xp: Any, *arrays: Any) -> Any:
    if len(arrays) == 1:
        return arrays[0]
    total = arrays[0] + arrays[1]
    for array in arrays[2:]:
        total = total + array
    return total


ADD = _define.binary('AddV2', 'add', _add_gradient, dtypes.NUMERIC | {dtypes.string.numpy})
SUB = _define.binary('Sub', 'subtract', _subtract_gradient, dtypes.NUMERIC)
MUL = _define.binary('Mul', 'multiply', _multiply_gradient, dtypes.NUMERIC)
MAXIMUM = _define.binary(
    'Maximum', 'maximum', _maximum_gradient, dtypes.REAL, into=host_extremes.maximum
)
MINIMUM = _define.binary(
    'Minimum', 'minimum', _minimum_gradient, dtypes.REAL, into=host_extremes.minimum
)
SQUARED_DIFFERENCE = _define.binary(
    'SquaredDifference',
    _squared_difference,
    _squared_difference_gradient,
    dtypes.INEXACT | {dtypes.int32.numpy, dtypes.int64.numpy},
    wide=True,
)
MULTIPLY_NO_NAN = _define.binary(
    'MulNoNan',
    _multiply_no_nan,
    _multiply_no_nan_gradient,
    dtypes.INEXACT,
    into=host_products.multiply_no_nan,
)
ADD_N = op_registry.register(
    OpDef(
        name='AddN',
        infer=_add_n_rule,
        forward=_half_precision.in_float32(_add_n),
        gradient=_add_n_gradient,
        inputs='*T',
        wide=True,
        grain=host_pieces.LIGHT,
    )
)


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x + y``; also the operator. Strings are joined.

    Args:
        x: numbers or strings.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``; integers wrap around.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(ADD, x, y)
    return result


def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x - y``; also the operator.

    Args:
        x: numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``; integers wrap around.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(SUB, x, y)
    return result


def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x * y``; also the operator.

    Args:
        x: numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``; integers wrap around.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(MUL, x, y)
    return result


def maximum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The larger value; nan where either is nan.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(MAXIMUM, x, y)
    return result


def minimum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The smaller value; nan where either is nan.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(MINIMUM, x, y)
    return result


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``(x - y) * conj(x - y)``.

    Args:
        x: floating-point or complex values, int32 or int64.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(SQUARED_DIFFERENCE, x, y)
    return result


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x * y``, and 0 where ``y`` is 0, whatever ``x`` is.

    Args:
        x: floating-point or complex values.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(MULTIPLY_NO_NAN, x, y)
    return result


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor | IndexedSlices:
    """``scalar * x``.

    Args:
        scalar: a number, or a tensor of rank 0 with the dtype of ``x``.
        x: numbers; of ``IndexedSlices`` the values are multiplied.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``, or ``IndexedSlices``.

    Raises:
        InvalidArgumentError: ``scalar`` has another rank or dtype.
    """
    rank = len(getattr(scalar, 'shape', ()))
    if rank:
        raise errors.InvalidArgumentError(
            f'[scalar_mul] scalar has rank {rank}; only scalar multiply works with shape []; '
            f'use tv.multiply',
            'scalar_mul',
        )
    if isinstance(x, IndexedSlices):
        return IndexedSlices(multiply(scalar, x.values), x.indices, x.dense_shape)
    return multiply(scalar, x)


def add_n(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    """The sum of tensors of one shape.

    Args:
        inputs: one or more values of one dtype and shape; nothing broadcasts. A single
            one may have any dtype.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of their shape and dtype.

    Raises:
        InvalidArgumentError: there are none, or shapes or dtypes differ.
    """
    values = list(inputs)
    if not values:
        raise errors.InvalidArgumentError(
            '[add_n] an empty list was given; inputs must be an iterable of at least one tensor '
            'or IndexedSlices with the same dtype and shape; give one',
            'add_n',
        )
    result: Tensor = executor.run(ADD_N, *values)
    return result
