"""kernels/matmul_simt.cu and splitk_reduce.cu, run on the CPU, against NumPy."""

import mmap
import re
import sys
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import (
    cache,
    host_emulation,
    matmul_batch,
    matmul_problem,
    matmul_simt,
    simt_tiles,
)
from tests.support import matmul_cases
from tests.support.matmul_cases import Case

FLOAT32 = np.dtype(np.float32)
# MAP_NORESERVE, which the module names from Python 3.13 on.
_SPARSE = mmap.MAP_PRIVATE | 0x4000
ORDERS: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


@pytest.fixture(scope='module')
def target(kernel_cache: cache.Cache) -> host_emulation.HostTarget:
    return matmul_cases.target(kernel_cache)


def test_every_type_layout_tile_and_way_to_copy(target: host_emulation.HostTarget) -> None:
    cases = matmul_cases.pairwise_cases(matmul_cases.SIMT, 0, matmul_cases.KERNELS)
    matmul_cases.run_all(target, matmul_cases.simt, cases, orders=3)
    built = set(matmul_cases.exports_of(matmul_cases.simt, cases))
    generator = np.random.default_rng(1)
    drawn = [matmul_cases.draw(matmul_cases.SIMT, generator) for _ in range(600)]
    matmul_cases.run_all(
        target,
        matmul_cases.simt,
        [
            case
            for case in drawn
            if built.issuperset(matmul_cases.exports_of(matmul_cases.simt, [case]))
        ],
    )


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_pair_of_settings(target: host_emulation.HostTarget) -> None:
    cases = matmul_cases.pairwise_cases(matmul_cases.SIMT, 0)
    matmul_cases.run_all(target, matmul_cases.simt, cases, orders=3)


def any_size(generator: np.random.Generator) -> tuple[int, int, int]:
    m, n, k = (int(extent) for extent in generator.integers(1, 150, 3))
    return m, n, k * 8 if generator.random() < 0.1 else k


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('part', range(10))
def test_many_random_cases(target: host_emulation.HostTarget, part: int) -> None:
    generator = np.random.default_rng(100 + part)
    cases = [matmul_cases.draw(matmul_cases.SIMT, generator, any_size) for _ in range(200)]
    matmul_cases.run_all(target, matmul_cases.simt, cases, part)


@pytest.mark.parametrize('chip', matmul_cases.CHIPS)
def test_every_number_of_steps(target: host_emulation.HostTarget, chip: str) -> None:
    """The loop over tiles of k: none, one, fewer than there are stages, and more."""
    cases = [
        Case((5, 6, k), layout='nn', pitch='16 bytes', chip=chip, tile=4)
        for k in (0, 1, 31, 32, 33, 64, 65, 96, 97, 128, 129)
    ]
    matmul_cases.run_all(target, matmul_cases.simt, cases, orders=3)


def test_nan_and_infinity_go_where_they_belong(target: host_emulation.HostTarget) -> None:
    for epilogue in ('none', 'relu'):
        case = Case((20, 24, 30), epilogue=epilogue, tile=4)
        made = matmul_cases.operands(case, np.random.default_rng(0))
        made.a.stored[0, 3, 7] = np.nan
        made.b.stored[0, 5, 9] = np.inf
        matmul_cases.simt(target, case).multiply(made.problem)
        results = made.c.stored[0]
        assert np.isnan(results[3]).all()
        assert not np.isnan(np.delete(results, 3, axis=0)).any()
        assert (np.isinf(results) | (results == 0))[:, 9][np.arange(20) != 3].all()


def test_denormals_count(target: host_emulation.HostTarget) -> None:
    case = Case((16, 16, 32), tile=4)
    made = matmul_cases.operands(case, np.random.default_rng(0))
    made.a.stored[...] = 1e-30
    made.b.stored[...] = 1e-12
    matmul_cases.simt(target, case).multiply(made.problem)
    assert np.allclose(made.c.stored, 3.2e-41, rtol=1e-3)


