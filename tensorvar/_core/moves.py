"""Counts the moves of all variables to other devices and other shapes.

What was learned of where variables are holds as long as ``count`` is the same. While a
variable is on the move the count is negative, which nobody has ever seen as settled.
"""

import contextlib
import threading
from collections.abc import Iterator

from tensorvar import _fork

count = 0
_total = 0
_under_way = 0
_lock = threading.Lock()


@contextlib.contextmanager
def under_way() -> Iterator[None]:
    """A scope in which a variable takes another buffer, device or shape."""
    global count, _under_way, _total
    with _lock:
        _under_way += 1
        _total += 1
        count = -1
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1
            if not _under_way:
                count = _total


@_fork.in_child
def _renew() -> None:
    global _lock, _under_way, count
    _lock = threading.Lock()
    # Other threads, which may have been moving variables, are gone.
    _under_way = 0
    count = _total
