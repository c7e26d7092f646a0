"""``tv.config``: the memory of logical devices."""

import dataclasses
from typing import SupportsIndex

from tensorvar import _sizes
from tensorvar._device import configuration, fallback, registry
from tensorvar._device.device_scope import DeviceLike
from tensorvar._device.inventory import Absent

_SHOWN_HOLDERS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class MemoryRelease:
    """What ``release_memory`` gave back, and what is still held.

    Attributes:
        device: short name of the device, such as ``'GPU:0'``.
        released: bytes given back.
        held: bytes that are still charged to the device.
        holders: a line for each living value that is known, with its name, bytes and
            the line that created it.
    """

    device: str
    released: int
    held: int
    holders: tuple[str, ...]

    def __str__(self) -> str:
        text = f'{self.device}: released {_sizes.format_bytes(self.released)}; '
        if not self.held and not self.holders:
            return text + 'nothing is held'
        text += f'{_sizes.format_bytes(self.held)} still held'
        if not self.holders:
            return f'{text}, by tensors'
        more = len(self.holders) - _SHOWN_HOLDERS
        lines = [*self.holders[:_SHOWN_HOLDERS], *([f'and {more} more'] if more > 0 else [])]
        return '\n  '.join([f'{text} by:', *lines])

    def __repr__(self) -> str:
        return f'<{self}>'


def get_memory_info(device: DeviceLike) -> dict[str, int]:
    """The memory of a device.

    Differs from TensorFlow: the CPU answers, too. Without a limit it counts the
    variables; everywhere else every array that owns its memory is counted.

    Args:
        device: as for ``tv.device``.

    Returns:
        ``{'current': bytes charged now, 'peak': the most since the last reset}``.

    Raises:
        InvalidArgumentError: there is no such device.
    """
    info = registry.require('get_memory_info', device).backend.memory_info()
    return {'current': info.current, 'peak': info.peak}


def get_memory_usage(device: DeviceLike) -> int:
    """Bytes charged to a device now; TensorFlow's older name.

    Args:
        device: as for ``tv.device``.

    Returns:
        ``get_memory_info(device)['current']``.

    Raises:
        InvalidArgumentError: there is no such device.
    """
    return int(registry.require('get_memory_usage', device).backend.memory_info().current)


def reset_memory_stats(device: DeviceLike) -> None:
    """Sets a device's peak back to what is charged now.

    Args:
        device: as for ``tv.device``.

    Raises:
        InvalidArgumentError: there is no such device.
    """
    registry.require('reset_memory_stats', device).backend.reset_memory_stats()


def set_memory_limit(device: DeviceLike, limit: str | SupportsIndex | None) -> None:
    """Limits the memory of a device.

    For devices that count their memory (GPUs, simulated GPUs, CPUs with a limit or
    with siblings) it works at any time. A plain CPU:0 must get its limit before any
    device is used; until then this call uses no device either.

    Args:
        device: as for ``tv.device``.
        limit: such as ``'4GiB'``, or in bytes; None takes the limit away.

    Raises:
        InvalidArgumentError: there is no such device, or the limit is no size.
        FailedPreconditionError: the device is in use and does not count its memory.
    """
    op = 'set_memory_limit'
    nbytes = None if limit is None else configuration.parse_limit(op, limit)
    with configuration.lock:
        if registry.is_initialised():
            registry.require(op, device).backend.set_memory_limit(nbytes)
            return
        short = _short_name(op, device)
        limits = {**configuration.settings.limits, short: nbytes}
        configuration.change(op, limits=limits)


def release_memory(device: DeviceLike) -> MemoryRelease:
    """Gives memory that no value needs back to the system; also inside ``except``.

    Args:
        device: as for ``tv.device``.

    Returns:
        What was given back, and what is still held by whom; print it.

    Raises:
        InvalidArgumentError: there is no such device.
    """
    found = registry.require('release_memory', device)
    released = int(found.backend.release_memory())
    held = int(found.backend.memory_info().current)
    return MemoryRelease(found.short, released, held, tuple(registry.live_values(found)))


def _short_name(op: str, value: DeviceLike) -> str:
    """The device that a name will mean, worked out without making any device."""
    expected = registry.expected()
    found = expected.default if value is None else expected.find(expected.read(value, op), op=op)
    if isinstance(found, Absent):
        raise fallback.absent_error(op, found, expected.listing())
    return found.short
