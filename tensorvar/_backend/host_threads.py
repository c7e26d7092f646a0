"""The threads that share large work on the CPU with the one that asks for it.

NumPy lets other threads run within its loops, so pieces of one array are worked on at once.
The caller takes pieces too: work that no thread has come for by then costs it little more than
doing all of it alone. The threads start with the first large work, wait without spinning, and
do not keep the process alive.
"""

import functools
import math
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from tensorvar import _fork
from tensorvar._backend import cpu_quota, floating_point, wake_up
from tensorvar._device import configuration

_LIMIT = 'OMP_NUM_THREADS'

_lock = threading.Lock()
_threads: list[int] = []
_inbox: 'SimpleQueue[_Work]' = SimpleQueue()


def each(function: Callable[[int, int], None], length: int, step: int) -> None:
    """Calls ``function(start, stop)`` for the pieces of ``range(length)``, on several threads.

    Args:
        function: writes a piece that no other call writes. It runs without NumPy's
            floating-point warnings, in a context of its own.
        length: of what is cut.
        step: of a piece; the last one may be shorter.

    Raises:
        Exception: what ``function`` raised; pieces not begun by then are left out. No thread
            works on any piece when this returns or raises.
    """
    work = _Work(function, length, step)
    helpers = min(count(), -(-length // step)) - 1
    try:
        if helpers > 0:
            _call_for(work, helpers)
        work.take_part()
    finally:
        try:
            work.finish()
        except BaseException:
            # An interrupt: the others still write.
            work.finish()
            raise
    if work.error is not None:
        try:
            raise work.error
        finally:
            # The traceback knows this frame: a circle would keep the arrays.
            work.error = None


def count() -> int:
    """How many threads share large work: as set, else as many as there are processors."""
    return configuration.settings.intra_op_threads or _standard()


@functools.cache
def processors() -> int:
    """How many processors this process may use, a part of one counting as one."""
    visible = _visible()
    quota = cpu_quota.granted()
    return math.ceil(quota) if quota < visible else visible


def _visible() -> int:
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _standard() -> int:
    given = os.environ.get(_LIMIT, '').split(',')[0].strip()
    return int(given) if given.isdecimal() and int(given) > 0 else processors()


class _Work:
    """Pieces that several threads take, each until there are none left."""

    __slots__ = (
        '_closed', '_function', '_helping', '_idle', '_length', '_lock', '_starts', '_step',
        'error', 'processors',
    )  # fmt: skip

    def __init__(self, function: Callable[[int, int], None], length: int, step: int) -> None:
        self._function: Callable[[int, int], None] | None = function
        self._length = length
        self._step = step
        # Taken from its ends, which is atomic.
        self._starts = list(range(0, length, step))[::-1]
        self._lock = threading.Lock()
        self._idle = threading.Lock()
        self._idle.acquire()
        self._helping = 0
        self._closed = False
        self.error: BaseException | None = None
        self.processors: set[int] = set()

    def take_part(self, end: int = -1) -> None:
        """Works on pieces until none is left.

        Args:
            end: of the list from which to take them. The others take them from where the
                caller does not, as a thread works faster on memory that lies together: 2 % for
                an addition.
        """
        function = self._function
        assert function is not None
        while True:
            try:
                start = self._starts.pop(end)
            except IndexError:
                return
            function(start, min(start + self._step, self._length))

    def help(self) -> None:
        """Does the same for another thread, unless that has finished."""
        if not self._enter():
            return
        try:
            wake_up.anywhere(self.processors)
            self.take_part(0)
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            self.error = error
            self._starts.clear()
        self._leave()

    def _enter(self) -> bool:
        with self._lock:
            self._helping += not self._closed
            return not self._closed

    def _leave(self) -> None:
        with self._lock:
            self._helping -= 1
            if self._closed and not self._helping:
                self._idle.release()

    def finish(self) -> None:
        """Keeps further threads out, and waits for those that help; may be called twice."""
        self._starts.clear()
        with self._lock:
            self._closed = True
            helping = self._helping
        if helping:
            self._idle.acquire()
        # A thread that comes later finds this object, which must not hold the arrays.
        self._function = None


def _call_for(work: _Work, helpers: int) -> None:
    if len(_threads) < helpers:
        with _lock:
            while len(_threads) < helpers and _start_thread():
                pass
    work.processors = wake_up.elsewhere(_threads)
    for _ in range(helpers):
        _inbox.put(work)


def _start_thread() -> bool:
    name = f'tensorvar-{len(_threads)}'
    thread = threading.Thread(target=_serve, args=(_inbox,), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # No more threads to be had, or the interpreter ends: the caller works alone.
        return False
    assert thread.native_id is not None
    _threads.append(thread.native_id)
    return True


def _serve(inbox: 'SimpleQueue[_Work]') -> None:
    floating_point.state.set(floating_point.QUIET)
    while True:
        inbox.get().help()


@_fork.in_child
def _renew() -> None:
    """A forked child has none of the threads."""
    global _inbox, _lock, _threads
    _inbox, _lock, _threads = SimpleQueue(), threading.Lock(), []
