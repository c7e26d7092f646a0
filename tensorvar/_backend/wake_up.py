"""On which processor a waiting thread wakes: not on that of the thread that wakes it.

Linux wakes a thread beside its waker where it finds no processor idle, and on a virtual
machine it takes a processor that the host has put to sleep for a busy one. The two then take
turns on one processor while the other stands still. On a 2-core KVM guest that happened to
four of five calls with a pause before them, and work cut for two threads took as long as on
one; telling the thread where to wake leaves one of twenty.

So a thread is forbidden the caller's processor before it wakes, which takes 1 us (2 us with
128 processors), and allows itself all of the caller's processors again once it runs: one that
shares a processor with a busy process can still be moved.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterable


def _find() -> Callable[[], int] | None:
    """What gives the processor that the caller runs on, on Linux."""
    if sys.platform != 'linux':
        return None
    return getattr(ctypes.PyDLL(None), 'sched_getcpu', None)


_processor_here = _find()


def elsewhere(threads: Iterable[int]) -> set[int]:
    """Has waiting threads wake on any of the caller's processors but the one it runs on.

    Args:
        threads: their native identifiers.

    Returns:
        The caller's processors, which each thread passes to ``anywhere`` once it runs; empty
        where there is no choice, and the threads are left as they are.
    """
    if sys.platform != 'linux' or _processor_here is None:
        return set()
    allowed = os.sched_getaffinity(0)
    others = allowed - {_processor_here()}
    if not others:
        return set()
    # A sandbox may forbid it, and the thread may have ended: then it wakes as ever.
    with contextlib.suppress(OSError):
        for thread in threads:
            os.sched_setaffinity(thread, others)
    return allowed


def anywhere(processors: set[int]) -> None:
    """Allows the calling thread all of some processors; without any it stays as it is."""
    if sys.platform == 'linux' and processors:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, processors)