def test_a_batch_of_more_blocks_than_a_launch_takes(
    target: host_emulation.HostTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matmul_simt, '_MOST_BLOCKS', 1)
    for layout in ('nn', 'tt'):
        case = Case((20, 24, 30), batch='several', layout=layout, tile=4)
        matmul_cases.run(target, matmul_cases.simt, case, np.random.default_rng(0))
    # Two at once, and one that is left over.
    monkeypatch.setattr(matmul_simt, '_MOST_BLOCKS', 2)
    generator = np.random.default_rng(0)
    a, b = (generator.random(shape, np.float32) for shape in ((3, 8, 30), (3, 30, 8)))
    out = np.zeros((3, 8, 8), np.float32)
    [piece] = matmul_batch.arrange(a, b, out, transpose_a=False, transpose_b=False)
    problem = piece.at((a.ctypes.data, b.ctypes.data, out.ctypes.data))
    matmul_cases.simt(target, Case((8, 8, 30), tile=4)).multiply(problem)
    np.testing.assert_allclose(out, a @ b, rtol=1e-5)


def test_more_terms_than_a_block_adds_up(
    target: host_emulation.HostTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simt_tiles, 'MOST_TERMS', 128)
    case = Case((20, 24, 700), split=True, tile=4)
    matmul_cases.run(target, matmul_cases.simt, case, np.random.default_rng(0))
    made = matmul_cases.operands(case, np.random.default_rng(0))
    with pytest.raises(errors.InvalidArgumentError, match='700 terms per sum without a workspace'):
        matmul_cases.simt(target, case).multiply(made.problem)


@pytest.mark.skipif(sys.platform != 'linux', reason='sparse memory is asked for as on Linux')
@pytest.mark.parametrize('thin', [False, True])
def test_distances_that_do_not_fit_32_bits(target: host_emulation.HostTarget, thin: bool) -> None:
    """Rows 8 GiB apart, in memory of which only the pages that are touched exist."""
    pitch = (1 << 31) + 8
    generator = np.random.default_rng(0)
    arrays = []
    for rows, columns in ((2, 3), (3, 12), (2, 12)):
        kept = mmap.mmap(-1, rows * pitch * 4, flags=_SPARSE)
        arrays.append(np.frombuffer(kept, np.float32).reshape(rows, pitch)[:, :columns])
    a, b, c = arrays
    a[...], b[...] = generator.uniform(-1, 1, a.shape), generator.uniform(-1, 1, b.shape)
    lying = [matmul_problem.Matrices(each.ctypes.data, pitch) for each in arrays]
    made = matmul_problem.Problem(1, 2, 12, 3, *lying, FLOAT32, FLOAT32)
    case = Case((2, 12, 3), tile=4)
    (matmul_cases.thin if thin else matmul_cases.simt)(target, case).multiply(made)
    assert np.allclose(c, a.astype('f8') @ b.astype('f8'), atol=1e-5)


def recorded(chip: str = 'sm_90a') -> matmul_simt.SimtMatmul:
    return matmul_simt.SimtMatmul(matmul_cases.Recorder(chip, 132))


def problem(**changes: Any) -> matmul_problem.Problem:
    case = Case((64, 64, 64))
    return matmul_cases.operands(case, np.random.default_rng(0)).problem._replace(**changes)


def test_nothing_is_launched_for_no_results() -> None:
    recorder = matmul_cases.Recorder('sm_90a')
    kernels = matmul_simt.SimtMatmul(recorder)
    for changes in ({'m': 0}, {'n': 0}, {'batch': 0}):
        assert kernels.workspace(problem(**changes)) == 0
        kernels.multiply(problem(**changes))
    assert recorder.exports == []


