"""Counts the bytes charged to a device and refuses what does not fit.

Charged is every array that owns its memory, rounded up to 512 bytes as a card's
pool does. When a charge does not fit, memory that nobody needs is asked back, stage
by stage, before ``ResourceExhaustedError`` lists who holds the rest.

The layers above register what only they know: who the holders are, how replicas
and idle plans are given up, and who wants to hear of allocations. Registrations are
process-wide, so that they outlive a reset of the device configuration.
"""

import enum
import math
from collections.abc import Callable
from typing import NamedTuple

from tensorvar import _sizes, errors
from tensorvar._backend import byte_counter, faults

GRANULE = 512
"""Bytes to which a charge is rounded up."""

_LISTED_HOLDERS = 8


class Holder(NamedTuple):
    """Something with a name that holds memory.

    Attributes:
        name: what the user calls it, such as ``'w:0'``.
        nbytes: bytes it holds on the device.
        where: the user's line that created it, such as ``'train.py:12'``.
    """

    name: str
    nbytes: int
    where: str


class Stage(enum.IntEnum):
    """What is given up for a charge that does not fit, in this order."""

    STALE_REPLICAS = 0
    IDLE_PLANS = 1
    REPLICAS = 2
    POOL = 3

    @property
    def description(self) -> str:
        """The name in words."""
        return self.name.lower().replace('_', ' ')


EventSink = Callable[[str, str, int, int, str], None]
"""Takes (event, device, nbytes, bytes charged afterwards, detail)."""

HolderList = Callable[[str], list[Holder]]
"""Takes a device's short name; returns who holds memory there, in any order."""

Reclaimer = Callable[[str, int], int]
"""Takes (device, bytes missing); returns how many bytes it let go."""

_event_sink: EventSink | None = None
_holders: HolderList | None = None
_reclaimers: list[tuple[Stage, Reclaimer]] = []


def set_event_sink(sink: EventSink | None) -> None:
    """Sets who hears of allocations, evictions, releases and full devices."""
    global _event_sink
    _event_sink = sink


def set_holders(holders: HolderList | None) -> None:
    """Sets the function that lists who holds memory on a device."""
    global _holders
    _holders = holders


def register_reclaimer(stage: Stage, reclaimer: Reclaimer) -> None:
    """Adds a function that gives memory back when a device is full.

    It is called without any lock held here, on whatever thread needs the memory.
    """
    _reclaimers.append((stage, reclaimer))
    _reclaimers.sort(key=lambda row: row[0])


def report(event: str, device: str, nbytes: int, memory_after: int, detail: str) -> None:
    """Tells the event sink, if there is one."""
    if _event_sink is not None:
        _event_sink(event, device, nbytes, memory_after, detail)


def reclaim(device: str, in_use: Callable[[], int], target: int) -> int:
    """Asks for memory back, stage by stage, until little enough is in use.

    Args:
        device: short name of the device.
        in_use: returns the bytes charged to it now.
        target: the bytes that may stay in use; -1 asks for all there is.

    Returns:
        The bytes that the reclaimers say they let go.
    """
    total = 0
    for stage, reclaimer in tuple(_reclaimers):
        missing = in_use() - target
        if missing <= 0:
            break
        freed = reclaimer(device, missing)
        total += freed
        if freed:
            report('eviction', device, freed, in_use(), stage.description)
    return total


