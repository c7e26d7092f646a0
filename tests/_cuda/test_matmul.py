"""Who multiplies: by what was measured, else our kernels only where cuBLAS cannot."""

import json
import math
import pathlib
import shutil
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import matmul, matmul_family, matmul_problem, matmul_table, source, targets
from tests.support import matmul_cases
from tests.support.kernel_reference import BFLOAT16
from tests.support.matmul_cases import Case

FLOAT32, INT8, INT32 = (np.dtype(name) for name in ('float32', 'int8', 'int32'))


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    (tmp_path / 'tv_core.cuh').write_text('')
    # No measurements of products, but all that is chosen by default.
    (tmp_path / 'tables').mkdir()
    shutil.copy(source.folder() / 'tables' / 'default.json', tmp_path / 'tables')
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    matmul_table.rows.cache_clear()
    yield tmp_path / 'tables'
    matmul_table.rows.cache_clear()


def write(folder: pathlib.Path, *rows: dict[str, Any], chip: str = 'sm_90a') -> None:
    plain = {
        'dtype': 'float32', 'result': 'float32', 'precision': 'ieee', 'layout': 'NN',
        'batch': 1, 'm': 512, 'n': 512, 'k': 512, 'noise': 0.0,
    }  # fmt: skip
    text = json.dumps({'schema': matmul_table.SCHEMA, 'rows': [plain | row for row in rows]})
    (folder / f'matmul-{chip}.json').write_text(text)


class Stub:
    """A family that notes what it is given."""

    def __init__(self, *, able: bool = True, scratch: int = 0) -> None:
        self.able = able
        self.scratch = scratch
        self.given: list[tuple[Any, ...]] = []

    def supports(self, problem: matmul_problem.Problem) -> bool:
        return self.able

    def workspace(self, problem: matmul_problem.Problem) -> int:
        return self.scratch

    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> matmul_family.Start:
        assert split == bool(self.scratch)
        return lambda *addresses: self.given.append((problem, *addresses))


class Missing(Stub):
    """A family whose kernels do not compile."""

    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> matmul_family.Start:
        raise targets.NoKernelError('it does not compile')


def kernels(**families: Stub) -> matmul.MatmulKernels:
    made = matmul.MatmulKernels(matmul_cases.Recorder('sm_90a', 132))
    if families:
        made.families = dict(families)
    return made


def problem(*size: int, **changes: Any) -> matmul_problem.Problem:
    made = matmul_cases.operands(Case((8, 8, 8)), np.random.default_rng(0)).problem
    m, n, k = size
    return made._replace(m=m, n=n, k=k)._replace(**changes)


def no_scratch(nbytes: int) -> np.ndarray:
    raise AssertionError(f'{nbytes} bytes of scratch')


class TestWithoutMeasurements:
    @pytest.mark.parametrize(
        ('dtype', 'result'),
        [
            ('float16', 'float16'), ('float32', 'float32'), ('float64', 'float64'),
            ('complex64', 'complex64'), ('float16', 'float32'), (BFLOAT16, 'float32'),
        ],
    )  # fmt: skip
    def test_cublas_does_what_it_can(self, tables: pathlib.Path, dtype: Any, result: str) -> None:
        changes = {'dtype': np.dtype(dtype), 'result': np.dtype(result)}
        choice = kernels().choose(problem(512, 512, 512, **changes))
        assert choice == ('cublas', 'not measured on sm_90a')

    @pytest.mark.parametrize(
        ('dtype', 'result'),
        [(INT32, INT32), (INT8, INT8), (INT8, INT32)],
    )
    def test_our_kernels_do_what_it_cannot(
        self, tables: pathlib.Path, dtype: np.dtype, result: np.dtype
    ) -> None:
        choice = kernels().choose(problem(100, 100, 33, dtype=dtype, result=result))
        assert choice.family in ('simt', 'mma', 'sm90')
        assert choice.why == 'cuBLAS does not do this'

    def test_sums_of_no_terms_are_ours(self, tables: pathlib.Path) -> None:
        assert kernels().choose(problem(5, 5, 0)).family == 'gemv'
        assert kernels().choose(problem(50, 50, 0)).family == 'simt'

    @pytest.mark.parametrize('changes', [{'activation': 'relu'}, {'bias': 1024}])
    def test_an_epilogue_changes_nothing(
        self, tables: pathlib.Path, changes: dict[str, Any]
    ) -> None:
        made = kernels()
        for size in ((64, 64, 64), (2, 64, 64), (512, 512, 512), (5, 5, 0)):
            assert made.choose(problem(*size, **changes)) is made.choose(problem(*size))

    def test_nobody_of_ours_can(self, tables: pathlib.Path) -> None:
        made = kernels(one=Stub(able=False))
        assert made.choose(problem(5, 5, 0)) == ('cublas', 'no kernel of ours does this')


