"""Windows that slide along axes: how many there are, and where each one lies.

Convolutions and pooling share this. Padding is ``'SAME'``, ``'VALID'`` or a pair
``(before, after)`` for each axis, as TensorFlow counts them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._backend.base import Array

Pair = tuple[int, int]
Padding = str | tuple[Pair, ...]


class Axis(NamedTuple):
    """The windows along one axis.

    Attributes:
        size: elements of the axis.
        places: how many windows there are.
        window: elements of a window.
        stride: elements from one window to the next.
        dilation: elements from one element of a window to the next.
        before: elements of padding before the first.
        after: elements of padding after the last; negative where the last elements of the
            axis belong to no window.
    """

    size: int
    places: int
    window: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def padded(self) -> int:
        """Elements of the padded axis."""
        return self.size + self.before + max(self.after, 0)

    def at(self, position: int, first: int = 0, count: int | None = None) -> slice:
        """Where the padded axis holds one position of many windows.

        Args:
            position: within the window.
            first: the first of the windows.
            count: how many windows; None for all.
        """
        windows = self.places if count is None else count
        start = position * self.dilation + first * self.stride
        return slice(start, start + max((windows - 1) * self.stride + 1, 0), self.stride)


def count_windows(
    op: str, size: int | None, window: int, stride: int, dilation: int, padding: str | Pair
) -> int | None:
    """How many windows fit on an axis; None for an axis of unknown size.

    Raises:
        InvalidArgumentError: the window is wider than the axis by a stride or more.
    """
    if size is None:
        return None
    if padding == 'SAME':
        return -(-size // stride)
    around = 0 if isinstance(padding, str) else sum(padding)
    extent = (window - 1) * dilation + 1
    room = size + around - extent + stride
    # Division rounds towards zero, as in TensorFlow.
    count = room // stride if room >= 0 else -(-room // stride)
    if count < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] Computed output size would be negative: {count} [input_size: {size}, '
            f'effective_filter_size: {extent}, stride: {stride}, padding: {padding}]; a window '
            f"has to fit into the padded input; use padding='SAME' or a smaller window",
            op,
        )
    return count


def counts(
    op: str,
    sizes: Sequence[int | None],
    windows: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Padding,
) -> tuple[int | None, ...]:
    """``count_windows`` of several axes."""
    return tuple(
        count_windows(op, size, window, stride, dilation, pair)
        for size, window, stride, dilation, pair in zip(
            sizes, windows, strides, dilations, _pairs(padding, len(strides)), strict=True
        )
    )


def axes(
    sizes: Sequence[int],
    windows: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Padding,
) -> tuple[Axis, ...]:
    """The windows along axes that ``counts`` has checked."""
    return tuple(
        _axis(size, window, stride, dilation, pair)
        for size, window, stride, dilation, pair in zip(
            sizes, windows, strides, dilations, _pairs(padding, len(strides)), strict=True
        )
    )


def _pairs(padding: Padding, rank: int) -> Sequence[str | Pair]:
    return [padding] * rank if isinstance(padding, str) else padding


def _axis(size: int, window: int, stride: int, dilation: int, padding: str | Pair) -> Axis:
    count = count_windows('windows', size, window, stride, dilation, padding) or 0
    extent = (window - 1) * dilation + 1
    if padding == 'SAME':
        missing = max((count - 1) * stride + extent - size, 0)
        before, after = missing // 2, missing - missing // 2
    elif isinstance(padding, str):
        before, after = 0, 0
    else:
        before, after = padding
    return Axis(size, count, window, stride, dilation, before, after)


def pad(xp: Any, array: Array, along: Sequence[Axis], first: int, fill: Any = 0) -> Array:
    """Puts padding around axes.

    Args:
        xp: the array module.
        array: what is padded.
        along: the axes, which follow one another.
        first: number of the first of them.
        fill: the value of the padding.

    Returns:
        A new array in C order, or ``array`` itself where there is no padding.
    """
    if all(axis.padded == axis.size for axis in along):
        return array
    shape = list(array.shape)
    inner = [slice(None)] * array.ndim
    for number, axis in enumerate(along, first):
        shape[number] = axis.padded
        inner[number] = slice(axis.before, axis.before + axis.size)
    padded = xp.full(tuple(shape), fill, array.dtype)
    padded[tuple(inner)] = array
    return padded


def crop(xp: Any, padded: Array, along: Sequence[Axis], first: int) -> Array:
    """Takes padding off again, see ``pad``; the result is in C order."""
    inner = [slice(None)] * padded.ndim
    for number, axis in enumerate(along, first):
        inner[number] = slice(axis.before, axis.before + axis.size)
    return xp.ascontiguousarray(padded[tuple(inner)])


class Block(NamedTuple):
    """Some windows: those of some images, or of some rows of one image.

    Attributes:
        images: which images.
        first: number of the first row of windows.
        rows: how many rows of windows.
    """

    images: slice
    first: int
    rows: int


def blocks(images: int, rows: int, row_size: int, limit: int) -> Iterator[Block]:
    """Cuts work into blocks of about ``limit`` elements.

    Args:
        images: how many images.
        rows: rows of windows of one image.
        row_size: elements of work per row of windows.
        limit: elements of work that one block may have.
    """
    per_image = max(rows * row_size, 1)
    if per_image <= limit:
        step = limit // per_image
        for start in range(0, images, step):
            yield Block(slice(start, min(start + step, images)), 0, rows)
        return
    step = max(limit // max(row_size, 1), 1)
    for image in range(images):
        for first in range(0, rows, step):
            yield Block(slice(image, image + 1), first, min(step, rows - first))
