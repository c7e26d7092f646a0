"""The inputs of an op, checked and converted before anything is placed or copied."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion, host_data
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec, OpDef


class HostOperand(NamedTuple):
    """Host data given to an op.

    Attributes:
        array: an own array with its final dtype.
        is_number: whether a Python number was given, which is no copy when it moves.
    """

    array: np.ndarray[Any, Any]
    is_number: bool

    def _spec(self) -> ArraySpec:
        return ArraySpec(self.array.shape, self.array.dtype)

    def _describe(self) -> str:
        dtype = dtypes.from_numpy(self.array.dtype).name
        return f'a host value of shape {list(self.array.shape)}, {dtype}'


Operand = ArrayValue | HostOperand


def prepare(op: OpDef, inputs: Sequence[Any]) -> list[Operand]:
    """Converts host inputs and checks every dtype.

    Inputs with the same letter in ``op.inputs`` share a dtype: that of the first tensor
    or variable among them, else of the first list that holds some, else the natural one of
    the first host value.

    Raises:
        InvalidArgumentError: dtypes differ or are not allowed, or a host value does not
            convert without damage.
    """
    leaders: dict[str, Operand] = {}
    for position, value in enumerate(inputs):
        if isinstance(value, ArrayValue):
            leaders.setdefault(op.letter(position), value)
    values = []
    for position, value in enumerate(inputs):
        leader = leaders.get(op.letter(position))
        value = conversion.unwrap(value, None if leader is None else leader._spec().dtype)
        if leader is None and isinstance(value, ArrayValue):
            leaders[op.letter(position)] = value
        values.append(value)
    operands: list[Operand] = []
    for position, value in enumerate(values):
        leader = leaders.get(op.letter(position))
        operand = value if isinstance(value, ArrayValue) else _host(op, value, leader)
        if leader is None:
            leaders[op.letter(position)] = operand
        elif operand._spec().dtype is not leader._spec().dtype:
            raise _different_dtypes(op, position, operand, leader)
        operands.append(operand)
    _check_allowed(op, operands)
    return operands


def dtypes_agree(op: OpDef, values: Sequence[Any]) -> bool:
    """Whether inputs with one letter share a dtype that the op takes.

    Args:
        op: the record of the op.
        values: arrays, or specs of arrays.
    """
    leaders: dict[str, np.dtype[Any]] = {}
    for position, value in enumerate(values):
        letter = op.letter(position)
        dtype = value.dtype
        if leaders.setdefault(letter, dtype) is not dtype:
            return False
        allowed = op.dtypes.get(letter)
        if allowed is not None and dtype not in allowed:
            return False
    return True


def _host(op: OpDef, value: Any, leader: Operand | None) -> HostOperand:
    try:
        array = host_data.to_array(value, None if leader is None else leader._spec().dtype, op.name)
    except errors.InvalidArgumentError as error:
        if leader is not None:
            error._add(f'it was given together with {leader._describe()}')
        raise
    is_number = isinstance(value, bool | int | float | complex) or array.size == 1
    return HostOperand(array, is_number)


def _check_allowed(op: OpDef, operands: Sequence[Operand]) -> None:
    for position, operand in enumerate(operands):
        allowed = op.dtypes.get(op.letter(position))
        dtype = operand._spec().dtype
        if allowed is not None and dtype not in allowed:
            names = ', '.join(d.name for d in dtypes.ALL if d.numpy in allowed)
            raise errors.UnsupportedTypeError(
                f'[{op.name}] input #{position} ({op.argument(position)}) has dtype '
                f'{dtypes.from_numpy(dtype).name}; allowed are {names}; tv.cast it first',
                op.name,
            )


def _different_dtypes(
    op: OpDef, position: int, operand: Operand, leader: Operand
) -> errors.InvalidTypeError:
    expected, given = (dtypes.from_numpy(value._spec().dtype).name for value in (leader, operand))
    # TensorFlow finds no kernel that casts text.
    kind = errors.UnsupportedTypeError if 'string' in (expected, given) else errors.InvalidTypeError
    return kind(
        f'[{op.name}] input #{position} (zero-based, {op.argument(position)}) was expected to be '
        f'a {expected} tensor but is a {given} tensor: {operand._describe()} beside '
        f'{leader._describe()}; tensors are not promoted silently; tv.cast one of them',
        op.name,
    )
