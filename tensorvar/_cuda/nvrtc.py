"""NVRTC, NVIDIA's run-time compiler, through ctypes: source text to a cubin of one chip."""

import contextlib
import ctypes
import functools
import itertools
import pathlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._cuda import libraries

# No -ftz and no fast math: denormals count, as in NumPy. Without -fmad=false a*b+c would
# be rounded once here and twice there.
FLAGS = ('-std=c++17', '-default-device', '-fmad=false', '--ptxas-options=-v')

_INSTALL = (
    'install NVRTC with: pip install "tensorvar[kernels]", or "tensorvar[cuda13]" on a machine '
    'with a card'
)
# Only these families have instructions that need the suffix.
_WITH_SUFFIX = {(9, 0): 'a', (10, 0): 'a'}


class Report(NamedTuple):
    """What ptxas says of one kernel.

    Attributes:
        name: of the kernel.
        registers: per thread.
        stack: bytes of local memory per thread.
        spill_stores: bytes of registers written to local memory.
        spill_loads: bytes of registers read back.
        shared: bytes of static shared memory per block.
    """

    name: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int
    shared: int


class Compiled(NamedTuple):
    """A cubin and what the compiler said.

    Attributes:
        cubin: machine code of one chip.
        log: of the compiler, as it is.
    """

    cubin: bytes
    log: str


def architecture(major: int, minor: int) -> str:
    """The target for a chip of this compute capability: ``sm_90a`` for 9.0."""
    return f'sm_{major}{minor}{_WITH_SUFFIX.get((major, minor), "")}'


_FUNCTION = re.compile(r"Compiling entry function '(?P<name>[^']+)' for ")
_FRAME = re.compile(r'(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads')
_USED = re.compile(r'Used (\d+) registers')
_SHARED = re.compile(r'(\d+) bytes smem')
_WARNING = re.compile(r'.*\b(?:C75\d\d\b|[Ww]arning).*')


def reports(log: str) -> tuple[Report, ...]:
    """Reads what ``--ptxas-options=-v`` wrote, one report per kernel."""
    found = []
    starts = list(_FUNCTION.finditer(log))
    ends = [start.start() for start in starts[1:]]
    for start, end in itertools.zip_longest(starts, ends):
        part = log[start.end() : end]
        frame = _FRAME.search(part)
        used = _USED.search(part)
        if frame is None or used is None:
            raise errors.InternalError(f'[nvrtc] the log has no report of {start["name"]}: {log}')
        shared = _SHARED.search(part)
        stack, stores, loads = (int(number) for number in frame.groups())
        nbytes = int(shared[1]) if shared else 0
        found.append(Report(start['name'], int(used[1]), stack, stores, loads, nbytes))
    return tuple(found)


def complaints(log: str) -> list[str]:
    """Warnings in a log, and ptxas's C75xx messages, which mean lost speed."""
    return [line[0].strip() for line in _WARNING.finditer(log)]


@functools.cache
def compiler(first: int = libraries.NEWEST) -> 'Compiler':
    """The compiler of this machine, loaded on first use.

    Args:
        first: the major version of CUDA to prefer. A driver loads no code of a later one.

    Raises:
        NotFoundError: there is none; the message says what to install.
    """
    found = libraries.paths('nvrtc', 'cuda_nvrtc', first)
    library = libraries.load(found, 'nvrtc', _INSTALL, ('nvrtcVersion', 'nvrtcGetCUBIN'))
    made = Compiler(library)
    _load_builtins(pathlib.Path(library._name), made.version)
    return made


def _load_builtins(library: pathlib.Path, version: tuple[int, int]) -> None:
    """Loads the library beside NVRTC's that NVRTC opens by its name when it compiles.

    In the wheels for CUDA 13.0 it does not look beside itself; what is loaded it finds.
    """
    major, minor = version
    builtins = library.with_name(f'libnvrtc-builtins.so.{major}.{minor}')
    if library.is_absolute() and builtins.is_file():
        # Where this fails NVRTC does, too, and says so to whoever compiles.
        with contextlib.suppress(OSError):
            ctypes.CDLL(str(builtins))


def is_available() -> bool:
    """Whether NVRTC can be loaded."""
    try:
        compiler()
    except errors.NotFoundError:
        return False
    return True


class Compiler:
    """NVRTC of one version.

    Attributes:
        version: as (major, minor).
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check('nvrtcVersion', ctypes.byref(major), ctypes.byref(minor))
        self.version = (major.value, minor.value)

    def architectures(self) -> tuple[int, ...]:
        """Compute capabilities that this version knows, such as 75 or 90."""
        count = ctypes.c_int()
        self._check('nvrtcGetNumSupportedArchs', ctypes.byref(count))
        numbers = (ctypes.c_int * count.value)()
        self._check('nvrtcGetSupportedArchs', numbers)
        return tuple(numbers)

    def compile(
        self, text: str, target: str, *, name: str = 'kernel', flags: Sequence[str] = FLAGS
    ) -> Compiled:
        """Compiles a complete text.

        Args:
            text: as ``source.render`` gives it.
            target: a chip, such as ``'sm_90a'``.
            name: what errors call the text.
            flags: of the compiler, without the target.

        Raises:
            InternalError: the text does not compile; the message holds the log.
        """
        program = ctypes.c_void_p()
        self._check(
            'nvrtcCreateProgram', ctypes.byref(program), text.encode(), name.encode(), 0, None, None
        )
        try:
            options = [f'-arch={target}', *flags]
            array = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
            status = self._library.nvrtcCompileProgram(program, len(options), array)
            log = self._text(program, 'ProgramLog').rstrip(b'\0').decode(errors='replace')
            if status:
                raise errors.InternalError(
                    f'[nvrtc] {name} for {target} with {" ".join(options)} does not compile: '
                    f'{self._reason(status)}\n{log}'
                )
            return Compiled(self._text(program, 'CUBIN'), log)
        finally:
            self._check('nvrtcDestroyProgram', ctypes.byref(program))

    def _text(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._check(f'nvrtcGet{what}Size', program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._check(f'nvrtcGet{what}', program, buffer)
        return buffer.raw

    def _check(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, function)(*arguments)
        if status:
            raise errors.InternalError(f'[nvrtc] {function} failed: {self._reason(status)}')

    def _reason(self, status: int) -> str:
        text: bytes = self._library.nvrtcGetErrorString(status)
        return f'{text.decode()} ({status})'
