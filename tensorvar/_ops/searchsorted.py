"""Where values would go into sorted sequences."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, Forward, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _rows

_INT64 = dtypes.int64.numpy
_FLOAT32 = dtypes.float32.numpy
_SIDES = ('left', 'right')


def _rule(op: str) -> Infer:
    def infer(
        sorted_sequence: ArraySpec, values: ArraySpec, *, out_type: np.dtype[Any]
    ) -> ArraySpec:
        sequence, wanted = sorted_sequence.shape, values.shape
        if not sequence or not wanted:
            raise errors.InvalidArgumentError(
                f'[{op}] sorted_sequence of shape {list(sequence)} and values of shape '
                f'{list(wanted)} were given; both must be 1-D or higher; reshape scalars to [1]',
                op,
            )
        if _arguments.merged(sequence[:-1], wanted[:-1]) is None:
            raise errors.InvalidArgumentError(
                f'[{op}] Leading dim_size of both tensors must match, but shapes {list(sequence)} '
                f'and {list(wanted)} were given; reshape one of them',
                op,
            )
        return ArraySpec(wanted, out_type)

    return infer


def _forward(side: str) -> Forward:
    def forward(xp: Any, sequence: Array, values: Array, *, out_type: np.dtype[Any]) -> Array:
        if sequence.dtype in dtypes.HALF_PRECISION:
            sequence, values = sequence.astype(_FLOAT32), values.astype(_FLOAT32)
        count, length = math.prod(sequence.shape[:-1]), sequence.shape[-1]
        if count == 1:
            flat = sequence.reshape((length,))
            found = xp.searchsorted(flat, values.reshape((-1,)), side=side)
        elif values.size == 0 or length == 0:
            found = xp.zeros(values.shape, _INT64)
        else:
            rows = values.reshape((count, values.shape[-1]))
            found = search_rows(xp, sequence.reshape((count, length)), rows, side)
        return found.reshape(values.shape).astype(out_type)

    return forward


def search_rows(xp: Any, sequences: Array, values: Array, side: str) -> Array:
    """Positions of the values of each row in the sequence of that row; int64.

    Halves the range for every value at once.
    """
    length = sequences.shape[1]
    low = xp.zeros(values.shape, _INT64)
    high = xp.full(values.shape, length, _INT64)
    for _ in range(length.bit_length()):
        middle = (low + high) // 2
        found = xp.take_along_axis(sequences, xp.minimum(middle, length - 1), axis=1)
        before = found < values if side == 'left' else found <= values
        open_range = low < high
        low = xp.where(open_range & before, middle + 1, low)
        high = xp.where(open_range & ~before, middle, high)
    return low


def _register(name: str, side: str) -> OpDef:
    return op_registry.register(
        OpDef(
            name,
            _rule(name),
            _forward(side),
            NOT_DIFFERENTIABLE,
            inputs='T T',
            dtypes={'T': dtypes.REAL},
        )
    )


LOWER_BOUND = _register('LowerBound', 'left')
UPPER_BOUND = _register('UpperBound', 'right')


def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = 'left',
    out_type: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """The positions at which values keep a sequence sorted.

    Args:
        sorted_sequence: real numbers, in ascending order along the last axis.
        values: numbers of the same dtype and leading dimensions.
        side: ``'left'``: before equal elements; or ``'right'``: behind them.
        out_type: int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape of ``values`` and the dtype ``out_type``.

    Raises:
        ValueError: another ``side``.
        InvalidArgumentError: the leading dimensions or dtypes differ; wrong ``out_type``.

    Example:
        >>> import tensorvar as tv
        >>> tv.searchsorted([1, 3, 5], [0, 3, 9]).numpy().tolist()
        [0, 1, 3]
    """
    if side not in _SIDES:
        raise errors.InvalidArgumentError(
            f"[searchsorted] Argument `side` must be either 'right' or 'left'. Received: `side` = "
            f'{side!r}; give one of them',
            'searchsorted',
        )
    op = LOWER_BOUND if side == 'left' else UPPER_BOUND
    wanted = dtypes.as_dtype(out_type)
    if wanted.numpy not in _rows.INDICES:
        raise errors.InvalidTypeError(
            f'[{op.name}] out_type {wanted.name} was given; allowed are int32 and int64; tv.cast '
            f'the result',
            op.name,
        )
    # Each takes its own natural dtype, as in TensorFlow.
    given = [conversion.convert_to_tensor(value) for value in (sorted_sequence, values)]
    result: Tensor = executor.run(op, *given, out_type=wanted.numpy)
    return result
