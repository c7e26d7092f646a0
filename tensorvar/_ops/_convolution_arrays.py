"""Array computations of convolutions: windows laid out as matrices, then one product.

Images are channels-last here: ``(images, *spatial, channels)``. A filter has the shape
``(*window, channels of a group, outputs)``; all outputs are split evenly among groups.
The windows are copied block by block, so that a block stays in the cache.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from tensorvar._backend.base import Array
from tensorvar._ops import _rows, _windows
from tensorvar._ops._windows import Axis, Block

Axes = Sequence[Axis]

_HOST_LIMIT = 1 << 20
_CARD_LIMIT = 1 << 26
"""Elements of windows that are laid out at a time."""


def limit(xp: Any) -> int:
    """Elements of work for one block: what fits a CPU's cache, or fills a card."""
    return _HOST_LIMIT if _rows.checks_here(xp) else _CARD_LIMIT


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


def _columns(windows: Array, block: Block, along: Axes, groups: int) -> Array:
    """Windows of a block as matrices: ``(groups, windows, window * channels)``."""
    chosen = windows[part(block)]
    size, channels = _window_size(along), windows.shape[-1] // groups
    rows = math.prod(chosen.shape[: len(along) + 1])
    if groups == 1:
        return chosen.reshape((1, rows, size * channels))
    split = chosen.reshape((rows, size, groups, channels)).transpose(2, 0, 1, 3)
    return split.reshape((groups, rows, size * channels))


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
    result = None if len(work) == 1 else xp.zeros(shape, images.dtype)
    for block in work:
        product = xp.matmul(_columns(windows, block, along, groups), matrices)
        if groups > 1:
            product = product.transpose(1, 0, 2)
        if result is None:
            return xp.ascontiguousarray(product.reshape(shape))
        place = part(block)
        result[place] = product.reshape(result[place].shape)
    return result


def input_gradient(xp: Any, filters: Array, gradient: Array, along: Axes, channels: int) -> Array:
    """What ``convolve`` passes back to its images: ``(images, *spatial, channels)``."""
    groups = channels // filters.shape[-2]
    matrices = _filter_matrices(filters, groups).swapaxes(1, 2)
    count = gradient.shape[0]
    padded = xp.zeros((count, *[axis.padded for axis in along], channels), gradient.dtype)
    for block in _blocks(xp, count, along, channels):
        inner = gradient[part(block)].shape[:-1]
        columns = xp.matmul(_output_matrices(gradient, block, groups), matrices)
        columns = columns.reshape((groups, *inner, _window_size(along), channels // groups))
        for number, position in enumerate(positions(along)):
            share = columns[..., number, :]
            share = share[0] if groups == 1 else _join_groups(xp, share, channels)
            padded[at(along, position, block)] += share
    return _windows.crop(xp, padded, along, 1)


def _join_groups(xp: Any, values: Array, channels: int) -> Array:
    joined = xp.moveaxis(values, 0, -2)
    return joined.reshape((*joined.shape[:-2], channels))


def filter_gradient(
    xp: Any, images: Array, gradient: Array, along: Axes, shape: tuple[int, ...]
) -> Array:
    """What ``convolve`` passes back to its filter, which has ``shape``."""
    *window, channels, outputs = shape
    groups = images.shape[-1] // channels
    windows = _view_windows(xp, _windows.pad(xp, images, along, 1), along)
    size = math.prod(window)
    total = xp.zeros((groups, size * channels, outputs // groups), images.dtype)
    for block in _blocks(xp, images.shape[0], along, images.shape[-1]):
        columns = _columns(windows, block, along, groups)
        total += xp.matmul(columns.swapaxes(1, 2), _output_matrices(gradient, block, groups))
    return xp.ascontiguousarray(total.transpose(1, 0, 2)).reshape(shape)
