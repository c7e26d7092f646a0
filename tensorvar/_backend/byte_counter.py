"""A count of bytes that many threads, and destructors, change."""

import threading
import weakref

from tensorvar import _fork


class ByteCounter:
    """Bytes in use and their highest value.

    The lock is re-entrant because the collector may run an array's ``__del__``, and
    with it ``subtract``, while the same thread is inside of ``add``. The updates
    stay right then: the collector never runs within one ``+=`` on integers.

    Attributes:
        current: bytes in use.
        peak: highest value of ``current`` since the last reset.
    """

    __slots__ = ('__weakref__', '_lock', 'current', 'peak')

    def __init__(self) -> None:
        self.current = 0
        self.peak = 0
        self._lock = threading.RLock()
        _counters.add(self)

    def add(self, nbytes: int) -> None:
        """Counts ``nbytes`` more."""
        with self._lock:
            self.current += nbytes
            if self.current > self.peak:
                self.peak = self.current

    def subtract(self, nbytes: int) -> None:
        """Counts ``nbytes`` less."""
        with self._lock:
            self.current -= nbytes

    def reset_peak(self) -> None:
        """Sets the peak to the bytes in use now."""
        with self._lock:
            self.peak = self.current

    def renew_lock(self) -> None:
        """Takes a new lock; for a forked child, where no other thread lives on."""
        self._lock = threading.RLock()


_counters: 'weakref.WeakSet[ByteCounter]' = weakref.WeakSet()


@_fork.in_child
def _renew_locks() -> None:
    for counter in tuple(_counters):
        counter.renew_lock()
