"""Where NVIDIA's libraries may be: wheels, the toolkit, the system's search path."""

import ctypes
import importlib.util
import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from tensorvar import errors

NEWEST = 13
OLDEST = 12


def majors(first: int = NEWEST) -> list[int]:
    """The versions of CUDA that are looked for, ``first`` before the others."""
    others = [major for major in range(NEWEST, OLDEST - 1, -1) if major != first]
    return [first, *others]


def paths(name: str, wheel: str, first: int = NEWEST) -> Iterator[str]:
    """Where a library may be, best first.

    Args:
        name: such as ``'nvrtc'``.
        wheel: folder of the wheels for CUDA 12, such as ``'cuda_nvrtc'``.
        first: the major version of CUDA to prefer.
    """
    wheels = importlib.util.find_spec('nvidia')
    for place in (wheels and wheels.submodule_search_locations) or ():
        for major in majors(first):
            for inner in (f'cu{major}/lib', f'{wheel}/lib'):
                path = pathlib.Path(place, inner, f'lib{name}.so.{major}')
                if path.is_file():
                    yield str(path)
    for variable in ('CUDA_PATH', 'CUDA_HOME'):
        toolkit = os.environ.get(variable)
        if toolkit:
            yield from map(str, sorted(pathlib.Path(toolkit, 'lib64').glob(f'lib{name}.so.1?')))
    for major in majors(first):
        yield f'lib{name}.so.{major}'


def load(found: Iterator[str], what: str, install: str, functions: Iterable[str] = ()) -> Any:
    """The first library that can be loaded.

    Args:
        found: where it may be.
        what: what it is called in the error.
        install: how to get it, for the error.
        functions: that it must have; versions before CUDA 12 lack some.

    Raises:
        NotFoundError: none can.
    """
    tried = []
    for path in found:
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            tried.append(str(error))
            continue
        missing = [name for name in functions if not hasattr(library, name)]
        if not missing:
            return library
        tried.append(f'{path} has no {missing[0]}')
    raise errors.NotFoundError(f'[{what}] it was not found ({"; ".join(tried)}); {install}')
