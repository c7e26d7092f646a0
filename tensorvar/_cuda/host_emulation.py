"""Runs the kernels on the CPU: g++ builds the same source, NumPy's arrays are the memory.

For tests. The launch takes the same packed arguments as on a card.
"""

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from tensorvar import _fork, errors
from tensorvar._cuda import arguments, cache, launch, source, tensor_map

Order = Literal['forward', 'reverse', 'random']
_ORDERS: dict[Order, int] = {'forward': 0, 'reverse': 1, 'random': 2}

FLAGS = (
    '-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', '-Wno-unknown-pragmas',
    '-Wno-unused-value', '-DTV_CPU=1', '-ffp-contract=off', '-fvisibility=hidden',
    # Without it, libraries share the emulation's state by the names of its variables.
    '-fno-gnu-unique', '-shared', '-fPIC',
)  # fmt: skip
SANITIZE = ('-fsanitize=undefined', '-fno-sanitize-recover=undefined')


def compiler() -> str | None:
    """The path of g++, or None."""
    return shutil.which(os.environ.get('CXX', 'g++'))


class HostTarget:
    """A device whose memory is NumPy's and whose threads are fibers.

    Attributes:
        name: what kernel tables call it.
        multiprocessors: how many it claims to have; few, so that loops run.
        order: in which the threads and blocks run.
        seed: of the random order.
    """

    def __init__(
        self,
        kernels: cache.Cache,
        *,
        order: Order = 'forward',
        seed: int = 1,
        multiprocessors: int = 2,
        flags: Sequence[str] = (),
    ) -> None:
        found = compiler()
        if found is None:
            raise errors.NotFoundError(
                '[kernels] g++ was not found; it runs the kernels on the CPU; install g++'
            )
        self.name = 'host'
        self.order: Order = order
        self.seed = seed
        self.multiprocessors = multiprocessors
        self._compiler = found
        self._version = subprocess.check_output([found, '--version'])
        self._flags = ('-O0', *FLAGS, *flags)
        self._kernels = kernels
        self._built: dict[source.Export, ctypes.CDLL] = {}

    def prepare(self, exports: Iterable[source.Export]) -> None:
        """Builds many kernels at once, which takes less time than one by one."""
        wanted = dict.fromkeys(export for export in exports if export not in self._built)
        for file in sorted({export.file for export in wanted}):
            group = sorted(export for export in wanted if export.file == file)
            library = self._build(file, group)
            self._built.update(dict.fromkeys(group, library))

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        """The kernel, built on first use."""
        if export not in self._built:
            self.prepare([export])
        return HostKernel(self, self._built[export], export.name, signature)

    def pointer(self, array: np.ndarray[Any, Any]) -> int:
        """The address of the first element."""
        address: int = array.__array_interface__['data'][0]
        return address

    def stream(self) -> int:
        """There are no streams: a launch is done when it returns."""
        return 0

    def tensor_map(self, tiled: tensor_map.Tiled) -> bytes:
        """The stand-in for what the driver encodes."""
        return tensor_map.pack_for_host(tiled)

    def _build(self, file: str, exports: Sequence[source.Export]) -> ctypes.CDLL:
        text = source.render(file, exports, host=True)
        name = cache.key(self._version, ' '.join(self._flags), text)
        binary = self._kernels.get_or_build(name, lambda: self._compile(file, text))
        with tempfile.NamedTemporaryFile(suffix='.so') as library:
            library.write(binary)
            library.flush()
            loaded = ctypes.CDLL(library.name)
        _share_stacks(loaded)
        return loaded

    def _compile(self, file: str, text: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            built = os.path.join(folder, 'kernel.so')
            done = subprocess.run(
                [self._compiler, *self._flags, '-x', 'c++', '-', '-o', built],
                input=text,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise errors.InternalError(f'[kernels] g++ does not compile {file}:\n{done.stderr}')
            with open(built, 'rb') as file_:
                return file_.read()


_stacks: int | None = None
"""The stacks for threads that the libraries of this process share."""


def _share_stacks(library: ctypes.CDLL) -> None:
    global _stacks
    share = library.tv_share_stacks
    share.argtypes, share.restype = (ctypes.c_void_p,), ctypes.c_void_p
    _stacks = share(_stacks)


# The emulation keeps its state in variables of the library.
_one_at_a_time = threading.Lock()


@_fork.in_child
def _renew_lock() -> None:
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


class HostKernel:
    """A kernel that runs on the CPU."""

    def __init__(
        self,
        target: HostTarget,
        library: ctypes.CDLL,
        name: str,
        signature: arguments.Signature,
    ) -> None:
        self.name = name
        self._target = target
        self._signature = signature
        self._run = getattr(library, f'tv_run_{name}')
        self._run.restype = ctypes.c_char_p
        signature.verify(name, _parameters(getattr(library, f'tv_parameters_{name}')))

    def bind(self, grid: launch.Grid) -> launch.Launch:
        """The kernel with a grid; a launch runs to the end before it returns."""
        launch.check_grid(self.name, grid)
        return functools.partial(self._launch, grid)

    def _launch(self, grid: launch.Grid, stream: int, *values: Any) -> None:
        del stream
        buffer = self._signature.pack(values)
        triples = [(ctypes.c_uint * 3)(extent, 1, 1) for extent in (grid.blocks, grid.threads)]
        with _one_at_a_time:
            error = self._run(
                *triples,
                ctypes.c_uint(grid.shared),
                ctypes.c_uint(grid.cluster),
                ctypes.c_uint(_ORDERS[self._target.order]),
                ctypes.c_uint(self._target.seed),
                ctypes.c_void_p(buffer.address),
            )
        if error is not None:
            raise errors.InternalError(
                f'{launch.describe(self.name, grid, values)}: {error.decode()}'
            )


def _parameters(describe: Any) -> list[tuple[int, int]]:
    describe.restype = ctypes.c_size_t
    count = describe(None, None)
    offsets, sizes = (ctypes.c_size_t * count)(), (ctypes.c_size_t * count)()
    describe(offsets, sizes)
    return list(zip(offsets, sizes, strict=True))
