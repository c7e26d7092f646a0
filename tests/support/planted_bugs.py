"""Plants bugs in copies of the kernels, and runs programs that must find them.

Such a program is a module ``tests.support.*_guard``; see ``kernel_guard`` for how it ends.
"""

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import pytest

from tensorvar._cuda import source

_REPOSITORY = pathlib.Path(__file__).parents[2]


class Bug(NamedTuple):
    """A change to a kernel file that a guard finds.

    Attributes:
        file: that is changed.
        right: the text that is changed.
        wrong: what it becomes.
        shows: how it must show: a word of the output or a signal.
        group: of the guard's cases; all of them if it has none.
    """

    file: str
    right: str
    wrong: str
    shows: str | int
    group: str | None = None


def names(bugs: Iterable[str], often: Collection[str]) -> list[Any]:
    """Parameters of a test: those not planted often wait for ``make soak``."""
    return [pytest.param(name, marks=() if name in often else pytest.mark.soak) for name in bugs]


def plant(file: str, right: str, wrong: str, folder: pathlib.Path) -> pathlib.Path:
    """Copies the kernels to a folder that is made here, with a change to one file."""
    shutil.copytree(source.folder(), folder)
    text = (folder / file).read_text()
    assert right in text, 'the planted bug no longer fits the kernel'
    (folder / file).write_text(text.replace(right, wrong))
    return folder


def guard(
    module: str, kept: pathlib.Path, *groups: str, kernels: pathlib.Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a guard.

    Args:
        module: of ``tests.support``.
        kept: the folder where builds are kept.
        groups: of its cases, where it has groups.
        kernels: the folder of their sources; the repository's for None.
    """
    chosen = {} if kernels is None else {source.FOLDER_VARIABLE: str(kernels)}
    return subprocess.run(
        [sys.executable, '-m', f'tests.support.{module}', str(kept), *groups],
        cwd=_REPOSITORY,
        env=os.environ | chosen,
        capture_output=True,
        text=True,
        check=False,
    )


def check(module: str, kept: pathlib.Path, bug: Bug, folder: pathlib.Path) -> None:
    """Fails unless a guard of kernels with a bug ends as it must.

    Args:
        module: see ``guard``.
        kept: likewise.
        bug: is planted.
        folder: made here, for the kernels.
    """
    kernels = plant(bug.file, bug.right, bug.wrong, folder)
    groups = () if bug.group is None else (bug.group,)
    done = guard(module, kept, *groups, kernels=kernels)
    # What does not compile is no bug that was found.
    assert 'does not compile' not in done.stderr, done.stderr
    if isinstance(bug.shows, int):
        assert done.returncode == -bug.shows, done.stderr
    else:
        assert done.returncode != 0
        assert bug.shows in done.stderr