def test_what_is_left_to_other_kernels() -> None:
    kernels = recorded()
    double = np.dtype(np.float64)
    assert kernels.supports(problem())
    assert not kernels.supports(problem(precision='tf32'))
    assert kernels.supports(problem(precision='tf32', dtype=double, result=double))
    assert not kernels.supports(problem(result=double))
    assert not kernels.supports(problem(dtype=np.dtype(bool), result=np.dtype(bool)))
    integers = np.dtype(np.int32)
    assert not kernels.supports(problem(dtype=integers, result=integers, activation='relu'))
    odd = problem()
    assert not kernels.supports(odd._replace(a=odd.a._replace(address=odd.a.address + 2)))
    assert not kernels.supports(odd._replace(bias=2))


def test_the_same_kernel_and_plan_for_other_addresses() -> None:
    recorder = matmul_cases.Recorder('sm_90a')
    kernels = matmul_simt.SimtMatmul(recorder)
    kernels.multiply(problem())
    kernels.multiply(problem())
    assert len(recorder.exports) == 1
    first = problem()
    kernels.multiply(first._replace(b=first.b._replace(address=first.b.address + 4)))
    assert len(recorder.exports) == 2
    assert '_elements_' in recorder.exports[1].name


@pytest.mark.parametrize(
    ('chip', 'dtype', 'ends'),
    [
        ('sm_75', 'float32', 'staged'), ('sm_80', 'float32', '3_stages'),
        ('sm_86', 'float32', '2_stages'), ('sm_90a', 'float64', '3_stages'),
        ('sm_90a', 'float16', 'staged'), ('sm_120', 'complex64', '2_stages'),
    ],
)  # fmt: skip
def test_how_tiles_come_to_shared_memory(chip: str, dtype: str, ends: str) -> None:
    kind = np.dtype(dtype)
    recorder = matmul_cases.Recorder(chip)
    matmul_simt.SimtMatmul(recorder).multiply(problem(dtype=kind, result=kind))
    assert recorder.exports[0].name.endswith(ends)


def way(m: int, n: int, k: int, *, may_split: bool = True, itemsize: int = 4) -> simt_tiles.Way:
    tiles = simt_tiles.BY_ITEMSIZE[itemsize]
    return simt_tiles.choose(problem(m=m, n=n, k=k), tiles, itemsize, 132, may_split=may_split)


def test_large_products_get_large_tiles_and_small_ones_small() -> None:
    assert way(4096, 4096, 4096).tile[:2] == (128, 128)
    assert way(4096, 4096, 4096).splits == 1
    assert way(64, 64, 64).tile.rows < 64
    assert way(32, 65536, 512).tile[:2] == (32, 128)
    assert way(65536, 32, 512).tile[:2] == (128, 32)
    assert way(4096, 4096, 512, itemsize=8).tile[:2] == (64, 64)


def test_long_sums_of_few_results_are_split() -> None:
    long = way(128, 128, 16384)
    assert long.splits > 4
    assert (long.splits - 1) * long.terms < 16384 <= long.splits * long.terms
    assert long.terms % long.tile.terms == 0
    assert way(128, 128, 16384, may_split=False).splits == 1


def test_tiles_fit_the_shared_memory_and_the_threads() -> None:
    for itemsize, tiles in simt_tiles.BY_ITEMSIZE.items():
        for tile in tiles:
            assert tile.shared(2, itemsize) * tile.resident <= 99 * 1024 or tile.resident > 2
            assert tile.shared(3, itemsize) <= 99 * 1024
            assert tile.threads <= 256


def test_names_of_kernels_are_identifiers() -> None:
    cases = matmul_cases.pairwise_cases(matmul_cases.SIMT, 0, matmul_cases.KERNELS)
    exports = matmul_cases.exports_of(matmul_cases.simt, cases)
    assert all(re.fullmatch(r'[a-z]\w*', export.name) for export in exports)
    # One name never stands for two kernels.
    assert len({export.name for export in exports}) == len(set(exports))
