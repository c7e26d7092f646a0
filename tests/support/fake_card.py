"""A pretended card for the whole library, and kernels that run on its streams."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tensorvar import _optional, errors, pytest_fixtures
from tensorvar._backend import peer
from tensorvar._core import device_kernels
from tensorvar._cuda import nvrtc
from tensorvar._device import physical, registry
from tests.support import fake_cupy


@contextlib.contextmanager
def installed(patch: pytest.MonkeyPatch) -> Iterator[fake_cupy.FakeCuda]:
    """Makes GPU:0 a pretended card; without a compiler, so CuPy's stand-in computes alone.

    Args:
        patch: undone by the caller.
    """
    made = fake_cupy.FakeCuda(1)
    load = _optional.load
    patch.setattr(
        _optional, 'load', lambda name, extra: made.module if name == 'cupy' else load(name, extra)
    )
    patch.setattr(peer, 'table', peer.PeerTable(peer.check_pair))
    patch.setattr(nvrtc, 'compiler', _no_compiler)
    patch.setattr(device_kernels, '_told', set())
    pytest_fixtures.reset_devices()
    discover = registry._discover
    card = physical.PhysicalGpu(0, 'Fake Card', compute_capability=(9, 0))
    registry.set_gpu_discovery(lambda: physical.Discovery((card,)))
    yield made
    pytest_fixtures.reset_devices()
    registry.set_gpu_discovery(discover)


def _no_compiler(first: int) -> nvrtc.Compiler:
    raise errors.NotFoundError('[nvrtc] not here')


class EmulatedTarget:
    """Kernels built by g++ that run when the card's streams get to them."""

    name = 'host'
    multiprocessors = 2
    pointer = staticmethod(lambda array: array.data.ptr)

    def __init__(self, host: Any, cuda: fake_cupy.FakeCuda, stream: Callable[[], int]) -> None:
        self._host = host
        self._cuda = cuda
        self.stream = stream

    def kernel(self, export: Any, signature: Any) -> Any:
        return _Queued(self._host.kernel(export, signature), self._cuda)


class _Queued:
    def __init__(self, kernel: Any, cuda: fake_cupy.FakeCuda) -> None:
        self._kernel = kernel
        self._cuda = cuda

    def bind(self, grid: Any) -> Any:
        bound = self._kernel.bind(grid)
        streams = self._cuda.streams
        return lambda stream, *values: streams[stream].submit(lambda: bound(0, *values))
