"""Builds kernels that only a test has, for the CPU."""

import pathlib
import shutil
from collections.abc import Iterable

import pytest

from tensorvar._cuda import cache, host_emulation, source

_TESTS = pathlib.Path(__file__).parents[1] / 'kernels'


def target(
    kept: cache.Cache, folder: pathlib.Path, file: str, exports: Iterable[source.Export]
) -> host_emulation.HostTarget:
    """The CPU, with these kernels ready; skips the test where there is no compiler.

    Args:
        kept: where builds are kept.
        folder: made here, and gets all kernels and the file.
        file: of ``tests/kernels``.
        exports: kernels of it.
    """
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    shutil.copytree(source.folder(), folder)
    shutil.copy(_TESTS / file, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(source.FOLDER_VARIABLE, str(folder))
        built = host_emulation.HostTarget(kept)
        built.prepare(exports)
    return built
