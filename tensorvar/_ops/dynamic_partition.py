"""Rows dealt out by number, and put together again: dynamic_partition and dynamic_stitch."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _index_checks, _rows, array_join, array_shape, gather, ranges
from tensorvar._ops._gradient_helpers import Gradients

_PARTITION, _STITCH = 'DynamicPartition', 'DynamicStitch'
_INT32 = frozenset({dtypes.int32.numpy})

# DynamicPartition


def _infer_partition(
    data: ArraySpec, partitions: ArraySpec, *, num_partitions: int
) -> tuple[ArraySpec, ...]:
    if num_partitions < 1:
        raise errors.InvalidArgumentError(
            f'[{_PARTITION}] num_partitions of {num_partitions} must be at least 1; give the '
            f'number of results',
            _PARTITION,
        )
    rank = len(partitions.shape)
    if len(data.shape) < rank or not all(
        map(_arguments.same_dim, data.shape[:rank], partitions.shape)
    ):
        raise errors.InvalidArgumentError(
            f'[{_PARTITION}] data.shape must start with partitions.shape, got data.shape = '
            f'{list(data.shape)}, partitions.shape = {list(partitions.shape)}; give one '
            f'partition per row',
            _PARTITION,
        )
    return (ArraySpec((None, *data.shape[rank:]), data.dtype),) * num_partitions


def _partition(
    xp: Any, data: Array, partitions: Array, *, num_partitions: int
) -> tuple[Array, ...]:
    # On a card, too: the sizes of the results have to be waited for.
    _index_checks.refuse_outside(xp, _PARTITION, partitions, num_partitions, 'partitions')
    tail = data.shape[partitions.ndim :]
    rows = data.reshape((math.prod(partitions.shape), *tail))
    flat = partitions.reshape((-1,))
    return tuple(rows[flat == number] for number in range(num_partitions))


def _partition_gradient(context: Any, *gradients: Tensor) -> Gradients:
    data, partitions = context.inputs
    count = math.prod(partitions._shape)
    places = array_shape.reshape(ranges.range(count), partitions._shape)
    parts = dynamic_partition(places, partitions, context.attributes['num_partitions'])
    together = dynamic_stitch(parts, list(gradients))
    return array_shape.reshape(together, data._shape), None


DYNAMIC_PARTITION = op_registry.register(
    OpDef(
        _PARTITION,
        _infer_partition,
        _partition,
        _partition_gradient,
        inputs='T i',
        dtypes={'i': _INT32},
    )
)


def dynamic_partition(
    data: Any, partitions: Any, num_partitions: Any, name: str | None = None
) -> list[Tensor]:
    """Deals the rows of ``data`` out to several tensors.

    Args:
        data: values of any dtype whose shape begins with that of ``partitions``.
        partitions: int32, for each row the number of the result that gets it.
        num_partitions: how many results, 1 or more.
        name: accepted for TensorFlow's sake.

    Returns:
        A list of tensors with the rows in their order.

    Raises:
        InvalidArgumentError: the shapes do not fit; ``partitions`` has another dtype.
        InvalidIndexError: a partition is out of range.
    """
    count = _arguments.scalar(_PARTITION, 'num_partitions', num_partitions)
    partitions = conversion.convert_to_tensor(partitions, dtypes.int32)

    def check(host: Array) -> None:
        if count > 0:
            _index_checks.refuse_outside(np, _PARTITION, host, count, 'partitions')

    _rows.check_on_host(data, partitions, _PARTITION, check)
    return list(executor.run(DYNAMIC_PARTITION, data, partitions, num_partitions=count))


# DynamicStitch


def _infer_stitch(indices: ArraySpec, data: ArraySpec) -> ArraySpec:
    return ArraySpec((None, *data.shape[1:]), data.dtype)


def _stitch(xp: Any, indices: Array, data: Array) -> Array:
    tail = data.shape[1:]
    if indices.shape[0] == 0:
        return xp.zeros((0, *tail), data.dtype)
    # On a card, too: the number of rows, which is asked for next, has to be waited for.
    if _index_checks.look(xp, xp.asarray(indices.min())) < 0:
        _index_checks.refuse_outside(xp, _STITCH, indices, 2**31)
    # An array operation, because on a card the host does not know the greatest index.
    sizes = xp.bincount(indices)
    count = sizes.shape[0]
    # Where an index comes several times, the last row counts, on every device.
    order = xp.argsort(indices, kind='stable')
    last = order[xp.maximum(xp.cumsum(sizes) - 1, 0)]
    rows = xp.take(data, last, axis=0)
    filled = (sizes > 0).reshape((count,) + (1,) * len(tail))
    return xp.where(filled, rows, xp.zeros((), data.dtype))


def _stitch_gradient(context: Any, gradient: Tensor) -> Gradients:
    # As in TensorFlow, also rows that later ones replaced get the gradient of their place.
    return None, gather.gather(gradient, context.inputs[0])


DYNAMIC_STITCH = op_registry.register(
    OpDef(
        _STITCH,
        _infer_stitch,
        _stitch,
        _stitch_gradient,
        inputs='i T',
        dtypes={'i': _INT32},
    )
)


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Puts rows of several tensors where indices say.

    Args:
        indices: a list of int32 tensors.
        data: a list of tensors of one dtype; the shape of each begins with that of its
            indices, and what follows is the same for all.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with a row for each index up to the greatest. Of several rows for one index
        the last is taken; rows that no index names are zeros.

    Raises:
        ValueError: the lists differ in length.
        InvalidArgumentError: a list is empty, or the shapes do not fit.
        InvalidIndexError: an index is negative.

    Example:
        >>> import tensorvar as tv
        >>> tv.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy().tolist()
        [10, 20, 30]
    """
    places = [conversion.convert_to_tensor(part, dtypes.int32) for part in indices]
    if len(places) != len(data) or not places:
        raise errors.InvalidArgumentError(
            f"[{_STITCH}] List argument 'data' with length {len(data)} must match length "
            f"{len(places)} of argument 'indices', and be 1 or more; give one tensor for each",
            _STITCH,
        )
    parts = [conversion.convert_to_tensor(part) for part in data]
    tails = [_tail(number, *pair) for number, pair in enumerate(zip(places, parts, strict=True))]
    for number, tail in enumerate(tails):
        if tail != tails[0]:
            raise errors.InvalidArgumentError(
                f'[{_STITCH}] rows must have one shape, got data[0].shape = '
                f'{list(parts[0]._shape)} and data[{number}].shape = {list(parts[number]._shape)}; '
                f'reshape one of them',
                _STITCH,
            )
    flat = [array_shape.reshape(place, (-1,)) for place in places]
    rows = [
        array_shape.reshape(part, (math.prod(place._shape), *tails[0]))
        for place, part in zip(places, parts, strict=True)
    ]
    together = array_join.concat(rows, 0)
    where = array_join.concat(flat, 0)
    result: Tensor = executor.run(DYNAMIC_STITCH, where, together)
    return result


def _tail(number: int, places: Tensor, part: Tensor) -> tuple[int, ...]:
    rank = len(places._shape)
    if part._shape[:rank] != places._shape:
        raise errors.InvalidArgumentError(
            f'[{_STITCH}] data[{number}].shape = {list(part._shape)} does not start with '
            f'indices[{number}].shape = {list(places._shape)}; give one row per index',
            _STITCH,
        )
    return part._shape[rank:]
