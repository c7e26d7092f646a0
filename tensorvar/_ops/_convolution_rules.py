"""Shape rules of convolutions and their gradients, and the layout of images."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import ArraySpec
from tensorvar._ops import _arguments, _windows
from tensorvar._ops._windows import Axis, Padding

Ints = tuple[int, ...]
Dims = tuple[int | None, ...]


class Parts(NamedTuple):
    """A shape of images taken apart."""

    batch: Dims
    spatial: Dims
    channels: int | None


def split_shape(shape: Dims, spatial_rank: int, channels_first: bool) -> Parts:
    """Takes the shape of images apart; there may be several batch dimensions."""
    end = len(shape) - spatial_rank - 1
    if channels_first:
        return Parts(shape[:end], shape[end + 1 :], shape[end])
    return Parts(shape[:end], shape[end:-1], shape[-1])


def join_shape(parts: Parts, channels_first: bool) -> Dims:
    """The reverse of ``split_shape``."""
    if channels_first:
        return (*parts.batch, parts.channels, *parts.spatial)
    return (*parts.batch, *parts.spatial, parts.channels)


def channels_last(xp: Any, images: Array, spatial_rank: int, channels_first: bool) -> Array:
    """Images as ``(images, *spatial, channels)`` in C order."""
    inner = images.shape[images.ndim - spatial_rank - 1 :]
    flat = images.reshape((math.prod(images.shape[: -spatial_rank - 1]), *inner))
    return xp.ascontiguousarray(xp.moveaxis(flat, 1, -1) if channels_first else flat)


def restore(xp: Any, images: Array, batch: Ints, channels_first: bool) -> Array:
    """The reverse of ``channels_last``."""
    if channels_first:
        images = xp.ascontiguousarray(xp.moveaxis(images, -1, 1))
    return images.reshape((*batch, *images.shape[1:]))


def fail(op: str, given: str, allowed: str, advice: str) -> errors.InvalidArgumentError:
    """The error for shapes that do not fit."""
    return errors.InvalidArgumentError(f'[{op}] {given}; {allowed}; {advice}', op)


def check_ranks(op: str, images: Dims, filters: Dims, spatial_rank: int, exact: bool) -> None:
    """Raises unless images and filter have the ranks of this op."""
    rank = spatial_rank + 2
    if len(images) < rank or (exact and len(images) > rank):
        raise fail(
            op,
            f'input must be {rank}-dimensional: {list(images)} was given',
            f'allowed is {"" if exact else "at least "}{rank}: batch, spatial and channels',
            'use tv.expand_dims or reshape',
        )
    check_filter_rank(op, filters, spatial_rank)


def check_filter_rank(op: str, filters: Dims, spatial_rank: int) -> None:
    """Raises unless the filter has its rank and no empty window."""
    rank = spatial_rank + 2
    if len(filters) != rank:
        raise fail(
            op,
            f'filter must be {rank}-dimensional: {list(filters)} was given',
            'allowed is (*window, channels, outputs)',
            'reshape the filter',
        )
    if 0 in filters[:-1]:
        raise fail(
            op,
            f'filter must not have zero elements: {list(filters)} was given',
            'every dimension of the window and its depth have to be positive',
            'give a larger filter',
        )


def check_groups(op: str, channels: int | None, filters: Dims) -> None:
    """Raises unless channels and outputs divide into groups of the filter's depth."""
    depth, outputs = filters[-2], filters[-1]
    if channels is None or depth is None:
        return
    if not channels or channels % depth:
        raise fail(
            op,
            f'input depth must be evenly divisible by filter depth: {channels} vs {depth}',
            f'the filter has shape {list(filters)}',
            'check data_format, or give a filter of the depth of the input',
        )
    groups = channels // depth
    if outputs is not None and outputs % groups:
        raise fail(
            op,
            f'output depth must be evenly divisible by number of groups: {outputs} vs {groups}',
            f'{channels} channels and a filter of shape {list(filters)} make {groups} groups',
            'give a filter with another number of outputs',
        )


def check_result(op: str, given: Dims, expected: Dims) -> None:
    """Raises unless the gradient of a convolution has the shape of its result."""
    if len(given) != len(expected) or not all(map(_arguments.same_dim, given, expected)):
        raise fail(
            op,
            f"Size of out_backprop doesn't match computed: actual = {list(given)}, "
            f'computed = {list(expected)}',
            'with these sizes, strides and padding only the computed shape is possible',
            'check output_shape, strides and data_format',
        )


def convolution_shape(
    op: str,
    images: Dims,
    filters: Dims,
    strides: Ints,
    dilations: Ints,
    padding: Padding,
    channels_first: bool,
) -> Dims:
    """The shape of the result of a convolution.

    Raises:
        InvalidArgumentError: the shapes do not fit.
    """
    rank = len(strides)
    check_ranks(op, images, filters, rank, exact=False)
    parts = split_shape(images, rank, channels_first)
    check_groups(op, parts.channels, filters)
    windows = [1 if dim is None else dim for dim in filters[:rank]]
    counts = _windows.counts(op, parts.spatial, windows, strides, dilations, padding)
    return join_shape(Parts(parts.batch, counts, filters[-1]), channels_first)


def known_axes(
    images: Sequence[int],
    filters: Sequence[int],
    strides: Ints,
    dilations: Ints,
    padding: Padding,
    channels_first: bool,
) -> tuple[Axis, ...]:
    """The windows along the spatial axes of images whose shape is checked."""
    rank = len(strides)
    spatial = images[-rank:] if channels_first else images[-rank - 1 : -1]
    return _windows.axes(spatial, filters[:rank], strides, dilations, padding)


def check_spec(op: str, shape: Ints, *specs: ArraySpec) -> None:
    """Raises if a size given as an attribute is negative."""
    for dim in shape:
        if dim < 0:
            raise fail(
                op,
                f'shape {list(shape)} was given: Dimension {dim} must be >= 0',
                f'the other shapes are {[list(spec.shape) for spec in specs]}',
                'give every dimension',
            )
