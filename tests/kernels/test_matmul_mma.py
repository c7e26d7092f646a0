"""Products on tensor cores against NumPy, run on the CPU."""

import pathlib
from typing import Any, NamedTuple

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import cache, host_emulation, matmul_mma, matmul_problem, mma_tiles, source
from tests.support import matmul_cases, mma_cases, planted_bugs

ORDERS: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
CASES = mma_cases.pairwise_cases(1)
HALF = mma_cases.TYPES[0]

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


@pytest.fixture(scope='module')
def target(kernel_cache: cache.Cache) -> host_emulation.HostTarget:
    built = matmul_cases.target(kernel_cache)
    built.prepare(mma_cases.exports_of(CASES))
    return built


def run_all(target: host_emulation.HostTarget, cases: list[mma_cases.Case], seed: int = 0) -> None:
    for number, case in enumerate(cases):
        target.order = ORDERS[(number + seed) % len(ORDERS)]
        kernels = mma_cases.wrapper(target, case)
        mma_cases.run(kernels, case, np.random.default_rng(number))


def test_every_pair_of_settings(target: host_emulation.HostTarget) -> None:
    run_all(target, CASES)


@pytest.mark.parametrize('number', range(0, len(CASES), 8))
def test_the_order_of_threads_changes_no_bit(
    target: host_emulation.HostTarget, number: int
) -> None:
    results = []
    for target.order in ORDERS:
        kernels = mma_cases.wrapper(target, CASES[number])
        results.append(mma_cases.run(kernels, CASES[number], np.random.default_rng(1)))
    assert all(np.array_equal(results[0], each) for each in results)


def test_random_cases(target: host_emulation.HostTarget) -> None:
    built = set(mma_cases.exports_of(CASES))
    generator = np.random.default_rng(3)
    drawn = [mma_cases.draw(generator, any_size=True) for _ in range(250)]
    run_all(target, [case for case in drawn if built.issuperset(mma_cases.exports_of([case]))])


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('part', range(10))
def test_many_random_cases(kernel_cache: cache.Cache, part: int) -> None:
    target = matmul_cases.target(kernel_cache)
    generator = np.random.default_rng(100 + part)
    cases = [mma_cases.draw(generator, any_size=True) for _ in range(200)]
    target.prepare(mma_cases.exports_of(cases))
    run_all(target, cases, part)


def case(**changes: Any) -> mma_cases.Case:
    plain = mma_cases.Case((65, 70, 100), HALF, 'nn', (64, 64), 'one', 'none', '16 bytes', 0, False)
    return plain._replace(**changes)


def test_instructions_of_sm_75(kernel_cache: cache.Cache) -> None:
    target = matmul_cases.target(kernel_cache, flags=('-DTV_ARCH=750',))
    target.name = 'sm_75'
    cases = [
        case(types=types, layout=layout, pitch=pitch)
        for types, layout, pitch in (
            (mma_cases.TYPES[1], 'nt', '16 bytes'),
            (mma_cases.TYPES[1], 'tn', 'odd'),
            (mma_cases.TYPES[6], 'tn', '16 bytes'),
            (mma_cases.TYPES[6], 'nt', 'odd'),
        )
    ]
    exports = mma_cases.exports_of(cases, target.name)
    assert all('ThroughRegisters' in export.arguments[5] for export in exports)
    target.prepare(exports)
    run_all(target, cases)


def test_three_stages(kernel_cache: cache.Cache) -> None:
    target = matmul_cases.target(kernel_cache)
    target.name = 'sm_86'
    for k in (0, 31, 33, 64, 65, 97, 130):
        run_all(target, [case(size=(3, 5, k))], k)


def test_shared_memory_is_read_without_bank_conflicts(kernel_cache: cache.Cache) -> None:
    target = matmul_cases.target(kernel_cache, flags=('-DTV_CPU_BANKS=1',))
    cases = [
        case(types=types, layout=layout, tile=tile, size=(70, 130, 70))
        for types in mma_cases.TYPES[::2]
        for layout in ('nt', 'tn')
        for tile in ((64, 64), (64, 128))
    ]
    cases = [each for each in cases if each.is_allowed()]
    target.prepare(mma_cases.exports_of(cases))
    run_all(target, cases)