class TestWithMeasurements:
    def choose(self, wanted: matmul_problem.Problem) -> matmul.Choice:
        return kernels(one=Stub(), two=Stub(), three=Stub(able=False)).choose(wanted)

    def test_the_fastest_that_can(self, tables: pathlib.Path) -> None:
        write(tables, {'microseconds': {'cublas': 9.0, 'one': 7.0, 'two': 8.0, 'three': 1.0}})
        choice = self.choose(problem(512, 512, 512))
        assert choice == ('one', 'measured at (1, 512, 512, 512)')

    def test_cublas_where_it_is_faster(self, tables: pathlib.Path) -> None:
        write(tables, {'microseconds': {'cublas': 6.0, 'one': 7.0}})
        assert self.choose(problem(512, 512, 512)).family == 'cublas'

    def test_what_the_noise_does_not_tell_apart_is_left_to_cublas(
        self, tables: pathlib.Path
    ) -> None:
        write(tables, {'microseconds': {'cublas': 7.2, 'one': 7.0}, 'noise': 0.05})
        assert self.choose(problem(512, 512, 512)).family == 'cublas'
        matmul_table.rows.cache_clear()
        write(tables, {'microseconds': {'cublas': 8.0, 'one': 7.0}, 'noise': 0.05})
        assert self.choose(problem(512, 512, 512)).family == 'one'

    def test_the_nearest_size(self, tables: pathlib.Path) -> None:
        write(
            tables,
            {'microseconds': {'cublas': 9.0, 'one': 7.0}},
            {'microseconds': {'cublas': 9.0, 'two': 7.0}, 'm': 1024},
        )
        assert self.choose(problem(700, 512, 512)).family == 'one'
        assert self.choose(problem(750, 512, 512)).family == 'two'

    @pytest.mark.parametrize(
        'changes',
        [
            {'m': 1024}, {'n': 300}, {'k': 100}, {'batch': 2}, {'precision': 'tf32'},
            {'dtype': np.dtype('f8'), 'result': np.dtype('f8')},
            {'a': matmul_problem.Matrices(0, 512, 0, True)},
        ],
    )  # fmt: skip
    def test_what_is_too_far_was_not_measured(
        self, tables: pathlib.Path, changes: dict[str, Any]
    ) -> None:
        write(tables, {'microseconds': {'cublas': 9.0, 'one': 7.0}})
        choice = self.choose(problem(512, 512, 512, **changes))
        assert choice == ('cublas', 'not measured on sm_90a')

    def test_a_row_without_cublas_does_not_speak_against_it(self, tables: pathlib.Path) -> None:
        write(tables, {'microseconds': {'one': 7.0}})
        assert self.choose(problem(512, 512, 512)).family == 'cublas'

    def test_another_chip_was_not_measured(self, tables: pathlib.Path) -> None:
        write(tables, {'microseconds': {'cublas': 9.0, 'one': 7.0}}, chip='sm_80')
        assert self.choose(problem(512, 512, 512)).family == 'cublas'

    def test_among_ours_where_cublas_cannot(self, tables: pathlib.Path) -> None:
        row = {'dtype': 'int32', 'result': 'int32', 'microseconds': {'one': 9.0, 'two': 8.0}}
        write(tables, row)
        assert self.choose(problem(512, 512, 512, dtype=INT32, result=INT32)).family == 'two'


