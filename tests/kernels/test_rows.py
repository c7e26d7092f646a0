"""kernels/gather.cu and scatter.cu, run on the CPU, against NumPy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import element_types, host_emulation, rows
from tests.support import kernel_cases, kernel_reference

ORDERS = ('forward', 'reverse', 'random')
INDEX_DTYPES = ('int32', 'int64')
OPS = tuple(rows.OPS)
NUMPY = {'scatter_update': lambda a, b: b} | {
    f'scatter_{name}': getattr(np, full)
    for name, full in (
        ('add', 'add'), ('sub', 'subtract'), ('mul', 'multiply'), ('min', 'minimum'),
        ('max', 'maximum'),
    )
}  # fmt: skip


@pytest.fixture(scope='module')
def built(shared_host: host_emulation.HostTarget) -> host_emulation.HostTarget:
    """All kernels that are tested here, built at once."""
    exports = [
        rows._gather_export(size, np.dtype(index))
        for size in (1, 2, 4, 8, 16)
        for index in INDEX_DTYPES
    ]
    for op in OPS:
        dtypes = allowed(op)
        atomic = [dtype for dtype in dtypes if not rows.needs_order(op, dtype)]
        for ordered, group in ((True, dtypes), (False, atomic)):
            exports += [
                rows._scatter_export(op, dtype, index_dtype(number), ordered)
                for number, dtype in enumerate(group)
            ]
    shared_host.prepare(exports)
    return shared_host


@pytest.fixture(params=ORDERS)
def kernels(
    request: pytest.FixtureRequest, built: host_emulation.HostTarget
) -> Iterator[rows.RowKernels]:
    built.order = request.param
    yield rows.RowKernels(built)
    built.order = 'forward'


def index_dtype(number: int) -> np.dtype:
    return np.dtype(INDEX_DTYPES[number % 2])


def no_error() -> np.ndarray:
    return np.zeros(1, np.uint64)


def small(dtype: np.dtype, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Values whose sums and products are exact, so that their order does not matter."""
    return generator.integers(0 if dtype.kind in 'ub' else -1, 2, shape).astype(dtype)


