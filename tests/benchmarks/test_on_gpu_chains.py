"""The steps that compare chains and training steps, with the CPU in the card's place."""

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

import benchmarks.on_gpu_steps
import tensorvar as tv
from benchmarks.on_gpu_steps import plan, session, timing

LANE = timing.Lane(None, lambda: None)
EFFORT = timing.Effort(rounds=1, batch_seconds=0.0)


class Values(NamedTuple):
    tensorvar: Any
    cupy: Any
    torch: Any = None


def draw(shape: tuple[int, ...], dtype: str) -> Values:
    values = np.random.default_rng(0).uniform(-1, 1, shape).astype(Operands.DTYPES[dtype])
    return Values(tv.constant(values), values)


class Operands(types.ModuleType):
    """Stands in for the module of that name, which needs a card."""

    torch = None
    tv = tv
    DEVICE = 'CPU:0'
    LANES = {'tensorvar': LANE}  # noqa: RUF012
    DTYPES = {'float32': np.dtype('f4'), 'bfloat16': np.dtype(ml_dtypes.bfloat16)}  # noqa: RUF012
    contender = staticmethod(lambda name, call, library=None: timing.Contender(name, call, LANE))
    event_clock = timing.WallClock
    settle = staticmethod(lambda: None)
    jax_with_card = staticmethod(lambda: None)
    absent = {'jax': 'not installed'}  # noqa: RUF012
    draw = staticmethod(draw)
    cupy = types.SimpleNamespace(tanh=np.tanh, exp=np.exp, fuse=lambda: lambda function: function)
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
    ) -> dict[str, Any]:
        assert effort.rounds <= timing.Effort().rounds
        row = {'case': case, **vars(timing.measure(contenders, clock, EFFORT)), **more}
        step.add(row)
        return row


@pytest.fixture
def operands(monkeypatch: pytest.MonkeyPatch) -> Operands:
    made = Operands('benchmarks.on_gpu_steps.operands')
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setattr(benchmarks.on_gpu_steps, 'operands', made, raising=False)
    return made


Play = Callable[..., session.Session]


@pytest.fixture
def play(operands: Operands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Play]:
    loaded = []

    def run(name: str, **constants: Any) -> session.Session:
        module = importlib.import_module(f'benchmarks.on_gpu_steps.{name}')
        loaded.append(name)
        for constant, value in constants.items():
            monkeypatch.setattr(module, constant, value)
        step = session.Session(tmp_path / 'step.json', 60)
        module.main(step)
        step.finish()
        return step

    yield run
    # What others load must see the real module beside it.
    for name in set(loaded):
        del sys.modules[f'benchmarks.on_gpu_steps.{name}']
        delattr(benchmarks.on_gpu_steps, name)


def test_chains_are_checked_and_compared(play: Play) -> None:
    step = play('chains', SIZES=(4, 1000))
    assert step.status == 'passed', step.lines
    assert len(step.rows) == 4
    assert step.rows[0]['case'] == 'chain of 8 ops, 4 float32'
    assert list(step.rows[0]['seconds']) == ['tensorvar', 'tensorvar plan', 'cupy', 'cupy fuse']
    assert list(step.rows[3]['seconds']) == ['tensorvar', 'tensorvar plan', 'cupy']
    assert step.rows[3]['bytes'] == 3 * 1000 * 2


def test_a_chain_that_does_not_fit_is_left_out(play: Play, operands: Operands) -> None:
    operands.free = 1000
    step = play('chains', SIZES=(1000,), DTYPES=('float32',))
    assert (step.rows, step.lines) == ([], ['too little memory for 1000 float32'])


def test_a_plan_that_is_wrong_fails(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Operands, 'tv', _Wrong())
    step = play('chains', SIZES=(4,), DTYPES=('float32',))
    assert step.status == 'failed'
    assert 'differs from the ops one by one' in step.lines[0]


class _Wrong:
    """tensorvar, if its plans were wrong."""

    tanh, exp = staticmethod(tv.tanh), staticmethod(tv.exp)

    def function(self, function: Any) -> Any:
        return lambda x, y: function(x, y) + 1.0


def test_training_steps_are_compared(play: Play) -> None:
    step = play('training', BATCHES=(32,))
    assert step.status == 'passed', step.lines
    row, products = step.rows
    assert row['case'] == 'training step, 64-128-10, batch 32'
    assert list(row['seconds']) == ['tensorvar', 'tensorvar plan', 'tensorvar graph']
    assert step.lines[0].startswith('training step, 64-128-10, batch 32: tensorvar ')
    assert products['case'] == 'training step, 64-128-10, batch 32, products'
    assert list(products['seconds']) == [
        'tensorvar graph, cublas', 'tensorvar graph, own kernels',
    ]  # fmt: skip
    assert step.lines[2] == 'JAX: not installed'


def test_what_peers_compile_is_compared_afterwards(
    play: Play, operands: Operands, monkeypatch: pytest.MonkeyPatch
) -> None:
    jax = types.SimpleNamespace(block_until_ready=lambda result: None)
    monkeypatch.setattr(operands, 'jax_with_card', lambda: jax, raising=False)
    module = importlib.import_module('benchmarks.on_gpu_steps.training')
    calls = {'jax jit': (lambda: None, LANE)}
    step = play('training', BATCHES=(32,), _jax=lambda library, batch: calls)
    assert step.status == 'passed', step.lines
    plain, _, compiled = step.rows
    assert compiled['case'] == f'{plain["case"]}, compiled'
    assert list(compiled['seconds']) == [*plain['seconds'], 'jax jit']
    assert module.case_of(32) == plain['case']


def test_both_are_steps_of_the_run() -> None:
    names = [step.name for step in plan.STEPS]
    assert {'chains', 'training'} <= set(names)
