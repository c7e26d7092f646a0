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


Operand = ArrayValue | HostOperand


def prepare(op: OpDef, inputs: Sequence[Any]) -> list[Operand]:
    """Converts host inputs and checks every dtype.

    Inputs with the same letter in ``op.inputs`` share a dtype: that of the first tensor
    or variable among them, else the natural one of the first host value.

    Raises:
        InvalidArgumentError: dtypes differ or are not allowed, or a host value does not
            convert without damage.
    """
    values = [conversion.unwrap(value) for value in inputs]
    found: dict[str, np.dtype[Any]] = {}
    for position, value in enumerate(values):
        if isinstance(value, ArrayValue):
            found.setdefault(op.letter(position), value._spec().dtype)
    operands: list[Operand] = []
    for position, value in enumerate(values):
        letter = op.letter(position)
        operand = value if isinstance(value, ArrayValue) else _host(op, value, found.get(letter))
        dtype = found.setdefault(letter, operand._spec().dtype)
        if operand._spec().dtype is not dtype:
            raise _different_dtypes(op, position, operand, dtype)
        operands.append(operand)
    _check_allowed(op, operands)
    return operands


def _host(op: OpDef, value: Any, dtype: np.dtype[Any] | None) -> HostOperand:
    array = host_data.to_array(value, dtype, op.name)
    is_number = isinstance(value, bool | int | float | complex) or array.size == 1
    return HostOperand(array, is_number)


def _check_allowed(op: OpDef, operands: Sequence[Operand]) -> None:
    for position, operand in enumerate(operands):
        allowed = op.dtypes.get(op.letter(position))
        dtype = operand._spec().dtype
        if allowed is not None and dtype not in allowed:
            names = ', '.join(d.name for d in dtypes.ALL if d.numpy in allowed)
            raise errors.InvalidTypeError(
                f'[{op.name}] input #{position} ({op.argument(position)}) has dtype '
                f'{dtypes.from_numpy(dtype).name}; allowed are {names}; tv.cast it first',
                op.name,
            )


def _different_dtypes(
    op: OpDef, position: int, operand: Operand, dtype: np.dtype[Any]
) -> errors.InvalidArgumentError:
    expected = dtypes.from_numpy(dtype).name
    spec = operand._spec()
    given = dtypes.from_numpy(spec.dtype).name
    return errors.InvalidTypeError(
        f'[{op.name}] input #{position} (zero-based, {op.argument(position)}, shape '
        f'{list(spec.shape)}) was expected to be a {expected} tensor but is a {given} tensor; '
        f'tensors are not promoted silently; tv.cast one of them',
        op.name,
    )
