"""The benchmark harness measures, compares and writes; no test asserts a time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tensorvar as tv
from benchmarks import harness, libraries
from tests.support import source_tree


def by_library(**rounds: list[float]) -> dict[str, list[float]]:
    return rounds


def test_ratio_is_the_median_over_the_rounds() -> None:
    rounds = by_library(tensorvar=[1.0, 2.0, 4.0], numpy=[3.0, 4.0, 4.0])
    assert harness.ratio(rounds, 'numpy') == 2.0


def test_ratio_needs_both() -> None:
    assert harness.ratio(by_library(numpy=[1.0]), 'numpy') is None
    assert harness.ratio(by_library(tensorvar=[1.0]), 'numpy') is None


@pytest.mark.parametrize(('peer', 'verdict'), [(1.04, 'tie'), (0.5, 'x0.50'), (2.0, 'x2.00')])
def test_table_calls_close_times_a_tie(peer: float, verdict: str) -> None:
    result = {
        'family': 'matmul',
        'device': 'CPU:0',
        'machine': {'processor': 'a processor'},
        'versions': {'tensorvar': '0', 'numpy': '2'},
        'seconds': {'a case': by_library(tensorvar=[1.0], numpy=[peer])},
    }
    assert verdict in harness.table(result)


@pytest.mark.parametrize('family', harness.FAMILIES)
def test_every_family_runs_beside_numpy(family: str) -> None:
    result = harness.measure(
        family,
        'CPU:0',
        ['tensorvar', 'numpy'],
        harness.Effort(rounds=1, batches=1, batch_seconds=1e-6, rest_seconds=0.0),
    )
    ours = {case for case, rounds in result['seconds'].items() if 'tensorvar' in rounds}
    theirs = {case for case, rounds in result['seconds'].items() if 'numpy' in rounds}
    assert ours
    assert theirs <= ours, 'a case that tensorvar does not run'
    assert all(time > 0 for rounds in result['seconds'].values() for [time] in rounds.values())


def test_a_device_that_is_absent_is_refused() -> None:
    with pytest.raises(RuntimeError, match='process of tensorvar ended with 1'):
        harness.measure('matmul', 'GPU:7', ['tensorvar'])


def test_a_simulated_gpu_is_refused(simulated_gpus: list[str]) -> None:
    with pytest.raises(SystemExit, match='GPU:1 is simulated'):
        libraries.ALL['tensorvar'].scope(tv, 'GPU:1')


def test_workers_simulate_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', '8')
    with pytest.raises(RuntimeError, match='process of tensorvar ended with 1'):
        harness.measure('matmul', 'GPU:7', ['tensorvar'])


def test_the_command_writes_json(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, '-m', 'benchmarks', 'matmul', '--quick', '--libraries', 'numpy',
         '--output', str(tmp_path)],
        check=True,
        capture_output=True,
        cwd=source_tree.ROOT,
        timeout=60,
    )  # fmt: skip
    written = tmp_path / 'matmul_cpu.json'
    result = json.loads(written.read_text())
    assert result['schema'] == harness.SCHEMA
    assert list(result['versions']) == ['numpy']
    assert set(result['machine']) == {'processor', 'cores', 'python', 'system'}


def test_each_library_has_its_program_in_some_family() -> None:
    programs = {library.program for library in libraries.ALL.values()}
    assert programs == {'tensorvar', 'numpy', 'torch', 'jax'}
