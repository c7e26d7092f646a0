"""kernels/scatter.cu and scatter_sorted.cu, run on the CPU, against NumPy."""

from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import host_emulation, rows, scatter_plan
from tests.support import kernel_reference, kernel_rows, scatter_tables
from tests.support.kernel_rows import INDEX_DTYPES, OPS, Case


@pytest.fixture(scope='module')
def built(shared_host: host_emulation.HostTarget) -> host_emulation.HostTarget:
    """All kernels that are tested here, built at once."""
    cases = (
        scatter_tables.SORTED
        + scatter_tables.ATOMIC
        + scatter_tables.SIZES
        + scatter_tables.PIECES
        + scatter_tables.ADDRESSES
    )
    small = [case._replace(rows=9, duplicates='few') for case in cases]
    kernel_rows.prepare(shared_host, small)
    return shared_host


@pytest.fixture(autouse=True)
def _forward_again(shared_host: host_emulation.HostTarget) -> Any:
    yield
    shared_host.order = 'forward'


@pytest.mark.parametrize('op', OPS)
def test_every_dtype_in_sorted_order(built: host_emulation.HostTarget, op: str) -> None:
    generator = np.random.default_rng(1)
    for case in (case for case in scatter_tables.SORTED if case.op == op):
        kernel_rows.check(built, case, generator)


@pytest.mark.parametrize('op', sorted({case.op for case in scatter_tables.ATOMIC}))
def test_every_dtype_by_atomic_instructions(built: host_emulation.HostTarget, op: str) -> None:
    generator = np.random.default_rng(2)
    for case in (case for case in scatter_tables.ATOMIC if case.op == op):
        kernel_rows.check(built, case, generator)


@pytest.mark.parametrize('height', [1, 7, 1000, 100_000])
def test_sizes(built: host_emulation.HostTarget, height: int) -> None:
    generator = np.random.default_rng(3)
    for case in (case for case in scatter_tables.SIZES if case.rows == height):
        kernel_rows.check(built, case, generator)


def test_one_row_or_one_value_for_all(built: host_emulation.HostTarget) -> None:
    generator = np.random.default_rng(4)
    for case in scatter_tables.SHARED:
        kernel_rows.check(built, case, generator)


@pytest.mark.parametrize('case', scatter_tables.PIECES, ids=str)
def test_many_updates_of_a_row(built: host_emulation.HostTarget, case: Case) -> None:
    generator = np.random.default_rng(5)
    for kind in ('few', 'all'):
        given = kernel_rows.operands(case._replace(duplicates=kind), generator, any_order=True)
        expected = kernel_rows.scattered(case.op, given.table, given.indices, given.updates)
        for table in kernel_rows.scatter_everywhere(built, case, given):
            kernel_reference.assert_same(table, expected, f'{case} {kind}', products=False)


# Around the places where rows are cut: lengths of the runs of equal indices.
RUNS = (
    (64,), (65,), (128,), (129,), (63, 65), (1, 64, 65), (64, 64, 64), (60, 70, 200),
    (1, 127, 1), (65, 65, 65, 65), (10, 64 * 33 + 5, 3), (64 * 40,), (200, 1) * 12,
)  # fmt: skip


@pytest.mark.parametrize('runs', RUNS, ids=str)
def test_where_rows_are_cut(built: host_emulation.HostTarget, runs: tuple[int, ...]) -> None:
    generator = np.random.default_rng(6)
    indices = np.repeat(np.arange(len(runs)), runs)
    case = Case('scatter_sub', np.dtype(np.float32), len(runs), 3, len(indices))
    mixed = generator.permutation(indices)
    given = kernel_rows.operands(case, generator, any_order=True)
    given = given._replace(indices=mixed, order=np.argsort(mixed, kind='stable'))
    expected = kernel_rows.scattered(case.op, given.table, mixed, given.updates)
    for table in kernel_rows.scatter_everywhere(built, case, given):
        kernel_reference.assert_same(table, expected, str(runs), products=False)


