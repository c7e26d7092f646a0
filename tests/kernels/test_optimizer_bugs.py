"""Guard pages and UBSan find nothing in the optimizer kernels, and find what is planted."""

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
    done = planted_bugs.guard('optimizer_guard', kernel_cache.folder)
    assert done.returncode == 0, done.stderr


BUGS = {
    'the search finds the tensor before': Bug(
        'tv_tensors.cuh', 'word[middle] > position', 'word[middle] >= position', 'a norm of',
    ),
    'tensors begin where the last one ends': Bug(
        'tv_tensors.cuh', '(table.word[tensor - 1] + PAST) & ~PAST',
        'table.word[tensor - 1] + 0 * PAST', signal.SIGSEGV,
    ),
    'a tail that is missing': Bug(
        'tv_tensors.cuh', 'if (i < count) to[i]', 'if (count == LENGTH) to[i]', 'differ',
    ),
    'a tail that is too long': Bug(
        'tv_tensors.cuh', 'left < LENGTH ?', 'left < 1 ?', signal.SIGSEGV,
    ),
    'addresses are not looked at': Bug(
        'tv_tensors.cuh', 'Vector<T, LENGTH>::ALIGNMENT == 0', '1 == 0', 'misaligned address',
    ),
    'a chunk of two tensors is taken for one of one': Bug(
        'tv_tensors.cuh', 'position + STEP <= table', 'position < table', signal.SIGSEGV,
    ),
    'addresses are not looked at for a whole chunk': Bug(
        'tv_tensors.cuh', 'work.is_whole(Place{offset, tensor, LENGTH})', 'true',
        'misaligned address',
    ),
    'ranges that overlap': Bug(
        'tv_tensors.cuh', '< all ? position + range :', '< all ? all :', 'differ',
    ),
    'the correction for the step before': Bug(
        'optimizer.cu', 'pow(beta_2, step)', 'pow(beta_2, scalars->step)', 'differ',
    ),
    'one power for both betas': Bug(
        'optimizer.cu', 'pow(beta_2, step)', 'pow(beta_1 + 0 * beta_2, step)', 'differ',
    ),
    'no state beside a master': Bug(
        'optimizer.cu', 'store_part<LENGTH, WHOLE>(at<C>(FIRST_SLOT + s, place)',
        'if (!MASTER) store_part<LENGTH, WHOLE>(at<C>(FIRST_SLOT + s, place)', 'differ',
    ),
    'weight decay for one more': Bug(
        'optimizer.cu', 'tensor < decayed', 'tensor <= decayed', 'differ',
    ),
    'the skip is not looked at': Bug(
        'optimizer.cu', 'if (scalars->skip) return;', '', 'differ',
    ),
    'the scale stays in the norm': Bug(
        'optimizer.cu', 'sqrt(sums[0]) / scalars->loss_scale', 'sqrt(sums[0])', 'a norm of',
    ),
    'no barrier while adding up': Bug(
        'tv_tensors.cuh', '    __syncthreads();\n    if', '    if', 'a norm of',
    ),
    'the wrong slot': Bug(
        'tv_optimizers.cuh', 'square_root(slot[SLOTS - 1])', 'square_root(slot[0])', 'differ',
    ),
}  # fmt: skip

# One of each kind; the others say the same again.
OFTEN = (
    'the search finds the tensor before', 'a tail that is too long', 'addresses are not looked at',
    'a chunk of two tensors is taken for one of one',
    'the correction for the step before', 'no state beside a master',
)  # fmt: skip


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache
) -> None:
    planted_bugs.check('optimizer_guard', kernel_cache.folder, BUGS[name], tmp_path / 'kernels')