def test_nothing_is_launched_for_no_results() -> None:
    recorder = matmul_cases.Recorder('host')
    for size in ((0, 5, 7), (5, 0, 7)):
        made = mma_cases.operands(case(size=size), np.random.default_rng(0))
        kernels = matmul_mma.MmaMatmul(recorder)
        assert kernels.supports(made.problem)
        assert kernels.workspace(made.problem) == 0
        kernels.multiply(made.problem)
    assert recorder.exports == []


def problem(dtype: str, result: str, **changes: Any) -> matmul_problem.Problem:
    types = (dtype, result, 0.0)
    made = mma_cases.operands(case(types=types), np.random.default_rng(0))
    return made.problem._replace(**changes)


@pytest.mark.parametrize(
    ('dtype', 'result', 'since'),
    [
        ('float16', 'float16', 75), ('float16', 'float32', 75), ('int8', 'int32', 75),
        ('bfloat16', 'bfloat16', 80), ('bfloat16', 'float32', 80), ('float32', 'float32', 80),
    ],
)  # fmt: skip
def test_what_a_chip_has_instructions_for(dtype: str, result: str, since: int) -> None:
    for capability in (75, 80, 86, 89, 120):
        kernels = matmul_mma.MmaMatmul(matmul_cases.Recorder(f'sm_{capability}'))
        assert kernels.supports(problem(dtype, result)) == (capability >= since)
    assert matmul_mma.MmaMatmul(matmul_cases.Recorder('sm_90a')).supports(problem(dtype, result))


def test_what_is_left_to_other_kernels() -> None:
    kernels = matmul_mma.MmaMatmul(matmul_cases.Recorder('sm_86'))
    assert not kernels.supports(problem('float64', 'float64'))
    assert matmul_mma.MmaMatmul(matmul_cases.Recorder('sm_80')).supports(
        problem('float64', 'float64')
    )
    assert not kernels.supports(problem('float32', 'float32', precision='ieee'))
    assert not kernels.supports(problem('float16', 'float64'))
    assert not kernels.supports(problem('int8', 'int32', activation='relu'))
    assert not kernels.supports(problem('int32', 'int32'))
    odd = problem('float16', 'float16')
    assert not kernels.supports(odd._replace(a=odd.a._replace(address=odd.a.address + 1)))
    assert not kernels.supports(odd._replace(batch=1 << 31))


def extents(m: int, n: int, k: int, batch: int = 1) -> mma_tiles.Extents:
    return mma_tiles.Extents('f16', batch, m, n, k, 32, 4)


def choose(wanted: mma_tiles.Extents, *, may_split: bool = True) -> mma_tiles.Choice:
    tiles = mma_tiles.tiles('sm_80')
    return mma_tiles.choose(wanted, 108, 'sm_80', tiles, may_split=may_split)


def test_large_products_get_large_tiles_and_small_ones_small() -> None:
    assert choose(extents(4096, 4096, 4096)).tile.rows == 256
    assert choose(extents(512, 512, 64))[0][:2] == (64, 64)
    assert choose(extents(4096, 4096, 4096)).splits == 1


def test_long_sums_of_few_results_are_split() -> None:
    long = extents(128, 128, 16384)
    choice = choose(long)
    assert 8 <= choice.splits <= 32
    assert (choice.splits - 1) * choice.terms < 16384 <= choice.splits * choice.terms
    assert choice.terms % 32 == 0
    assert choose(long, may_split=False).splits == 1


def test_a_table_names_the_choice_for_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {'dtype': 'f16', 'm': 96, 'n': 96, 'k': 640, 'rows': 64, 'columns': 128, 'splits': 3}
    section = mma_tiles.select.section

    def with_row(name: str, chip: str) -> Any:
        return (row,) if name == 'mma_choices' else section(name, chip)

    monkeypatch.setattr(mma_tiles.select, 'section', with_row)
    mma_tiles.choose.cache_clear()
    choice = choose(extents(96, 96, 640))
    mma_tiles.choose.cache_clear()
    assert (choice.tile[:2], choice.splits, choice.terms) == ((64, 128), 3, 224)


