"""Simulated GPUs that run the CUDA kernels: built by g++, on the simulation's memory.

The operations take the way that they take on a card: the same choice, the same launches,
indices out of range reported when the host next waits. Only the target differs.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_backend import SimulatedBackend
from tensorvar._core import device_kernels, index_reports, kernels
from tensorvar._cuda import arguments, cublas, host_emulation, launch, source, targets
from tests.support import fake_cublas


class EmulatedTarget:
    """A ``targets.Target`` whose arrays are those of simulated devices.

    Attributes:
        launched: how often each kernel was.
        missing: part of the names of kernels that do not compile.
        cublas: the library beside the kernels; None for none.
    """

    def __init__(self, host: host_emulation.HostTarget) -> None:
        self._host = host
        self.name = host.name
        self.multiprocessors = host.multiprocessors
        self.stream = host.stream
        self.tensor_map = host.tensor_map
        self.launched: Counter[str] = Counter()
        self.missing: str | None = None
        self.cublas: fake_cublas.FakeCublas | None = fake_cublas.FakeCublas()

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        if self.missing is not None and self.missing in export.name:
            raise targets.NoKernelError(f'{export.name} is said to be missing')
        return Counted(self._host.kernel(export, signature), export.name, self.launched)

    def pointer(self, array: SimulatedArray) -> int:
        return self._host.pointer(array._data)

    def count(self, *parts: str) -> int:
        """How many launches there were of kernels with all these parts in their names."""
        return sum(
            times for name, times in self.launched.items() if all(part in name for part in parts)
        )

    def load_cublas(self) -> cublas.CublasMatmul | None:
        if self.cublas is None:
            return None
        return cublas.CublasMatmul(self, cublas.Library(self.cublas), _memory)


def _memory(nbytes: int) -> SimpleNamespace:
    array = np.zeros(nbytes, np.uint8)
    return SimpleNamespace(array=array, ptr=array.ctypes.data)


class Counted:
    """A kernel whose launches are counted by its name."""

    def __init__(self, kernel: launch.Kernel, name: str, launched: Counter[str]) -> None:
        self._kernel = kernel
        self.name = name
        self._launched = launched

    def bind(self, grid: launch.Grid) -> launch.Launch:
        bound = self._kernel.bind(grid)

        def run(stream: int, *values: Any) -> None:
            self._launched[self.name] += 1
            bound(stream, *values)

        return run


@contextlib.contextmanager
def emulated(host: host_emulation.HostTarget) -> Iterator[EmulatedTarget]:
    """Has simulated GPUs that are made inside run kernels; gives what they launch with."""
    target = EmulatedTarget(host)

    def equip(backend: SimulatedBackend) -> kernels.Hardware:
        if not backend.device.startswith('GPU'):
            raise errors.NotFoundError(f'[tests] {backend.device} is no GPU')
        words = np.zeros(index_reports.WORDS, np.uint64)
        shared = SimulatedArray(backend.array_module, words, None, 0)
        return kernels.Hardware(target, words, shared, target.load_cublas)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(device_kernels.HARDWARE, SimulatedBackend, equip)
        yield target
