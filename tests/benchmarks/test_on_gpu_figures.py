"""The steps that measure operations beside other libraries, with NumPy in CuPy's place."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmarks.on_gpu_steps
import tensorvar as tv
from benchmarks.on_gpu_steps import goals, session, timing
from tensorvar._cuda import matmul_problem, matmul_table, targets
from tests.support import numpy_as_cupy

PACKAGE = 'benchmarks.on_gpu_steps'
TINY = timing.Effort(rounds=1, batch_seconds=0.0)

Play = Callable[..., session.Session]


@pytest.fixture
def play(
    simulated_gpus: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Play]:
    """Runs a step on a simulated card, with sizes of its module replaced."""
    numpy_as_cupy.install(monkeypatch)
    monkeypatch.setattr(tv.config, 'stream', lambda device: numpy_as_cupy.Stream.null)
    measure = timing.measure
    monkeypatch.setattr(
        timing, 'measure', lambda each, clock, effort=None: measure(each, clock, TINY)
    )
    loaded: list[str] = []

    def load(name: str) -> Any:
        loaded.append(name)
        return importlib.import_module(f'{PACKAGE}.{name}')

    def run(name: str, seconds: float = 60, **sizes: Any) -> session.Session:
        load('operands')
        module = load(name)
        for each, value in sizes.items():
            monkeypatch.setattr(module, each, value)
        step = session.Session(tmp_path / 'step.json', seconds)
        module.main(step)
        step.finish()
        return step

    # A module that an earlier test left may know another stand-in.
    sys.modules.pop(f'{PACKAGE}.operands', None)
    yield run
    for name in set(loaded):
        sys.modules.pop(f'{PACKAGE}.{name}', None)
        if hasattr(benchmarks.on_gpu_steps, name):
            delattr(benchmarks.on_gpu_steps, name)


def test_writes_of_every_dtype(play: Play) -> None:
    step = play('assign', _ELEMENTS=(4,), _LARGE_BYTES=(1 << 12,))
    assert step.status == 'passed', step.lines
    assert len(step.rows) == len(goals.WRITES) * len(goals.WRITTEN) * 2
    row = next(row for row in step.rows if row['case'] == 'assign_add float32 4 KiB')
    assert set(row['seconds']) == {'tensorvar', 'cupy'}
    assert row['bytes'] == 3 * 4096
    assert row['of_copy'] > 0
    assert row['absent'] == {'torch': 'not installed'}
    assert step.facts['copy_bytes_per_second'] > 0


def test_a_contender_of_ours_that_fails_fails_the_step(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*values: Any) -> None:
        raise ValueError('no\n such thing')

    monkeypatch.setattr(tv.Variable, 'assign_sub', refuse)
    step = play('assign', _ELEMENTS=(4,), _LARGE_BYTES=())
    assert step.status == 'failed'
    assert step.lines[-1] == 'assign_sub int8 4 B: tensorvar: ValueError: no such thing'
    row = next(row for row in step.rows if row['case'] == 'assign_sub int8 4 B')
    assert set(row['seconds']) == {'cupy'}


def test_a_peer_that_fails_is_left_out(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    cupy = numpy_as_cupy.install(monkeypatch)

    def refuse(*values: Any) -> None:
        raise TypeError('not this dtype')

    cupy.exp = refuse
    step = play('dispatch')
    assert step.status == 'passed'
    assert 'exp(a), host alone: cupy: TypeError: not this dtype' in step.lines


def test_host_time_of_calls(play: Play) -> None:
    step = play('dispatch')
    assert step.status == 'passed', step.lines
    cases = [row['case'] for row in step.rows]
    assert cases[:2] == ['assign_add, host alone', 'assign_add, call after call']
    assert len(cases) == 8


def test_copies_in_both_directions(play: Play) -> None:
    step = play('copies', SIZES=(4096,))
    assert step.status == 'passed', step.lines
    assert [row['case'] for row in step.rows] == ['host to card 4 KiB', 'card to host 4 KiB']


def test_rows_that_are_picked_and_added(play: Play) -> None:
    step = play('indexing', ROWS=50, PICKED=40)
    assert step.status == 'passed', step.lines
    assert len(step.rows) == 8


def test_normal_draws(play: Play) -> None:
    step = play('random_numbers', SIZES=(1 << 10,))
    assert step.status == 'passed', step.lines
    assert len(step.rows) == 2


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card by name alone, for the step that multiplies."""
    monkeypatch.setattr(
        targets.DeviceTarget, '__init__', lambda self, *values: setattr(self, 'name', 'sm_90a')
    )


