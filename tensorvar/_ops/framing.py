"""Signals cut into frames, frames added up to signals, and windows for them."""

import math
from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import conversion, executor
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    array_layout,
    array_shape,
    creation,
    gather,
    padding,
    ranges,
    segment,
    trigonometric,
)


def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: Any = -1,
    name: str | None = None,
) -> Tensor:
    """Frames of equal length along an axis, which may overlap.

    Args:
        signal: values of rank 1 or more.
        frame_length: how long a frame is.
        frame_step: how far a frame begins after the one before it.
        pad_end: whether frames may reach past the end, which is filled up.
        pad_value: with what.
        axis: the axis of the signal.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with two axes, frames and places in them, instead of ``axis``.

    Raises:
        InvalidArgumentError: a scalar, an axis out of range, a step below 1, or a negative
            length.
    """
    signal = conversion.convert_to_tensor(signal)
    length = _arguments.scalar('frame', 'frame_length', frame_length)
    step = _arguments.scalar('frame', 'frame_step', frame_step)
    rank = len(signal._shape)
    if rank < 1 or step < 1 or length < 0:
        raise errors.InvalidArgumentError(
            f'[frame] a signal of shape {list(signal._shape)}, frame_length {length} and '
            f'frame_step {step} were given; allowed are rank 1 or more, a length from 0 and a '
            f'step from 1 on; correct them',
            'frame',
        )
    place = _shapes.normalize_axis('frame', _arguments.scalar('frame', 'axis', axis), rank)
    there = signal._shape[place]
    count = -(-there // step) if pad_end else max(0, 1 + (there - length) // step)
    missing = (count - 1) * step + length - there if count else 0
    if pad_end and missing > 0:
        paddings = [(0, missing if other == place else 0) for other in range(rank)]
        signal = padding.pad(signal, paddings, constant_values=pad_value)
    # A leading axis keeps the gradient from being sparse.
    batch = array_shape.expand_dims(signal, 0)
    taken = gather.gather(batch, _positions(count, length, step), axis=place + 1)
    return array_shape.squeeze(taken, 0)


def _positions(count: int, length: int, step: int) -> Tensor:
    """Where each place of each frame lies in the signal."""
    starts: Tensor = array_shape.expand_dims(ranges.range(count), 1) * step
    result: Tensor = starts + ranges.range(length)
    return result


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Adds up frames that overlap; undoes ``frame`` where the windows add up to 1.

    Args:
        signal: numbers of shape ``(..., frames, frame_length)``.
        frame_step: how far a frame begins after the one before it.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(..., (frames - 1) * frame_step + frame_length)``.

    Raises:
        InvalidArgumentError: the rank is below 2, or the step below 1.
    """
    signal = conversion.convert_to_tensor(signal)
    step = _arguments.scalar('overlap_and_add', 'frame_step', frame_step)
    shape = signal._shape
    if len(shape) < 2 or step < 1:
        raise errors.InvalidArgumentError(
            f'[overlap_and_add] a signal of shape {list(shape)} and frame_step {step} were given; '
            f'allowed are rank 2 or more and a step from 1 on; reshape it',
            'overlap_and_add',
        )
    outer, (count, length) = shape[:-2], shape[-2:]
    total = (count - 1) * step + length if count else 0
    rows = array_shape.reshape(signal, (math.prod(outer), count * length))
    places = array_shape.reshape(_positions(count, length, step), (count * length,))
    added = segment.unsorted_segment_sum(array_layout.transpose(rows), places, total)
    return array_shape.reshape(array_layout.transpose(added), (*outer, total))


# Windows


def _read_window(op: str, window_length: Any, dtype: Any) -> tuple[int, dtypes.DType]:
    target = dtypes.as_dtype(dtype)
    length = _arguments.scalar(op, 'window_length', window_length)
    if not target.is_floating or length < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] window_length {length} and dtype {target.name} were given; dtype must be a '
            f'floating point type, and the length not negative; correct them',
            op,
        )
    return length, target


def _places(length: int, target: dtypes.DType) -> Tensor:
    result: Tensor = executor.run(OPS['Cast'], ranges.range(length), dtype=target.numpy)
    return result


def _raised_cosine(
    op: str, window_length: Any, periodic: bool, dtype: Any, low: float, height: float
) -> Tensor:
    length, target = _read_window(op, window_length, dtype)
    if length == 1:
        return creation.ones([1], dtype=target)
    # A periodic window of even length is the symmetric one of the next length, cut.
    period = length - 1 + (1 if periodic and length % 2 == 0 else 0)
    angles: Tensor = _places(length, target) * (2 * math.pi / max(period, 1))
    result: Tensor = low - height * trigonometric.cos(angles)
    return result


def hann_window(
    window_length: Any,
    periodic: bool = True,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """The window of Hann: one period of a raised cosine.

    Args:
        window_length: how long it is.
        periodic: whether the last value, which equals the first, is left out; as in
            TensorFlow, this concerns even lengths.
        dtype: a floating-point type.
        name: accepted for TensorFlow's sake.

    Returns:
        A vector.

    Raises:
        InvalidArgumentError: the length is negative or no integer, or the dtype is wrong.
    """
    return _raised_cosine('hann_window', window_length, periodic, dtype, 0.5, 0.5)


def hamming_window(
    window_length: Any,
    periodic: bool = True,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """The window of Hamming, which does not quite reach 0; see ``hann_window``."""
    return _raised_cosine('hamming_window', window_length, periodic, dtype, 0.54, 0.46)


def vorbis_window(
    window_length: Any, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The window of Vorbis, whose squares add up to 1 at half overlap; see ``hann_window``."""
    length, target = _read_window('vorbis_window', window_length, dtype)
    angles: Tensor = (_places(length, target) + 0.5) * (math.pi / max(length, 1))
    return trigonometric.sin(math.pi / 2 * trigonometric.sin(angles) ** 2)
