"""A module ``cupy`` whose arrays are NumPy's: what the steps on a card use of CuPy's own.

So that a step runs to its end without a card, on tiny data. Whether CuPy has what is used
here is not looked at.
"""

import ctypes
import sys
import types
from typing import Any

import numpy as np
import pytest

MULTIPROCESSORS = 132
FREE_BYTES = 64 << 20
CACHE_BYTES = 1 << 12


class Stream:
    null: 'Stream'
    ptr = 0

    def synchronize(self) -> None:
        """All is done already."""

    def __enter__(self) -> 'Stream':
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was changed."""


Stream.null = Stream()


class Event:
    """Its time is the number of events before it."""

    count = 0

    def __init__(self, disable_timing: bool) -> None:
        assert not disable_timing
        self.number = 0

    def record(self, stream: Stream) -> None:
        assert isinstance(stream, Stream)
        type(self).count += 1
        self.number = type(self).count

    def synchronize(self) -> None:
        assert self.number


class Generator:
    """NumPy's, with CuPy's keywords."""

    def __init__(self, seed: int) -> None:
        self._numpy = np.random.default_rng(seed)
        self.integers = self._numpy.integers
        self.random = self._numpy.random

    def standard_normal(self, size: int, dtype: str) -> np.ndarray:
        return self._numpy.standard_normal(size, dtype=np.dtype(dtype))  # type: ignore[arg-type]


def _properties(card: int) -> dict[str, Any]:
    assert card == 0
    return {
        'name': b'NumPy', 'major': 9, 'minor': 0, 'multiProcessorCount': MULTIPROCESSORS,
        'l2CacheSize': CACHE_BYTES,
    }  # fmt: skip


def _copy(target: int, source: int, nbytes: int, kind: int, stream: int) -> None:
    assert (kind, stream) == (3, 0)
    ctypes.memmove(target, source, nbytes)


class Array(np.ndarray):
    """An array that says where it lies as CuPy's do."""

    @property
    def data(self) -> Any:
        return types.SimpleNamespace(ptr=self.ctypes.data)


def _made() -> types.ModuleType:
    module: Any = types.ModuleType('cupy')
    runtime = types.SimpleNamespace(
        deviceSynchronize=lambda: None,
        getDeviceProperties=_properties,
        memGetInfo=lambda: (FREE_BYTES, 2 * FREE_BYTES),
        memcpyAsync=_copy,
        memcpyDeviceToDevice=3,
    )
    module.cuda = types.SimpleNamespace(
        Event=Event,
        Stream=Stream,
        get_current_stream=lambda: Stream.null,
        get_elapsed_time=lambda start, end: float(end.number - start.number),
        runtime=runtime,
    )
    module.random = types.SimpleNamespace(default_rng=Generator)
    module.get_default_memory_pool = lambda: types.SimpleNamespace(free_all_blocks=lambda: None)
    module.empty = lambda shape, dtype: np.empty(shape, dtype).view(Array)
    for name in ('add', 'asarray', 'asnumpy', 'copyto', 'exp', 'matmul', 'take', 'zeros'):
        setattr(module, name, getattr(np, {'asnumpy': 'asarray'}.get(name, name)))
    return module


def install(patch: pytest.MonkeyPatch) -> Any:
    """Makes ``import cupy`` give it; undone by the caller, who forgets what imported it."""
    module = _made()
    patch.setitem(sys.modules, 'cupy', module)
    return module
