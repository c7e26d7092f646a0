"""How the benchmarks on a card time: with fake clocks and events."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.on_gpu_steps import timing


class FakeCuda:
    """Events of a card whose time passes only by the work queued on it."""

    def __init__(self) -> None:
        self.now = 0.0

    def Event(self, disable_timing: bool) -> 'FakeEvent':
        assert not disable_timing
        return FakeEvent(self)

    def get_elapsed_time(self, start: 'FakeEvent', end: 'FakeEvent') -> float:
        assert end.waited_for
        return (end.time - start.time) * 1e3


class FakeEvent:
    def __init__(self, cuda: FakeCuda) -> None:
        self._cuda = cuda
        self.waited_for = False

    def record(self, stream: str) -> None:
        self.stream = stream
        self.time = self._cuda.now

    def synchronize(self) -> None:
        self.waited_for = True


def lane() -> timing.Lane:
    return timing.Lane('a stream', lambda: None)


def contender(
    cuda: FakeCuda, name: str, seconds: float | Callable[[int], float], order: list[str]
) -> timing.Contender:
    def call(number: int) -> None:
        order.append(name)
        cuda.now += seconds(number) if callable(seconds) else seconds

    return timing.Contender(name, call, lane())


EFFORT = timing.Effort(rounds=4, batch_seconds=1.0, most_calls=100)


class TestTiming:
    def test_a_figure_is_seconds_per_call(self) -> None:
        cuda, order = FakeCuda(), []
        slow = contender(cuda, 'slow', 0.5, order)
        fast = contender(cuda, 'fast', 0.125, order)
        result = timing.measure([slow, fast], timing.EventClock(cuda), EFFORT)
        assert result.seconds == {'slow': 0.5, 'fast': 0.125}
        assert result.noise == 0
        assert 0.5 * result.calls['slow'] >= EFFORT.batch_seconds
        assert 0.125 * result.calls['fast'] >= EFFORT.batch_seconds

    def test_a_batch_has_a_greatest_number_of_calls(self) -> None:
        cuda = FakeCuda()
        result = timing.measure(
            [contender(cuda, 'tiny', 1e-6, [])], timing.EventClock(cuda), EFFORT
        )
        assert result.calls == {'tiny': EFFORT.most_calls}

    def test_work_that_takes_no_time_is_measured_too(self) -> None:
        cuda = FakeCuda()
        result = timing.measure([contender(cuda, 'none', 0.0, [])], timing.EventClock(cuda), EFFORT)
        assert result.seconds == {'none': 0.0}
        assert result.noise == 0

    def test_contenders_take_turns_in_rotating_order(self) -> None:
        cuda, order = FakeCuda(), []
        names = ['a', 'b', 'c']
        contenders = [contender(cuda, name, 2.0, order) for name in names]
        timing.measure(contenders, timing.EventClock(cuda), EFFORT)
        turns = 2 * EFFORT.rounds * len(names)
        assert ''.join(order[-turns:]) == 'abcbcacababc' * 2

    def test_calls_are_numbered_without_a_gap(self) -> None:
        cuda, numbers = FakeCuda(), []

        def call(number: int) -> None:
            numbers.append(number)
            cuda.now += 0.3

        timing.measure([timing.Contender('a', call, lane())], timing.EventClock(cuda), EFFORT)
        assert numbers == list(range(len(numbers)))

    def test_noise_is_what_two_equal_runs_differ_by(self) -> None:
        cuda = FakeCuda()
        calls = timing.WARM_UP_CALLS + 1 + EFFORT.rounds
        drifting = contender(cuda, 'drifting', lambda number: 1.0 if number < calls else 1.1, [])
        result = timing.measure([drifting], timing.EventClock(cuda), EFFORT)
        assert result.noise == pytest.approx(0.1)
        assert result.seconds['drifting'] == pytest.approx(1.05)

    def test_a_slow_moment_does_not_move_the_median(self) -> None:
        cuda = FakeCuda()
        calls = timing.WARM_UP_CALLS + 3
        jumpy = contender(cuda, 'jumpy', lambda number: 9.0 if number == calls else 1.0, [])
        assert timing.measure([jumpy], timing.EventClock(cuda), EFFORT).seconds == {'jumpy': 1.0}

    def test_events_are_recorded_on_the_contenders_own_stream(self) -> None:
        event = timing.EventClock(FakeCuda()).begin(timing.Lane('own', lambda: None))
        assert event.stream == 'own'

    @pytest.mark.parametrize(('clock', 'waits'), [(timing.WallClock, 2), (timing.HostClock, 1)])
    def test_host_clocks(self, clock: Any, waits: int) -> None:
        waited: list[int] = []
        now = iter([10.0, 12.5])
        own = timing.Lane(None, lambda: waited.append(1))
        measuring = clock(lambda: next(now))
        mark = measuring.begin(own)
        assert measuring.end(own, mark) == 2.5
        assert len(waited) == waits

    @pytest.mark.parametrize(
        ('set_bytes', 'expected'),
        [(1 << 30, (1, True)), (60, (3, True)), (61, (3, True)), (1, (16, False))],
    )
    def test_sets_exceed_the_cache_where_they_can(
        self, set_bytes: int, expected: tuple[int, bool]
    ) -> None:
        assert timing.sets_beyond(60, set_bytes, most=16) == expected
