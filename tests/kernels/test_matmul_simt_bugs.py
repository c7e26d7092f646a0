"""Bugs planted in the general products show on the CPU; the kernels themselves are clean."""

import pathlib
import signal
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import cache, host_emulation, source
from tests.support import matmul_cases, matmul_guard, planted_bugs
from tests.support.matmul_cases import Case

ORDERS: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


@pytest.mark.parametrize('family', matmul_guard.FAMILIES)
def test_the_kernels_are_clean(kernel_cache: cache.Cache, family: str) -> None:
    done = planted_bugs.guard('matmul_guard', kernel_cache.folder, family)
    assert done.returncode == 0, done.stderr


class Bug(NamedTuple):
    """A change to a kernel file, and a case in which it must give other results.

    Attributes:
        file: that is changed.
        right: the text that is changed.
        wrong: what it becomes.
        case: that finds it.
        wrapper: that runs the case.
        orders: in how many orders of threads it must show, at least.
    """

    file: str
    right: str
    wrong: str
    case: Case
    wrapper: matmul_cases.Wrapper = matmul_cases.simt
    orders: int = 3


MAIN, TILES, SHARED = 'matmul_simt.cu', 'tv_tiles.cuh', 'tv_matmul.cuh'
THIN, REDUCE = 'gemv.cu', 'splitk_reduce.cu'
ASYNC = Case((70, 40, 100), pitch='16 bytes', tile=4)
STAGED = ASYNC._replace(chip='sm_75')
SPLIT = Case((20, 24, 700), split=True, tile=4)
COLUMNS, ROWS = Case((3, 40, 3000), layout='nn'), Case((3, 40, 3000), layout='nt')
BUGS = {
    'no barrier before a copied tile is read': Bug(
        MAIN, '__syncthreads();\n    if (left > 0) {\n      a.begin', 'if (left > 0) {\n a.begin',
        ASYNC,
    ),
    'a wait for too few copies': Bug(
        MAIN, 'wait_for_copies<STAGES - 2>', 'wait_for_copies<STAGES - 1>', ASYNC,
    ),
    'a copy begun too early': Bug(
        MAIN, 'u32 into = (STAGES - 1) * Tiles::BYTES', 'u32 into = 0 * Tiles::BYTES', ASYNC,
    ),
    'no barrier before a stored tile is read': Bug(
        MAIN, '__syncthreads();\n    const int into', 'const int into', STAGED, orders=2,
    ),
    'the next tile is stored over this one': Bug(
        MAIN, 'const int into = Tiles::BOTH - out_of', 'const int into = out_of', STAGED, orders=2,
    ),
    'the tail along k of a copy': Bug(
        TILES, 'k + other_k < ks ?', 'k + other_k <= ks ?', ASYNC,
    ),
    'the tail along k of a row': Bug(
        TILES, 'inside<LENGTH>(at_k, ks)', 'inside<LENGTH>(at_k, ks + 1)',
        STAGED._replace(size=(70, 40, 101)),
    ),
    'the next step along k is too far': Bug(
        TILES, 'from += K_CONTIGUOUS ? KS : KS * anew(leading);',
        'from += K_CONTIGUOUS ? KS + 1 : KS * anew(leading);', ASYNC,
    ),
    'pieces in another order than their places': Bug(
        TILES, 'reached = P::across(piece);', 'reached = 0;', ASYNC,
    ),
    'lanes with the same rows': Bug(
        MAIN, 'lane / 2 % Shape::LANE_ROWS', 'lane % Shape::LANE_ROWS', ASYNC,
    ),
    'groups of rows too near': Bug(
        MAIN, 'i / Rows::GROUP * Rows::STEP', 'i / Rows::GROUP * Rows::GROUP',
        Case((130, 70, 40), tile=1),
    ),
    'a row too many': Bug(
        MAIN, 'if (at >= product.m) continue;', 'if (at > product.m) continue;', ASYNC,
    ),
    'columns that do not exist': Bug(
        SHARED, 'column + COUNT <= n', 'column < n', ASYNC._replace(size=(70, 41, 100)),
    ),
    'a tile twice': Bug(
        SHARED, 'first + inside % together', 'first + inside % ROW_TILES_TOGETHER', ASYNC,
    ),
    'the bias of another column': Bug(
        SHARED, 'convert<C>(bias[column])', 'convert<C>(bias[column ? column - 1 : 0])',
        ASYNC._replace(epilogue='bias'),
    ),
    'the bias after the activation': Bug(
        SHARED, 'else return Activation::apply(convert<C>(convert<R>(sum)));',
        'else return Add::apply(Activation::apply(convert<C>(convert<R>(sum))), sum);',
        ASYNC._replace(epilogue='bias gelu'),
    ),
    'a split begins at the wrong term': Bug(
        MAIN, 'place.split * product.split_k', 'place.split * (product.split_k - 1)', SPLIT,
    ),
    'a split that is not added': Bug(REDUCE, 'split = 1;', 'split = 2;', SPLIT),
    'rows of another matrix': Bug(
        REDUCE, '(row - matrix * reduction.rows.value)', '(row)', SPLIT._replace(batch='several'),
    ),
    'complex numbers conjugated': Bug(
        SHARED, 'multiply_add(-a.imaginary,', 'multiply_add(a.imaginary,',
        ASYNC._replace(types=('complex64', 'complex64')),
    ),
    'x is replaced too early, by rows': Bug(
        THIN, '__syncthreads();\n    fetch_thin<S, T, THIN, false>',
        'fetch_thin<S, T, THIN, false>', ROWS, matmul_cases.thin, 1,
    ),
    'x is read too early, by columns': Bug(
        THIN, 'true>(part, mine.x + begin * product.x_k, ks, product);\n    __syncthreads();',
        'true>(part, mine.x + begin * product.x_k, ks, product);', COLUMNS, matmul_cases.thin,
    ),
    'sums are written where x is still read': Bug(
        THIN, '// x has been read.\n  __syncthreads();', '', COLUMNS, matmul_cases.thin,
    ),
    'sums are added before they are there': Bug(
        THIN, '  __syncthreads();\n  for (int i = threadIdx.x; i < THIN * ACROSS',
        '  for (int i = threadIdx.x; i < THIN * ACROSS', COLUMNS, matmul_cases.thin, 2,
    ),
    'half of the lanes are left out': Bug(
        THIN, 'int by = 16; by; by', 'int by = 8; by; by', ROWS, matmul_cases.thin,
    ),
    'the sums of one warp are left out': Bug(
        THIN, 'int warp = 1; warp < WARPS', 'int warp = 2; warp < WARPS', COLUMNS,
        matmul_cases.thin,
    ),
    'strides of a turned x': Bug(
        THIN, 'x[s * product.x_row + k * product.x_k]', 'x[s * product.x_k + k * product.x_row]',
        Case((3, 40, 70)), matmul_cases.thin,
    ),
}  # fmt: skip
# One of each kind; the others say the same again.
OFTEN = (
    'no barrier before a copied tile is read', 'a wait for too few copies',
    'no barrier before a stored tile is read', 'the tail along k of a copy',
    'a split begins at the wrong term', 'x is replaced too early, by rows',
    'sums are added before they are there',
)  # fmt: skip


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = BUGS[name]
    folder = planted_bugs.plant(bug.file, bug.right, bug.wrong, tmp_path / 'kernels')
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(folder))
    target = matmul_cases.target(kernel_cache)
    # What does not compile is no bug that was found.
    target.prepare(matmul_cases.exports_of(bug.wrapper, [bug.case]))
    found = []
    for target.order in ORDERS:
        try:
            matmul_cases.run(target, bug.wrapper, bug.case, np.random.default_rng(0))
        except (AssertionError, errors.InternalError):
            found.append(target.order)
    assert len(found) >= bug.orders, f'found in the orders {found} only'