def test_sums_in_sorted_order_are_repeatable(built: host_emulation.HostTarget) -> None:
    generator = np.random.default_rng(7)
    case = Case('scatter_add', np.dtype(np.float32), 10, 16, 20_000)
    given = kernel_rows.operands(case, generator)
    updates = generator.standard_normal(given.updates.shape).astype(np.float32)
    given = given._replace(updates=updates)
    exactly = given.table.astype(np.float64)
    np.add.at(exactly, given.indices, updates.astype(np.float64))
    results = set()
    before = built.multiprocessors
    for built.multiprocessors in (1, 3, 64):
        for table in kernel_rows.scatter_everywhere(built, case, given):
            results.add(table.tobytes())
            np.testing.assert_allclose(table, exactly, atol=2e-4)
    built.multiprocessors = before
    assert len(results) == 1


def test_16_bit_sums_are_rounded_once_in_sorted_order(built: host_emulation.HostTarget) -> None:
    case = Case('scatter_add', kernel_reference.BFLOAT16, 2, 16, 1000, 'all')
    given = kernel_rows.operands(case, np.random.default_rng(8))
    given = given._replace(table=np.zeros_like(given.table), updates=np.ones_like(given.updates))
    for table in kernel_rows.scatter_everywhere(built, case, given):
        assert (table[1] == 1000).all()
    # One by one, 256 and 1 are 256.
    unordered = given._replace(order=None)
    for table in kernel_rows.scatter_everywhere(built, case, unordered):
        assert (table[1] == 256).all()


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
@pytest.mark.parametrize('op', ['scatter_min', 'scatter_max'])
def test_extremes_of_floats_hand_nan_on(
    built: host_emulation.HostTarget, op: str, dtype: str
) -> None:
    special = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, -np.nan, 1e-40], dtype)
    table, first, second = (each.ravel() for each in np.meshgrid(special, special, special))
    case = Case(op, np.dtype(dtype), table.size, 1, 2 * table.size)
    indices = np.tile(np.arange(table.size), 2)
    updates = np.concatenate([first, second])[:, None]
    given = kernel_rows.Operands(table[:, None], indices, updates, None)
    expected = kernel_rows.scattered(op, given.table, indices, updates)
    results = set()
    for found in kernel_rows.scatter_everywhere(built, case, given):
        kernel_reference.assert_same(found, expected, f'{op} {dtype}', products=False)
        results.add(np.where(np.isnan(found), 0, found).tobytes())
    assert len(results) == 1, 'signs of zero vary with the order'


def test_integers_divided(built: host_emulation.HostTarget) -> None:
    for name in ('int8', 'int32', 'int64', 'uint16'):
        limits = np.iinfo(name)
        tops = np.array([limits.min, limits.min + 1, 7, 100, limits.max], name)
        divisors = np.array([2, 3, 100, limits.max, 0] + ([-1, -2] if limits.min else []), name)
        table = np.repeat(tops[:, None], len(divisors), axis=1)
        case = Case('scatter_div', np.dtype(name), *table.shape, len(tops))
        indices = np.arange(len(tops))
        given = kernel_rows.Operands(
            table, indices, np.tile(divisors, (len(tops), 1)), indices.copy()
        )
        wide = np.array(
            [[0 if d == 0 else _towards_zero(int(t), int(d)) for d in divisors] for t in tops],
            object,
        )
        expected = np.array(wide & (2 ** (8 * limits.dtype.itemsize) - 1), np.uint64).astype(name)
        for found in kernel_rows.scatter_everywhere(built, case, given):
            assert np.array_equal(found, expected), name


def _towards_zero(dividend: int, divisor: int) -> int:
    size = abs(dividend) // abs(divisor)
    return size if (dividend < 0) == (divisor < 0) else -size


def test_rows_at_any_aligned_address(built: host_emulation.HostTarget) -> None:
    generator = np.random.default_rng(9)
    for case in scatter_tables.ADDRESSES:
        kernel_rows.check(built, case, generator)


