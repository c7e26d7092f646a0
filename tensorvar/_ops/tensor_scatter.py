"""Copies of a tensor with values changed at index tuples: tensor_scatter_nd_*."""

import math
from typing import TYPE_CHECKING, Any

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, Infer, Kernel, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _gradient_helpers,
    _row_kernels,
    _rows,
    gather_nd,
)
from tensorvar._ops._gradient_helpers import Gradients

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_DTYPES_ADD = {'T': dtypes.NUMERIC, 'i': _rows.INDICES}
_DTYPES_ORDER = {'T': dtypes.REAL, 'i': _rows.INDICES}


def _rule(op: str) -> Infer:
    def infer(tensor: ArraySpec, indices: ArraySpec, updates: ArraySpec) -> ArraySpec:
        gather_nd.check_updates(op, tensor.shape, indices.shape, updates.shape)
        return tensor

    return infer


def _kernel(name: str, op: str) -> Kernel:
    def run(kernels: 'Kernels', tensor: Array, indices: Array, updates: Array) -> Any:
        if not kernels.scatters(op, tensor.dtype):
            return NotImplemented
        result = kernels.xp.array(tensor, order='C', copy=True)
        _row_kernels.scatter_slices(kernels, name, op, result, indices, updates)
        return result

    return run


def _table(xp: Any, op: str, tensor: Array, indices: Array, updates: Array) -> tuple[Array, ...]:
    """Tensor and updates as tables of rows, and the row number of each update."""
    outer = indices.shape[-1]
    count, width = math.prod(tensor.shape[:outer]), math.prod(tensor.shape[outer:])
    rows = _rows.flat_rows(xp, op, indices, tensor.shape, 0)
    values = updates.reshape((rows.shape[0], width))
    return tensor.reshape((count, width)), rows, values