# Changes that give right results, and how they must show next to forbidden pages.
STRAYS = {
    'a column too many is copied': planted_bugs.Bug(
        TILES, 'inside<LENGTH>(line + other_line, lines)',
        'inside<LENGTH>(line + other_line, lines + 1)', signal.SIGSEGV, 'simt',
    ),
    'a column too many is loaded': planted_bugs.Bug(
        TILES, '(at_line < lines ?', '(at_line <= lines ?', signal.SIGSEGV, 'simt',
    ),
    'vectors at any address': planted_bugs.Bug(
        SHARED, 'if (vectors && column', 'if ((vectors || true) && column',
        'misaligned address', 'simt',
    ),
    'signed arithmetic': planted_bugs.Bug(
        SHARED, 'return Add::apply(Mul::apply(a, b), c);', 'return a * b + c;',
        'integer overflow', 'simt',
    ),
    'a row too many is read': planted_bugs.Bug(
        THIN, 'first + l < product.width ? first + l : product.width - 1', 'first + l',
        signal.SIGSEGV, 'thin',
    ),
    'rows of x that do not exist': planted_bugs.Bug(
        THIN, 'static_cast<u64>(s) < product.thin && k < ks', 'k < ks', signal.SIGSEGV, 'thin',
    ),
    'columns that do not exist': planted_bugs.Bug(
        THIN, 'if (column >= product.width) continue;', '', signal.SIGSEGV, 'thin',
    ),
}  # fmt: skip
STRAYS_OFTEN = ('signed arithmetic', 'rows of x that do not exist')


@pytest.mark.parametrize('name', planted_bugs.names(STRAYS, STRAYS_OFTEN))
def test_a_stray_access_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache
) -> None:
    planted_bugs.check('matmul_guard', kernel_cache.folder, STRAYS[name], tmp_path / 'kernels')
