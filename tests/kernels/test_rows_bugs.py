"""Guard pages and UBSan find nothing in gather and scatter, and find what is planted."""

import pathlib
import signal

import pytest

from tensorvar._cuda import cache, host_emulation
from tests.support import planted_bugs
from tests.support.planted_bugs import Bug

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


def test_the_kernels_are_clean(kernel_cache: cache.Cache) -> None:
    done = planted_bugs.guard('rows_guard', kernel_cache.folder)
    assert done.returncode == 0, done.stderr


SORTED = 'scatter_sorted.cu'
BUGS = {
    'an index is not looked at': Bug(
        'scatter.cu', 'if (row < rows)', 'if (row <= rows)', signal.SIGSEGV,
    ),
    'a negative index is let through': Bug(
        'gather.cu', 'if (row < rows) {', 'if (static_cast<i64>(row) < static_cast<i64>(rows)) {',
        signal.SIGSEGV,
    ),
    'a warp passes the end of a row': Bug(
        'gather.cu', 'if (first + 32 * a < pieces)\n', 'if (first + 32 * a <= pieces)\n',
        signal.SIGSEGV,
    ),
    'only the first lane has the index': Bug(
        'gather.cu', 'row = __shfl_sync(~0u, row, 0);', '', 'differ',
    ),
    'a dimension is not looked at': Bug(
        'gather.cu', 'inside = inside && index', 'inside = index', 'differ',
    ),
    'the last of equal indices is not the last': Bug(
        SORTED, 'if (sorted.holds(place + 1, row)) continue;',
        'if (place && sorted.row(place - 1) == row) continue;', 'differ',
    ),
    'updates of a row are done twice': Bug(
        'tv_rows.cuh', 'this->row(place - 1) != row;',
        'this->row(place - 1) != row || place % 3 == 0;', 'differ',
    ),
    'the last place is passed': Bug(
        'tv_rows.cuh', 'return place < count && this', 'return place <= count && this',
        signal.SIGSEGV,
    ),
    'a piece takes one update too few': Bug(
        SORTED, 'row, place + 1, end, stride);', 'row, place + 1, end - 1, stride);', 'differ',
    ),
    'a piece takes its first update twice': Bug(
        SORTED, 'row, place + 1, end, stride);', 'row, place, end, stride);', 'differ',
    ),
    'a piece takes the updates of the next row': Bug(
        SORTED, 'if (sorted.row(end - 1) != row) end', 'if (place > end) end', 'differ',
    ),
    'the end of a row is found too early': Bug(
        'tv_rows.cuh', 'while (low + 1 < high) {', 'if (low + 1 < high) {', 'differ',
    ),
    'turns do not come round': Bug(
        SORTED, 'turn < threads ? turn : turn - threads', 'turn', 'differ',
    ),
    'a piece that begins is where one goes on': Bug(
        SORTED, '(2 * window + first)', '(2 * window)', 'differ',
    ),
    'pieces are subtracted from each other': Bug(
        SORTED, 'typedef Add type', 'typedef Sub type', 'differ',
    ),
    'the last piece is left out': Bug(
        SORTED, 'const u64 pieces = last - window + 1;', 'const u64 pieces = last - window;',
        'differ',
    ),
    'a run too many': Bug(
        SORTED, 'begin + length < pieces ? begin + length : pieces', 'begin + length',
        signal.SIGSEGV,
    ),
    'no barrier before runs are joined': Bug(
        SORTED, '  __syncthreads();\n  for (u32 step', '  for (u32 step', 'differ',
    ),
    'no barrier while runs are joined': Bug(
        SORTED, 'total[step << lane_bits]);\n    __syncthreads();', 'total[step << lane_bits]);',
        'differ',
    ),
    'no barrier after the windows are looked at': Bug(
        SORTED, '    __syncthreads();\n    for (int i = 0; i < WINDOWS',
        '    for (int i = 0; i < WINDOWS', signal.SIGSEGV,
    ),
    'vectors where there are none': Bug(
        SORTED, 'const u64 width = vectors.value * LENGTH;', 'const u64 width = vectors.value;',
        'differ',
    ),
    'the least integer divided by -1': Bug(
        'tv_rows.cuh', 'if (b == static_cast<T>(-1)) return', 'if (b == 0) return',
        'cannot be represented',
    ),
    'a NaN in the table is written over': Bug(
        'tv_atomics.cuh', 'if (seen != seen) return;', '', 'differ',
    ),
    'a NaN among the updates is not the greatest': Bug(
        'tv_atomics.cuh', 'if (value != value) bits =', 'if (value == 0 && value != 0) bits =',
        'differ',
    ),
    'negative floats grow with their bits': Bug(
        'tv_atomics.cuh', 'if (negative == GREATEST)', 'if (negative && GREATEST && false)',
        'differ',
    ),
    'one row for all is taken for many': Bug(
        'scatter.cu', 'updates + position * stride',
        'updates + position * (stride ? stride : width)', signal.SIGSEGV,
    ),
}  # fmt: skip

# One of each kind; the others say the same again.
OFTEN = (
    'an index is not looked at', 'only the first lane has the index',
    'no barrier while runs are joined', 'a NaN in the table is written over',
)  # fmt: skip


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache
) -> None:
    planted_bugs.check('rows_guard', kernel_cache.folder, BUGS[name], tmp_path / 'kernels')
