"""Gather and scatter on a card: the tables of the emulation, and threads that truly race."""

from typing import Any

import numpy as np
import pytest

from tensorvar._cuda import rows, scatter_plan, select
from tests.support import kernel_reference, kernel_rows, mirrored_target, scatter_tables
from tests.support.kernel_rows import Case

pytestmark = pytest.mark.gpu

Target = mirrored_target.MirroredTarget
PARTS = 4


@pytest.mark.parametrize('height', [1, 7, 1000, 100_000])
def test_gather(mirrored: Target, height: int) -> None:
    generator = np.random.default_rng(height)
    kernels = rows.RowKernels(mirrored, kernel_rows.poisoned)
    for number, width in enumerate((1, 3, 64, 128, 1000)):
        for name in ('int8', 'float16', 'float32', 'int64', 'complex128'):
            dtype = np.dtype(name)
            if height * width * dtype.itemsize > 30_000_000:
                continue
            table = kernel_reference.values(dtype, min(height, 64) * width, generator)
            table = np.resize(table, (height, width))
            indices = generator.integers(0, height, 300).astype(
                kernel_rows.INDEX_DTYPES[number % 2]
            )
            indices[150:] = indices[0]
            unset = kernel_rows.poisoned((300, width), dtype)
            found, memory = kernel_rows.among_poison(unset, number % 3)
            error = np.zeros(1, np.uint64)
            kernels.gather(found, table, indices, error)
            assert found.tobytes() == table[indices].tobytes(), f'{name} {width}'
            assert kernel_rows.is_poison(memory)
            assert not error[0]


def test_numbers_of_rows_and_bad_indices(mirrored: Target) -> None:
    kernels = rows.RowKernels(mirrored, kernel_rows.poisoned)
    table = np.arange(60, dtype=np.float32).reshape(4, 3, 5)
    tuples = np.array([[3, 2], [0, 1], [0, 3], [-1, 0]])
    numbers, error = np.empty(4, np.int64), np.zeros(1, np.uint64)
    kernels.number_rows(numbers, tuples, table.shape[:2])
    assert numbers.tolist() == [11, 1, -1, -1]
    found = kernel_rows.poisoned((4, 5), np.float32)
    kernels.gather(found, table.reshape(12, 5), numbers, error)
    assert np.array_equal(found[:2], table[[3, 0], [2, 1]])
    assert not found[2:].any()
    assert error[0] in (3, 4)


def of_chip(cases: list[Case], chip: str) -> list[Case]:
    """Those that a chip has instructions for."""
    return [
        case for case in cases if case.ordered or scatter_plan.has_atomic(case.op, case.dtype, chip)
    ]


@pytest.mark.parametrize('part', range(PARTS))
@pytest.mark.parametrize(
    'table',
    [
        pytest.param(scatter_tables.SORTED, id='sorted'),
        pytest.param(scatter_tables.ATOMIC, id='atomic'),
        pytest.param(scatter_tables.SHARED, id='shared'),
        pytest.param(scatter_tables.ADDRESSES, id='addresses'),
    ],
)
def test_scatter(mirrored: Target, table: list[Case], part: int) -> None:
    generator = np.random.default_rng(part)
    for case in of_chip(table, mirrored.name)[part::PARTS]:
        kernel_rows.check(mirrored, case, generator)


@pytest.mark.parametrize('height', [1, 7, 1000, 100_000])
def test_sizes(mirrored: Target, height: int) -> None:
    generator = np.random.default_rng(3)
    for case in of_chip(scatter_tables.SIZES, mirrored.name):
        if case.rows == height:
            kernel_rows.check(mirrored, case, generator)


@pytest.mark.parametrize('case', scatter_tables.PIECES, ids=str)
def test_many_updates_of_a_row(mirrored: Target, case: Case) -> None:
    generator = np.random.default_rng(5)
    for kind in ('few', 'all'):
        given = kernel_rows.operands(case._replace(duplicates=kind), generator, any_order=True)
        expected = kernel_rows.scattered(case.op, given.table, given.indices, given.updates)
        for table in kernel_rows.scatter_everywhere(mirrored, case, given):
            kernel_reference.assert_same(table, expected, f'{case} {kind}', products=False)


def test_sums_in_sorted_order_are_repeatable(mirrored: Target) -> None:
    generator = np.random.default_rng(7)
    case = Case('scatter_add', np.dtype(np.float32), 10, 16, 20_000)
    given = kernel_rows.operands(case, generator)
    updates = generator.standard_normal(given.updates.shape).astype(np.float32)
    found = kernel_rows.scatter_everywhere(mirrored, case, given._replace(updates=updates))
    assert len({table.tobytes() for table in found}) == 1


@pytest.mark.parametrize('dtype', scatter_tables.BULK_FLOATS, ids=str)
def test_sums_by_the_copy_engine(
    mirrored: Target, monkeypatch: pytest.MonkeyPatch, dtype: np.dtype[Any]
) -> None:
    if not scatter_plan.has_bulk(mirrored.name):
        pytest.skip(f'the copy engine of {mirrored.name} cannot add')
    monkeypatch.setattr(select, 'threshold', lambda name, chip: 0)
    generator = np.random.default_rng(1)
    for case in (case for case in scatter_tables.BULK if case.dtype == dtype):
        kernel_rows.check(mirrored, case, generator)
