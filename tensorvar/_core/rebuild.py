"""Which device an unpickled value goes to."""

from tensorvar._device import placement, registry, scope
from tensorvar._device.device import Device


def device_for(saved: str) -> Device:
    """The device of the current scope, else the saved one, else the default.

    Args:
        saved: short name of the device the value lived on, such as ``'GPU:1'``.
    """
    state = scope.current()
    if state is not None and state.device is not None:
        return state.device
    kind, _, index = saved.partition(':')
    return registry.lookup(kind, int(index)) or placement.creation_device(state)
