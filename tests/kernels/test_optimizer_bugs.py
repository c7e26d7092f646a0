"""Guard pages and UBSan find nothing in the optimizer kernels, and find what is planted."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest

from tensorvar._cuda import cache, host_emulation, source

REPOSITORY = pathlib.Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


def guard(
    folder: pathlib.Path, kernels: pathlib.Path | None = None
) -> 'subprocess.CompletedProcess[str]':
    chosen = {} if kernels is None else {source.FOLDER_VARIABLE: str(kernels)}
    return subprocess.run(
        [sys.executable, '-m', 'tests.support.optimizer_guard', str(folder)],
        cwd=REPOSITORY,
        env=os.environ | chosen,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_kernels_are_clean(kernel_cache: cache.Cache) -> None:
    done = guard(kernel_cache.folder)
    assert done.returncode == 0, done.stderr


class Bug(NamedTuple):
    """A change to a kernel file and how it must show: a word of the output or a signal."""

    file: str
    right: str
    wrong: str
    shows: str | int


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
        'reduce.cu', '    __syncthreads();\n    if', '    if', 'a norm of',
    ),
    'the wrong slot': Bug(
        'tv_optimizers.cuh', 'square_root(slot[SLOTS - 1])', 'square_root(slot[0])', 'differ',
    ),
}  # fmt: skip

# One of each kind; the others say the same again.
OFTEN = (
    'the search finds the tensor before', 'a tail that is too long', 'addresses are not looked at',
    'the correction for the step before', 'no state beside a master',
)  # fmt: skip


@pytest.mark.parametrize(
    'name', [pytest.param(name, marks=() if name in OFTEN else pytest.mark.soak) for name in BUGS]
)
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache
) -> None:
    bug = BUGS[name]
    shutil.copytree(source.folder(), tmp_path / 'kernels')
    file = tmp_path / 'kernels' / bug.file
    text = file.read_text()
    assert bug.right in text, 'the planted bug no longer fits the kernel'
    file.write_text(text.replace(bug.right, bug.wrong))
    done = guard(kernel_cache.folder, tmp_path / 'kernels')
    if isinstance(bug.shows, int):
        assert done.returncode == -bug.shows, done.stderr
    else:
        assert done.returncode != 0
        assert bug.shows in done.stderr
