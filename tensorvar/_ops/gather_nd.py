"""Picking and placing by index tuples: gather_nd and scatter_nd."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, indexed_slices, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _index_checks, _row_kernels, _rows, array_shape
from tensorvar._ops._gradient_helpers import Gradients

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

Shape = tuple[int, ...]


def picked_shape(
    op: str, shape: _shapes.PartialShape, indices: _shapes.PartialShape, batch_dims: int = 0
) -> _shapes.PartialShape:
    """The shape of what index tuples pick from an array of ``shape``.

    Raises:
        InvalidArgumentError: the tuples are too long, or batch dimensions differ.
    """
    if not indices or indices[-1] is None:
        raise errors.InvalidArgumentError(
            f'[{op}] indices of shape {list(indices)} were given; indices must be at least a '
            f'vector of known length; give tuples along the last axis',
            op,
        )
    depth = indices[-1]
    if not 0 <= batch_dims < len(indices) or depth > len(shape) - batch_dims:
        raise errors.InvalidArgumentError(
            f'[{op}] index innermost dimension length must be <= params rank; saw: {depth} vs. '
            f'{len(shape) - batch_dims} (shape {list(shape)}, batch_dims {batch_dims}); '
            f'give shorter tuples',
            op,
        )
    if not all(map(_arguments.same_dim, shape[:batch_dims], indices[:batch_dims])):
        raise errors.InvalidArgumentError(
            f'[{op}] batch dimensions of {list(shape)} and {list(indices)} differ in the first '
            f'{batch_dims}; reshape one of them',
            op,
        )
    return (*indices[:-1], *shape[batch_dims + depth :])


# GatherNd


def _infer_gather(params: ArraySpec, indices: ArraySpec, *, batch_dims: int) -> ArraySpec:
    shape = picked_shape('GatherNd', params.shape, indices.shape, batch_dims)
    return ArraySpec(shape, params.dtype)


def _gather(xp: Any, params: Array, indices: Array, *, batch_dims: int) -> Array:
    shape = params.shape
    rows = _rows.flat_rows(xp, 'GatherNd', indices, shape, batch_dims)
    outer = batch_dims + indices.shape[-1]
    table = params.reshape((math.prod(shape[:outer]), math.prod(shape[outer:])))
    taken = _rows.take_rows(xp, table, rows)
    return taken.reshape(picked_shape('GatherNd', shape, indices.shape, batch_dims))


def _numbers_and_word(
    kernels: 'Kernels', op: str, indices: Array, shape: Shape, batch_dims: int
) -> tuple[Array, Array]:
    """Row numbers for the kernels, and the word where tuples out of range are reported."""
    dims = shape[batch_dims : batch_dims + indices.shape[-1]]
    word = kernels.reports.word(op, indices.shape[:-1], _row_kernels.allowed_tuples(dims))
    return _row_kernels.number_tuples(kernels, indices, shape, batch_dims), word


def _gather_kernel(kernels: 'Kernels', params: Array, indices: Array, *, batch_dims: int) -> Any:
    shape = params.shape
    if not _row_kernels.is_dense(params):
        return NotImplemented
    rows, word = _numbers_and_word(kernels, 'GatherNd', indices, shape, batch_dims)
    outer = batch_dims + indices.shape[-1]
    table = params.reshape((math.prod(shape[:outer]), math.prod(shape[outer:])))
    picked: Any = picked_shape('GatherNd', shape, indices.shape, batch_dims)
    return _row_kernels.gather(kernels, picked, table, rows, word)


def _check_gather_values(
    specs: Sequence[ArraySpec], values: Sequence[Any], *, batch_dims: int
) -> None:
    shape: Any = specs[0].shape
    if values[1] is not None and None not in shape:
        dims = shape[batch_dims : batch_dims + values[1].shape[-1]]
        _index_checks.refuse_tuples_outside(np, 'GatherNd', values[1], dims)


def _gather_gradient(context: Any, gradient: Tensor) -> Gradients:
    params, indices = context.inputs
    shape, batch_dims = params._shape, context.attributes['batch_dims']
    if batch_dims == 0 and len(indices._shape) == 2 and indices._shape[-1] == 1:
        rows = array_shape.reshape(indices, indices._shape[:1])
        dense_shape = conversion.constant(shape, indices.dtype)
        return indexed_slices.IndexedSlices(gradient, rows, dense_shape), None
    dense = executor.run(SCATTER_ND, indices, gradient, shape=shape, batch_dims=batch_dims)
    return dense, None


GATHER_ND = op_registry.register(
    OpDef(
        'GatherNd',
        _infer_gather,
        _gather,
        _gather_gradient,
        inputs='T i',
        dtypes={'i': _rows.INDICES},
        on_variable=True,
        kernel=_gather_kernel,
        check_values=_check_gather_values,
    )
)


def gather_nd(
    params: Any,
    indices: Any,
    batch_dims: Any = 0,
    name: str | None = None,
    bad_indices_policy: str = '',
) -> Tensor:
    """Picks elements or slices of ``params`` by index tuples.

    Args:
        params: values of any dtype.
        indices: int32 or int64; each row along the last axis is a tuple of positions in
            the first dimensions of ``params``.
        batch_dims: how many leading dimensions both share.
        name: accepted for TensorFlow's sake.
        bad_indices_policy: '' or 'ERROR'; what else TensorFlow has is refused.

    Returns:
        A tensor of shape ``indices.shape[:-1] + params.shape[batch_dims + depth:]``.

    Raises:
        InvalidIndexError: a tuple is out of range. One that comes from a card itself
            gives zeros, and is reported when the host next waits for the card.
        InvalidArgumentError: the tuples are too long; wrong index dtype.
    """
    check_policy('GatherNd', bad_indices_policy)
    batch = _arguments.scalar('GatherNd', 'batch_dims', batch_dims)
    result: Tensor = executor.run(GATHER_ND, params, indices, batch_dims=batch)
    return result


def check_policy(op: str, policy: str) -> None:
    """Raises unless bad indices are asked to be errors."""
    if policy not in ('', 'DEFAULT', 'ERROR'):
        raise errors.InvalidArgumentError(
            f"[{op}] bad_indices_policy {policy!r} was given; allowed are '' and 'ERROR'; "
            f'filter the indices first',
            op,
        )


def check_host_tuples(op: str, target: Any, indices: Any, shape: Any, batch_dims: int = 0) -> None:
    """Checks index tuples that come from the host, before they go to a card.

    Args:
        op: name of the op.
        target: what is indexed.
        indices: as given by the program.
        shape: of what is indexed.
        batch_dims: how many leading dimensions are shared.

    Raises:
        InvalidIndexError: a tuple is out of range.
        InvalidArgumentError: the tuples do not fit the shape.
    """

    def check(host: Array) -> None:
        if None not in shape:
            picked_shape(op, shape, host.shape, batch_dims)
            dims = shape[batch_dims : batch_dims + host.shape[-1]]
            _index_checks.refuse_tuples_outside(np, op, host, dims)

    _rows.check_on_host(target, indices, op, check)


# ScatterNd


def _infer_scatter(
    indices: ArraySpec, updates: ArraySpec, *, shape: Shape, batch_dims: int
) -> ArraySpec:
    check_updates('ScatterNd', shape, indices.shape, updates.shape, batch_dims)
    return ArraySpec(shape, updates.dtype)


def check_updates(
    op: str,
    shape: _shapes.PartialShape,
    indices: _shapes.PartialShape,
    updates: _shapes.PartialShape,
    batch_dims: int = 0,
) -> None:
    """Raises unless ``updates`` has the shape that the index tuples address."""
    expected = picked_shape(op, shape, indices, batch_dims)
    if len(expected) != len(updates) or not all(map(_arguments.same_dim, expected, updates)):
        raise errors.InvalidArgumentError(
            f'[{op}] updates of shape {list(updates)} were given; indices of shape '
            f'{list(indices)} address {list(expected)} of {list(shape)}; dimensions must match; '
            f'reshape the updates',
            op,
        )


def _scatter(xp: Any, indices: Array, updates: Array, *, shape: Shape, batch_dims: int) -> Array:
    rows = _rows.flat_rows(xp, 'ScatterNd', indices, shape, batch_dims)
    outer = batch_dims + indices.shape[-1]
    width = math.prod(shape[outer:])
    values = updates.reshape((rows.shape[0], width))
    if updates.dtype.kind == 'O':
        return _join_texts(xp, math.prod(shape[:outer]), rows, values).reshape(shape)
    total = _rows.sum_rows(xp, math.prod(shape[:outer]), rows, values)
    return total.astype(updates.dtype, copy=False).reshape(shape)


def _scatter_kernel(
    kernels: 'Kernels', indices: Array, updates: Array, *, shape: Shape, batch_dims: int
) -> Any:
    if updates.dtype not in dtypes.NUMERIC:
        return NotImplemented
    rows, word = _numbers_and_word(kernels, 'ScatterNd', indices, shape, batch_dims)
    outer = batch_dims + indices.shape[-1]
    return _row_kernels.sum_rows(kernels, shape, outer, rows, updates, word)


def _join_texts(xp: Any, count: int, rows: Array, values: Array) -> Array:
    """``sum_rows`` of texts: those of equal rows stand behind one another."""
    width = values.shape[1]
    total = xp.full(count * width, b'', values.dtype)
    xp.add.at(total, _rows.places(xp, rows, width), values.reshape((-1,)))
    return total


def _scatter_gradient(context: Any, gradient: Tensor) -> Gradients:
    batch_dims = context.attributes['batch_dims']
    return None, gather_nd(gradient, context.inputs[0], batch_dims)


SCATTER_ND = op_registry.register(
    OpDef(
        'ScatterNd',
        _infer_scatter,
        _scatter,
        _scatter_gradient,
        inputs='i T',
        dtypes={'i': _rows.INDICES, 'T': dtypes.ANY},
        kernel=_scatter_kernel,
        wide=True,
    )
)


def scatter_nd(
    indices: Any, updates: Any, shape: Any, bad_indices_policy: str = '', name: str | None = None
) -> Tensor:
    """Puts values at index tuples into zeros; values of equal tuples add up, texts too.

    Args:
        indices: int32 or int64; each row along the last axis is a tuple of positions.
        updates: the values, of shape ``indices.shape[:-1] + shape[depth:]``.
        shape: of the result.
        bad_indices_policy: '' or 'ERROR'; what else TensorFlow has is refused.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``shape`` in the dtype of ``updates``.

    Raises:
        InvalidIndexError: a tuple is out of range. One that comes from a card itself is left
            out, and is reported when the host next waits for the card.
        InvalidArgumentError: the shapes do not fit; wrong index dtype.
    """
    check_policy('ScatterNd', bad_indices_policy)
    dims = _arguments.vector('ScatterNd', 'shape', shape)
    check_host_tuples('ScatterNd', None, indices, dims)
    result: Tensor = executor.run(SCATTER_ND, indices, updates, shape=dims, batch_dims=0)
    return result
