"""The step that compares scatters, with NumPy in CuPy's place and the kernels on the CPU."""

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import benchmarks.on_gpu_steps
from benchmarks.on_gpu_steps import session, timing
from tensorvar._cuda import cache, host_emulation, rows

LANE = timing.Lane(None, lambda: None)
EFFORT = timing.Effort(rounds=1, batch_seconds=0.0)


class Operands(types.ModuleType):
    """Stands in for the module of that name, which needs a card."""

    torch = None
    DTYPES = {'float32': np.dtype('f4'), 'bfloat16': np.dtype(ml_dtypes.bfloat16)}  # noqa: RUF012
    contender = staticmethod(lambda name, call, library=None: timing.Contender(name, call, LANE))
    event_clock = timing.WallClock
    settle = staticmethod(lambda: None)
    cupy = types.SimpleNamespace(
        random=np.random,
        zeros=np.zeros,
        argsort=np.argsort,
        asnumpy=np.asarray,
        add=np.add,
    )
    free = 1 << 30

    def free_bytes(self) -> int:
        return self.free

    def compare(
        self,
        step: session.Session,
        case: str,
        contenders: Any,
        clock: Any,
        effort: timing.Effort,
        **more: Any,
    ) -> None:
        assert effort.rounds < timing.Effort().rounds
        step.add({'case': case, **vars(timing.measure(contenders, clock, EFFORT)), **more})


@pytest.fixture
def operands(monkeypatch: pytest.MonkeyPatch) -> Operands:
    made = Operands('benchmarks.on_gpu_steps.operands')
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setattr(benchmarks.on_gpu_steps, 'operands', made, raising=False)
    return made


Play = Callable[[], session.Session]


@pytest.fixture
def play(operands: Operands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Play]:
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    name = 'benchmarks.on_gpu_steps.scatter'
    module = importlib.import_module(name)
    target = host_emulation.HostTarget(cache.Cache(tmp_path / 'kernels'))
    monkeypatch.setattr(module, 'make_kernels', lambda: rows.RowKernels(target, np.empty))
    monkeypatch.setattr(module, 'SHAPES', (module.Shape('half', 30, 200, 0.5),))
    monkeypatch.setattr(module, 'WIDTHS', (8,))

    def run() -> session.Session:
        step = session.Session(tmp_path / 'step.json', 60)
        module.main(step)
        step.finish()
        return step

    yield run
    # What others load must see the real module beside it.
    del sys.modules[name]
    del benchmarks.on_gpu_steps.scatter


def test_every_way_is_checked_and_compared(play: Play) -> None:
    step = play()
    assert step.status == 'passed', step.lines
    single, half = step.rows
    assert single['case'] == 'scatter_add half, float32 x 8'
    assert half['case'] == 'scatter_add half, bfloat16 x 8'
    assert half['bytes'] == 3 * 200 * 8 * 2
    ours = ['tensorvar', 'tensorvar sorted before', 'tensorvar atomic', 'tensorvar bulk']
    assert list(single['seconds']) == [*ours, 'cupy sort', 'cupy']
    assert list(half['seconds']) == [*ours, 'cupy sort']
    assert step.facts['tensorvar bulk float32'] < 1e-6
    assert 'tensorvar bfloat16' in step.facts


def test_what_does_not_fit_is_left_out(play: Play, operands: Operands) -> None:
    operands.free = 4000
    step = play()
    assert step.rows == []
    assert step.lines[0] == 'too little memory for half, 8 float32'


def test_wrong_results_fail(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows.RowKernels, 'scatter', lambda self, *operands: None)
    step = play()
    assert step.status == 'failed'
    assert 'sums differ by' in step.lines[0]