def rounded(nbytes: int) -> int:
    """The bytes that an array of ``nbytes`` is charged."""
    return -(-nbytes // GRANULE) * GRANULE


def check_limit(device: str, limit: int | None) -> None:
    """Checks a memory limit that a user gave.

    Raises:
        InvalidArgumentError: it is negative.
    """
    if limit is not None and limit < 0:
        raise errors.InvalidArgumentError(
            f'[set_memory_limit] {limit} bytes were given for {device}; the limit is a number '
            'of bytes >= 0, or None for no limit; give one of these'
        )


def out_of_memory(
    device: str, asked: int | None, in_use: int, limit: int | None
) -> errors.ResourceExhaustedError:
    """Returns the error of a full device and reports the event.

    Args:
        device: short name of the device.
        asked: bytes that did not fit, or None if only the allocator knows.
        in_use: bytes charged now.
        limit: bytes that may be charged, or None where the machine is the limit.
    """
    report('out_of_memory', device, asked or 0, in_use, f'limit {limit}')
    what = 'more memory was' if asked is None else f'{_describe_bytes(asked)} were'
    if limit is None:
        allowed = 'the machine has no more; delete what is no longer needed'
    else:
        allowed = (
            f'{_describe_bytes(limit)} are allowed; delete what is no longer needed, raise '
            f"the limit with tv.config.set_memory_limit('{device}', ...),"
        )
    return errors.ResourceExhaustedError(
        f'[allocate] {what} asked for on {device}, where {_sizes.format_bytes(in_use)} are in use'
        f'{_describe_holders(device, in_use)}; {allowed} or use smaller values'
    )


def _describe_bytes(nbytes: int) -> str:
    exact = f'{nbytes} bytes'
    return f'{_sizes.format_bytes(nbytes)} ({exact})' if nbytes >= 1024 else exact


def _describe_holders(device: str, in_use: int) -> str:
    holders = sorted(
        _holders(device) if _holders is not None else [],
        key=lambda holder: holder.nbytes,
        reverse=True,
    )
    listed = [
        f'{holder.name} {_sizes.format_bytes(holder.nbytes)} ({holder.where})'
        for holder in holders[:_LISTED_HOLDERS]
    ]
    unlisted = holders[_LISTED_HOLDERS:]
    if unlisted:
        nbytes = sum(holder.nbytes for holder in unlisted)
        listed.append(f'{len(unlisted)} smaller holders {_sizes.format_bytes(nbytes)}')
    rest = max(in_use - sum(holder.nbytes for holder in holders), 0)
    if rest:
        listed.append(f'tensors and other values {_sizes.format_bytes(rest)}')
    return f' ({", ".join(listed)})' if listed else ''


class MemoryLedger(byte_counter.ByteCounter):
    """The bytes charged to one device.

    Args:
        device: short name, for errors and events.
        limit: bytes that may be charged, or None for no limit.
    """

    __slots__ = ('_limit', 'device')

    def __init__(self, device: str, limit: int | None = None) -> None:
        super().__init__()
        self.device = device
        self._limit: float = math.inf
        self.set_limit(limit)

    @property
    def limit(self) -> int | None:
        """Bytes that may be charged, or None for no limit."""
        return None if self._limit == math.inf else int(self._limit)

    def set_limit(self, limit: int | None) -> None:
        """Sets the limit; one below the bytes in use refuses every new charge.

        Raises:
            InvalidArgumentError: the limit is negative.
        """
        check_limit(self.device, limit)
        self._limit = math.inf if limit is None else limit

    def charge(self, nbytes: int) -> int:
        """Charges an array that owns ``nbytes``.

        Returns:
            The bytes charged, rounded up; hand this number to ``release``.

        Raises:
            ResourceExhaustedError: they do not fit, after everything that could be
                given up was; nothing is charged then.
        """
        if faults.armed:
            faults.check('allocate', self.device)
        size = rounded(nbytes)
        if not self._try_add(size):
            reclaim(self.device, lambda: self.current, int(self._limit) - size)
            if not self._try_add(size):
                raise out_of_memory(self.device, nbytes, self.current, self.limit)
        if _event_sink is not None:
            _event_sink('allocation', self.device, size, self.current, '')
        return size

    def release(self, size: int) -> None:
        """Gives back what ``charge`` returned."""
        self.subtract(size)

    def _try_add(self, size: int) -> bool:
        with self._lock:
            if self.current + size > self._limit:
                return False
            self.current += size
            self.peak = max(self.peak, self.current)
            return True
