"""When two runs did the same, and when two looks saw the same."""

from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._device.device import Device


def outcome(host: np.ndarray[Any, Any]) -> Any:
    """What tells one element from another; 0.0 and -0.0 differ, and nan equals itself."""
    return host.item() if host.dtype.kind == 'O' else host.tobytes()


def equal(known: tuple[Any, ...], given: tuple[Any, ...]) -> bool:
    """Whether two events have the same signature."""
    try:
        return bool(known == given)
    except ValueError:
        # An attribute whose comparison has no single answer is taken for another one.
        return False


def same_constant(known: Array, given: Array, device: Device) -> bool:
    """Whether two arrays of a device, which came from outside, have the same elements."""
    if known is given:
        return True
    if type(known) is not type(given) or known.shape != given.shape:
        return False
    if known.dtype is not given.dtype:
        return False
    first, second = (np.asarray(device.backend.to_host(array)) for array in (known, given))
    if first.dtype.kind == 'O':
        return bool((first == second).all())
    return first.tobytes() == second.tobytes()
