"""Guard pages and UBSan find nothing in the kernels, and find what is planted there."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest

from tensorvar._cuda import cache, host_emulation, source
from tests.support import kernel_guard

REPOSITORY = pathlib.Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


def guard(
    folder: pathlib.Path, *groups: str, kernels: pathlib.Path | None = None
) -> 'subprocess.CompletedProcess[str]':
    environment = dict(os.environ)
    if kernels is not None:
        environment[source.FOLDER_VARIABLE] = str(kernels)
    return subprocess.run(
        [sys.executable, '-m', 'tests.support.kernel_guard', str(folder), *groups],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_kernels_are_clean(kernel_cache: cache.Cache) -> None:
    done = guard(kernel_cache.folder, *kernel_guard.GROUPS)
    assert done.returncode == 0, done.stderr


class Bug(NamedTuple):
    """A change to a kernel file and how it must show: a word of the output or a signal."""

    group: str
    file: str
    right: str
    wrong: str
    shows: str | int


BUGS = {
    'a vector too many': Bug(
        'dense', 'tv_elementwise.cuh', '(vector >= vectors)', '(vector > vectors)',
        signal.SIGSEGV,
    ),
    'no peeling': Bug(
        'dense', 'tv_elementwise.cuh', 'missing < count ? missing : count',
        'missing < count ? 0 : count', 'misaligned address',
    ),
    'the tail starts too late': Bug(
        'dense', 'tv_elementwise.cuh', 'i = tail + thread;', 'i = tail + 1 + thread;', 'differ',
    ),
    'a row does not repeat': Bug(
        'row', 'tv_elementwise.cuh', 'at + 1 == inner.value ? 0 : at + 1', 'at + 1',
        signal.SIGSEGV,
    ),
    'a division that is off': Bug(
        'strided', 'tv_core.cuh', '>> by.shift', '>> (by.shift + 1)', 'differ',
    ),
    'signed arithmetic': Bug(
        'integers', 'tv_types.cuh', 'typedef u32 type', 'typedef i32 type', 'integer overflow',
    ),
    'NaN is dropped': Bug(
        'special', 'tv_types.cuh', 'a < b || a != a ? a : b', 'a < b ? a : b', 'differ',
    ),
    'rounded twice': Bug(
        'special', 'tv_types.cuh', 'same<To, Half> && same<From, double>', 'false', 'differ',
    ),
    'no barrier before reading': Bug(
        'transposed', 'transpose.cu', '__syncthreads();\n#pragma', '\n#pragma', 'differ',
    ),
    'no barrier after reading': Bug(
        'transposed', 'transpose.cu', '__syncthreads();\n  }', '}', 'differ',
    ),
}  # fmt: skip


# One of each kind; the others say the same again.
OFTEN = (
    'a vector too many', 'no peeling', 'signed arithmetic', 'NaN is dropped',
    'no barrier before reading',
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
    done = guard(kernel_cache.folder, bug.group, kernels=tmp_path / 'kernels')
    if isinstance(bug.shows, int):
        assert done.returncode == -bug.shows, done.stderr
    else:
        assert done.returncode != 0
        assert bug.shows in done.stderr
