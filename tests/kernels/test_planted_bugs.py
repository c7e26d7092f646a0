"""Guard pages and UBSan find nothing in the kernels, and find what is planted there."""

import pathlib
import signal

import pytest

from tensorvar._cuda import cache, host_emulation
from tests.support import kernel_guard, planted_bugs
from tests.support.planted_bugs import Bug

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


def test_the_kernels_are_clean(kernel_cache: cache.Cache) -> None:
    done = planted_bugs.guard('kernel_guard', kernel_cache.folder, *kernel_guard.GROUPS)
    assert done.returncode == 0, done.stderr


BUGS = {
    'a vector too many': Bug(
        'tv_elementwise.cuh', 'first < vectors; first', 'first <= vectors; first',
        signal.SIGSEGV, 'dense',
    ),
    'a part of a chunk is taken for a whole one': Bug(
        'tv_elementwise.cuh', 'whole(vectors / LENGTH * LENGTH)', 'whole(vectors)',
        signal.SIGSEGV, 'dense',
    ),
    'no peeling': Bug(
        'tv_elementwise.cuh', 'missing < count ? missing : count',
        'missing < count ? 0 : count', 'misaligned address', 'dense',
    ),
    'the tail starts too late': Bug(
        'tv_elementwise.cuh', 'i = tail + thread;', 'i = tail + 1 + thread;', 'differ', 'dense',
    ),
    'a row does not repeat': Bug(
        'tv_elementwise.cuh', 'at + 1 == inner.value ? 0 : at + 1', 'at + 1',
        signal.SIGSEGV, 'row',
    ),
    'a division that is off': Bug(
        'tv_core.cuh', '>> by.shift', '>> (by.shift + 1)', 'differ', 'strided',
    ),
    'signed arithmetic': Bug(
        'tv_types.cuh', 'typedef u32 type', 'typedef i32 type', 'integer overflow', 'integers',
    ),
    'NaN is dropped': Bug(
        'tv_types.cuh', 'a < b || a != a ? a : b', 'a < b ? a : b', 'differ', 'special',
    ),
    'rounded twice': Bug(
        'tv_types.cuh', 'same<To, Half> && same<From, double>', 'false', 'differ', 'special',
    ),
    'no barrier before reading': Bug(
        'transpose.cu', '__syncthreads();\n#pragma', '\n#pragma', 'differ', 'transposed',
    ),
    'no barrier after reading': Bug(
        'transpose.cu', '__syncthreads();\n  }', '}', 'differ', 'transposed',
    ),
}  # fmt: skip


# One of each kind; the others say the same again.
OFTEN = (
    'a vector too many', 'no peeling', 'signed arithmetic', 'NaN is dropped',
    'no barrier before reading',
)  # fmt: skip


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache
) -> None:
    planted_bugs.check('kernel_guard', kernel_cache.folder, BUGS[name], tmp_path / 'kernels')
