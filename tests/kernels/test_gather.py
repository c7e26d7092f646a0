"""kernels/gather.cu, run on the CPU, against NumPy."""

from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import host_emulation, rows, select
from tests.support import kernel_reference, kernel_rows

POISON = 0xCD


@pytest.fixture(scope='module')
def built(shared_host: host_emulation.HostTarget) -> host_emulation.HostTarget:
    """All kernels that are tested here, built at once."""
    shared_host.prepare(kernel_rows.gather_exports())
    return shared_host


def gathered(
    host: host_emulation.HostTarget, table: np.ndarray, indices: np.ndarray, offset: int = 0
) -> tuple[np.ndarray, int]:
    """The rows and the error; the same in each order of the threads."""
    results = []
    kernels = rows.RowKernels(host, kernel_rows.poisoned)
    for order in kernel_rows.ORDERS:
        host.order = order
        shape = (len(indices), *table.shape[1:])
        unset = kernel_rows.poisoned(shape, table.dtype)
        destination, memory = kernel_rows.among_poison(unset, offset)
        error = np.zeros(1, np.uint64)
        kernels.gather(destination, table, indices, error)
        assert kernel_rows.is_poison(memory)
        results.append((destination.copy(), int(error[0])))
    assert all(each[1] == results[0][1] for each in results)
    assert all(each[0].tobytes() == results[0][0].tobytes() for each in results)
    return results[0]


@pytest.mark.parametrize('height', [1, 7, 1000, 100_000])
def test_gather(built: host_emulation.HostTarget, height: int) -> None:
    generator = np.random.default_rng(height)
    for number, width in enumerate((1, 3, 64, 128, 1000)):
        for dtype in ('int8', 'float16', 'float32', 'int64', 'complex128'):
            wide = width * np.dtype(dtype).itemsize
            if height * wide > 30_000_000:
                continue
            table = kernel_reference.values(np.dtype(dtype), min(height, 64) * width, generator)
            table = np.resize(table, (height, width))
            index = kernel_rows.INDEX_DTYPES[number % 2]
            count = 300 if wide < 500 else 40
            indices = generator.integers(0, height, count).astype(index)
            indices[count // 2 :] = indices[0]
            found, error = gathered(built, table, indices)
            assert found.tobytes() == table[indices].tobytes(), f'{dtype} {width}'
            assert error == 0


def test_rows_at_any_aligned_address(built: host_emulation.HostTarget) -> None:
    generator = np.random.default_rng(1)
    for width in (8, 600):
        values = generator.standard_normal((5, width)).astype(np.float32)
        for offset in range(4):
            table, _ = kernel_rows.among_poison(values, offset)
            found, _ = gathered(built, table, np.array([4, 0, 2, 2]), 3 - offset)
            assert np.array_equal(found, values[[4, 0, 2, 2]])


@pytest.mark.parametrize('width', [3, 700])
def test_indices_outside_the_table_are_reported(
    built: host_emulation.HostTarget, width: int
) -> None:
    table = np.ones((4, width), np.float32)
    found, error = gathered(built, table, np.array([0, -1, 4, 2**40, 3]))
    assert (found == np.array([1, 0, 0, 0, 1])[:, None]).all()
    assert error == 4
    found, error = gathered(built, table[:0], np.array([0], np.int32))
    assert not found.any()
    assert error == 1


def test_wide_rows_are_taken_by_warps(host: host_emulation.HostTarget) -> None:
    limit = select.threshold('gather_wide_bytes', host.name)
    for row_bytes, kind in ((limit - 16, 'rows'), (limit, 'wide')):
        choice = rows.gather_plan.choose(10, row_bytes, 16, np.dtype(np.int64), host.name)
        assert choice.export.name == f'gather_{kind}_b16_int64'


@pytest.mark.parametrize('extents', [(5,), (4, 6), (2, 3, 4, 5), (1, 2, 1, 3, 1, 2, 1, 3)])
def test_numbers_of_rows(built: host_emulation.HostTarget, extents: tuple[int, ...]) -> None:
    generator = np.random.default_rng(len(extents))
    kernels = rows.RowKernels(built, kernel_rows.poisoned)
    for order in kernel_rows.ORDERS:
        built.order = order
        for index in kernel_rows.INDEX_DTYPES:
            columns = [generator.integers(-1, extent + 1, 700) for extent in extents]
            tuples = np.stack(columns, axis=1).astype(index)
            inside = ((tuples >= 0) & (tuples < np.array(extents))).all(axis=1)
            expected = np.full(700, -1)
            expected[inside] = np.ravel_multi_index(tuple(tuples[inside].T), extents)
            numbers = np.full(700, POISON)
            kernels.number_rows(numbers, tuples, extents)
            assert np.array_equal(numbers, expected)


def test_slices_by_tuples_of_indices(built: host_emulation.HostTarget) -> None:
    table = np.arange(4 * 3 * 5, dtype=np.float32).reshape(4, 3, 5)
    tuples = np.array([[3, 2], [0, 1], [0, 3], [-1, 0]])
    numbers, error = np.empty(4, np.int64), np.zeros(1, np.uint64)
    kernels = rows.RowKernels(built, kernel_rows.poisoned)
    kernels.number_rows(numbers, tuples, table.shape[:2])
    found = np.empty((4, 5), np.float32)
    kernels.gather(found, table.reshape(12, 5), numbers, error)
    assert np.array_equal(found[:2], table[[3, 0], [2, 1]])
    assert not found[2:].any()
    assert error[0] == 4
    kernels.number_rows(numbers, np.empty((4, 0), np.int32), ())
    assert not numbers.any(), 'no index addresses the whole table'


def test_nothing_to_do(host: host_emulation.HostTarget) -> None:
    none, table = np.zeros(0, np.int64), np.ones((3, 2), np.float32)
    kernels = rows.RowKernels(host, kernel_rows.poisoned)
    kernels.gather(np.zeros((0, 2), np.float32), table, none, np.zeros(1, np.uint64))
    one = np.zeros(1, np.int64)
    kernels.gather(np.zeros((1, 0)), np.zeros((3, 0)), one, np.zeros(1, np.uint64))
    kernels.number_rows(none, np.zeros((0, 2), np.int64), (3, 4))


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        'numbers': np.zeros(4, np.int64),
        'tuples': np.zeros((4, 2), np.int32),
        'extents': (3, 3),
    } | changes


@pytest.mark.parametrize(
    ('changes', 'error', 'says'),
    [
        ({'numbers': np.zeros(4, np.int32)}, errors.InvalidTypeError, 'must be int64'),
        ({'tuples': np.zeros((4, 2))}, errors.InvalidTypeError, 'int32 or int64'),
        ({'extents': (3,)}, errors.InvalidArgumentError, r'tuples of shape \(4, 2\)'),
        ({'tuples': np.zeros((2, 4), np.int32).T}, errors.InvalidArgumentError, 'copy it first'),
        ({'tuples': np.zeros((4, 9), np.int32), 'extents': (1,) * 9},
         errors.InvalidArgumentError, 'take 8 at most'),
    ],
)  # fmt: skip
def test_operands_that_do_not_go_together(
    host: host_emulation.HostTarget, changes: dict[str, Any], error: type, says: str
) -> None:
    with pytest.raises(error, match=says):
        rows.RowKernels(host, np.empty).number_rows(**arrays(**changes))