def _update(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
    table, rows, values = _table(xp, 'TensorScatterUpdate', tensor, indices, updates)
    count, width = table.shape
    result = xp.empty((count + 1, width), tensor.dtype)
    result[:count] = table
    result[_rows.caught(xp, rows, count)] = values
    return result[:count].reshape(tensor.shape)


def _update_gradient(context: Any, gradient: Tensor) -> Gradients:
    _, indices, updates = context.inputs
    kept = tensor_scatter_nd_update(gradient, indices, _gradient_helpers.zeros_like(updates))
    return kept, None, gather_nd.gather_nd(gradient, indices)


UPDATE = op_registry.register(
    OpDef(
        'TensorScatterUpdate',
        _rule('TensorScatterUpdate'),
        _update,
        _update_gradient,
        kernel=_kernel('TensorScatterUpdate', 'scatter_update'),
        inputs='T i T',
        dtypes={'i': _rows.INDICES},
    )
)


def _add(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
    table, rows, values = _table(xp, 'TensorScatterAdd', tensor, indices, updates)
    total = _rows.sum_rows(xp, table.shape[0], rows, values)
    return (table.astype(total.dtype) + total).astype(tensor.dtype).reshape(tensor.shape)


def _add_gradient(context: Any, gradient: Tensor) -> Gradients:
    return gradient, None, gather_nd.gather_nd(gradient, context.inputs[1])


ADD = op_registry.register(
    OpDef(
        'TensorScatterAdd',
        _rule('TensorScatterAdd'),
        _add,
        _add_gradient,
        kernel=_kernel('TensorScatterAdd', 'scatter_add'),
        inputs='T i T',
        dtypes=_DTYPES_ADD,
        wide=True,
    )
)


def _sub(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
    table, rows, values = _table(xp, 'TensorScatterSub', tensor, indices, updates)
    total = _rows.sum_rows(xp, table.shape[0], rows, values)
    return (table.astype(total.dtype) - total).astype(tensor.dtype).reshape(tensor.shape)


def _sub_gradient(context: Any, gradient: Tensor) -> Gradients:
    return gradient, None, -gather_nd.gather_nd(gradient, context.inputs[1])


SUB = op_registry.register(
    OpDef(
        'TensorScatterSub',
        _rule('TensorScatterSub'),
        _sub,
        _sub_gradient,
        kernel=_kernel('TensorScatterSub', 'scatter_sub'),
        inputs='T i T',
        dtypes=_DTYPES_ADD,
        wide=True,
    )
)


def _extreme(xp: Any, op: str, name: str, tensor: Array, indices: Array, updates: Array) -> Array:
    table, rows, values = _table(xp, op, tensor, indices, updates)
    count, width = table.shape
    # Small dtypes, which CUDA has no atomic operations for, are widened without loss.
    wide = tensor.dtype
    if wide not in (dtypes.int64.numpy, dtypes.uint64.numpy):
        wide = _rows.accumulation_dtype(wide)
    result = xp.zeros((count + 1, width), wide)
    result[:count] = table
    _rows.update_rows(xp, name, result, _rows.caught(xp, rows, count), values.astype(wide))
    return result[:count].astype(tensor.dtype).reshape(tensor.shape)


def _min(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
    return _extreme(xp, 'TensorScatterMin', 'minimum', tensor, indices, updates)


def _max(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
    return _extreme(xp, 'TensorScatterMax', 'maximum', tensor, indices, updates)


def _extreme_gradient(context: Any, gradient: Tensor) -> Gradients:
    """The tensor's element and the updates that reach the extreme share the gradient."""
    tensor, indices, updates = context.inputs
    result = context.outputs[0]
    dtype = tensor.dtype.numpy
    from_tensor = executor.run(OPS['Cast'], tensor == result, dtype=dtype)
    reached = gather_nd.gather_nd(result, indices) == updates
    from_updates = executor.run(OPS['Cast'], reached, dtype=dtype)
    ties = tensor_scatter_nd_add(from_tensor, indices, from_updates)
    # NaN in the inputs leaves elements that nothing equals.
    shared = gradient / executor.run(OPS['Maximum'], ties, 1)
    return from_tensor * shared, None, from_updates * gather_nd.gather_nd(shared, indices)


MIN = op_registry.register(
    OpDef(
        'TensorScatterMin',
        _rule('TensorScatterMin'),
        _min,
        _extreme_gradient,
        kernel=_kernel('TensorScatterMin', 'scatter_min'),
        inputs='T i T',
        dtypes=_DTYPES_ORDER,
    )
)
MAX = op_registry.register(
    OpDef(
        'TensorScatterMax',
        _rule('TensorScatterMax'),
        _max,
        _extreme_gradient,
        kernel=_kernel('TensorScatterMax', 'scatter_max'),
        inputs='T i T',
        dtypes=_DTYPES_ORDER,
    )
)


def _run(op: OpDef, tensor: Any, indices: Any, updates: Any, policy: str = '') -> Tensor:
    gather_nd.check_policy(op.name, policy)
    gather_nd.check_host_tuples(op.name, tensor, indices, _arguments.shape_of(tensor))
    result: Tensor = executor.run(op, tensor, indices, updates)
    return result


def tensor_scatter_nd_update(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """A copy of a tensor with new values at index tuples.

    Of several values for one place, the last is taken; on a GPU without our kernels, any.

    Args:
        tensor: values of any dtype.
        indices: int32 or int64; each row along the last axis is a tuple of positions.
        updates: the values, of shape ``indices.shape[:-1] + tensor.shape[depth:]``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with the shape and dtype of ``tensor``.

    Raises:
        InvalidIndexError: a tuple is out of range. One that comes from a card itself is left
            out, and is reported when the host next waits for the card.
        InvalidArgumentError: the shapes do not fit; wrong index dtype.
    """
    return _run(UPDATE, tensor, indices, updates)


def tensor_scatter_nd_add(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = '', name: str | None = None
) -> Tensor:
    """A copy of a tensor with values added at index tuples; all of equal tuples count.

    See ``tensor_scatter_nd_update``, and for ``bad_indices_policy`` see ``gather_nd``.
    """
    return _run(ADD, tensor, indices, updates, bad_indices_policy)


def tensor_scatter_nd_sub(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = '', name: str | None = None
) -> Tensor:
    """A copy of a tensor with values subtracted at index tuples.

    See ``tensor_scatter_nd_update``, and for ``bad_indices_policy`` see ``gather_nd``.
    All values of equal tuples count.
    """
    return _run(SUB, tensor, indices, updates, bad_indices_policy)


def tensor_scatter_nd_min(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = '', name: str | None = None
) -> Tensor:
    """A copy of a tensor with the lesser of old and new values at index tuples.

    See ``tensor_scatter_nd_update``, and for ``bad_indices_policy`` see ``gather_nd``.
    Ties share the gradient.
    """
    return _run(MIN, tensor, indices, updates, bad_indices_policy)


def tensor_scatter_nd_max(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = '', name: str | None = None
) -> Tensor:
    """A copy of a tensor with the greater of old and new values at index tuples.

    See ``tensor_scatter_nd_update``, and for ``bad_indices_policy`` see ``gather_nd``.
    Ties share the gradient.
    """
    return _run(MAX, tensor, indices, updates, bad_indices_policy)
