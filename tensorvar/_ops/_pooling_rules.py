"""Shape rules and arguments that average and max pooling share.

Windows are given for every dimension of the input, so channels may stand anywhere.
"""

from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._core.op_registry import ArraySpec
from tensorvar._ops import _arguments, _windows, convolution_arguments
from tensorvar._ops._windows import Axis, Padding

Ints = tuple[int, ...]
Dims = tuple[int | None, ...]


class Sizes(NamedTuple):
    """The attributes of a pooling op.

    Attributes:
        ksize: the window, for every dimension.
        strides: likewise.
        padding: ``'SAME'``, ``'VALID'`` or a pair for every dimension.
    """

    ksize: Ints
    strides: Ints
    padding: Padding


def pooled_shape(op: str, shape: Dims, ksize: Ints, strides: Ints, padding: Padding) -> Dims:
    """The shape of the pooled input.

    Raises:
        InvalidArgumentError: the rank or the windows do not fit.
    """
    if len(shape) != len(ksize):
        raise errors.InvalidArgumentError(
            f'[{op}] input of shape {list(shape)} was given; tensor_in must be '
            f'{len(ksize)}-dimensional, with {len(ksize) - 2} spatial dimensions; reshape it',
            op,
        )
    return _windows.counts(op, shape, ksize, strides, (1,) * len(ksize), padding)


def known_axes(shape: Ints, ksize: Ints, strides: Ints, padding: Padding) -> tuple[Axis, ...]:
    """The windows along all axes of an input whose shape is checked."""
    return _windows.axes(shape, ksize, strides, (1,) * len(ksize), padding)


def check_result(op: str, given: ArraySpec, expected: Dims, argument: str) -> None:
    """Raises unless a gradient or result has the shape that pooling gives."""
    if len(given.shape) != len(expected) or not all(
        map(_arguments.same_dim, given.shape, expected)
    ):
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} has shape {list(given.shape)}; the pooled input has shape '
            f'{list(expected)}; give a tensor of that shape',
            op,
        )


def spatial_rank(op: str, input: Any) -> int:
    """How many spatial dimensions an input has: 1, 2 or 3.

    Raises:
        InvalidArgumentError: it has another number.
    """
    rank = _arguments.rank_of(input)
    if not 3 <= rank <= 5:
        raise errors.InvalidArgumentError(
            f'[{op}] `input.shape.rank` must be 3, 4 or 5. Received an input of rank {rank}; '
            f'reshape it to (batch, *spatial, channels)',
            op,
        )
    return rank - 2


def read_sizes(
    op: str,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    spatial_rank: int,
    *,
    explicit: bool,
    across_channels: bool,
) -> Sizes:
    """Reads TensorFlow's arguments.

    Args:
        op: who asks, for the error text.
        ksize: one integer, one per spatial dimension, or one per dimension.
        strides: likewise.
        padding: ``'SAME'``, ``'VALID'`` or pairs.
        data_format: channels last or first.
        spatial_rank: number of spatial dimensions.
        explicit: whether pairs are taken as padding.
        across_channels: whether windows may reach across channels.

    Raises:
        InvalidArgumentError: an argument does not fit.
        UnimplementedError: windows reach across the batch, or channels if not allowed.
    """
    first = convolution_arguments.read_layout(op, data_format, spatial_rank)
    window = convolution_arguments.read_sequence(op, 'ksize', ksize, spatial_rank, first)
    steps = convolution_arguments.read_sequence(op, 'strides', strides, spatial_rank, first)
    _check_positive(op, 'ksize', window)
    _check_positive(op, 'strides', steps)
    _check_outer(op, window, steps, 1 if first else spatial_rank + 1, across_channels)
    around = convolution_arguments.read_padding(op, padding, spatial_rank, first, explicit=explicit)
    if not isinstance(around, str):
        around = ((0, 0), (0, 0), *around) if first else ((0, 0), *around, (0, 0))
        _check_pairs(op, around, window)
    return Sizes(window, steps, around)


def _check_positive(op: str, name: str, numbers: Ints) -> None:
    if min(numbers) < 1:
        raise errors.InvalidArgumentError(
            f'[{op}] {name} {list(numbers)} were given; each must be > 0, but got '
            f'{min(numbers)}; give positive numbers',
            op,
        )


def _check_outer(op: str, window: Ints, steps: Ints, channel: int, across: bool) -> None:
    if window[0] != 1 or steps[0] != 1:
        raise errors.UnimplementedError(
            f'[{op}] ksize {list(window)} and strides {list(steps)} were given; Pooling is not '
            f'yet supported on the batch dimension; give 1 there',
            op,
        )
    if window[channel] == steps[channel] == 1:
        return
    spatial = [size for axis, size in enumerate(window) if axis not in (0, channel)]
    if not across or max(spatial) > 1 or window[channel] != steps[channel]:
        raise errors.UnimplementedError(
            f'[{op}] ksize {list(window)} and strides {list(steps)} were given; only max pooling '
            f'can be across channels, with equal window and stride, and then not across width '
            f'and height too; pool twice',
            op,
        )


def _check_pairs(op: str, pairs: tuple[tuple[int, int], ...], window: Ints) -> None:
    for pair, size in zip(pairs, window, strict=True):
        if max(pair) >= size and max(pair) > 0:
            raise errors.InvalidArgumentError(
                f'[{op}] padding {list(pair)} was given; padding needs to be smaller than the '
                f'window size {size}, or a window would hold nothing; pad less',
                op,
            )
