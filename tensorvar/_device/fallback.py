"""What happens when a device that was asked for is absent: warn, fail, or be silent."""

import threading
import warnings
from typing import Literal

from tensorvar import _fork, errors
from tensorvar._device import call_site, configuration
from tensorvar._device.inventory import Absent

Fallback = Literal['warn', 'error', 'silent']
WARN: Fallback = 'warn'
ERROR: Fallback = 'error'
SILENT: Fallback = 'silent'
MODES = (WARN, ERROR, SILENT)

_lock = threading.Lock()
_warned: set[tuple[int, call_site.CallSite, str]] = set()


def accept(
    absent: Absent,
    mode: Fallback | None,
    listing: str,
    generation: int,
    where: call_site.CallSite | None = None,
) -> None:
    """Lets ``CPU:0`` stand in for an absent device, or refuses it.

    The warning comes once per line of user code; where warnings are errors, each time.

    Args:
        absent: the device asked for.
        mode: what to do; None does what ``set_soft_device_placement`` says.
        listing: the devices there are.
        generation: how many times the configuration was reset; each warns anew.
        where: the line that asked; None for the current one.

    Raises:
        InvalidArgumentError: the mode is ``'error'``.
    """
    mode = mode or (WARN if configuration.soft_placement else ERROR)
    if mode == SILENT:
        return
    where = where or call_site.user_call_site()
    if mode == ERROR:
        advice = "name one of them, or say fallback='warn' to run on CPU:0 instead"
        raise absent_error('device', absent, listing, advice)
    key = (generation, where, absent.requested)
    with _lock:
        if key in _warned:
            return
    text = f'{where.short}: {absent.reason}; CPU:0 is used instead'
    warnings.warn_explicit(text, errors.PlacementWarning, where.path, where.line)
    # Only now, so that a filter that turns the warning into an error raises every time.
    with _lock:
        _warned.add(key)


def absent_error(
    op: str, absent: Absent, listing: str, advice: str = 'name one of them'
) -> errors.InvalidArgumentError:
    """The error for a device that is needed and absent.

    Args:
        op: name of the public function.
        absent: the device asked for.
        listing: the devices there are.
        advice: what to do.

    Returns:
        The error.
    """
    here = '' if listing in absent.why else f'; the devices here are {listing}'
    return errors.InvalidArgumentError(f'[{op}] {absent.reason}{here}; {advice}')


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()
