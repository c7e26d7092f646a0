"""The largest elements: ``top_k`` and ``in_top_k``."""

import math
from typing import Any, NamedTuple

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _define, _rows, cast
from tensorvar._ops._gradient_helpers import Gradients, reshape

_NAME = 'TopKV2'
_IN_NAME = 'InTopKV2'
_INT64 = dtypes.int64.numpy
_INDEX_DTYPES = frozenset({dtypes.int16.numpy, dtypes.int32.numpy, dtypes.int64.numpy})

# Where fewer than this share of the elements is asked for, the rest is not sorted.
_SELECT_BELOW = 1 / 8


class TopK(NamedTuple):
    """What ``top_k`` gives.

    Attributes:
        values: the largest elements, the largest first.
        indices: where they are along the last axis.
    """

    values: Tensor
    indices: Tensor


def _infer(input: ArraySpec, *, k: int, index_type: Any) -> tuple[ArraySpec, ArraySpec]:
    if not input.shape:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] input must be >= 1-D, got shape []; reshape it', _NAME
        )
    if k < 0:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] Need k >= 0, got {k}; it is how many elements are wanted', _NAME
        )
    length = input.shape[-1]
    if length is not None and length < k:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] input must have at least k columns. Had {length}, needed {k}; ask for '
            f'fewer',
            _NAME,
        )
    shape = (*input.shape[:-1], k)
    return ArraySpec(shape, input.dtype), ArraySpec(shape, index_type)


def _descending(xp: Any, rows: Array) -> Array:
    """Positions in descending order; of equal elements the first comes first.

    Both reversals keep equal elements in their order. NaN is above all numbers.
    """
    length = rows.shape[-1]
    order = xp.argsort(rows[:, ::-1], axis=-1, kind='stable')
    return (length - 1 - order)[:, ::-1]


def _select(xp: Any, rows: Array, k: int) -> Array:
    """Positions of the k largest elements, in ascending order of position."""
    count, length = rows.shape
    edge = xp.partition(rows, length - k, axis=-1)[:, length - k : length - k + 1]
    above, equal = rows > edge, rows == edge
    if rows.dtype.kind == 'f':
        above = above | (xp.isnan(rows) & ~xp.isnan(edge))
        equal = equal | (xp.isnan(rows) & xp.isnan(edge))
    wanted = k - above.sum(axis=-1, keepdims=True)
    chosen = above | (equal & (xp.cumsum(equal, axis=-1) <= wanted))
    return xp.nonzero(chosen)[1].reshape((count, k))


def _top_k(xp: Any, array: Array, *, k: int, index_type: Any) -> tuple[Array, Array]:
    length = array.shape[-1]
    shape = (*array.shape[:-1], k)
    count = math.prod(array.shape[:-1])
    if count == 0 or k == 0:
        return xp.zeros(shape, array.dtype), xp.zeros(shape, index_type)
    rows = array.reshape((count, length))
    # Not every array library sorts 16-bit floats; float32 holds them exactly.
    keys = rows.astype(dtypes.float32.numpy) if rows.dtype in dtypes.HALF_PRECISION else rows
    if k < length * _SELECT_BELOW:
        positions = _select(xp, keys, k)
        order = _descending(xp, xp.take_along_axis(keys, positions, axis=-1))
        positions = xp.take_along_axis(positions, order, axis=-1)
    else:
        positions = _descending(xp, keys)[:, :k]
    values = xp.take_along_axis(rows, positions, axis=-1)
    return values.reshape(shape), positions.astype(index_type).reshape(shape)


def _gradient(context: Any, gradient: Tensor, _: Any) -> Gradients:
    shape = context.inputs[0]._shape
    k = context.attributes['k']
    count = math.prod(shape[:-1])
    indices = cast.cast(context.outputs[1], dtypes.int64)
    dense = executor.run(
        OPS['GatherV2Grad'],
        reshape(gradient, (count, k)),
        reshape(indices, (count, k)),
        params_shape=(count, shape[-1]),
        axis=1,
        batch_dims=1,
    )
    return (reshape(dense, shape),)


