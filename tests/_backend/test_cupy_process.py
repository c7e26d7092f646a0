"""A process forked from one that used CUDA is told so."""

import os
import traceback
from collections.abc import Callable

import numpy as np
import pytest

from tensorvar import _optional, errors
from tensorvar._backend import cupy_backend, cupy_process
from tensorvar._backend.numpy_backend import NumpyBackend
from tests.support import fake_cupy

pytestmark = [
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs os.fork'),
    pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning'),
]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> cupy_backend.CupyBackend:
    cuda = fake_cupy.FakeCuda()
    monkeypatch.setattr(_optional, 'load', lambda name, extra: cuda.module)
    monkeypatch.setattr(cupy_process, '_initialised', False)
    return cupy_backend.CupyBackend('GPU:0', 0)


def in_child(check: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        check()
    except BaseException:  # noqa: BLE001 a child must not run the rest of the suite
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def test_a_used_gpu_raises_in_the_child_with_what_to_write(
    gpu: cupy_backend.CupyBackend,
) -> None:
    array = gpu.from_host(np.ones(3, np.float32))

    def check() -> None:
        nonlocal array
        for use in (gpu.to_host, gpu.copy):
            with pytest.raises(errors.FailedPreconditionError) as caught:
                use(array)
            assert caught.value.message.splitlines()[1:] == [
                'import multiprocessing',
                "multiprocessing.set_start_method('spawn')",
            ]
        del array  # must not reach for CUDA either
        assert NumpyBackend().to_host(np.ones(2)).shape == (2,)

    assert in_child(check) == 0
    assert np.array_equal(gpu.to_host(array), np.ones(3, np.float32))


def test_a_gpu_that_was_not_used_can_be_used_by_the_child(
    gpu: cupy_backend.CupyBackend,
) -> None:
    def check() -> None:
        gpu.to_host(gpu.from_host(np.ones(3, np.float32)))

    assert in_child(check) == 0


def test_a_grandchild_is_told_too(gpu: cupy_backend.CupyBackend) -> None:
    gpu.empty((1,), np.dtype(np.float32))

    def use() -> None:
        with pytest.raises(errors.FailedPreconditionError):
            gpu.empty((1,), np.dtype(np.float32))

    def check() -> None:
        assert in_child(use) == 0

    assert in_child(check) == 0
