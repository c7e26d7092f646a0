"""Indices out of range that kernels have found, reported when the host next waits.

A kernel that meets such an index leaves its row out, goes on, and writes the index's
position to a word of memory that the host shares. Nothing waits for that. The words are
looked at after each wait for the device: a host read, a synchronise. Looking costs no
copy, so it is always done.

A launch that goes into a graph writes to its word whenever the graph is run. Such a word is
never given to another kind of launch. While a graph is captured nobody may wait for the
device, so that where no word is left the launches of all further kinds share the last one.
"""

import math
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._device import call_site
from tensorvar._device.call_site import CallSite

WORDS = 256

_SHOWN = 3


class LateIndexError(errors.InvalidIndexError):
    """An index was out of range in an op that was done before the one that raises."""


_restorers: 'weakref.WeakKeyDictionary[LateIndexError, Callable[[], None]]'
_restorers = weakref.WeakKeyDictionary()


def restorer(error: BaseException) -> Callable[[], None] | None:
    """Has the next wait raise a late error again, for who does again what met it; else None."""
    return _restorers.get(error) if isinstance(error, LateIndexError) else None


def put_back(error: BaseException) -> None:
    """Does that at once."""
    restore = restorer(error)
    if restore is not None:
        restore()


class Launch(NamedTuple):
    """Launches that share a word.

    Attributes:
        op: name of the op.
        where: line of user code, or words for it.
        shape: of the indices that positions count through; None where they do not.
        allowed: what an index must be, for the error.
        argument: name of the op's argument.
    """

    op: str
    where: CallSite | str
    shape: tuple[int, ...] | None
    allowed: str
    argument: str


_SOME = Launch('tv.function', 'a line of a function', None, 'in range', 'indices')
"""Launches in graphs for which there was no word left."""


class IndexReports:
    """What the kernels of one device have found.

    Args:
        device: short name of the device.
        words: uint64 zeros of the host.
        shared: the same memory as an array of the device.
        wait: waits for the device, and looks.
        capturing: whether launches go into a graph.
    """

    def __init__(
        self,
        device: str,
        words: np.ndarray[Any, Any],
        shared: Array,
        wait: Callable[[], None],
        capturing: Callable[[], bool],
    ) -> None:
        self._device = device
        self._words = words
        self._shared = shared
        self._wait = wait
        self._capturing = capturing
        self._clean = bytes(words.nbytes)
        self._known: dict[Launch, Array] = {}
        # Whose each word is; the last one is not given away.
        self._launches: list[Launch | None] = [None] * (len(words) - 1)
        self._captured: set[Launch] = set()
        # Reentrant: who waits under it looks, too. A forked child makes all of this anew.
        self._lock = threading.RLock()

    def word(
        self, op: str, shape: tuple[int, ...] | None, allowed: str, argument: str = 'indices'
    ) -> Array:
        """The word for a launch, as an array of one element.

        Launches of one line and kind share a word: any of them may be meant.

        Args:
            op: name of the op.
            shape: of the indices, in whose positions the kernel counts; None if the
                kernel counts otherwise.
            allowed: such as ``'in [0, 3)'``.
            argument: name of the op's argument.
        """
        launch = Launch(op, call_site.user_call_site(), shape, allowed, argument)
        word = self._known.get(launch)
        if word is None or self._capturing():
            return self._take(launch)
        return word

    def look(self) -> None:
        """Raises what kernels that are done have found, and forgets it.

        Raises:
            LateIndexError: an index was out of range.
        """
        if self._words.tobytes() == self._clean:
            return
        with self._lock:
            positions = self._words.tolist()
            launches = (*self._launches, _SOME)
            found = [
                (launch, position - 1)
                for launch, position in zip(launches, positions, strict=True)
                if launch is not None and position
            ]
            # Only those that were read: a launch that is still under way may write to another
            # one meanwhile, and to these again.
            for number, position in enumerate(positions):
                if position:
                    self._words[number] = 0
        if found:
            error = self._error(found)
            _restorers[error] = lambda: self._restore(launches, positions)
            raise error

    def _restore(self, launches: Sequence[Launch | None], positions: Sequence[int]) -> None:
        with self._lock:
            now = (*self._launches, _SOME)
            for number, position in enumerate(positions):
                # A word that was taken back meanwhile belongs to others.
                if position and now[number] is launches[number] and not self._words[number]:
                    self._words[number] = position

    def _take(self, launch: Launch) -> Array:
        with self._lock:
            capturing = self._capturing()
            if launch not in self._known and None not in self._launches:
                if capturing or len(self._captured) == len(self._launches):
                    return self._shared[-1:]
                # Once nothing is under way, nobody writes to a word of before.
                self._wait()
                self._forget()
            if launch not in self._known:
                number = self._launches.index(None)
                self._launches[number] = launch
                self._known[launch] = self._shared[number : number + 1]
            if capturing:
                self._captured.add(launch)
            return self._known[launch]

    def _forget(self) -> None:
        """Takes back the words of launches that are in no graph."""
        for number, launch in enumerate(self._launches):
            if launch is not None and launch not in self._captured:
                self._launches[number] = None
                del self._known[launch]

    def _error(self, found: list[tuple[Launch, int]]) -> LateIndexError:
        [op, *_], _ = found[0]
        texts = [_describe(*found[0])]
        texts += [f'[{launch.op}] {_describe(launch, at)}' for launch, at in found[1:_SHOWN]]
        more = f'; and {len(found) - _SHOWN} more like these' if len(found) > _SHOWN else ''
        return LateIndexError(
            f'[{op}] {"; ".join(texts)}{more}; {self._device} has left such rows out, reading '
            f'zeros, and tells so now that the host waits for it; give indices in range, or '
            f'find the bad ones with tv.debugging.set_synchronous(True)',
            op,
        )


def _describe(launch: Launch, position: int) -> str:
    place = ''
    if launch.shape and position < math.prod(launch.shape):
        index = np.unravel_index(position, launch.shape)
        place = f'[{",".join(str(int(part)) for part in index)}]'
    return f'{launch.argument}{place}, used at {launch.where}, is not {launch.allowed}'
