"""Builds the libraries of the null card: ``python -m tests.null_card.libraries``.

What CuPy needs of NVIDIA's libraries is read off its extension modules, which name each
function with the library and its version. So a new release of CuPy brings its own list.
"""

import ctypes
import importlib.util
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator

from tensorvar._cuda import cublas

_HERE = pathlib.Path(__file__).parent
FOLDER = _HERE.parents[1] / 'output' / 'null-card'

_PACKAGES = ('cupy', 'cupy_backends', 'cupyx')
_DRIVER = ('libcuda.so.1', 'libnvidia-ml.so.1')
# CuPy calls none of their functions but loads them before the others.
_EMPTY = ('libcublasLt.so.13', 'libnvJitLink.so.13')
# Such as "  U cublasSgemm_v2@libcublas.so.13"; the names of other libraries' versions differ.
_NEEDED = re.compile(r' U (\w+)@(lib\w+\.so\.\d+)$', re.MULTILINE)
_FUNCTION = '__attribute__((weak)) int {}(void) {{ return {}; }}\n'


def build() -> None:
    """Compiles every library anew; needs ``cc`` and ``nm``.

    Raises:
        CalledProcessError: a compiler failed and has said why.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for library in _DRIVER:
        _compile(library, _HERE / 'driver.c')
    for library, functions in _needed().items():
        # Weak, so that the functions of libraries.c take the place of these.
        others = FOLDER / f'{library}.c'
        others.write_text(
            ''.join(_FUNCTION.format(name, _status(name)) for name in sorted(functions))
        )
        # Symbols have a version that is called like the library.
        versions = FOLDER / f'{library}.map'
        versions.write_text(f'{library} {{ global: *; }};\n')
        options = (f'-Wl,--version-script={versions}', '-fno-builtin')
        _compile(library, _HERE / 'libraries.c', others, *options)


def load() -> None:
    """Loads all libraries, so that whoever asks for one by its name finds it loaded.

    Raises:
        FileNotFoundError: they have not been built.
    """
    built = sorted(FOLDER.glob('lib*.so.*[0-9]'))
    if not built:
        raise FileNotFoundError(f'{FOLDER} has no libraries; make null-card builds them')
    for path in built:
        ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)


def _needed() -> dict[str, set[str]]:
    """The functions that are called of each library, by CuPy or by us."""
    found: dict[str, set[str]] = {library: set() for library in _EMPTY}
    for module in _extension_modules():
        listed = subprocess.run(
            ['nm', '--dynamic', '--undefined-only', str(module)],
            capture_output=True,
            text=True,
            check=True,
        )
        for function, library in _NEEDED.findall(listed.stdout):
            # That compiler is the real one: it needs no card.
            if not library.startswith('libnvrtc.'):
                found.setdefault(library, set()).add(function)
    for library, functions in found.items():
        if library.startswith('libcublas.'):
            functions.update(cublas._SIGNATURES)
    return found


def _status(function: str) -> int:
    """Success; but a function that tells how much memory it takes must be in libraries.c."""
    return int('buffersize' in function.lower())


def _extension_modules() -> Iterator[pathlib.Path]:
    """CuPy's, found without an import of it."""
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise ModuleNotFoundError(f'{package} is missing; make null-card installs it')
        for folder in spec.submodule_search_locations or ():
            yield from pathlib.Path(folder).rglob('*.so')


def _compile(library: str, *arguments: object) -> None:
    output = ('-o', str(FOLDER / library), f'-Wl,-soname,{library}')
    subprocess.run(['cc', '-shared', '-fPIC', *map(str, arguments), *output], check=True)


if __name__ == '__main__':
    build()
