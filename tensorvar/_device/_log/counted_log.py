"""A Python logger that writes each distinct line once and then counts.

Importing configures nothing. A line is written for the first event of a key; the count
is written when it reaches a power of ten (``x 10 so far``, ``x 100 so far``, ...) and by
``flush``, which also runs at interpreter exit.

Where neither the logger nor the root logger has a handler, the lines go to standard
error, as TensorFlow's do: whoever switched the log on wants to see it. As soon as the
program configures logging, its handlers alone decide.
"""

import atexit
import dataclasses
import logging
import sys
import threading
from collections.abc import Callable, Hashable

from tensorvar import _fork, _sizes

# Keys are lines of user code; only generated code has so many, and starts anew then.
_MAX_KEYS = 100_000

# Reentrant: a finaliser may run an op, and log it, while this thread counts.
_lock = threading.RLock()


@dataclasses.dataclass(slots=True)
class _Entry:
    brief: str
    nbytes: int
    count: int = 1
    reported: int = 1


class _StderrHandler(logging.Handler):
    """Writes to whatever ``sys.stderr`` is at the time, as notebooks replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + '\n')


class CountedLog:
    """Distinct lines of one logger, with counts of their repeats.

    Args:
        name: name of the Python logger; lines have level INFO.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._handler = _StderrHandler()
        self._entries: dict[Hashable, _Entry] = {}
        self._at_exit = False

    def add(
        self, key: Hashable, line: Callable[[], str], brief: Callable[[], str], nbytes: int = 0
    ) -> None:
        """Writes or counts one event.

        Args:
            key: what makes this event the same as an earlier one.
            line: makes the line of the first event.
            brief: makes the text in front of ``x 10 so far``; called at the first event.
            nbytes: bytes copied, added up over all events of the key.
        """
        with _lock:
            entry = self._entries.get(key)
            if entry is None:
                if len(self._entries) >= _MAX_KEYS:
                    self._entries.clear()
                self._entries[key] = _Entry(brief(), nbytes)
                text = line()
            else:
                entry.count += 1
                entry.nbytes += nbytes
                if not _is_power_of_ten(entry.count):
                    return
                text = _repeats(entry)
        self._write(text)

    def flush(self) -> None:
        """Reports the repeats that were counted but not reported yet."""
        with _lock:
            due = [entry for entry in self._entries.values() if entry.count > entry.reported]
            texts = [_repeats(entry) for entry in due]
        for text in texts:
            self._write(text)

    def reset(self) -> None:
        """Reports what is left, forgets all lines, and takes the own handler away."""
        self.flush()
        with _lock:
            self._entries.clear()
        self._logger.removeHandler(self._handler)

    def _write(self, text: str) -> None:
        self._make_visible()
        self._logger.info(text)

    def _make_visible(self) -> None:
        if not self._at_exit:
            self._at_exit = True
            atexit.register(self.flush)
        # The root's default level, WARNING, would hide every line.
        if self._logger.level == logging.NOTSET:
            self._logger.setLevel(logging.INFO)
        if self._has_other_handler():
            self._logger.removeHandler(self._handler)
        else:
            self._logger.addHandler(self._handler)

    def _has_other_handler(self) -> bool:
        logger: logging.Logger | None = self._logger
        while logger is not None:
            if any(handler is not self._handler for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False


def _repeats(entry: _Entry) -> str:
    entry.reported = entry.count
    copied = f', copied {_sizes.format_bytes(entry.nbytes)}' if entry.nbytes else ''
    return f'{entry.brief}  x {entry.count:,} so far{copied}'


def _is_power_of_ten(count: int) -> bool:
    while count % 10 == 0:
        count //= 10
    return count == 1


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()
