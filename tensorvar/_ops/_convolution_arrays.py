"""Array computations of convolutions: windows laid out as matrices, then one product.

Images are channels-last here: ``(images, *spatial, channels)``. A filter has the shape
``(*window, channels of a group, outputs)``; all outputs are split evenly among groups.
The windows are copied block by block into one buffer, which stays in the cache and whose
pages the system hands out once.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from tensorvar._backend.base import Array
from tensorvar._ops import _index_checks, _windows
from tensorvar._ops._windows import Axis, Block

Axes = Sequence[Axis]

_HOST_LIMIT = 1 << 18
_CARD_LIMIT = 1 << 26
"""Elements of windows that are laid out at a time."""


def limit(xp: Any) -> int:
    """Elements of work for one block: what fits a CPU's cache, or fills a card."""
    return _HOST_LIMIT if _index_checks.looks_at_once(xp) else _CARD_LIMIT


def positions(along: Axes) -> Iterator[tuple[int, ...]]:
    """All positions within a window, in C order."""
    return itertools.product(*[range(axis.window) for axis in along])


def part(block: Block) -> tuple[slice, slice]:
    """Where the results of a block lie."""
    return block.images, slice(block.first, block.first + block.rows)


def at(along: Axes, position: Sequence[int], block: Block) -> tuple[slice, ...]:
    """Where padded images hold one position of the windows of a block."""
    row = along[0].at(position[0], block.first, block.rows)
    others = [axis.at(place) for axis, place in zip(along[1:], position[1:], strict=True)]
    return (block.images, row, *others)


def _window_size(along: Axes) -> int:
    return math.prod(axis.window for axis in along)


def _blocks(xp: Any, images: int, along: Axes, channels: int) -> list[Block]:
    others = math.prod(axis.places for axis in along[1:])
    row_size = others * _window_size(along) * channels
    return list(_windows.blocks(images, along[0].places, row_size, limit(xp)))


def _view_windows(xp: Any, padded: Array, along: Axes) -> Array:
    """A view of shape ``(images, *windows, *window, channels)``."""
    image, *steps, channel = padded.strides
    pairs = list(zip(steps, along, strict=True))
    return xp.lib.stride_tricks.as_strided(
        padded,
        shape=(
            padded.shape[0],
            *[axis.places for axis in along],
            *[axis.window for axis in along],
            padded.shape[-1],
        ),
        strides=(
            image,
            *[step * axis.stride for step, axis in pairs],
            *[step * axis.dilation for step, axis in pairs],
            channel,
        ),
    )


def _buffer(xp: Any, work: Sequence[Block], along: Axes, channels: int, dtype: Any) -> Array:
    """Room for the windows of the largest block."""
    most = max((_images(block) * block.rows for block in work), default=0)
    others = math.prod(axis.places for axis in along[1:])
    return xp.empty((most * others * _window_size(along) * channels,), dtype)


def _images(block: Block) -> int:
    return int(block.images.stop - block.images.start)


def _columns(
    xp: Any, windows: Array, block: Block, along: Axes, groups: int, buffer: Array
) -> Array:
    """Windows of a block as matrices: ``(groups, windows, window * channels)``."""
    chosen = windows[part(block)]
    size, channels = _window_size(along), windows.shape[-1] // groups
    shape = (groups, math.prod(chosen.shape[: len(along) + 1]), size * channels)
    if groups == size == 1:
        return chosen.reshape(shape)
    split = xp.moveaxis(chosen.reshape((*chosen.shape[:-1], groups, channels)), -2, 0)
    columns = buffer[: math.prod(shape)]
    columns.reshape(split.shape)[...] = split
    return columns.reshape(shape)


