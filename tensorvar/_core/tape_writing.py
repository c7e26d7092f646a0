"""Writes what runs down on the tapes of the current scopes."""

from collections.abc import Sequence
from typing import Any

from tensorvar._backend.base import Array
from tensorvar._core import tape_entries
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import scope
from tensorvar._device.device import Device

_NO_ATTRIBUTES: dict[str, Any] = {}


def write_down(
    state: scope.ContextState,
    op: OpDef,
    inputs: tuple[Any, ...],
    outputs: tuple[Any, ...],
    attributes: dict[str, Any],
) -> None:
    """One entry on every tape.

    Args:
        state: the current scopes.
        op: the record of the op.
        inputs: tensors on the device where the op ran.
        outputs: its results.
        attributes: its attributes.
    """
    entry = (op, inputs, outputs, attributes)
    for tape in state.tapes:
        tape.write(entry)


def as_tensors(
    inputs: Sequence[Any], arrays: Sequence[Array], device: Device, state: scope.ContextState
) -> tuple[Tensor, ...]:
    """The inputs of an op as tensors of one device; reads and copies are written down.

    Args:
        inputs: as they were given, or as operands.
        arrays: the array of each, on ``device``.
        device: where the op ran.
        state: the current scopes.
    """
    local = []
    for position, value in enumerate(inputs):
        array = arrays[position]
        if type(value) is Tensor and value._array is array:
            local.append(value)
            continue
        tensor = wrap(array, device)
        local.append(tensor)
        if isinstance(value, ArrayValue):
            op = tape_entries.COPY if isinstance(value, Tensor) else tape_entries.READ
            entry = (op, (value,), (tensor,), _NO_ATTRIBUTES)
            for tape in state.tapes:
                tape.write(entry)
    return tuple(local)