def test_the_tables_that_are_there_can_be_read() -> None:
    for path in (source.folder() / 'tables').glob('matmul-*.json'):
        table = json.loads(path.read_text())
        assert table['schema'] == matmul_table.SCHEMA
        rows = matmul_table.rows(path.stem.removeprefix('matmul-'))
        assert sum(map(len, rows.values())) == len(table['rows'])


def test_scratch_is_asked_for_and_handed_over(tables: pathlib.Path) -> None:
    one = Stub(scratch=100)
    given = []

    def allocate(nbytes: int) -> np.ndarray:
        given.append(np.zeros(nbytes, np.uint8))
        return given[-1]

    a = np.zeros((4, 5), np.int32)
    out = np.zeros((4, 6), np.int32)
    made = kernels(one=one)
    choice = made.multiply(a, np.zeros((5, 6), np.int32), out, allocate=allocate)
    assert choice.family == 'one'
    [(asked, *_, address)] = one.given
    assert (asked.m, asked.n, asked.k) == (4, 6, 5)
    assert address == given[0].ctypes.data
    assert given[0].size == 100


def test_a_choice_is_made_once(tables: pathlib.Path) -> None:
    made = kernels(one=Stub())
    first = made.choose(problem(4, 4, 4, dtype=INT32, result=INT32))
    made.families['one'] = Stub(able=False)
    assert made.choose(problem(4, 4, 4, dtype=INT32, result=INT32)) is first
    assert made.choose(problem(4, 4, 5, dtype=INT32, result=INT32)).family == 'cublas'


Arrays = dict[str, Any]


def aligned(shape: tuple[int, ...], dtype: Any = np.int32, past: int = 0) -> np.ndarray:
    """Ones in memory so many bytes past a multiple of 16."""
    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(nbytes + 32, np.uint8)
    start = -memory.ctypes.data % 16 + past
    made = memory[start : start + nbytes].view(dtype).reshape(shape)
    made[...] = 1
    return made


def plan_of(made: matmul.MatmulKernels, **changes: Any) -> matmul.Plan:
    given: Arrays = {
        'a': aligned((8, 8)), 'b': aligned((8, 8)), 'out': aligned((8, 8)), 'bias': aligned((8,)),
    } | changes  # fmt: skip
    starts = tuple(given[name].ctypes.data for name in ('a', 'b', 'out'))
    return made.plan(starts=starts, **given)


def test_arrays_that_lie_alike_have_one_plan(tables: pathlib.Path) -> None:
    made = kernels(one=Stub())
    assert plan_of(made) is plan_of(made)


@pytest.mark.parametrize(
    'changes',
    [
        *({name: aligned((8, 8), past=4)} for name in ('a', 'b', 'out')),
        {'bias': aligned((8,), past=4)},
        {'bias': None},
        {'a': aligned((8, 16))[:, :8]},
        {'b': aligned((8, 16))[:, :8]},
        {'out': aligned((8, 16))[:, :8]},
        {'a': aligned((4, 8)), 'out': aligned((4, 8))},
        {'transpose_a': True},
        {'transpose_b': True},
        {'precision': 'tf32'},
        {'activation': 'relu'},
        {
            'a': aligned((8, 8), np.float32),
            'b': aligned((8, 8), np.float32),
            'out': aligned((8, 8), np.float32),
            'bias': aligned((8,), np.float32),
        },
    ],
)
def test_all_that_a_choice_depends_on_makes_a_plan(tables: pathlib.Path, changes: Arrays) -> None:
    made = kernels(one=Stub())
    first = plan_of(made)
    other = plan_of(made, **changes)
    assert other is not first
    assert plan_of(made, **changes) is other
    assert plan_of(made) is first


def test_a_plan_is_launched_with_the_addresses_of_each_call(tables: pathlib.Path) -> None:
    one = Stub()
    made = kernels(one=one)
    calls = []
    for _ in range(2):
        a, b, out, bias = *(aligned((8, 8)) for _ in range(3)), aligned((8,))
        made.multiply(a, b, out, bias=bias, allocate=no_scratch)
        calls.append((a, b, out, bias))
    [(first, *addresses), (second, *more)] = one.given
    assert first is second
    assert addresses == [*(each.ctypes.data for each in calls[0]), 0]
    assert more == [*(each.ctypes.data for each in calls[1]), 0]