def test_guard_pages_and_ubsan_find_nothing(kernel_cache: cache.Cache) -> None:
    done = planted_bugs.guard('mma_guard', kernel_cache.folder)
    assert done.returncode == 0, done.stderr


class Bug(NamedTuple):
    """A change to a kernel file, and a case in which it must show."""

    file: str
    right: str
    wrong: str
    case: mma_cases.Case


MAIN, TILES = 'matmul_mma.cu', 'tv_mma_tiles.cuh'
BUGS = {
    'no barrier before a tile is read': Bug(
        MAIN, 'wait<STAGES - 2>();\n          __syncthreads();', 'wait<STAGES - 2>();', case(),
    ),
    'a wait for too few copies': Bug(
        MAIN, 'template wait<STAGES - 2>', 'template wait<STAGES - 1>', case(),
    ),
    'a copy begun too early': Bug(
        MAIN, 'u32 reading = base, writing = last', 'u32 reading = base, writing = base', case(),
    ),
    'rows of sums are read too early': Bug(
        MAIN, 'lay_out(stand, i);\n      __syncwarp();', 'lay_out(stand, i);', case(),
    ),
    'rows of sums are overwritten too early': Bug(
        MAIN, '__syncwarp();\n    }', '}', case(),
    ),
    'a row too many is stored': Bug(
        MAIN, 'r >= product.m ||', 'r > product.m ||', case(size=(65, 5, 100)),
    ),
    'a split begins at the wrong term': Bug(
        MAIN, 'place.split * product.split_k', 'place.split * (product.split_k - 1)',
        case(size=(20, 24, 1100), split=True),
    ),
    'bank conflicts of rows along k': Bug(
        TILES, 'row & 2 : row / 2 % 4', 'row & 2 : row % 4', case(layout='nt'),
    ),
    'bank conflicts of rows across k': Bug(
        TILES, 'return row % 4 * 2;', 'return row % 4;', case(types=mma_cases.TYPES[4]),
    ),
    'fragments of B in the order of A': Bug(
        TILES, 'OF_B ? i / 2 : i % 2; }', 'i % 2; }', case(),
    ),
    'the tail along k of rows along k': Bug(
        TILES, 'columns < LENGTH ? columns : LENGTH', 'LENGTH', case(size=(65, 70, 101)),
    ),
    'the tail along k of rows across it': Bug(
        TILES, 'ROWS_APART < k_left - depth', 'ROWS_APART <= k_left - depth',
        case(layout='tn', size=(65, 70, 97)),
    ),
    'the step is not in the address': Bug(
        TILES, 'lane_offset ^ u32(step * 32)', 'lane_offset', case(),
    ),
    'rows of int8 in the usual order': Bug(
        TILES, 'INTERLEAVED = SIZE == 1', 'INTERLEAVED = SIZE == 0',
        case(types=mma_cases.TYPES[6]),
    ),
    'tf32 is cut off': Bug(
        TILES, 'registers[i] = to_tf32(', 'registers[i] = (', case(types=mma_cases.TYPES[4]),
    ),
}  # fmt: skip


# One of each kind; the others say the same again.
OFTEN = (
    'no barrier before a tile is read', 'a wait for too few copies',
    'rows of sums are read too early', 'fragments of B in the order of A',
    'bank conflicts of rows along k', 'the tail along k of rows across it',
)  # fmt: skip


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str,
    tmp_path: pathlib.Path,
    kernel_cache: cache.Cache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bug = BUGS[name]
    folder = planted_bugs.plant(bug.file, bug.right, bug.wrong, tmp_path / 'kernels')
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(folder))
    target = matmul_cases.target(kernel_cache, flags=('-DTV_CPU_BANKS=1',))
    for target.order in ORDERS:
        kernels = mma_cases.wrapper(target, bug.case)
        try:
            mma_cases.run(kernels, bug.case, np.random.default_rng(0))
        except (AssertionError, errors.InternalError):
            return
    pytest.fail('no order of threads shows the bug')