def test_memory_for_partial_results_may_be_given(built: host_emulation.HostTarget) -> None:
    indices, updates = np.full(500, 1), np.ones((500, 5), np.float16)
    order = np.arange(500)
    needed = scatter_plan.scratch_bytes('scatter_add', updates.dtype, 500, 5)
    assert needed == 2 * 8 * 5 * 4
    memory = np.full(needed + 64, 0xCD, np.uint8)
    start = -memory.ctypes.data % 16
    scratch = memory[start : start + needed]

    def refuse(shape: Any, dtype: Any) -> np.ndarray:
        raise AssertionError('the memory was given')

    kernels, error = rows.RowKernels(built, refuse), np.zeros(1, np.uint64)
    table = np.zeros((3, 5), np.float16)
    kernels.scatter('scatter_add', table, indices, updates, error, order, scratch)
    assert (table == [[0], [500], [0]]).all()
    assert (memory[start + needed :] == 0xCD).all()
    for wrong in (scratch[:-1], memory[start + 1 : start + 1 + needed]):
        with pytest.raises(errors.InvalidArgumentError, match='bytes of scratch memory'):
            kernels.scatter('scatter_add', table, indices, updates, error, order, wrong)
    assert scatter_plan.scratch_bytes('scatter_add', updates.dtype, 64, 5) == 0
    assert scatter_plan.scratch_bytes('scatter_div', updates.dtype, 500, 5) == 0


def test_slices_by_tuples_of_indices(built: host_emulation.HostTarget) -> None:
    generator = np.random.default_rng(10)
    table = kernel_rows.exact(np.dtype(np.float32), (4, 3, 5), generator)
    tuples = np.array([[3, 2], [0, 1], [3, 2], [0, 3], [-1, 0]])
    updates = kernel_rows.exact(np.dtype(np.float32), (5, 5), generator)
    expected = table.copy()
    np.add.at(expected, tuple(tuples[:3].T), updates[:3])
    numbers, error = np.empty(5, np.int64), np.zeros(1, np.uint64)
    kernels = rows.RowKernels(built, kernel_rows.poisoned)
    kernels.number_rows(numbers, tuples, table.shape[:2])
    for order in (None, np.argsort(numbers, kind='stable')):
        found = table.copy()
        kernels.scatter('scatter_add', found.reshape(12, 5), numbers, updates, error, order)
        assert np.array_equal(found, expected)
        assert error[0] in (4, 5)


def test_nothing_to_do(host: host_emulation.HostTarget) -> None:
    none, table = np.zeros(0, np.int64), np.ones((3, 2), np.float32)
    kernels = rows.RowKernels(host, np.empty)
    kernels.scatter('scatter_add', table, none, np.zeros((0, 2), np.float32), np.zeros(1, 'u8'))
    assert table.all()


@pytest.mark.parametrize(
    ('op', 'name', 'always_sorted', 'chips'),
    [
        ('scatter_add', 'float32', False, ('sm_75', 'sm_90a')),
        ('scatter_sub', 'complex128', False, ('sm_75', 'sm_90a')),
        ('scatter_add', 'float16', True, ('sm_75', 'sm_90a')),
        ('scatter_add', 'bfloat16', True, ('sm_90a', 'sm_100a', 'sm_120')),
        ('scatter_add', 'int16', True, ()),
        ('scatter_add', 'bool', True, ()),
        ('scatter_max', 'float64', False, ('sm_75', 'sm_90a')),
        ('scatter_max', 'float16', True, ()),
        ('scatter_mul', 'int32', True, ()),
        ('scatter_div', 'float32', True, ()),
        ('scatter_update', 'int32', True, ()),
    ],
)
def test_which_way_a_scatter_goes(
    op: str, name: str, always_sorted: bool, chips: tuple[str, ...]
) -> None:
    dtype = kernel_reference.BFLOAT16 if name == 'bfloat16' else np.dtype(name)
    assert scatter_plan.needs_order(op, dtype) is always_sorted
    able = [c for c in ('sm_75', 'sm_89', 'sm_90a', 'sm_100a', 'sm_120')
            if scatter_plan.has_atomic(op, dtype, c)]  # fmt: skip
    assert set(chips) <= set(able)
    assert bool(chips) == bool(able)
    assert ('sm_89' in able) == ('sm_75' in able)