def test_a_plan_keeps_no_array_alive(tables: pathlib.Path) -> None:
    made = kernels()
    arrays = [aligned((8, 8)) for _ in range(3)]
    watched = [weakref.ref(each) for each in arrays]
    made.multiply(*arrays, allocate=no_scratch)
    del arrays
    assert [each() for each in watched] == [None] * 3


def test_a_kernel_that_does_not_compile(tables: pathlib.Path) -> None:
    a = np.zeros((4, 4), np.float32)
    write(tables, {'microseconds': {'cublas': 9.0, 'one': 7.0}, 'm': 4, 'n': 4, 'k': 4})
    made = kernels(one=Missing())
    choice = made.multiply(a, a, a.copy(), activation='relu', allocate=no_scratch)
    assert choice == ('cublas', 'it does not compile')
    whole = a.astype(np.int32)
    with pytest.raises(targets.NoKernelError):
        made.multiply(whole, whole, whole.copy(), allocate=no_scratch)


class Bare(Stub):
    """A family that can do nothing beside products."""

    def supports(self, problem: matmul_problem.Problem) -> bool:
        return problem.bias is None and problem.activation == 'none'


def test_a_family_that_cannot_do_the_epilogue(tables: pathlib.Path) -> None:
    made = kernels(one=Bare())
    assert plan_of(made, bias=None).choice.family == 'one'
    for changes in ({}, {'bias': None, 'activation': 'relu'}):
        plan = plan_of(made, **changes)
        assert plan.choice.family == 'cublas'
        assert plan.pieces
        assert not plan.steps


def test_no_results(tables: pathlib.Path) -> None:
    one = Stub()
    a = np.zeros((0, 4), np.int32)
    out = np.zeros((0, 4), np.int32)
    choice = kernels(one=one).multiply(a, np.zeros((4, 4), np.int32), out, allocate=no_scratch)
    assert choice.family == 'nothing'
    assert one.given == []


def test_nothing_is_launched_where_part_is_for_cublas(tables: pathlib.Path) -> None:
    one = Stub()
    a, b = np.zeros((3, 4, 5), np.float32), np.zeros((3, 5, 6), np.float32)
    out = np.zeros((3, 4, 6), np.float32)
    assert kernels(one=one).multiply(a, b, out, allocate=no_scratch).family == 'cublas'
    assert one.given == []


def multiply(**changes: Any) -> matmul.Choice:
    plain: dict[str, Any] = {
        'a': np.zeros((4, 5), np.int32),
        'b': np.zeros((5, 6), np.int32),
        'out': np.zeros((4, 6), np.int32),
        'allocate': no_scratch,
    }
    return kernels(one=Stub()).multiply(**(plain | changes))


@pytest.mark.parametrize(
    ('changes', 'error', 'says'),
    [
        ({'b': np.zeros((5, 6))}, errors.InvalidTypeError, 'int32 and float64'),
        ({'b': np.zeros((4, 6), np.int32)}, errors.InvalidArgumentError, r'\(4, 5\) and \(4, 6\)'),
        ({'transpose_a': True}, errors.InvalidArgumentError, r'\(4, 5\) transposed and'),
        ({'a': np.zeros(5, np.int32)}, errors.InvalidArgumentError, r'allowed are'),
        ({'out': np.zeros((6, 4), np.int32).T}, errors.InvalidArgumentError, 'make a new array'),
        ({'a': np.zeros((2, 4, 5), np.int32)}, errors.InvalidArgumentError, 'must broadcast'),
        ({'bias': np.zeros(6)}, errors.InvalidTypeError, 'a bias of float64'),
        ({'bias': np.zeros(4, np.int32)}, errors.InvalidArgumentError, r'the shape \(6,\)'),
        ({'bias': np.zeros(12, np.int32)[::2]}, errors.InvalidArgumentError, 'dense'),
    ],
)  # fmt: skip
def test_operands_that_do_not_go_together(
    tables: pathlib.Path, changes: dict[str, Any], error: type, says: str
) -> None:
    with pytest.raises(error, match=says):
        multiply(**changes)
