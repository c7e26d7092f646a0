"""Jacobians: one reverse walk per element of the target, or of its rows."""

import math
from collections.abc import Sequence
from typing import Any

from tensorvar import errors
from tensorvar._core import backward, dispatch
from tensorvar._core.op_registry import FUNCTIONS, OPS
from tensorvar._core.tape_entries import Entry
from tensorvar._core.variable import Variable


def full(
    entries: Sequence[Entry], target: Any, sources: Sequence[Any], watch_accessed: bool
) -> list[Any]:
    """The derivative of each element of ``target`` by each element of the sources.

    Args:
        entries: what the tape recorded.
        target: a tensor or variable.
        sources: tensors or variables.
        watch_accessed: whether reads of trainable variables count as watched.

    Returns:
        Per source a tensor of shape ``target.shape + source.shape``, or None if it is
        not connected.
    """
    leading = backward.leads_from(entries, sources, watch_accessed)
    shape = target._spec().shape
    if math.prod(shape) and not _is_watched(target, leading, watch_accessed):
        return [None] * len(sources)
    with backward.on_device(target):
        rows = [
            backward.gradients(list(entries), leading, [target], sources, [weight])
            for weight in _unit_weights(target)
        ]
        if not rows:
            return [zeros(target, source) for source in sources]
        return [
            _stacked(column, (*shape, *source._spec().shape))
            for column, source in zip(zip(*rows, strict=True), sources, strict=True)
        ]


def _is_watched(target: Any, leading: set[int], watch_accessed: bool) -> bool:
    """Whether elements of the target, read now, would depend on the sources."""
    return id(target) in leading or (
        watch_accessed and isinstance(target, Variable) and target.trainable
    )


def _unit_weights(target: Any) -> list[Any]:
    """Per element of the target, weights that pick it out."""
    shape = target._spec().shape
    size = math.prod(shape)
    picks = FUNCTIONS['one_hot'](list(range(size)), size, dtype=target.dtype) if size else []
    return [dispatch.run(OPS['Reshape'], picks[row], shape=shape) for row in range(size)]


def _stacked(parts: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if parts[0] is None:
        return None
    stacked = dispatch.run(OPS['Pack'], *map(backward.densified, parts), axis=0)
    return dispatch.run(OPS['Reshape'], stacked, shape=shape)


def zeros(target: Any, source: Any) -> Any:
    """The jacobian of a target that does not depend on the source, or has no elements."""
    shape = (*target._spec().shape, *source._spec().shape)
    return FUNCTIONS['zeros'](shape, dtype=source.dtype)


def batched(entries: Sequence[Entry], target: Any, source: Any, watch_accessed: bool) -> Any:
    """The jacobian of each row of ``target`` by the same row of ``source``.

    Args:
        entries: what the tape recorded.
        target: a tensor of shape ``(b, *y)``; row i depends only on row i of ``source``.
        source: a tensor or variable of shape ``(b, *x)``.
        watch_accessed: whether reads of trainable variables count as watched.

    Returns:
        A tensor of shape ``(b, *y, *x)``; zeros if the two are not connected.
    """
    shape, row = target._spec().shape, source._spec().shape[1:]
    leading = backward.leads_from(entries, [source], watch_accessed)
    if not _is_watched(target, leading, watch_accessed):
        return FUNCTIONS['zeros']((*shape, *row), dtype=target.dtype)
    with backward.on_device(target):
        columns = [
            backward.gradients(list(entries), leading, [target], [source], [weight])[0]
            for weight in _column_weights(target)
        ]
        if not columns or columns[0] is None:
            return FUNCTIONS['zeros']((*shape, *row), dtype=target.dtype)
        stacked = dispatch.run(OPS['Pack'], *map(backward.densified, columns), axis=1)
        return dispatch.run(OPS['Reshape'], stacked, shape=(*shape, *row))


def _column_weights(target: Any) -> list[Any]:
    """Per element of a row of the target, weights that pick it out of every row."""
    batch, *row = target._spec().shape
    size = math.prod(row)
    weights = []
    for position in range(size):
        picked = FUNCTIONS['one_hot']([position] * batch, size, dtype=target.dtype)
        weights.append(dispatch.run(OPS['Reshape'], picked, shape=(batch, *row)))
    return weights


def check_batches(target: Any, source: Any) -> None:
    """Refuses a target and a source that are no batches of rows of one size.

    Raises:
        InvalidArgumentError: a rank is below 2, or the first dimensions differ.
    """
    shapes = target._spec().shape, source._spec().shape
    if not all(shapes) or shapes[0][0] != shapes[1][0]:
        raise errors.InvalidArgumentError(
            f'[batch_jacobian] Need first dimension of target shape {list(shapes[0])} and source '
            f'shape {list(shapes[1])} to match; give batches of one size'
        )
    for shape in shapes:
        if len(shape) < 2:
            raise errors.InvalidArgumentError(
                f'[batch_jacobian] Shape {list(shape)} must have rank at least 2; give a batch of '
                f'rows, x[:, tv.newaxis] for a vector'
            )
