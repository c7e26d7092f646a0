"""Gather, and the ways to scatter: ``kernels/gather.cu``, ``scatter*.cu``."""

from typing import Any
from unittest import mock

import numpy as np

from benchmarks.on_gpu_steps.families.machine import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    INT32,
    INT64,
    Host,
    Machine,
    SkipCheckError,
    equal,
    expect,
)
from tensorvar._cuda import scatter_plan, select

# Sums of what is drawn are exact in every dtype, so their order does not matter.
_LEAST, _MOST = -1, 2


def check_gather(machine: Machine) -> None:
    """Narrow rows and wide ones by both kinds of indices; bad ones are told and read zeros."""
    random = np.random.default_rng(2)
    for dtype, width in ((FLOAT32, 3), (BFLOAT16, 64), (FLOAT32, 700), (INT64, 4)):
        table = random.integers(-100, 100, (50, width)).astype(dtype)
        for index in (INT32, INT64):
            indices = random.integers(0, 50, 333).astype(index)
            indices[200:] = 7
            what = f'gather {dtype} x {width} by {index}'
            found, error = _gather(machine, table, indices)
            equal(found, table[indices], what)
            expect(error == 0, f'{what}: index {error - 1} is said to be outside')
    indices = np.array([0, -1, 50, 49])
    found, error = _gather(machine, table, indices)
    expected = table[[0, 0, 0, 49]]
    expected[1:3] = 0
    equal(found, expected, 'gather with bad indices')
    expect(error in (2, 3), f'bad indices are told as {error}')


def _gather(machine: Machine, table: Host, indices: Host) -> tuple[Host, int]:
    target = machine.poisoned((len(indices), table.shape[1]), table.dtype)
    error = machine.put(np.zeros(1, np.uint64))
    operands = machine.put(table), machine.put(indices)
    machine.run(machine.kernels.rows.gather, target, *operands, error)
    return machine.get(target), int(machine.get(error)[0])


def check_scatter_atomic(machine: Machine) -> None:
    """By the card's instructions for float32 and integers, many updates of few rows."""
    for op, dtype in (('scatter_add', FLOAT32), ('scatter_sub', INT32), ('scatter_max', FLOAT32)):
        for width in (1, 3, 16):
            _scatter(machine, op, dtype, width, count=400)


def check_scatter_16_bit(machine: Machine) -> None:
    """By the card's instructions for pairs of float16 and bfloat16."""
    for dtype in (FLOAT16, BFLOAT16):
        if scatter_plan.has_atomic('scatter_add', dtype, machine.chip):
            for width in (2, 16):
                _scatter(machine, 'scatter_add', dtype, width, count=400)


def check_scatter_sorted(machine: Machine) -> None:
    """In the order of the indices: sums, in pieces that are joined; the last of several."""
    for op, dtype in (
        ('scatter_add', FLOAT32), ('scatter_add', BFLOAT16), ('scatter_mul', INT32),
        ('scatter_update', FLOAT32),
    ):  # fmt: skip
        for width in (3, 16):
            _scatter(machine, op, dtype, width, count=3000, ordered=True)


def check_scatter_bulk(machine: Machine) -> None:
    """By the copy engine, however narrow the rows."""
    if not scatter_plan.has_bulk(machine.chip):
        raise SkipCheckError(f'the copy engine of {machine.chip} cannot add')
    with mock.patch.object(select, 'threshold', return_value=0):
        for dtype in (FLOAT32, FLOAT16, BFLOAT16):
            for width in (8, 64, 1200):
                _scatter(machine, 'scatter_add', dtype, width, count=400)


_NUMPY: dict[str, Any] = {
    'scatter_add': np.add,
    'scatter_sub': np.subtract,
    'scatter_mul': np.multiply,
    'scatter_max': np.maximum,
}


def _scatter(
    machine: Machine,
    op: str,
    dtype: np.dtype[Any],
    width: int,
    *,
    count: int,
    ordered: bool = False,
) -> None:
    random = np.random.default_rng(width)
    table = random.integers(_LEAST, _MOST, (40, width)).astype(dtype)
    updates = random.integers(_LEAST, _MOST, (count, width)).astype(dtype)
    indices = random.integers(0, 40, count)
    indices[: count // 4] = 7
    order = np.argsort(indices, kind='stable') if ordered else None
    target, error = machine.put(table), machine.put(np.zeros(1, np.uint64))
    machine.run(
        machine.kernels.rows.scatter,
        op,
        target,
        machine.put(indices),
        machine.put(updates),
        error,
        None if order is None else machine.put(order),
    )
    wide = table.astype(np.int64)
    if op == 'scatter_update':
        wide[indices] = updates
    else:
        _NUMPY[op].at(wide, indices, updates.astype(np.int64))
    what = f'{op} {dtype} x {width}'
    equal(machine.get(target), wide.astype(dtype), what)
    expect(machine.get(error)[0] == 0, f'{what}: an index is said to be outside')
