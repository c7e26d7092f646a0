"""Guard pages and UBSan find nothing in fused kernels, and find what is planted there."""

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
    done = planted_bugs.guard('fused_guard', kernel_cache.folder)
    assert done.returncode == 0, done.stderr


FUSED = 'fused.cu'
BUGS = {
    'a vector too many': Bug(
        FUSED, 'first < vectors; first', 'first <= vectors; first', signal.SIGSEGV,
    ),
    'a part of a chunk is taken for a whole one': Bug(
        'tv_elementwise.cuh', 'whole(vectors / LENGTH * LENGTH)', 'whole(vectors)',
        signal.SIGSEGV,
    ),
    'no peeling': Bug(
        FUSED, 'results.first.template to_peel<LENGTH>(count)', '0', 'misaligned address',
    ),
    'the tail starts too late': Bug(
        FUSED, 'vectors * LENGTH + thread; i < count', 'vectors * LENGTH + thread + 1; i < count',
        'differ',
    ),
    'a vector is taken for a row': Bug(
        FUSED, 'e * positions.strides[0]', 'e * positions.strides[1]', signal.SIGSEGV,
    ),
    'every element of a strided vector is its first': Bug(
        FUSED, 'one(i + e)', 'one(i)', 'differ',
    ),
    'the last dimension is not left': Bug(
        FUSED, 'outermost ? 0 :', 'outermost ? 1 :', 'differ',
    ),
    'sixteen-bit floats are rounded up': Bug(
        'tv_types.cuh', 'result.bits = tvcpu::double_to_half(value);',
        'result.bits = tvcpu::double_to_half(value * (1 + 0x1p-11));', 'differ',
    ),
    'signed arithmetic': Bug(
        'tv_types.cuh', 'typedef u32 type', 'typedef i32 type', 'integer overflow',
    ),
}  # fmt: skip

# One of each kind; the others say the same again.
OFTEN = ('a part of a chunk is taken for a whole one', 'no peeling', 'a vector is taken for a row')


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache
) -> None:
    planted_bugs.check('fused_guard', kernel_cache.folder, BUGS[name], tmp_path / 'kernels')
