"""Unpickled values: which device they go to, and their dtype."""

from typing import Any

import numpy as np

from tensorvar import dtypes
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


def with_dtype(host: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    """The array with the canonical dtype object, which ``astype`` would not put there.

    Args:
        host: an unpickled array.
        name: of its dtype.
    """
    return host.view(dtypes.as_dtype(name).numpy)
