"""Guard pages and UBSan find nothing in fused kernels, and find what is planted there."""

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
        [sys.executable, '-m', 'tests.support.fused_guard', str(folder)],
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


FUSED = 'fused.cu'
BUGS = {
    'a vector too many': Bug(
        FUSED, 'if (vector >= vectors) continue;', 'if (vector > vectors) continue;',
        signal.SIGSEGV,
    ),
    'a vector too many is read': Bug(
        FUSED, 'if (vector < vectors) load', 'if (vector <= vectors) load', signal.SIGSEGV,
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
OFTEN = ('a vector too many is read', 'no peeling', 'a vector is taken for a row')


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
