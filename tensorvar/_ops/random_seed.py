"""The global seed, and the streams of numbers that seeds start.

As in TensorFlow, a draw has two seeds: the global one of ``set_seed`` and its own. Two
draws of the same op with the same seeds and dtype continue one stream; ``set_seed``
starts all streams anew. Without an own seed, a draw gets the next number of a sequence
that the global seed starts, and so a stream to itself.
"""

import functools
import operator
import random
import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tensorvar import _fork, errors
from tensorvar._device import scope
from tensorvar._ops import philox

# TensorFlow reduces seeds modulo this.
_SEED_SPAN = 2**31 - 1
# The global seed where only an own seed is given.
_DEFAULT_SEED = 87654321


class Stream(Protocol):
    """Where a draw takes its numbers from."""

    def reserve(self, counters: int) -> tuple[int, int]:
        """Takes counters that no other draw will get.

        Args:
            counters: how many.

        Returns:
            The key and the first counter.
        """
        ...


class FixedStream:
    """Gives the same numbers every time: that of the stateless ops.

    Args:
        seed: two 64-bit integers.
    """

    __slots__ = ('_start',)

    def __init__(self, seed: tuple[int, int]) -> None:
        self._start = philox.scramble(seed)

    def reserve(self, counters: int) -> tuple[int, int]:
        """The start of the stream, see ``Stream``."""
        return self._start

    def __repr__(self) -> str:
        return f'FixedStream(key={self._start[0]:#x}, counter={self._start[1]:#x})'


class SeededStream:
    """Goes on with every draw.

    Args:
        seed: the global seed, which becomes the key.
        own_seed: the seed of the draw, which becomes the upper half of the counter.
        *origin: the arguments of ``stream``, with which a replay asks for it again.
    """

    __slots__ = ('_counter', '_key', 'origin')

    def __init__(self, seed: int, own_seed: int, *origin: Any) -> None:
        self._key = seed
        self.origin = origin
        self._counter = own_seed << 64

    def reserve(self, counters: int) -> tuple[int, int]:
        """The next counters, see ``Stream``."""
        with _lock:
            start = self._counter
            self._counter = philox.skip(start, counters)
        return self._key, start

    def __repr__(self) -> str:
        return f'SeededStream(key={self._key:#x}, counter={self._counter:#x})'


class _Seeding:
    """What ``set_seed`` replaces as a whole."""

    __slots__ = ('own_seeds', 'seed', 'streams')

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self.own_seeds = random.Random(seed)
        self.streams: dict[tuple[Any, ...], SeededStream] = {}


_seeding = _Seeding(None)
_lock = threading.Lock()


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


def set_seed(seed: int | None) -> None:
    """Sets the global seed and starts all seeded streams anew.

    With the same seed, the same draws give the same numbers again, on every device and
    those of TensorFlow on its CPU:

    - ``tv.random.normal([2])``: the draw gets a seed of its own from a sequence that
      the global seed starts;
    - ``tv.random.normal([2], seed=1)``: repeated draws continue one stream, separate
      for each op and dtype.

    ``tv.random.Generator`` and the ``stateless_*`` functions do not depend on it.

    Args:
        seed: an integer, of any size; None goes back to draws without a seed.

    Raises:
        InvalidTypeError: the seed is no integer.

    Example:
        >>> import tensorvar as tv
        >>> tv.random.set_seed(5)
        >>> print(tv.random.uniform([], maxval=3, dtype=tv.int32, seed=10))
        tv.Tensor(2, shape=(), dtype=int32)
    """
    global _seeding
    scope.leave_trace('the global seed is set')
    _seeding = _Seeding(None if seed is None else as_integer('set_seed', seed))


def stream(op: str, seed: Any, *kind: Any) -> SeededStream | None:
    """The stream for a draw.

    Args:
        op: name of the op.
        seed: the seed that the program gave to the draw, or None.
        *kind: what else tells streams apart, such as the dtype.

    Returns:
        The stream, or None if there is neither a global nor an own seed.
    """
    seeding = _seeding
    if seed is None:
        if seeding.seed is None:
            return None
        # Such a stream is not found again, so it need not be kept.
        own_seed = seeding.own_seeds.randint(0, _SEED_SPAN)
        return SeededStream(*_pair(seeding.seed, own_seed), op, seed, *kind)
    start = _DEFAULT_SEED if seeding.seed is None else seeding.seed
    pair = _pair(start, as_integer(op, seed))
    with _lock:
        return seeding.streams.setdefault((op, pair, *kind), SeededStream(*pair, op, seed, *kind))


def save_sequence() -> Callable[[], None]:
    """Notes where the sequence of the draws' own seeds stands.

    Returns:
        A function that goes back there, for a program that draws the same again.
    """
    seeding = _seeding
    if seeding.seed is None:
        return lambda: None
    return functools.partial(seeding.own_seeds.setstate, seeding.own_seeds.getstate())


def _pair(seed: int, own_seed: int) -> tuple[int, int]:
    pair = seed % _SEED_SPAN, own_seed % _SEED_SPAN
    # TensorFlow's kernels take (0, 0) for no seed at all, so it avoids that pair.
    return pair if pair != (0, 0) else (0, _SEED_SPAN)


def as_integer(op: str, seed: Any) -> int:
    """A seed as a Python integer; a float that is a whole number counts as one.

    Raises:
        InvalidTypeError: it is something else.
    """
    if isinstance(seed, float | np.floating) and float(seed).is_integer():
        return int(seed)
    try:
        return operator.index(seed)
    except TypeError as error:
        raise errors.InvalidTypeError(
            f'[{op}] the seed was given as {seed!r:.80} of type {type(seed).__name__}; '
            f'a seed is an integer; give one, or None for no seed',
            op,
        ) from error
