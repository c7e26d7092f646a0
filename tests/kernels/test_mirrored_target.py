"""The adapter through which tables run on a card, with the emulation in the card's place."""

import ctypes
from typing import Any

import numpy as np
import pytest

from tensorvar._cuda import assign, fused, host_emulation, rows
from tests.support import (
    fused_cases,
    kernel_cases,
    kernel_rows,
    mirrored_target,
    optimizer_cases,
    scatter_tables,
)


class HostMemory:
    """Blocks of the host that kernels alone see."""

    def __init__(self) -> None:
        self.written = 0

    def allocate(self, nbytes: int) -> tuple[np.ndarray, int]:
        block = np.full(nbytes, 0xEE, np.uint8)
        return block, block.ctypes.data

    def write(self, block: np.ndarray, offset: int, data: np.ndarray) -> None:
        self.written += data.size
        block[offset : offset + data.size] = data

    def read(self, block: np.ndarray, offset: int, data: np.ndarray) -> None:
        data[...] = block[offset : offset + data.size]

    def call(self, function: Any, *values: Any) -> Any:
        return function(*values)


@pytest.fixture
def mirrored(host: host_emulation.HostTarget) -> mirrored_target.MirroredTarget:
    return mirrored_target.MirroredTarget(host, HostMemory())


def test_writes(mirrored: mirrored_target.MirroredTarget) -> None:
    kernels = assign.AssignKernels(mirrored)
    generator = np.random.default_rng(0)
    for case in kernel_cases.pairwise_cases(seed=0)[:12]:
        kernel_cases.run(kernels, case, generator)
    assert mirrored.launches


def test_scatter(mirrored: mirrored_target.MirroredTarget) -> None:
    cases = [
        *scatter_tables.SORTED[::40], *scatter_tables.ATOMIC[::25], scatter_tables.PIECES[0],
    ]  # fmt: skip
    for case in cases:
        kernel_rows.check(mirrored, case, np.random.default_rng(1))


def test_steps_that_know_addresses_see_what_changed(
    mirrored: mirrored_target.MirroredTarget,
) -> None:
    generator = np.random.default_rng(2)
    for case in optimizer_cases.product_cases(seed=0)[:3]:
        optimizer_cases.run(mirrored, case, generator)


def test_fused(mirrored: mirrored_target.MirroredTarget) -> None:
    kernels = fused.FusedKernels(mirrored)
    fused_cases.run_single(kernels, fused_cases.single_ops(0)[5])


def test_memory_of_arrays_that_died_is_not_copied(
    mirrored: mirrored_target.MirroredTarget,
) -> None:
    kernels = assign.AssignKernels(mirrored)
    for _ in range(5):
        array = np.zeros(1000, np.float32)
        kernels.fill(array, np.float32(1))
        assert array.all()
    assert len(mirrored._mirrors) == 1


def test_kernels_see_nothing_of_the_hosts_memory(
    mirrored: mirrored_target.MirroredTarget,
) -> None:
    array = np.arange(8, dtype=np.float32)
    address = mirrored.pointer(array[2:])
    assert address % 256 == array[2:].ctypes.data % 256
    assert not array.ctypes.data <= address < array.ctypes.data + array.nbytes
    assert ctypes.c_uint8.from_address(address).value == 0xEE, 'copied before a launch only'


def test_a_gather(mirrored: mirrored_target.MirroredTarget) -> None:
    kernels = rows.RowKernels(mirrored, kernel_rows.poisoned)
    table, error = np.arange(20.0).reshape(5, 4), np.zeros(1, np.uint64)
    found = np.empty((3, 4))
    kernels.gather(found, table, np.array([4, 9, 0]), error)
    assert found.tolist() == [table[4].tolist(), [0] * 4, table[0].tolist()]
    assert error[0] == 2


def test_many_variables_in_a_table(mirrored: mirrored_target.MirroredTarget) -> None:
    case = optimizer_cases.product_cases(seed=0)[0]._replace(limit=0)
    optimizer_cases.run(mirrored, case, np.random.default_rng(3))