def _filter_matrices(filters: Array, groups: int) -> Array:
    """The filter as matrices: ``(groups, window * channels, outputs of a group)``."""
    *window, channels, outputs = filters.shape
    size = math.prod(window)
    split = filters.reshape((size * channels, groups, outputs // groups))
    return split.transpose(1, 0, 2)


def _output_matrices(values: Array, block: Block, groups: int) -> Array:
    """Results of a block as matrices: ``(groups, windows, outputs of a group)``."""
    chosen = values[part(block)]
    outputs = chosen.shape[-1]
    rows = math.prod(chosen.shape[:-1])
    return chosen.reshape((rows, groups, outputs // groups)).transpose(1, 0, 2)


def convolve(xp: Any, images: Array, filters: Array, along: Axes) -> Array:
    """The convolution of images with a filter: ``(images, *windows, outputs)``."""
    groups = images.shape[-1] // filters.shape[-2]
    outputs = filters.shape[-1]
    matrices = _filter_matrices(filters, groups)
    padded = _windows.pad(xp, images, along, 1)
    windows = _view_windows(xp, padded, along)
    shape = (images.shape[0], *[axis.places for axis in along], outputs)
    work = _blocks(xp, images.shape[0], along, images.shape[-1])
    buffer = _buffer(xp, work, along, images.shape[-1], images.dtype)
    result = xp.empty(shape, images.dtype)
    for block in work:
        columns = _columns(xp, windows, block, along, groups, buffer)
        place = part(block)
        if groups == 1:
            target = result[place].reshape((1, columns.shape[1], outputs))
            xp.matmul(columns, matrices, out=target)
        else:
            product = xp.matmul(columns, matrices).transpose(1, 0, 2)
            result[place] = product.reshape(result[place].shape)
    return result


def input_gradient(xp: Any, filters: Array, gradient: Array, along: Axes, channels: int) -> Array:
    """What ``convolve`` passes back to its images: ``(images, *spatial, channels)``."""
    groups = channels // filters.shape[-2]
    matrices = _position_matrices(filters, groups)
    count = gradient.shape[0]
    padded = xp.zeros((count, *[axis.padded for axis in along], channels), gradient.dtype)
    work = _blocks(xp, count, along, channels)
    buffer = _buffer(xp, work, along, channels, gradient.dtype)
    for block in work:
        inner = gradient[part(block)].shape[:-1]
        shape = (groups, _window_size(along), math.prod(inner), channels // groups)
        # A matrix per position keeps what is added below in one piece.
        shares = buffer[: math.prod(shape)].reshape(shape)
        xp.matmul(_output_matrices(gradient, block, groups)[:, None], matrices, out=shares)
        for number, position in enumerate(positions(along)):
            share = shares[0, number] if groups == 1 else shares[:, number].transpose(1, 0, 2)
            padded[at(along, position, block)] += share.reshape((*inner, channels))
    return _windows.crop(xp, padded, along, 1)


def _position_matrices(filters: Array, groups: int) -> Array:
    """The filter as matrices: ``(groups, window, outputs of a group, channels)``."""
    *window, channels, outputs = filters.shape
    split = filters.reshape((math.prod(window), channels, groups, outputs // groups))
    return split.transpose(2, 0, 3, 1)


def filter_gradient(
    xp: Any, images: Array, gradient: Array, along: Axes, shape: tuple[int, ...]
) -> Array:
    """What ``convolve`` passes back to its filter, which has ``shape``."""
    *window, channels, outputs = shape
    groups = images.shape[-1] // channels
    windows = _view_windows(xp, _windows.pad(xp, images, along, 1), along)
    size = math.prod(window)
    total = xp.zeros((groups, size * channels, outputs // groups), images.dtype)
    work = _blocks(xp, images.shape[0], along, images.shape[-1])
    buffer = _buffer(xp, work, along, images.shape[-1], images.dtype)
    for block in work:
        columns = _columns(xp, windows, block, along, groups, buffer)
        total += xp.matmul(columns.swapaxes(1, 2), _output_matrices(gradient, block, groups))
    return xp.ascontiguousarray(total.transpose(1, 0, 2)).reshape(shape)
