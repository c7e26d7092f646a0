"""Picking rows by index: gather."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, indexed_slices, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _index_checks, _row_kernels, _rows, array_shape
from tensorvar._ops._gradient_helpers import Gradients

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_NAME = 'GatherV2'


def _result_shape(
    params: _shapes.PartialShape, indices: _shapes.PartialShape, axis: int, batch_dims: int
) -> _shapes.PartialShape:
    axis = _check_axes(params, indices, axis, batch_dims)
    return (*params[:axis], *indices[batch_dims:], *params[axis + 1 :])


def _check_axes(
    params: _shapes.PartialShape, indices: _shapes.PartialShape, axis: int, batch_dims: int
) -> int:
    if 0 <= axis < len(params) and batch_dims == 0:
        return axis
    if not params:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] params must be at least 1 dimensional, but a scalar was given; reshape it',
            _NAME,
        )
    axis = _shapes.normalize_axis(_NAME, axis, len(params))
    if not 0 <= batch_dims <= min(axis, len(indices)):
        raise errors.InvalidArgumentError(
            f'[{_NAME}] batch_dims {batch_dims} was given with axis {axis} and indices of shape '
            f'{list(indices)}; allowed are 0 to {min(axis, len(indices))}; batch dimensions come '
            f'before axis',
            _NAME,
        )
    for i, (dim, other) in enumerate(zip(params[:batch_dims], indices, strict=False)):
        if not _arguments.same_dim(dim, other):
            raise errors.InvalidArgumentError(
                f'[{_NAME}] params.shape[{i}]: {dim} should be equal to indices.shape[{i}]: '
                f'{other}; batch dimensions are shared; reshape one of them',
                _NAME,
            )
    return axis


def _infer(params: ArraySpec, indices: ArraySpec, *, axis: int, batch_dims: int) -> ArraySpec:
    return ArraySpec(_result_shape(params.shape, indices.shape, axis, batch_dims), params.dtype)


class _Sizes(NamedTuple):
    """Params seen as ``(batch, middle, rows, row)``, indices as ``(batch, picked)``."""

    batch: int
    middle: int
    rows: int
    row: int
    picked: int


def _sizes(params: tuple[int, ...], indices: tuple[int, ...], axis: int, batch_dims: int) -> _Sizes:
    return _Sizes(
        math.prod(params[:batch_dims]),
        math.prod(params[batch_dims:axis]),
        params[axis],
        math.prod(params[axis + 1 :]),
        math.prod(indices[batch_dims:]),
    )


def _row_numbers(xp: Any, indices: Array, sizes: _Sizes) -> Array:
    """The row of the flattened params that each picked row is; -1 if out of range."""
    wide = dtypes.int64.numpy
    picked = indices.astype(wide).reshape((sizes.batch, 1, sizes.picked))
    first = xp.arange(sizes.batch * sizes.middle, dtype=wide) * sizes.rows
    numbers = first.reshape((sizes.batch, sizes.middle, 1)) + picked
    return xp.where((picked >= 0) & (picked < sizes.rows), numbers, -1).reshape((-1,))


def _forward(xp: Any, params: Array, indices: Array, *, axis: int, batch_dims: int) -> Array:
    axis = _check_axes(params.shape, indices.shape, axis, batch_dims)
    if _index_checks.may_look(xp):
        _index_checks.refuse_outside(xp, _NAME, indices, params.shape[axis])
        if batch_dims == 0:
            return params.take(indices, axis)
    sizes = _sizes(params.shape, indices.shape, axis, batch_dims)
    table = params.reshape((sizes.batch * sizes.middle * sizes.rows, sizes.row))
    taken = _rows.take_rows(xp, table, _row_numbers(xp, indices, sizes))
    return taken.reshape(_result_shape(params.shape, indices.shape, axis, batch_dims))


def _numbers_and_word(
    kernels: 'Kernels', op: str, indices: Array, axis: int, sizes: _Sizes
) -> tuple[Array, Array]:
    """Row numbers for the kernels, and the word where those out of range are reported."""
    if axis == 0:
        word = kernels.reports.word(op, indices.shape, _row_kernels.allowed(sizes.rows))
        return indices.reshape((-1,)), word
    word = kernels.reports.word(op, None, _row_kernels.allowed(sizes.rows))
    return _row_numbers(kernels.xp, indices, sizes), word


def _kernel(
    kernels: 'Kernels', params: Array, indices: Array, *, axis: int, batch_dims: int
) -> Any:
    if not _row_kernels.is_dense(params):
        return NotImplemented
    axis = _check_axes(params.shape, indices.shape, axis, batch_dims)
    sizes = _sizes(params.shape, indices.shape, axis, batch_dims)
    rows, word = _numbers_and_word(kernels, _NAME, indices, axis, sizes)
    shape: Any = _result_shape(params.shape, indices.shape, axis, batch_dims)
    table = params.reshape((sizes.batch * sizes.middle * sizes.rows, sizes.row))
    return _row_kernels.gather(kernels, shape, table, rows, word)


def _check_values(
    specs: Sequence[ArraySpec], values: Sequence[Any], *, axis: int, batch_dims: int
) -> None:
    if values[1] is not None:
        params, indices = specs
        dim = params.shape[_check_axes(params.shape, indices.shape, axis, batch_dims)]
        if dim is not None:
            _index_checks.refuse_outside(np, _NAME, values[1], dim)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    params, indices = context.inputs
    axis, batch_dims = context.attributes['axis'], context.attributes['batch_dims']
    shape = params._shape
    if axis == 0 and len(indices._shape) == 1:
        return indexed_slices.IndexedSlices(gradient, indices, shape), None
    if axis == 0:
        count = math.prod(indices._shape)
        values = array_shape.reshape(gradient, (count, *shape[1:]))
        flat = array_shape.reshape(indices, (count,))
        return indexed_slices.IndexedSlices(values, flat, shape), None
    dense = executor.run(
        GATHER_GRAD, gradient, indices, params_shape=shape, axis=axis, batch_dims=batch_dims
    )
    return dense, None


GATHER = op_registry.register(
    OpDef(
        _NAME,
        _infer,
        _forward,
        _gradient,
        inputs='T i',
        dtypes={'i': _rows.INDICES},
        direct=True,
        on_variable=True,
        kernel=_kernel,
        check_values=_check_values,
    )
)


def _infer_grad(
    dy: ArraySpec, indices: ArraySpec, *, params_shape: tuple[int, ...], axis: int, batch_dims: int
) -> ArraySpec:
    expected = _result_shape(params_shape, indices.shape, axis, batch_dims)
    if len(expected) != len(dy.shape) or not all(map(_arguments.same_dim, expected, dy.shape)):
        raise errors.InvalidArgumentError(
            f'[GatherV2Grad] dy of shape {list(dy.shape)} was given; the gather gives '
            f'{list(expected)}; give a gradient of that shape',
            'GatherV2Grad',
        )
    return ArraySpec(params_shape, dy.dtype)


def _forward_grad(
    xp: Any, dy: Array, indices: Array, *, params_shape: tuple[int, ...], axis: int, batch_dims: int
) -> Array:
    axis %= len(params_shape)
    sizes = _sizes(params_shape, indices.shape, axis, batch_dims)
    picked = sizes.batch * sizes.middle * sizes.picked
    total = _rows.sum_rows(
        xp,
        sizes.batch * sizes.middle * sizes.rows,
        _row_numbers(xp, indices, sizes),
        dy.reshape((picked, sizes.row)),
    )
    return total.astype(dy.dtype, copy=False).reshape(params_shape)


def _kernel_grad(
    kernels: 'Kernels',
    dy: Array,
    indices: Array,
    *,
    params_shape: tuple[int, ...],
    axis: int,
    batch_dims: int,
) -> Any:
    axis %= len(params_shape)
    sizes = _sizes(params_shape, indices.shape, axis, batch_dims)
    rows, word = _numbers_and_word(kernels, 'GatherV2Grad', indices, axis, sizes)
    return _row_kernels.sum_rows(kernels, params_shape, axis + 1, rows, dy, word)


def _gradient_grad(context: Any, gradient: Tensor) -> Gradients:
    axis, batch_dims = context.attributes['axis'], context.attributes['batch_dims']
    indices = context.inputs[1]
    return executor.run(GATHER, gradient, indices, axis=axis, batch_dims=batch_dims), None


GATHER_GRAD = op_registry.register(
    OpDef(
        'GatherV2Grad',
        _infer_grad,
        _forward_grad,
        _gradient_grad,
        inputs='T i',
        dtypes={'T': dtypes.NUMERIC, 'i': _rows.INDICES},
        kernel=_kernel_grad,
        wide=True,
    )
)


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Picks parts of ``params`` along an axis, by position.

    Of a variable, rows are read where it lives; the result goes to the scope's device.
    The gradient for ``params`` along axis 0, called so, is ``IndexedSlices``.

    Args:
        params: values of any dtype and rank 1 or more.
        indices: positions, int32 or int64, of any shape.
        validate_indices: accepted for TensorFlow's sake; indices are always checked.
        axis: along which to pick; None for ``batch_dims``.
        batch_dims: how many leading dimensions both share; negative ones count from the
            rank of ``indices``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``params.shape[:axis] + indices.shape[batch_dims:] +
        params.shape[axis + 1:]``.

    Raises:
        InvalidIndexError: an index is out of range; negative ones are. An index that
            comes from a card itself gives zeros, and is reported when the host next waits
            for the card, as in a read.
        InvalidArgumentError: wrong rank, axis, batch dimensions or index dtype.
    """
    batch = _arguments.scalar(_NAME, 'batch_dims', batch_dims)
    if batch < 0:
        batch += _arguments.rank_of(indices)
    position = batch if axis is None else _arguments.scalar(_NAME, 'axis', axis)
    result: Tensor = executor.run(GATHER, params, indices, axis=position, batch_dims=batch)
    return result
