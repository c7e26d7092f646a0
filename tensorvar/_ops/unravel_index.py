"""Positions in a flattened array as positions along each axis."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _index_checks, _row_kernels, _rows

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_NAME = 'UnravelIndex'


def _infer(indices: ArraySpec, *, dims: tuple[int, ...]) -> ArraySpec:
    if len(indices.shape) > 1:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] The indices can only be scalar or vector, got shape '
            f'{list(indices.shape)}; reshape them',
            _NAME,
        )
    if min(dims, default=1) < 1:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] Input dims cannot contain a dim of zero or less, but {list(dims)} was '
            f'given; no index fits such a shape',
            _NAME,
        )
    return ArraySpec((len(dims), *indices.shape), indices.dtype)


def _forward(xp: Any, indices: Array, *, dims: tuple[int, ...]) -> Array:
    if _index_checks.may_look(xp):
        _index_checks.refuse_outside(xp, _NAME, indices, math.prod(dims))
    rows = []
    rest = indices
    for dim in reversed(dims):
        rows.append(rest % dim)
        rest = rest // dim
    if not rows:
        return xp.zeros((0, *indices.shape), indices.dtype)
    return xp.stack(rows[::-1])


def _kernel(kernels: 'Kernels', indices: Array, *, dims: tuple[int, ...]) -> Array:
    result = _forward(kernels.xp, indices, dims=dims)
    _row_kernels.report_outside(kernels, _NAME, indices, math.prod(dims), 'indices')
    return result


UNRAVEL_INDEX = op_registry.register(
    OpDef(_NAME, _infer, _forward, NOT_DIFFERENTIABLE, dtypes={'T': _rows.INDICES}, kernel=_kernel)
)


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """The positions along each axis of elements of a flattened array.

    Args:
        indices: positions in the flattened array, a scalar or a vector; int32 or int64.
        dims: the shape of the array, a vector.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the dtype of ``indices`` with a row for each axis.

    Raises:
        InvalidArgumentError: more dimensions, another dtype, or a shape without elements.
        InvalidIndexError: an index is out of range. (TensorFlow lets negative ones pass.) One
            that comes from a card itself gives some place within ``dims``, and is reported
            when the host next waits for the card.

    Example:
        >>> import tensorvar as tv
        >>> tv.unravel_index([1, 5], [2, 3]).numpy().tolist()
        [[0, 1], [1, 2]]
    """
    read = conversion.host_integers(dims, _NAME, 'dims')
    if isinstance(read, int):
        raise errors.InvalidArgumentError(
            f'[{_NAME}] dims {read} was given; dims can only be 1-D; give a list', _NAME
        )
    shape = _arguments.vector(_NAME, 'dims', read)

    def check(host: Array) -> None:
        if min(shape, default=1) > 0:
            _index_checks.refuse_outside(np, _NAME, host, math.prod(shape))

    _rows.check_on_host(None, indices, _NAME, check)
    result: Tensor = executor.run(UNRAVEL_INDEX, indices, dims=shape)
    return result