TOP_K = op_registry.register(OpDef(_NAME, _infer, _top_k, _gradient, dtypes={'T': dtypes.REAL}))


def _infer_in(predictions: ArraySpec, targets: ArraySpec, *, k: int) -> ArraySpec:
    for name, spec, rank in (('predictions', predictions, 2), ('targets', targets, 1)):
        if len(spec.shape) != rank:
            raise errors.InvalidArgumentError(
                f'[{_IN_NAME}] {name} must be {rank}-dimensional, but shape {list(spec.shape)} '
                f'was given; reshape them',
                _IN_NAME,
            )
    if not _arguments.same_dim(predictions.shape[0], targets.shape[0]):
        raise errors.InvalidArgumentError(
            f'[{_IN_NAME}] First dimension of predictions {predictions.shape[0]} must match '
            f'length of targets {targets.shape[0]}; give one target per row',
            _IN_NAME,
        )
    return ArraySpec(targets.shape, _define.BOOL)


def _in_top_k(xp: Any, predictions: Array, targets: Array, *, k: int) -> Array:
    count, classes = predictions.shape
    if not count * classes:
        return xp.zeros((count,), _define.BOOL)
    inside = (targets >= 0) & (targets < classes)
    places = xp.where(inside, targets, 0).astype(_INT64)[:, None]
    target = xp.take_along_axis(predictions, places, axis=-1)
    larger = (predictions > target).sum(axis=-1)
    return inside & (larger < k) & xp.isfinite(predictions).all(axis=-1)


IN_TOP_K = op_registry.register(
    OpDef(
        _IN_NAME,
        _infer_in,
        _in_top_k,
        NOT_DIFFERENTIABLE,
        inputs='T i',
        dtypes={'T': frozenset({dtypes.float32.numpy}), 'i': _rows.INDICES},
    )
)


def top_k(
    input: Any,
    k: Any = 1,
    sorted: bool = True,
    index_type: Any = dtypes.int32,
    name: str | None = None,
) -> TopK:
    """The k largest elements along the last axis, and where they are.

    Of equal elements the first comes first. NaN is above all numbers.

    Args:
        input: real values of rank 1 or more.
        k: how many, up to the length of the last axis.
        sorted: whether the largest has to come first; it does in any case.
        index_type: int16, int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        A named tuple of ``values`` and ``indices``, both of shape
        ``(*input.shape[:-1], k)``.

    Raises:
        InvalidArgumentError: ``k`` is negative or too large; wrong rank or dtype.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.math.top_k([1.0, 5.0, 3.0], k=2).indices)
        tv.Tensor([1 2], shape=(2,), dtype=int32)
    """
    kind = dtypes.as_dtype(index_type)
    if kind.numpy not in _INDEX_DTYPES:
        raise errors.InvalidTypeError(
            f'[{_NAME}] index_type {kind.name} was given; allowed are int16, int32 and int64; '
            f'give one of them',
            _NAME,
        )
    count = _arguments.scalar(_NAME, 'k', k)
    return TopK(*executor.run(TOP_K, input, k=count, index_type=kind.numpy))


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether each target is among the k classes with the largest predictions.

    Classes that tie with the last of the k count too. A row with a prediction that is not
    finite, and a target that is no class, give False.

    Args:
        targets: class numbers, int32 or int64, of shape ``(rows,)``.
        predictions: float32 values of shape ``(rows, classes)``.
        k: how many.
        name: accepted for TensorFlow's sake.

    Returns:
        bools of shape ``(rows,)``.

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit.
    """
    values = conversion.convert_to_tensor(predictions, dtypes.float32)
    count = _arguments.scalar(_IN_NAME, 'k', k)
    result: Tensor = executor.run(IN_TOP_K, values, targets, k=count)
    return result
