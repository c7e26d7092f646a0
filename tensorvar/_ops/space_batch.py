"""Blocks of spatial positions moved into the batch dimension and back."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

_TO_BATCH, _TO_SPACE = 'SpaceToBatchND', 'BatchToSpaceND'


def _check(op: str, argument: str, rank: int, block_shape: Ints, pairs: Pairs) -> None:
    count = len(block_shape)
    if rank < count + 1:
        raise errors.InvalidArgumentError(
            f'[{op}] input rank should be >= {count + 1} instead of {rank} for block_shape '
            f'{list(block_shape)}; give a shorter block_shape',
            op,
        )
    if min(block_shape, default=1) < 1:
        raise errors.InvalidArgumentError(
            f'[{op}] All values in block_shape must be positive, got {list(block_shape)}; use 1 '
            f'for dimensions that stay',
            op,
        )
    if len(pairs) != count or any(len(pair) != 2 for pair in pairs):
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} should have shape [{count}, 2], but {list(pairs)} was given; give '
            f'one pair per value of block_shape',
            op,
        )
    if min((value for pair in pairs for value in pair), default=0) < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} must be non-negative, but {list(pairs)} was given; use tv.pad or '
            f'slices for the rest',
            op,
        )


def _infer_to_batch(input: ArraySpec, *, block_shape: Ints, paddings: Pairs) -> ArraySpec:
    _check(_TO_BATCH, 'paddings', len(input.shape), block_shape, paddings)
    count = len(block_shape)
    dims: list[int | None] = []
    sides = zip(input.shape[1 : count + 1], block_shape, paddings, strict=True)
    for place, (dim, block, (before, after)) in enumerate(sides):
        padded = None if dim is None else dim + before + after
        if padded is not None and padded % block:
            raise errors.InvalidArgumentError(
                f'[{_TO_BATCH}] padded_shape[{place}]={padded} is not divisible by '
                f'block_shape[{place}]={block} (shape {list(input.shape)}); pad more',
                _TO_BATCH,
            )
        dims.append(None if padded is None else padded // block)
    batch = input.shape[0]
    batch = None if batch is None else batch * math.prod(block_shape)
    return ArraySpec((batch, *dims, *input.shape[count + 1 :]), input.dtype)


def _to_batch(xp: Any, array: Array, *, block_shape: Ints, paddings: Pairs) -> Array:
    count = len(block_shape)
    tail = array.shape[count + 1 :]
    if any(value for pair in paddings for value in pair):
        array = xp.pad(array, ((0, 0), *paddings, *((0, 0) for _ in tail)))
    split: list[int] = [array.shape[0]]
    for dim, block in zip(array.shape[1 : count + 1], block_shape, strict=True):
        split += [dim // block, block]
    blocks, rests = range(2, 2 * count + 1, 2), range(1, 2 * count, 2)
    last = range(2 * count + 1, 2 * count + 1 + len(tail))
    moved = array.reshape((*split, *tail)).transpose((*blocks, 0, *rests, *last))
    batch = array.shape[0] * math.prod(block_shape)
    return moved.reshape((batch, *split[1::2], *tail))


def _to_batch_gradient(context: Any, gradient: Tensor) -> Gradients:
    given = context.attributes
    back = executor.run(
        BATCH_TO_SPACE, gradient, block_shape=given['block_shape'], crops=given['paddings']
    )
    return (back,)


def _infer_to_space(input: ArraySpec, *, block_shape: Ints, crops: Pairs) -> ArraySpec:
    _check(_TO_SPACE, 'crops', len(input.shape), block_shape, crops)
    count, product = len(block_shape), math.prod(block_shape)
    batch = input.shape[0]
    if batch is not None and batch % product:
        raise errors.InvalidArgumentError(
            f'[{_TO_SPACE}] Input batch dimension ({batch}) is not divisible by product of block '
            f'sizes ({product}); give a fitting block_shape',
            _TO_SPACE,
        )
    dims: list[int | None] = []
    sides = zip(input.shape[1 : count + 1], block_shape, crops, strict=True)
    for place, (dim, block, (before, after)) in enumerate(sides):
        cropped = None if dim is None else dim * block - before - after
        if cropped is not None and cropped < 0:
            raise errors.InvalidArgumentError(
                f'[{_TO_SPACE}] cropped_shape[{place}]={cropped} must be non-negative (crops '
                f'{list(crops)}, shape {list(input.shape)}); crop less',
                _TO_SPACE,
            )
        dims.append(cropped)
    batch = None if batch is None else batch // product
    return ArraySpec((batch, *dims, *input.shape[count + 1 :]), input.dtype)


def _to_space(xp: Any, array: Array, *, block_shape: Ints, crops: Pairs) -> Array:
    count = len(block_shape)
    batch = array.shape[0] // math.prod(block_shape)
    space, tail = array.shape[1 : count + 1], array.shape[count + 1 :]
    order: list[int] = [count]
    for place in range(count):
        order += [count + 1 + place, place]
    order += range(2 * count + 1, 2 * count + 1 + len(tail))
    moved = array.reshape((*block_shape, batch, *space, *tail)).transpose(order)
    whole = tuple(dim * block for dim, block in zip(space, block_shape, strict=True))
    kept = tuple(
        slice(before, dim - after) for dim, (before, after) in zip(whole, crops, strict=True)
    )
    return moved.reshape((batch, *whole, *tail))[(slice(None), *kept)]


def _to_space_gradient(context: Any, gradient: Tensor) -> Gradients:
    given = context.attributes
    back = executor.run(
        SPACE_TO_BATCH, gradient, block_shape=given['block_shape'], paddings=given['crops']
    )
    return (back,)


# TensorFlow has kernels for real numbers alone.
SPACE_TO_BATCH = op_registry.register(
    OpDef(_TO_BATCH, _infer_to_batch, _to_batch, _to_batch_gradient, dtypes={'T': dtypes.REAL})
)
BATCH_TO_SPACE = op_registry.register(
    OpDef(_TO_SPACE, _infer_to_space, _to_space, _to_space_gradient, dtypes={'T': dtypes.REAL})
)


def _block_shape(op: str, block_shape: Any) -> Ints:
    read = conversion.host_integers(block_shape, op, 'block_shape')
    if isinstance(read, int):
        raise errors.InvalidArgumentError(
            f'[{op}] block_shape rank should be 1 instead of 0; give one block size per spatial '
            f'dimension',
            op,
        )
    return _arguments.vector(op, 'block_shape', read)


def _pairs(op: str, argument: str, pairs: Any) -> Pairs:
    read = conversion.host_integers(pairs, op, argument)
    if not isinstance(read, tuple) or not all(isinstance(pair, tuple) for pair in read):
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} was given as {pairs!r:.80}; give one pair per spatial dimension',
            op,
        )
    return read


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Cuts padded spatial dimensions into blocks, whose positions go into the batch.

    Args:
        input: real numbers of shape ``(batch, *spatial, *rest)``.
        block_shape: the block size for each spatial dimension.
        paddings: a pair for each: how many zeros to put before and behind.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor whose batch is ``prod(block_shape)`` times as large; each spatial dimension
        is its padded length over its block size.

    Raises:
        InvalidArgumentError: a padded dimension is no multiple of its block size; sizes,
            paddings or the rank do not fit.
    """
    result: Tensor = executor.run(
        SPACE_TO_BATCH,
        input,
        block_shape=_block_shape(_TO_BATCH, block_shape),
        paddings=_pairs(_TO_BATCH, 'paddings', paddings),
    )
    return result


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Undoes ``space_to_batch``: spreads parts of the batch over spatial blocks.

    Args:
        input: real numbers of shape ``(batch, *spatial, *rest)``.
        block_shape: the block size for each spatial dimension; one for both, if a number.
        crops: a pair for each: how much to cut off before and behind.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor whose batch is ``prod(block_shape)`` times as small.

    Raises:
        InvalidArgumentError: the batch is no multiple of ``prod(block_shape)``; sizes,
            crops or the rank do not fit.
    """
    if isinstance(block_shape, int | np.integer):
        block_shape = (block_shape, block_shape)
    result: Tensor = executor.run(
        BATCH_TO_SPACE,
        input,
        block_shape=_block_shape(_TO_SPACE, block_shape),
        crops=_pairs(_TO_SPACE, 'crops', crops),
    )
    return result


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The least paddings that make spatial dimensions multiples of block sizes.

    Args:
        input_shape: the spatial dimensions.
        block_shape: the block size for each.
        base_paddings: a pair for each that the paddings contain; None for zeros.
        name: accepted for TensorFlow's sake.

    Returns:
        The paddings for ``space_to_batch`` and the crops for ``batch_to_space``, two int32
        tensors with a pair for each dimension.

    Raises:
        InvalidArgumentError: the arguments differ in length.
    """
    op = 'required_space_to_batch_paddings'
    dims = _arguments.vector(op, 'input_shape', input_shape)
    blocks = _block_shape(op, block_shape)
    base = ((0, 0),) * len(dims) if base_paddings is None else base_paddings
    pairs = _pairs(op, 'base_paddings', base)
    _check(op, 'base_paddings', len(dims) + 1, blocks, pairs)
    if len(dims) != len(blocks):
        raise errors.InvalidArgumentError(
            f'[{op}] input_shape {list(dims)} and block_shape {list(blocks)} must have one length; '
            f'give a block size for each dimension',
            op,
        )
    fill = [
        -(dim + sum(pair)) % block for dim, block, pair in zip(dims, blocks, pairs, strict=True)
    ]
    paddings = [[pair[0], pair[1] + more] for pair, more in zip(pairs, fill, strict=True)]
    crops = [[0, more] for more in fill]
    shape = [len(dims), 2]
    return (
        conversion.constant(paddings, dtypes.int32, shape),
        conversion.constant(crops, dtypes.int32, shape),
    )
