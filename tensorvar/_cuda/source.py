"""The text of a kernel, complete: our includes are inlined.

The compilers see one text and no include folder of ours, so the text is all that a
compiled kernel depends on and can be the key of the cache.
"""

import functools
import os
import pathlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from tensorvar import errors
from tensorvar._cuda import wgmma

FOLDER_VARIABLE = 'TENSORVAR_KERNELS'
_PACKAGE = pathlib.Path(__file__).parents[1]
_CPU_HEADER = 'cpu/tv_cpu.h'
_CPU_FOLDER = 'cpu/'
_WRITTEN = {'tv_wgmma.cuh': wgmma.text}
_INCLUDE = re.compile(r'#include "([^"]+)"')


class Export(NamedTuple):
    """One kernel: a macro of a kernel file with its arguments.

    Attributes:
        file: the kernel file, such as ``'assign.cu'``.
        macro: what makes the kernel, such as ``'TV_ASSIGN_SCALAR'``.
        name: of the kernel.
        arguments: of the macro, after the name.
    """

    file: str
    macro: str
    name: str
    arguments: tuple[str, ...]

    @property
    def line(self) -> str:
        """The line that makes the kernel."""
        return f'{self.macro}({", ".join((self.name, *self.arguments))})'


def folder() -> pathlib.Path:
    """Where the kernel files are: a folder of the user's, the package, the repository.

    Raises:
        NotFoundError: there is no such folder.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    places = (
        [pathlib.Path(chosen)]
        if chosen
        else [_PACKAGE / '_kernel_sources', _PACKAGE.parent / 'kernels']
    )
    for place in places:
        if (place / 'tv_core.cuh').is_file():
            return place
    looked = ', '.join(str(place) for place in places)
    raise errors.NotFoundError(
        f'[kernels] there are no kernel files in {looked}; '
        f'install tensorvar again or set {FOLDER_VARIABLE}'
    )


def render(file: str, exports: Iterable[Export], *, host: bool = False) -> str:
    """The text to compile.

    Args:
        file: the kernel file.
        exports: the kernels to make of it.
        host: whether the text is for the CPU.

    Returns:
        The file with its includes inlined, once each, then one line per kernel.
    """
    done: set[str] = set()
    place = folder()
    parts = [_inlined(_CPU_HEADER, place, done, host)] if host else []
    parts.append(_inlined(file, place, done, host))
    parts.append('#line 1 "exports"')
    parts.extend(export.line for export in exports)
    return '\n'.join(parts) + '\n'


def _inlined(file: str, place: pathlib.Path, done: set[str], host: bool) -> str:
    # What a chip runs does not depend on the emulation.
    if file in done or (file.startswith(_CPU_FOLDER) and not host):
        return ''
    done.add(file)
    lines = [f'#line 1 "{file}"']
    text = _WRITTEN[file]() if file in _WRITTEN else _read(place / file)
    for number, line in enumerate(text.splitlines(), start=1):
        included = _INCLUDE.match(line)
        if included is None:
            # The inlined text is one file, in which the pragma has no meaning.
            lines.append('' if line == '#pragma once' else line)
            continue
        beside = pathlib.PurePosixPath(file).parent / included[1]
        lines.append(_inlined(str(beside), place, done, host))
        lines.append(f'#line {number + 1} "{file}"')
    return '\n'.join(lines)


@functools.cache
def _read(path: pathlib.Path) -> str:
    return path.read_text(encoding='utf-8')