def groups(play: Play) -> dict[str, Any]:
    module = importlib.import_module(f'{PACKAGE}.matmul')
    return {
        'GROUPS': {
            'square': (module.Size(8, 8, 8),),
            'odd': (module.Size(3, 5, 7),),
        },
        '_CHECKED': module.Size(8, 8, 8),
        '_WARM_UP_SECONDS': 0.0,
        '_WARM_UP_SIDE': 8,
    }


def test_products_without_a_table(play: Play, products: None) -> None:
    step = play('matmul', **groups(play))
    assert step.status == 'passed', step.lines
    assert step.lines == ['no table of this run: cuBLAS multiplies for tensorvar']
    row = step.rows[0]
    assert (row['case'], row['group']) == ('bfloat16 8', 'matmul square bfloat16')
    assert row['operations'] == 2 * 8**3
    tf32 = next(row for row in step.rows if row['case'] == 'float32 tf32 8')
    assert set(tf32['seconds']) == {'tensorvar'}
    assert step.rows[-1]['case'] == 'float32 ieee 3 x 5 x 7'
    assert step.facts['error float32 ieee'] < 1e-5


def test_products_by_the_table_of_the_run(
    play: Play, products: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {
        'dtype': 'float32', 'result': 'float32', 'precision': 'ieee', 'layout': 'NN',
        'batch': 1, 'm': 8, 'n': 8, 'k': 8, 'microseconds': {'simt': 1.0}, 'noise': 0.0,
    }  # fmt: skip
    (tmp_path / 'matmul-sm_90a.json').write_text(json.dumps({'rows': [measured]}))
    matrices = matmul_problem.Matrices(0, 8)
    f4 = np.dtype(np.float32)
    problem = matmul_problem.Problem(1, 8, 8, 8, *[matrices] * 3, f4, f4)
    seen = []
    chosen = groups(play)
    module = importlib.import_module(f'{PACKAGE}.matmul')
    compare = module._compare

    def note(step: session.Session) -> None:
        seen.append(matmul_table.find(problem, 'sm_90a'))
        compare(step)

    step = play('matmul', _compare=note, **chosen)
    assert step.lines == ['tensorvar chooses by the table of this run']
    assert seen[0].microseconds == {'simt': 1.0}
    assert matmul_table.find(problem, 'sm_90a') is None


def test_layers(play: Play) -> None:
    step = play('layers', SIZES=((8, 6, 4), (2, 3, 5)))
    assert step.status == 'passed', step.lines
    assert [row['case'] for row in step.rows[:2]] == [
        'layer 8 x 6 x 4 bfloat16', 'layer 8 x 6 x 4 float32',
    ]  # fmt: skip
    row = step.rows[-1]
    assert list(row['seconds']) == ['tensorvar, cublas', 'tensorvar, own kernels']
    assert (row['group'], row['operations']) == ('layer float32', 2 * 2 * 3 * 5)


def test_layers_without_time(play: Play) -> None:
    step = play('layers', 0.0)
    assert step.lines == ['out of time at layer 4096 x 4096 x 4096 bfloat16']
    assert not step.rows


def test_wrong_products_fail(play: Play, products: None, monkeypatch: pytest.MonkeyPatch) -> None:
    multiply = tv.matmul
    monkeypatch.setattr(tv, 'matmul', lambda a, b, **words: multiply(a, b, **words) * 1.1)
    step = play('matmul', **groups(play))
    assert step.status == 'failed'
    assert step.lines[1].startswith('bfloat16 8: relative error 1.0e-01')


def test_a_step_without_time_says_where_it_stopped(play: Play, products: None) -> None:
    step = play('matmul', 0.0, **groups(play))
    assert step.lines[-1] == 'out of time at bfloat16 8'
    assert not step.rows
