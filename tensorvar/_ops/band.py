"""Bands of matrices, and diagonals of tensors of any even rank."""

import math
from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _matrices
from tensorvar._ops._gradient_helpers import Gradients

# MatrixBandPart


def _infer_band(input: ArraySpec, *, num_lower: int, num_upper: int) -> ArraySpec:
    _matrices.refuse_vectors('MatrixBandPart', input)
    for argument, wanted, dim in (
        ('num_lower', num_lower, input.shape[-2]),
        ('num_upper', num_upper, input.shape[-1]),
    ):
        if dim is not None and wanted > dim:
            raise errors.InvalidArgumentError(
                f'[MatrixBandPart] {argument} = {wanted} was given for matrices of shape '
                f'{list(input.shape)}; it must be negative, or at most {dim}; give -1 to keep '
                f'the whole triangle',
                'MatrixBandPart',
            )
    return input


def _band(xp: Any, array: Array, *, num_lower: int, num_upper: int) -> Array:
    if num_lower >= 0:
        array = xp.triu(array, -num_lower)
    return xp.tril(array, num_upper) if num_upper >= 0 else array


def _band_gradient(context: Any, gradient: Tensor) -> Gradients:
    result: Tensor = executor.run(BAND_PART, gradient, **context.attributes)
    return (result,)


BAND_PART = op_registry.register(
    OpDef(
        'MatrixBandPart',
        _infer_band,
        _band,
        _band_gradient,
        dtypes={'T': dtypes.NUMERIC | dtypes.BOOLEAN},
    )
)


def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Matrices with everything outside of a band around the main diagonal set to 0.

    Args:
        input: numbers or bools, of rank 2 or more.
        num_lower: how many diagonals below the main one to keep; negative for all.
        num_upper: how many above it, likewise.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``.

    Raises:
        InvalidArgumentError: the rank is below 2, or a number exceeds its dimension; strings.
    """
    lower = _arguments.scalar('MatrixBandPart', 'num_lower', num_lower)
    upper = _arguments.scalar('MatrixBandPart', 'num_upper', num_upper)
    result: Tensor = executor.run(BAND_PART, input, num_lower=lower, num_upper=upper)
    return result


# Diag and DiagPart

_DIAGONALS = dtypes.INEXACT | {dtypes.int32.numpy, dtypes.int64.numpy}


def _infer_diag(diagonal: ArraySpec) -> ArraySpec:
    if not diagonal.shape:
        raise errors.InvalidArgumentError(
            '[Diag] a scalar was given; the diagonal must have rank 1 or more; reshape it', 'Diag'
        )
    return ArraySpec(diagonal.shape * 2, diagonal.dtype)


def _diag(xp: Any, diagonal: Array) -> Array:
    count = diagonal.size
    result = xp.zeros(count * count, diagonal.dtype)
    result[:: count + 1] = diagonal.reshape(count)
    return result.reshape(diagonal.shape * 2)


def _diag_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (tensor_diag_part(gradient),)


DIAG = op_registry.register(
    OpDef('Diag', _infer_diag, _diag, _diag_gradient, dtypes={'T': _DIAGONALS})
)


def tensor_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A tensor of twice the rank that holds the values where both halves of the index agree.

    Args:
        diagonal: floats, complex numbers, int32 or int64, of rank 1 or more.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``diagonal.shape * 2``, 0 elsewhere.

    Raises:
        InvalidArgumentError: a scalar, or another dtype.
    """
    result: Tensor = executor.run(DIAG, diagonal)
    return result


def _infer_diag_part(input: ArraySpec) -> ArraySpec:
    shape = input.shape
    half = len(shape) // 2
    merged = _arguments.merged(shape[:half], shape[half:])
    if merged is None:
        raise errors.InvalidArgumentError(
            f'[DiagPart] a tensor of shape {list(shape)} was given; allowed is an even rank with '
            f'two equal halves; reshape it, or use tv.linalg.diag_part for matrices',
            'DiagPart',
        )
    return ArraySpec(merged, input.dtype)


def _diag_part(xp: Any, array: Array) -> Array:
    shape = array.shape[: array.ndim // 2]
    count = math.prod(shape)
    return array.reshape(count, count).diagonal().reshape(shape)


def _diag_part_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (tensor_diag(gradient) if gradient._shape else gradient,)


DIAG_PART = op_registry.register(
    OpDef('DiagPart', _infer_diag_part, _diag_part, _diag_part_gradient, dtypes={'T': _DIAGONALS})
)


def tensor_diag_part(input: Any, name: str | None = None) -> Tensor:
    """The elements at which both halves of the index agree; undoes ``tensor_diag``.

    Args:
        input: floats, complex numbers, int32 or int64, of shape ``[..., ...]``, the two
            halves being equal.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of half the rank.

    Raises:
        InvalidArgumentError: an odd rank, halves that differ, or another dtype.
    """
    result: Tensor = executor.run(DIAG_PART, input)
    return result
