"""The benchmark harness measures and compares; no test asserts a time."""

from collections.abc import Callable
from typing import Any

import pytest

import tensorvar as tv
from benchmarks import contender, harness, libraries, worker

TINY = contender.Effort(rounds=1, batches=1, batch_seconds=1e-6, rest_seconds=0.0)


def test_a_family_is_measured_in_a_process_of_each_library() -> None:
    result = harness.measure('calls', 'CPU:0', ['tensorvar', 'numpy'], TINY)
    ours = {case for case, rounds in result['seconds'].items() if 'tensorvar' in rounds}
    theirs = {case for case, rounds in result['seconds'].items() if 'numpy' in rounds}
    assert theirs < ours
    assert all(time > 0 for rounds in result['seconds'].values() for [time] in rounds.values())
    assert set(result['versions']) == {'tensorvar', 'numpy'}
    for memory in result['memory'].values():
        assert 0 < memory['start'] <= memory['peak']


def test_a_device_that_is_absent_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r'process of tensorvar ended with 1:\n(?s:.*)no GPU:7'):
        harness.measure('matmul', 'GPU:7', ['tensorvar'])


def test_a_simulated_gpu_is_refused(simulated_gpus: list[str]) -> None:
    with pytest.raises(SystemExit, match='GPU:1 is simulated'):
        libraries.ALL['tensorvar'].scope(tv, 'GPU:1')


def test_workers_simulate_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', '8')
    assert 'TENSORVAR_SIMULATE_GPUS' not in contender.quiet_environment()


def test_workers_choose_their_kernels_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in contender.PINNED_KERNELS:
        monkeypatch.setenv(name, 'Haswell')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    environment = contender.quiet_environment()
    assert not contender.PINNED_KERNELS & set(environment)
    assert environment['OMP_NUM_THREADS'] == '1'


def test_each_library_has_its_program_in_some_family() -> None:
    programs = {library.program for library in libraries.ALL.values()}
    assert programs == {'tensorvar', 'numpy', 'torch', 'jax'}


def test_a_library_that_was_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries.importlib.util, 'find_spec', lambda name: None)
    for library in libraries.ALL.values():
        monkeypatch.delenv(library.interpreter_variable, raising=False)
    assert libraries.interpreters() == {}
    with pytest.raises(SystemExit, match='Python that has it in TENSORVAR_BENCH_TORCH'):
        libraries.interpreters(['torch'])
    monkeypatch.setenv('TENSORVAR_BENCH_TORCH', 'some/python')
    assert libraries.interpreters() == {'torch': 'some/python'}


class Clock:
    """Time that passes only while a call runs."""

    def __init__(self, *seconds: float) -> None:
        self.now = 0.0
        self.calls = 0
        self._seconds = seconds

    def __call__(self) -> None:
        self.now += self._seconds[min(self.calls, len(self._seconds) - 1)]
        self.calls += 1


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[worker.Case, Clock]]:
    def make(*seconds: float) -> tuple[worker.Case, Clock]:
        clock = Clock(*seconds)
        monkeypatch.setattr(worker.time, 'perf_counter', lambda: clock.now)
        return worker.Case(clock, lambda result: None), clock

    return make


class TestCase:
    def test_it_is_timed_in_batches_after_a_warm_up(self, watched: Any) -> None:
        case, clock = watched(9.0, 0.125)
        assert case.seconds_per_call(batch_seconds=1.0, batches=5) == 0.125
        calls = clock.calls
        assert case.seconds_per_call(batch_seconds=1.0, batches=5) == 0.125
        assert clock.calls - calls == 5 * 8

    def test_what_is_slow_is_called_few_times(self, watched: Any) -> None:
        case, clock = watched(4.0)
        assert case.seconds_per_call(batch_seconds=0.01, batches=5) == 4.0
        assert clock.calls == 3
