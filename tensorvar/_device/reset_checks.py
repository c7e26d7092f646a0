"""When the device configuration may be forgotten: nothing may use the devices."""

from collections.abc import Sequence

from tensorvar import _sizes, errors
from tensorvar._device import scope
from tensorvar._device.device import Device

_SHOWN_VALUES = 10


def refuse_open_scope() -> None:
    """Refuses inside of a device scope.

    Raises:
        FailedPreconditionError: a device scope is open here.
    """
    state = scope.current()
    if state is not None and state.device_scope is not None:
        raise errors.FailedPreconditionError(
            f'[reset] the scope tv.device({state.device_scope.requested!r}) is open; the devices '
            f'can be reset outside of device scopes only; leave it first'
        )


def refuse_living_values(devices: Sequence[Device], variables: Sequence[str]) -> None:
    """Refuses while values live on a device.

    Args:
        devices: the devices.
        variables: a line for each living variable, with its device.

    Raises:
        FailedPreconditionError: there are variables, or memory is charged to a device.
    """
    lines = list(variables)
    for one in devices:
        current = one.backend.memory_info().current if one.backend is not None else 0
        if current and not any(f' on {one.short},' in line for line in variables):
            lines.append(f'{_sizes.format_bytes(current)} of tensors on {one.short}')
    if not lines:
        return
    more = len(lines) - _SHOWN_VALUES
    shown = [*lines[:_SHOWN_VALUES], *([f'and {more} more'] if more > 0 else [])]
    raise errors.FailedPreconditionError(
        '[reset] values live on the devices; the devices can be reset only when none does; '
        'delete these first:\n  ' + '\n  '.join(shown)
    )
