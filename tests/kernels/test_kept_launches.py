"""What the operations keep between launches, and the ways around what was kept."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import device_kernels
from tensorvar._cuda import optimizer_rules, optimizers
from tests.support import emulated_kernels

Target = emulated_kernels.EmulatedTarget

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def gpu(kernel_target: Target, simulated_gpus: list[str]) -> Target:
    """What GPU:0, the default device, launches with."""
    return kernel_target


def rows(indices: Any, values: Any = 1.0) -> tv.IndexedSlices:
    return tv.IndexedSlices(values, indices)


def test_a_scatter_like_the_one_before_binds_nothing(
    gpu: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound: list[str] = []
    bind = emulated_kernels.Counted.bind

    def note(kernel: Any, grid: Any) -> Any:
        bound.append(kernel.name)
        return bind(kernel, grid)

    monkeypatch.setattr(emulated_kernels.Counted, 'bind', note)
    v = tv.Variable(ROWS)
    for _ in range(3):
        v.scatter_add(rows([1, 2]))
        tv.gather(v, [0, 3])
    assert len(bound) == len(set(bound)) == 2
    v.scatter_add(rows(np.arange(600) % 4))
    assert len(bound) == 3


def test_a_sorted_scatter_of_many_rows_takes_memory_of_its_own(gpu: Target) -> None:
    # More than 64 updates of a row are added up in pieces.
    v = tv.Variable(tv.zeros([2, 3], tv.bfloat16))
    v.scatter_add(rows(np.zeros(200, np.int32), tv.ones([200, 3], tv.bfloat16)))
    assert v.numpy()[0].tolist() == [200, 200, 200]
    assert gpu.count('scatter_add_fold') == gpu.count('scatter_add_join') == 1


def test_operands_that_are_not_alike_are_written_all_the_same(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    turned = tv.transpose(tv.constant(np.ascontiguousarray(ROWS.T)))
    part = tv.constant(np.vstack([ROWS[:1], ROWS]))[1:]
    expected = ROWS.copy()
    for delta in (tv.constant(ROWS), turned, part, tv.constant(ROWS)):
        v.assign_add(delta)
        expected = expected + ROWS
    np.testing.assert_array_equal(v.numpy(), expected)
    assert gpu.count('assign_add') == 4
    v.assign_add(v)
    np.testing.assert_array_equal(v.numpy(), 2 * expected)


def test_optimizers(gpu: Target) -> None:
    v, gradient = tv.Variable(ROWS), tv.constant(ROWS)
    backend = v._device.backend
    kernels = device_kernels.find(backend)
    scalars = backend.from_host(optimizers.initial_scalars(0.5))
    rule = optimizer_rules.sgd()
    kernels.optimizers.apply(rule, [v._array], [gradient._array], {}, scalars)
    assert kernels.optimizers is kernels.optimizers
    np.testing.assert_array_equal(v.numpy(), ROWS * 0.5)
