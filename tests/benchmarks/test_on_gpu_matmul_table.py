"""The step that measures products, with NumPy in CuPy's place and the kernels on the CPU."""

import importlib
import json
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
from tensorvar._cuda import (
    cache,
    cublas,
    host_emulation,
    matmul,
    matmul_simt,
    matmul_table,
    source,
)
from tests.support import fake_cublas

LANE = timing.Lane(None, lambda: None)
EFFORT = timing.Effort(rounds=1, batch_seconds=0.0)


class Operands(types.ModuleType):
    """Stands in for the module of that name, which needs a card."""

    torch = None
    DTYPES = {'bfloat16': np.dtype(ml_dtypes.bfloat16)}  # noqa: RUF012
    contender = staticmethod(lambda name, call, library=None: timing.Contender(name, call, LANE))
    event_clock = timing.WallClock
    settle = staticmethod(lambda: None)
    cache_bytes = staticmethod(lambda: 1 << 12)
    cupy = types.SimpleNamespace(
        random=np.random.default_rng(0), empty=np.empty, linalg=np.linalg, matmul=np.matmul
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
    ) -> dict[str, Any]:
        assert effort.rounds < timing.Effort().rounds
        row = {'case': case, **vars(timing.measure(contenders, clock, EFFORT)), **more}
        step.add(row)
        return row


@pytest.fixture
def operands(monkeypatch: pytest.MonkeyPatch) -> Operands:
    made = Operands('benchmarks.on_gpu_steps.operands')
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setattr(benchmarks.on_gpu_steps, 'operands', made, raising=False)
    return made


def make_cublas(kernels: matmul.MatmulKernels) -> cublas.CublasMatmul:
    def memory(nbytes: int) -> Any:
        array = np.zeros(nbytes, np.uint8)
        return types.SimpleNamespace(array=array, ptr=array.ctypes.data)

    return cublas.CublasMatmul(kernels.target, cublas.Library(fake_cublas.FakeCublas()), memory)


Play = Callable[[], session.Session]


@pytest.fixture
def play(operands: Operands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Play]:
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    name = 'benchmarks.on_gpu_steps.matmul_table'
    module = importlib.import_module(name)
    kernels = matmul.MatmulKernels(host_emulation.HostTarget(cache.Cache(tmp_path / 'kernels')))
    kernels.families = {each: kernels.families[each] for each in ('gemv', 'simt')}
    monkeypatch.setattr(module, 'make_kernels', lambda: kernels)
    monkeypatch.setattr(module, 'make_cublas', make_cublas)
    kinds = (module.Kind('float32', 'float32'), module.Kind('float32', 'float32', 'tf32'),
             module.Kind('int32', 'int32'))  # fmt: skip
    monkeypatch.setattr(module, 'KINDS', (kinds,))
    monkeypatch.setattr(module, 'SIZES', (module.Size(20, 24, 30), module.Size(4, 24, 30, 3)))
    monkeypatch.setattr(module, 'LAYOUTS', ('NN', 'TN'))

    def run() -> session.Session:
        step = session.Session(tmp_path / 'step.json', 60)
        module.main(step)
        step.finish()
        return step

    yield run
    # What others load must see the real module beside it.
    del sys.modules[name]
    del benchmarks.on_gpu_steps.matmul_table


def test_a_table_that_the_choice_can_read(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    step = play()
    assert step.status == 'passed', step.lines
    table = json.loads((tmp_path / 'matmul-host.json').read_text())
    assert table['schema'] == matmul_table.SCHEMA
    assert len(table['rows']) == 12
    first, tf32, integers = table['rows'][:3]
    assert (first['dtype'], first['layout'], first['m']) == ('float32', 'NN', 20)
    assert set(first['microseconds']) == {'simt', 'cublas'}
    assert set(tf32['microseconds']) == {'cublas'}
    assert set(integers['microseconds']) == {'simt'}
    assert set(table['rows'][3]['microseconds']) == {'gemv', 'simt', 'cublas'}
    assert table['rows'][3]['batch'] == 3
    assert step.rows[0]['case'] == 'float32 to float32 NN 20 x 24 x 30'
    assert step.rows[0]['operations'] == 2 * 20 * 24 * 30

    (tmp_path / 'tables').mkdir()
    (tmp_path / 'tv_core.cuh').write_text('')
    (tmp_path / 'matmul-host.json').rename(tmp_path / 'tables' / 'matmul-host.json')
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    matmul_table.rows.cache_clear()
    rows = matmul_table.rows('host')
    matmul_table.rows.cache_clear()
    assert sum(map(len, rows.values())) == 12


def test_what_does_not_fit_is_left_out(play: Play, operands: Operands) -> None:
    operands.free = 4000
    step = play()
    assert step.rows == []
    assert step.lines[0] == 'too little memory for float32 to float32 NN 20 x 24 x 30'


def test_who_is_wrong_is_left_out(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul_simt.SimtMatmul, 'multiply', lambda self, *operands: None)
    step = play()
    assert step.status == 'failed'
    assert 'simt: relative error nan' in step.lines[0]
    assert set(step.rows[0]['seconds']) == {'cublas'}
