"""Pinned buffers are reused only after their copy, and never deadlock."""

from typing import Any

import numpy as np
import pytest

from tensorvar._backend import pinned
from tests.support import fake_cupy, threads


def test_staging_buffers_are_used_again_only_after_their_copy() -> None:
    cuda = fake_cupy.FakeCuda()
    made: list[pinned.StagingBuffer] = []

    def make(nbytes: int) -> pinned.StagingBuffer:
        made.append(pinned.allocate(cuda.module, nbytes))
        return made[-1]

    pool = pinned.StagingPool(make, sizes=((8, 2), (16, 1)))
    stream = fake_cupy.Stream(cuda, 0)
    target = np.zeros(16, np.uint8)
    source = np.arange(16, dtype=np.uint8)
    for start in range(0, 16, 4):
        pinned.upload(
            cuda.module, pool, source[start : start + 4], target.ctypes.data + start, stream
        )
    assert len(made) == 2
    stream.synchronize()
    assert np.array_equal(target, source)


def test_large_data_goes_through_small_buffers() -> None:
    cuda = fake_cupy.FakeCuda()
    pool = pinned.StagingPool(
        lambda nbytes: pinned.allocate(cuda.module, nbytes), sizes=((8, 1), (16, 3))
    )
    stream = fake_cupy.Stream(cuda, 0)
    card = np.zeros(1000, np.uint8)
    source = np.arange(1000).astype(np.uint8)
    pinned.upload(cuda.module, pool, source, card.ctypes.data, stream)
    back = np.zeros(1000, np.uint8)
    pinned.download(cuda.module, pool, card.ctypes.data, back, stream)
    assert np.array_equal(back, source)


def test_one_buffer_is_enough_for_many_threads() -> None:
    cuda = fake_cupy.FakeCuda()
    pool = pinned.StagingPool(lambda nbytes: pinned.allocate(cuda.module, nbytes), sizes=((16, 2),))
    source = np.arange(400).astype(np.uint8)
    results = [np.zeros(400, np.uint8) for _ in range(4)]

    def fetch(result: np.ndarray[Any, Any]) -> None:
        stream = fake_cupy.Stream(cuda, 0)
        pinned.download(cuda.module, pool, source.ctypes.data, result, stream)

    threads.each(fetch, results)
    assert all(np.array_equal(result, source) for result in results)


def test_a_buffer_that_cannot_be_made_is_not_counted() -> None:
    def fail(nbytes: int) -> pinned.StagingBuffer:
        raise MemoryError

    pool = pinned.StagingPool(fail, sizes=((8, 1),))
    for _ in range(3):
        with pytest.raises(MemoryError):
            pool.take(4)