def test_how_many_elements_an_instruction_adds() -> None:
    def lengths(name: str, chip: str) -> list[int]:
        dtype = kernel_reference.BFLOAT16 if name == 'bfloat16' else np.dtype(name)
        pieces = (16, 8, 4, 2)
        return [scatter_plan.atomic_length('scatter_add', dtype, each, chip) for each in pieces]

    assert lengths('float32', 'sm_90a')[:3] == [4, 2, 1]
    assert lengths('float32', 'sm_89')[:3] == [1, 1, 1]
    assert lengths('float16', 'sm_120') == [8, 4, 2, 0]
    assert lengths('float16', 'sm_75') == [2, 2, 2, 0]
    assert lengths('bfloat16', 'sm_100a') == [8, 4, 2, 0]
    assert lengths('bfloat16', 'sm_80') == [0, 0, 0, 0]
    assert lengths('int32', 'sm_90a')[:3] == [1, 1, 1]


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        'op': 'scatter_add',
        'table': np.zeros((4, 3), np.float32),
        'indices': np.zeros(2, np.int64),
        'updates': np.zeros((2, 3), np.float32),
        'error': np.zeros(1, np.uint64),
    } | changes


HALF = {'table': np.zeros((4, 3), np.float16), 'updates': np.zeros((2, 3), np.float16)}


@pytest.mark.parametrize(
    ('changes', 'error', 'says'),
    [
        ({'updates': np.zeros((2, 3))}, errors.InvalidTypeError, 'must be of one dtype'),
        ({'indices': np.zeros(2, np.uint8)}, errors.InvalidTypeError, 'int32 or int64'),
        ({'op': 'scatter_mul', 'table': np.zeros((4, 3), bool)},
         errors.InvalidTypeError, 'a table of bool; allowed are'),
        ({'indices': np.zeros(3, np.int64)}, errors.InvalidArgumentError, r'shape \(3, 3\)'),
        ({'table': np.zeros((3, 4), np.float32).T}, errors.InvalidArgumentError, 'copy it first'),
        ({'op': 'scatter_mul'}, errors.InvalidArgumentError, 'without an order'),
        (HALF, errors.InvalidArgumentError, 'rows of 3 without an order'),
        ({'order': np.zeros(2, np.int32)}, errors.InvalidArgumentError, 'it must be int64'),
        ({'order': np.zeros(3, np.int64)}, errors.InvalidArgumentError, 'of their shape'),
    ],
)  # fmt: skip
def test_operands_that_do_not_go_together(
    host: host_emulation.HostTarget, changes: dict[str, Any], error: type, says: str
) -> None:
    with pytest.raises(error, match=says):
        rows.RowKernels(host, np.empty).scatter(**arrays(**changes))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_random_scatters(built: host_emulation.HostTarget) -> None:
    generator = np.random.default_rng(3)
    for _ in range(2_000):
        op = str(generator.choice(OPS))
        dtype = kernel_rows.allowed(op)[generator.integers(len(kernel_rows.allowed(op)))]
        height, count = (int(size) for size in generator.integers((1, 0), (90, 400)))
        width = int(generator.choice((1, 2, 3, 8, 16, 33)))
        even = dtype.itemsize != 2 or width % 2 == 0
        able = even and scatter_plan.has_atomic(op, dtype, built.name)
        case = Case(
            op, dtype, height, width, count,
            duplicates=str(generator.choice(('few', 'few', 'all'))),
            index=INDEX_DTYPES[int(generator.integers(2))],
            ordered=not able or generator.random() < 0.5,
            updates=str(generator.choice(('rows', 'rows', 'row', 'value'))),
            outside=bool(generator.random() < 0.3),
        )  # fmt: skip
        given = kernel_rows.operands(case, generator, any_order=True)
        expected = kernel_rows.scattered(op, given.table, given.indices, given.updates)
        for table in kernel_rows.scatter_everywhere(built, case, given):
            kernel_reference.assert_same(table, expected, str(case), products=False)
