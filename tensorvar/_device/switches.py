"""Process-wide switches that take every operation off the executor's fast path.

``flags`` is one integer, so the fast path tests all switches by one comparison
with zero. Read it as ``switches.flags``; change it only through ``set_switch``.
"""

import threading

from tensorvar import _fork

LOG_PLACEMENT = 1
SYNCHRONOUS = 2
DEVICE_POLICY = 4
CHECK_NUMERICS = 8
VERIFY_RULES = 16
FAULTS = 32

flags = 0
_lock = threading.Lock()


def set_switch(bit: int, on: bool) -> None:
    """Turns one switch on or off, for all threads.

    Args:
        bit: one of the constants of this module.
        on: the new position.
    """
    global flags
    with _lock:
        flags = flags | bit if on else flags & ~bit


def is_on(bit: int) -> bool:
    """Whether a switch is on."""
    return bool(flags & bit)


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()
