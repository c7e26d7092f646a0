"""Each family's program runs, and where its results can be compared, they are NumPy's."""

import importlib
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from benchmarks import harness, libraries

SMALLER: dict[str, dict[str, Any]] = {
    'growth': {'LENGTHS': (10, 100)},
    'large': {'SIZE': 1 << 10, 'EDGES': (8,)},
    'matmul': {'EDGES': (4, 32)},
    'step': {'BATCHES': (1, 32)},
}
# Cases that give the same in both programs: a loss, or an array that nothing changes.
COMPARED = {
    'calls': ('a * b of 2', 'matmul of 2x2'),
    'embedding': ('gradient of gather, and update', 'gather'),
    'function': ('branch on a value, eager', 'branch on a value, function'),
    'growth': ('chain of 100, eager', 'chain of 100, function'),
    'loss': ('cross-entropy and gradient, eager', 'cross-entropy and gradient, function'),
    'step': ('batch 32, eager', 'batch 32, function', 'batch 32, compiled'),
}

pytestmark = pytest.mark.usefixtures('fresh_devices')


def programs_of(family: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The cases of tensorvar and of NumPy, at sizes for a test."""
    module = importlib.import_module(f'benchmarks.bench_{family}')
    for name, value in SMALLER.get(family, {}).items():
        monkeypatch.setattr(module, name, value)
    return module.tensorvar_cases(tv), module.numpy_cases(np)


@pytest.mark.parametrize('family', harness.FAMILIES)
def test_every_case_runs(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = programs_of(family, monkeypatch)
    assert ours
    assert set(theirs) <= set(ours), 'a case that tensorvar does not run'
    for call in [*ours.values(), *theirs.values()]:
        call()


@pytest.mark.parametrize('family', COMPARED)
def test_both_programs_compute_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = programs_of(family, monkeypatch)
    for case in COMPARED[family]:
        for _ in range(3):
            np.testing.assert_allclose(ours[case](), theirs[case](), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('family', harness.FAMILIES)
def test_programs_are_those_of_libraries(family: str) -> None:
    module = importlib.import_module(f'benchmarks.bench_{family}')
    programs = {name for name in vars(module) if name.endswith('_cases')} - {'_cases'}
    assert programs <= {f'{library.program}_cases' for library in libraries.ALL.values()}
    assert 'tensorvar_cases' in programs
