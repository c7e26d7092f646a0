"""What the generated code of a segment calls."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorvar import errors
from tensorvar._backend import transfer
from tensorvar._backend.base import Array, Backend
from tensorvar._core import device_kernels, replicas, update, variable_write
from tensorvar._core.array_value import CopyNeed
from tensorvar._core.op_call import as_array
from tensorvar._core.op_registry import OpDef
from tensorvar._device import scope
from tensorvar._device.device import Device
from tensorvar._ops import random_seed

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

Need = tuple[str, str, bool]
State = scope.ContextState | None


class Moved:
    """The type of ``MOVED``."""


MOVED = Moved()
"""What a segment gives, before it does anything, if a variable is no longer as it was."""

GONE = -1
"""How many events are done where a variable is no longer as it was."""


def results_of(result: Any, backend: Backend, detached: bool) -> tuple[Array, ...]:
    """The result of a forward as arrays, none of them a scalar.

    Args:
        result: what the forward gave.
        backend: of the device where it ran.
        detached: whether views are copied.
    """
    results = result if isinstance(result, tuple) else (result,)
    arrays = tuple(as_array(each, backend) for each in results)
    if not detached:
        return arrays
    return tuple(
        backend.copy(array) if getattr(array, 'base', None) is not None else array
        for array in arrays
    )


def one_result(result: Any, backend: Backend) -> Array:
    """The one result of a forward as an array; of some ops it is a tuple of one."""
    if type(result) is backend.array_type:
        return result
    return as_array(result[0] if type(result) is tuple else result, backend)


def copied(array: Array, source: Device, device: Device, need: Need, state: State) -> Array:
    """An array on another device."""
    op, operand, explicit = need
    return transfer.to_device(
        array, source, device, explicit=explicit, op=op, operand=operand, state=state
    )


def replica(variable: 'Variable', device: Device, need: Need, state: State) -> Array:
    """The value of a variable on another device."""
    op, operand, explicit = need
    return replicas.read(variable, device, CopyNeed(op, operand, state, explicit=explicit))


def write(
    variable: 'Variable', op: OpDef, attributes: dict[str, Any], backend: Backend, *arrays: Array
) -> bool:
    """An op changes a variable, in place if nobody holds its buffer; says whether it did so."""
    xp = backend.array_module
    forward, write_into = device_kernels.choose(op, backend)
    in_place: Callable[[Array], None] | None = None
    if write_into is not None:

        def in_place(target: Array) -> None:
            backend.call(write_into, xp, target, *arrays, **attributes)

    def compute(old: Array) -> Array:
        return as_array(backend.call(forward, xp, old, *arrays, **attributes), backend)

    try:
        with variable._lock:
            return variable_write.replace(variable, in_place, compute)
    except errors.InvalidArgumentError as error:
        update.name_variable(error, variable)
        raise


def stream(op: str, traced: Any) -> Any:
    """The stream from which a random op of a replay draws, as an eager one would.

    Args:
        op: name of the op.
        traced: the stream of the traced draw.
    """
    if traced is None:
        return random_seed.stream(op, None)
    if isinstance(traced, random_seed.SeededStream):
        return random_seed.stream(*traced.origin)
    return traced
