"""Where an operation runs, and why.

The first rule that applies decides; its word is kept in the record of the op:

    variable   an op that changes a variable, or picks elements of one, runs where it lives
    explicit   inside ``with tv.device(d)``
    gradient   a backward op runs on the device of its forward op
    inputs     all inputs on one device: there; on several: a GPU before the CPU,
               then the one that holds most input bytes, then the lowest index
    default    no inputs: the default device
    fallback   the device asked for is absent, or cannot hold the dtype: ``CPU:0``
"""

from collections.abc import Sequence
from typing import NamedTuple

from tensorvar._device import registry, scope
from tensorvar._device.device import Device

VARIABLE = 'variable'
EXPLICIT = 'explicit'
GRADIENT = 'gradient'
INPUTS = 'inputs'
DEFAULT = 'default'
FALLBACK = 'fallback'


class Decision(NamedTuple):
    """A device and the rule that chose it; ``note`` explains a fallback."""

    device: Device
    reason: str
    note: str = ''


def choose(
    state: scope.ContextState | None,
    inputs: Sequence[tuple[Device, int]],
    variable: Device | None = None,
) -> Decision:
    """Chooses the device of one operation.

    Args:
        state: the current scopes.
        inputs: device and bytes of each input that already lives on a device.
        variable: the device of the variable the op changes or picks from, if any.

    Returns:
        The device with the reason.
    """
    if variable is not None:
        return Decision(variable, VARIABLE)
    if state is not None and state.device is not None:
        if state.device_scope.is_fallback:
            return Decision(state.device, FALLBACK, state.device_scope.text)
        return Decision(state.device, EXPLICIT)
    if state is not None and state.gradient_device is not None:
        return Decision(state.gradient_device, GRADIENT)
    if inputs:
        return Decision(_device_of_inputs(inputs), INPUTS)
    return Decision(registry.default_device(), DEFAULT)


def without_gpu(decision: Decision, what: str) -> Decision:
    """The decision for values that no GPU holds, such as strings."""
    if decision.device.kind == 'CPU':
        return decision
    note = f'{what} cannot live on {decision.device.short}'
    return Decision(registry.cpu(), FALLBACK, note)


def _device_of_inputs(inputs: Sequence[tuple[Device, int]]) -> Device:
    first = inputs[0][0]
    if all(device is first for device, _ in inputs):
        return first
    held: dict[Device, int] = {}
    for device, nbytes in inputs:
        held[device] = held.get(device, 0) + nbytes
    return max(held, key=lambda device: (device.kind == 'GPU', held[device], -device.index))


def creation_device(state: scope.ContextState | None) -> Device:
    """The device of an op without inputs, such as ``tv.zeros``."""
    return choose(state, ()).device
