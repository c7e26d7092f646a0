"""Benchmarks that say who multiplies: plans are made for one and stay with it."""

import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

import benchmarks.on_gpu_steps
import tensorvar as tv
from tests.support import emulated_kernels
from tests.support.layers import bits, dense, fused, layer

PACKAGE = 'benchmarks.on_gpu_steps'


@pytest.fixture
def multipliers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    stand_in: Any = types.ModuleType(f'{PACKAGE}.operands')
    stand_in.tv, stand_in.DEVICE = tv, 'GPU:0'
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    monkeypatch.setattr(benchmarks.on_gpu_steps, 'operands', stand_in, raising=False)
    sys.modules.pop(f'{PACKAGE}.multipliers', None)
    yield importlib.import_module(f'{PACKAGE}.multipliers')
    # What others load must see the real module beside it.
    del sys.modules[f'{PACKAGE}.multipliers']
    del benchmarks.on_gpu_steps.multipliers


def test_plans_stay_with_whom_they_were_made_for(
    kernel_target: emulated_kernels.EmulatedTarget, simulated_gpus: list[str], multipliers: Any
) -> None:
    arguments = layer()
    plans, results = {}, {}
    for who in multipliers.ALL:
        plans[who] = tv.function(dense)
        with multipliers.preferred(who):
            for _ in range(2):
                results[who] = bits(plans[who](*arguments))
    assert fused(plans[multipliers.CUBLAS]) == ['AddV2_Relu']
    assert fused(plans[multipliers.OWN]) == ['MatMul_AddV2_Relu']
    kernel_target.launched.clear()
    kernel_target.cublas.called.clear()
    for who in multipliers.ALL:
        assert bits(plans[who](*arguments)) == results[who]
    assert sorted(name.split('_')[0] for name in kernel_target.launched) == ['fused', 'gemv']
    assert len(kernel_target.cublas.called) == 1
    dense(*arguments)
    assert len(kernel_target.cublas.called) == 2
