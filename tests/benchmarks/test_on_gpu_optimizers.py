"""The step that compares optimizers, with NumPy in CuPy's place and the kernels on the CPU."""

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmarks.on_gpu_steps
from benchmarks.on_gpu_steps import session, timing
from tensorvar._cuda import cache, host_emulation, optimizers

LANE = timing.Lane(None, lambda: None)
EFFORT = timing.Effort(rounds=1, batch_seconds=0.0)
SIZES = ((1, 300), (3, 5))


class ElementwiseKernel:
    """Does what the step's own kernel for CuPy says."""

    def __init__(self, *texts: str) -> None:
        self.text = texts[2]

    def __call__(
        self, g: Any, rate: float, k1: float, k2: float, epsilon: float, w: Any, m: Any, v: Any
    ) -> None:
        assert self.text == (
            'm += (g - m) * k1; v += (g * g - v) * k2; w -= m * rate / (sqrtf(v) + epsilon)'
        )
        m += (g - m) * k1
        v += (g * g - v) * k2
        w -= m * rate / (np.sqrt(v) + epsilon)


class Operands(types.ModuleType):
    """Stands in for the module of that name, which needs a card."""

    torch = None
    contender = staticmethod(lambda name, call, library=None: timing.Contender(name, call, LANE))
    event_clock = timing.WallClock
    settle = staticmethod(lambda: None)
    cache_bytes = staticmethod(lambda: 1000)
    copy_rate = staticmethod(lambda nbytes: 1e12)
    cupy = types.SimpleNamespace(
        random=np.random, zeros=np.zeros, asarray=np.array, ElementwiseKernel=ElementwiseKernel
    )
    free = 1 << 30

    def free_bytes(self) -> int:
        return self.free

    def compare(
        self, step: session.Session, case: str, contenders: Any, clock: Any, **more: Any
    ) -> dict[str, Any]:
        row = {'case': case, **vars(timing.measure(contenders, clock, EFFORT)), **more}
        step.add(row)
        return row


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
    name = 'benchmarks.on_gpu_steps.optimizers'
    module = importlib.import_module(name)
    target = host_emulation.HostTarget(cache.Cache(tmp_path / 'kernels'))
    monkeypatch.setattr(
        module, 'make_kernels', lambda: optimizers.OptimizerKernels(target, np.copy)
    )
    monkeypatch.setattr(module, 'SIZES', SIZES)

    def run() -> session.Session:
        step = session.Session(tmp_path / 'step.json', 60)
        module.main(step)
        step.finish()
        return step

    yield run
    # What others load must see the real module beside it.
    del sys.modules[name]
    del benchmarks.on_gpu_steps.optimizers


def test_every_size_is_compared(play: Play) -> None:
    step = play()
    assert step.status == 'passed', step.lines
    assert step.facts['largest difference'] < 1e-6
    assert [row['case'] for row in step.rows] == ['adam float32 1 x 300', 'adam float32 3 x 5']
    for row, (count, elements) in zip(step.rows, SIZES, strict=True):
        assert list(row['seconds']) == ['tensorvar', 'tensorvar apply', 'cupy']
        assert row['bytes'] == 28 * count * elements
        assert row['of_copy'] == pytest.approx(row['bytes'] / row['seconds']['tensorvar'] / 1e12)


def test_what_does_not_fit_is_left_out(play: Play, operands: Operands) -> None:
    operands.free = 4000
    step = play()
    assert [row['case'] for row in step.rows] == ['adam float32 3 x 5']
    assert step.lines == ['too little memory for 1 of 300']


def test_wrong_results_fail(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ElementwiseKernel, '__call__', lambda self, *arrays: None)
    step = play()
    assert step.status == 'failed'
    assert step.lines[0].startswith('two steps differ by')
