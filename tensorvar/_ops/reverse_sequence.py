"""The beginnings of sequences, of given lengths, in reverse order."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _index_checks, _row_kernels, _rows
from tensorvar._ops._gradient_helpers import Gradients

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_NAME = 'ReverseSequence'


def _infer(
    input: ArraySpec, seq_lengths: ArraySpec, *, seq_axis: int, batch_axis: int
) -> ArraySpec:
    rank = len(input.shape)
    for argument, axis in (('seq_axis', seq_axis), ('batch_axis', batch_axis)):
        if not 0 <= axis < rank:
            raise errors.InvalidArgumentError(
                f'[{_NAME}] Invalid {argument} {axis}: it must be >= 0 and < input rank ({rank}); '
                f'count from the front',
                _NAME,
            )
    if seq_axis == batch_axis:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] batch_axis == seq_axis == {seq_axis}; they must differ; give two axes',
            _NAME,
        )
    dim = input.shape[batch_axis]
    if len(seq_lengths.shape) != 1 or not _arguments.same_dim(seq_lengths.shape[0], dim):
        raise errors.InvalidArgumentError(
            f'[{_NAME}] seq_lengths of shape {list(seq_lengths.shape)} were given; its length must '
            f'be input.dims({batch_axis}) = {dim}; give a vector with one length per sequence',
            _NAME,
        )
    return input


def _refuse_lengths(xp: Any, seq_lengths: Array, limit: int) -> None:
    _index_checks.refuse_outside(xp, _NAME, seq_lengths, limit + 1, 'seq_lengths')


def _forward(xp: Any, array: Array, seq_lengths: Array, *, seq_axis: int, batch_axis: int) -> Array:
    if _index_checks.may_look(xp):
        _refuse_lengths(xp, seq_lengths, array.shape[seq_axis])
    moved = xp.moveaxis(array, (batch_axis, seq_axis), (0, 1))
    batch, length = moved.shape[:2]
    table = moved.reshape((batch * length, math.prod(moved.shape[2:])))
    places = xp.arange(length)
    ends = seq_lengths[:, None]
    source = xp.where(places < ends, ends - 1 - places, places)
    rows = xp.arange(batch)[:, None] * length + source
    # Of a bad length that nobody looked at, which would reach into the next sequence.
    rows = xp.where((source >= 0) & (source < length), rows, -1).reshape((-1,))
    reversed_rows = _rows.take_rows(xp, table, rows).reshape(moved.shape)
    return xp.moveaxis(reversed_rows, (0, 1), (batch_axis, seq_axis))


def _kernel(
    kernels: 'Kernels', array: Array, seq_lengths: Array, *, seq_axis: int, batch_axis: int
) -> Array:
    xp, limit = kernels.xp, array.shape[seq_axis] + 1
    result = _forward(xp, array, seq_lengths, seq_axis=seq_axis, batch_axis=batch_axis)
    _row_kernels.report_outside(kernels, _NAME, seq_lengths, limit, 'seq_lengths')
    return result


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    back = executor.run(REVERSE_SEQUENCE, gradient, context.inputs[1], **context.attributes)
    return back, None


REVERSE_SEQUENCE = op_registry.register(
    OpDef(
        _NAME,
        _infer,
        _forward,
        _gradient,
        inputs='T i',
        dtypes={'i': _rows.INDICES},
        kernel=_kernel,
    )
)


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: str | None = None,
) -> Tensor:
    """Reverses the first elements of each sequence of a batch, and keeps the others.

    Args:
        input: values of any dtype.
        seq_lengths: for each sequence, how many elements to reverse; int32 or int64.
        seq_axis: the axis along which sequences lie.
        batch_axis: the axis of the batch; None for the first.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``.

    Raises:
        TypeError: no ``seq_axis``.
        InvalidArgumentError: an axis is out of range, or the number of lengths is wrong.
        InvalidIndexError: a length is negative or longer than a sequence. One that comes
            from a card itself gives zeros for what lies outside, and is reported when the
            host next waits for the card.

    Example:
        >>> import tensorvar as tv
        >>> tv.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1).numpy().tolist()
        [[2, 1, 3], [6, 5, 4]]
    """
    if seq_axis is None:
        raise errors.InvalidTypeError(
            f'[{_NAME}] seq_axis is None; an integer was expected; give the axis along which the '
            f'sequences lie',
            _NAME,
        )
    along = _arguments.scalar(_NAME, 'seq_axis', seq_axis)
    batch = 0 if batch_axis is None else _arguments.scalar(_NAME, 'batch_axis', batch_axis)
    shape = _arguments.shape_of(input)

    def check(host: Array) -> None:
        if 0 <= along < len(shape):
            _refuse_lengths(np, host, shape[along] or 0)

    _rows.check_on_host(input, seq_lengths, _NAME, check)
    result: Tensor = executor.run(
        REVERSE_SEQUENCE, input, seq_lengths, seq_axis=along, batch_axis=batch
    )
    return result
