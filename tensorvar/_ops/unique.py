"""The different elements of a vector, in the order in which they come."""

from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _rows

_FLOAT32 = dtypes.float32.numpy
_ALLOWED = dtypes.REAL | dtypes.BOOLEAN | {dtypes.string.numpy}
NumpyDType = np.dtype[Any]


class Unique(NamedTuple):
    """What ``unique`` gives.

    Attributes:
        y: the different elements.
        idx: for each element of the input, where it is in ``y``.
    """

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """What ``unique_with_counts`` gives.

    Attributes:
        y: the different elements.
        idx: for each element of the input, where it is in ``y``.
        count: how often each element of ``y`` comes.
    """

    y: Tensor
    idx: Tensor
    # TensorFlow's name, which hides that of a tuple's method.
    count: Tensor  # type: ignore[assignment]


def _check(op: str, x: ArraySpec) -> None:
    if len(x.shape) != 1:
        raise errors.InvalidArgumentError(
            f'[{op}] unique expects a 1D vector, but shape {list(x.shape)} was given; reshape it',
            op,
        )


def _infer(x: ArraySpec, *, out_idx: NumpyDType) -> tuple[ArraySpec, ...]:
    _check('Unique', x)
    return ArraySpec((None,), x.dtype), ArraySpec(x.shape, out_idx)


def _infer_counts(x: ArraySpec, *, out_idx: NumpyDType) -> tuple[ArraySpec, ...]:
    _check('UniqueWithCounts', x)
    return ArraySpec((None,), x.dtype), ArraySpec(x.shape, out_idx), ArraySpec((None,), out_idx)


def _sort_key(array: Array) -> Array:
    """What array libraries sort and compare like the array."""
    if array.dtype in dtypes.HALF_PRECISION:
        return array.astype(_FLOAT32)
    return array.view(dtypes.uint8.numpy) if array.dtype.kind == 'b' else array


def _unique(xp: Any, x: Array, *, out_idx: NumpyDType) -> tuple[Array, Array]:
    length = x.shape[0]
    if length == 0:
        return x, xp.zeros((0,), out_idx)
    keys = _sort_key(x)
    order = xp.argsort(keys, kind='stable')
    keys = xp.take(keys, order)
    # A NaN differs from every other, as in TensorFlow.
    starts = xp.concatenate([xp.ones((1,), dtypes.bool_.numpy), keys[1:] != keys[:-1]])
    groups = xp.cumsum(starts) - 1
    # Equal elements keep their order, so the first of a group came first.
    first = order[starts]
    by_place = xp.argsort(first)
    ranks = xp.empty_like(by_place)
    ranks[by_place] = xp.arange(by_place.shape[0])
    index = xp.empty((length,), out_idx)
    index[order] = xp.take(ranks, groups).astype(out_idx)
    return xp.take(x, xp.take(first, by_place)), index


def _unique_counts(xp: Any, x: Array, *, out_idx: NumpyDType) -> tuple[Array, Array, Array]:
    found, index = _unique(xp, x, out_idx=out_idx)
    if x.shape[0] == 0:
        return found, index, xp.zeros((0,), out_idx)
    return found, index, xp.bincount(index).astype(out_idx)


UNIQUE = op_registry.register(
    OpDef('Unique', _infer, _unique, NOT_DIFFERENTIABLE, dtypes={'T': _ALLOWED})
)
UNIQUE_WITH_COUNTS = op_registry.register(
    OpDef(
        'UniqueWithCounts',
        _infer_counts,
        _unique_counts,
        NOT_DIFFERENTIABLE,
        dtypes={'T': _ALLOWED},
    )
)


def _run(op: OpDef, x: Any, out_idx: Any) -> Any:
    wanted = dtypes.as_dtype(out_idx)
    if wanted.numpy not in _rows.INDICES:
        raise errors.InvalidTypeError(
            f'[{op.name}] out_idx {wanted.name} was given; allowed are int32 and int64; tv.cast '
            f'the result',
            op.name,
        )
    return executor.run(op, x, out_idx=wanted.numpy)


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Unique:
    """The different elements of a vector, in the order in which they first come.

    Args:
        x: real numbers, bools or strings of rank 1.
        out_idx: the dtype of the positions, int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        ``y``, the elements, and ``idx``, with ``y[idx] == x``. Every NaN is an own element.

    Raises:
        InvalidArgumentError: another rank or dtype.

    Example:
        >>> import tensorvar as tv
        >>> y, idx = tv.unique([3, 1, 3, 2])
        >>> y.numpy().tolist(), idx.numpy().tolist()
        ([3, 1, 2], [0, 1, 0, 2])
    """
    return Unique(*_run(UNIQUE, x, out_idx))


def unique_with_counts(
    x: Any, out_idx: Any = dtypes.int32, name: str | None = None
) -> UniqueWithCounts:
    """The different elements of a vector and how often each comes. See ``unique``.

    Args:
        x: real numbers, bools or strings of rank 1.
        out_idx: the dtype of the positions and counts, int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        ``y``, ``idx`` and ``count``.

    Raises:
        InvalidArgumentError: another rank or dtype.
    """
    return UniqueWithCounts(*_run(UNIQUE_WITH_COUNTS, x, out_idx))