def scattered(op: str, table: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """One update after the other, each row rounded once at the end."""
    computed = table.dtype
    if op != 'scatter_update':
        computed = element_types.compute_type(op, table.dtype, table.dtype)
    wide = table.astype(computed)
    for index, update in zip(indices, updates.astype(computed), strict=True):
        if 0 <= index < len(table):
            with np.errstate(all='ignore'):
                wide[index] = NUMPY[op](wide[index], update)
    return kernel_reference.convert(wide, table.dtype)


def allowed(op: str) -> list[np.dtype]:
    return [dtype for dtype in kernel_reference.DTYPES if dtype in rows._ALLOWED[op]]


def duplicates(kind: str, count: int, table: int, generator: np.random.Generator) -> np.ndarray:
    if kind == 'none':
        return generator.permutation(table)[:count]
    if kind == 'all':
        return np.full(count, table // 2)
    return generator.integers(0, table, count)


@pytest.mark.parametrize('width', [1, 3, 64, 129])
@pytest.mark.parametrize('dtype', ['int8', 'float16', 'float32', 'complex128'])
def test_gather(kernels: rows.RowKernels, dtype: str, width: int) -> None:
    generator = np.random.default_rng(0)
    for count, table_rows in ((1, 1), (7, 1000), (301, 20)):
        table = small(np.dtype(dtype), (table_rows, width), generator)
        for index in INDEX_DTYPES:
            indices = generator.integers(0, table_rows, count).astype(index)
            gathered = np.empty((count, width), dtype)
            error = no_error()
            kernels.gather(gathered, table, indices, error)
            assert np.array_equal(gathered, table[indices])
            assert error[0] == 0


def test_gather_at_any_aligned_address(kernels: rows.RowKernels) -> None:
    for offset in range(0, 16, 4):
        memory = kernel_cases.memory_at(40 * 4, offset)
        table = memory[64:-64].view(np.float32).reshape(5, 8)
        table[...] = np.arange(40).reshape(5, 8)
        gathered = np.empty((3, 8), np.float32)
        kernels.gather(gathered, table, np.array([4, 0, 2]), no_error())
        assert np.array_equal(gathered, table[[4, 0, 2]])


def test_gather_reports_indices_outside_the_table(kernels: rows.RowKernels) -> None:
    table = np.ones((4, 3), np.float32)
    gathered = np.full((5, 3), 7, np.float32)
    error = no_error()
    kernels.gather(gathered, table, np.array([0, -1, 4, 2**40, 3]), error)
    assert gathered[:, 0].tolist() == [1, 0, 0, 0, 1]
    assert error[0] == 4


@pytest.mark.parametrize('op', OPS)
def test_scatter_in_sorted_order(kernels: rows.RowKernels, op: str) -> None:
    generator = np.random.default_rng(1)
    for number, dtype in enumerate(allowed(op)):
        for kind in ('none', 'few', 'all'):
            count, width = 40, (1, 3, 17)[number % 3]
            table = small(dtype, (50, width), generator)
            updates = kernel_reference.values(dtype, count * width, generator)
            updates = updates.reshape(count, width)
            if dtype.kind == 'c' and op == 'scatter_mul':
                updates = small(dtype, (count, width), generator)
            indices = duplicates(kind, count, 50, generator).astype(index_dtype(number))
            expected = scattered(op, table, indices, updates)
            order = np.argsort(indices, kind='stable')
            error = no_error()
            kernels.scatter(op, table, indices, updates, error, order)
            what = f'{op} {dtype} {kind}'
            kernel_reference.assert_same(table, expected, what, products=False)
            assert error[0] == 0


@pytest.mark.parametrize('op', ['scatter_add', 'scatter_sub', 'scatter_min', 'scatter_max'])
def test_scatter_by_atomic_instructions(kernels: rows.RowKernels, op: str) -> None:
    generator = np.random.default_rng(2)
    atomic = [dtype for dtype in allowed(op) if not rows.needs_order(op, dtype)]
    assert np.dtype(np.int64) in atomic
    for number, dtype in enumerate(atomic):
        for kind in ('none', 'few', 'all'):
            table = small(dtype, (50, 5), generator)
            updates = small(dtype, (40, 5), generator)
            if dtype.kind in 'iu':
                updates = kernel_reference.values(dtype, 200, generator).reshape(40, 5)
            indices = duplicates(kind, 40, 50, generator).astype(index_dtype(number))
            expected = scattered(op, table, indices, updates)
            kernels.scatter(op, table, indices, updates, no_error())
            what = f'{op} {dtype} {kind}'
            kernel_reference.assert_same(table, expected, what, products=False)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_random_scatters(kernels: rows.RowKernels) -> None:
    generator = np.random.default_rng(3)
    for _ in range(2_000):
        op = str(generator.choice(OPS))
        dtype = allowed(op)[generator.integers(len(allowed(op)))]
        ordered = rows.needs_order(op, dtype) or generator.random() < 0.5
        count, height = (int(size) for size in generator.integers((0, 1), (60, 90)))
        width = int(generator.choice((1, 3, 16, 33)))
        table = small(dtype, (height, width), generator)
        updates = small(dtype, (count, width), generator)
        indices = generator.integers(-2, height + 2, count)
        indices = indices.astype(index_dtype(int(generator.integers(2))))
        expected = scattered(op, table, indices, updates)
        error = no_error()
        order = np.argsort(indices, kind='stable') if ordered else None
        kernels.scatter(op, table, indices, updates, error, order)
        what = f'{op} {dtype} {count} of {height} x {width}'
        kernel_reference.assert_same(table, expected, what, products=False)
        outside = (indices < 0) | (indices >= height)
        assert (error[0] > 0) == outside.any()


@pytest.mark.parametrize('ordered', [False, True])
def test_scatter_never_writes_outside_the_table(kernels: rows.RowKernels, ordered: bool) -> None:
    memory = np.zeros((12, 3), np.float32)
    table = memory[4:8]
    indices = np.array([0, -1, 4, 3, -(2**40)])
    error = no_error()
    order = np.argsort(indices, kind='stable') if ordered else None
    kernels.scatter('scatter_add', table, indices, np.ones((5, 3), np.float32), error, order)
    assert memory[:, 0].tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert error[0] == 5


def test_nothing_to_do(kernels: rows.RowKernels) -> None:
    none = np.zeros(0, np.int64)
    table = np.ones((3, 2), np.float32)
    kernels.scatter('scatter_add', table, none, np.zeros((0, 2), np.float32), no_error())
    kernels.gather(np.zeros((0, 2), np.float32), table, none, no_error())
    assert table.all()


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        'op': 'scatter_add',
        'table': np.zeros((4, 3), np.float32),
        'indices': np.zeros(2, np.int64),
        'updates': np.zeros((2, 3), np.float32),
        'error': no_error(),
    } | changes


@pytest.mark.parametrize(
    ('changes', 'error', 'says'),
    [
        ({'updates': np.zeros((2, 3))}, errors.InvalidTypeError, 'must be of one dtype'),
        ({'indices': np.zeros(2, np.uint8)}, errors.InvalidTypeError, 'int32 or int64'),
        ({'table': np.zeros((4, 3), bool), 'updates': np.zeros((2, 3), bool)},
         errors.InvalidTypeError, 'a table of bool; allowed are'),
        ({'indices': np.zeros(3, np.int64)}, errors.InvalidArgumentError, r'shape \(3, 3\)'),
        ({'table': np.zeros((3, 4), np.float32).T}, errors.InvalidArgumentError, 'copy it first'),
        ({'op': 'scatter_mul'}, errors.InvalidArgumentError, 'without an order'),
    ],
)  # fmt: skip
def test_operands_that_do_not_go_together(
    host: host_emulation.HostTarget, changes: dict[str, Any], error: type, says: str
) -> None:
    with pytest.raises(error, match=says):
        rows.RowKernels(host).scatter(**arrays(**changes))
