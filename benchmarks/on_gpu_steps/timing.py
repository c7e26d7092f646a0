"""How a figure comes about.

A contender's calls are timed in batches that last a millisecond or more, so that a
clock's own cost vanishes. The contenders take turns, in rotating order, so that a slow
moment of the machine hits all of them. All of it is done twice: a figure is the median
over both runs, and the noise is what the medians of two equal runs differ by. Whoever
calls with the number of the call can give each call other buffers (``sets_beyond``).
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Lane:
    """Where a contender's work goes.

    Attributes:
        stream: the CuPy stream its work is queued on, or None if nobody knows.
        wait: returns when the work queued so far is done.
    """

    stream: Any
    wait: Callable[[], None]


@dataclass(frozen=True)
class Contender:
    """One way to do the same thing.

    Attributes:
        name: unique among those it is compared with.
        call: does it once, given the number of the call.
        lane: where its work goes.
    """

    name: str
    call: Callable[[int], Any]
    lane: Lane


class Clock(Protocol):
    """Measures a batch of calls."""

    def begin(self, lane: Lane) -> Any:
        """Starts; what it returns goes to ``end``."""

    def end(self, lane: Lane, mark: Any) -> float:
        """Seconds since ``begin``."""


class EventClock:
    """The card's time, by CUDA events on the contender's own stream.

    Args:
        cuda: the module ``cupy.cuda``.
    """

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda

    def begin(self, lane: Lane) -> Any:
        return self._record(lane)

    def end(self, lane: Lane, mark: Any) -> float:
        event = self._record(lane)
        event.synchronize()
        return float(self._cuda.get_elapsed_time(mark, event)) / 1e3

    def _record(self, lane: Lane) -> Any:
        event = self._cuda.Event(disable_timing=False)
        event.record(lane.stream)
        return event


class WallClock:
    """Time on the wall, until the work is done.

    Args:
        now: gives seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now

    def begin(self, lane: Lane) -> float:
        lane.wait()
        return self._now()

    def end(self, lane: Lane, mark: float) -> float:
        lane.wait()
        return self._now() - mark


class HostClock:
    """What the calls cost the host; the card works on meanwhile.

    Batches must stay short: where the card's queue is full, the host waits.

    Args:
        now: gives seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now

    def begin(self, lane: Lane) -> float:
        lane.wait()
        return self._now()

    def end(self, lane: Lane, mark: float) -> float:
        return self._now() - mark


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: batches per contender and run, of which there are two.
        batch_seconds: at least what a batch lasts, unless that takes ``most_calls``.
        most_calls: in a batch.
    """

    rounds: int = 16
    batch_seconds: float = 1.2e-3
    most_calls: int = 4096


@dataclass(frozen=True)
class Timing:
    """What a comparison gave.

    Attributes:
        seconds: per call, by contender.
        noise: the greatest relative difference of a contender's two runs.
        calls: per batch, by contender.
    """

    seconds: dict[str, float]
    noise: float
    calls: dict[str, int]


WARM_UP_CALLS = 3


def measure(contenders: Sequence[Contender], clock: Clock, effort: Effort | None = None) -> Timing:
    """Times the contenders against each other."""
    effort = effort or Effort()
    turns = [_Turn(contender, clock) for contender in contenders]
    for turn in turns:
        turn.calibrate(effort)
    runs = [_interleave(turns, effort.rounds) for _ in range(2)]
    seconds, noise = {}, 0.0
    for position, contender in enumerate(contenders):
        first, second = (run[position] for run in runs)
        seconds[contender.name] = statistics.median(first + second)
        pair = statistics.median(first), statistics.median(second)
        noise = max(noise, max(pair) / min(pair) - 1 if min(pair) > 0 else 0.0)
    return Timing(seconds, noise, {turn.contender.name: turn.calls for turn in turns})


def sets_beyond(cache_bytes: int, set_bytes: int, most: int = 128) -> tuple[int, bool]:
    """How many sets of buffers to rotate among so that the cache holds none of the next.

    Args:
        cache_bytes: size of the card's cache.
        set_bytes: that one call reads and writes.
        most: sets.

    Returns:
        The number of sets, and whether they exceed three times the cache. Small ones
        do not: no program rotates among a million tiny variables.
    """
    wanted = -(-3 * cache_bytes // max(set_bytes, 1))
    return max(1, min(wanted, most)), wanted <= most


class _Turn:
    def __init__(self, contender: Contender, clock: Clock) -> None:
        self.contender = contender
        self.calls = 1
        self._clock = clock
        self._done = 0

    def calibrate(self, effort: Effort) -> None:
        self._batch(WARM_UP_CALLS)
        while self.calls < effort.most_calls:
            taken = self._batch(self.calls)
            if taken >= effort.batch_seconds:
                return
            # A jump on the strength of a tiny batch would overshoot.
            factor = min(max(1.2 * effort.batch_seconds / max(taken, 1e-9), 1.5), 8)
            self.calls = min(int(self.calls * factor) + 1, effort.most_calls)

    def seconds_per_call(self) -> float:
        return self._batch(self.calls) / self.calls

    def _batch(self, calls: int) -> float:
        call, lane = self.contender.call, self.contender.lane
        first = self._done
        self._done += calls
        mark = self._clock.begin(lane)
        for number in range(first, first + calls):
            call(number)
        return self._clock.end(lane, mark)


def _interleave(turns: Sequence[_Turn], rounds: int) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in turns]
    for number in range(rounds):
        for step in range(len(turns)):
            position = (number + step) % len(turns)
            times[position].append(turns[position].seconds_per_call())
    return times
