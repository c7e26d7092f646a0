"""Times that a card measures."""

import time
from typing import Any

import numpy as np
import pytest

from tensorvar import _optional
from tensorvar._backend import cupy_backend
from tests.support import fake_cupy


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> fake_cupy.FakeCuda:
    cuda = fake_cupy.FakeCuda(1)
    monkeypatch.setattr(_optional, 'load', lambda name, extra: cuda.module)
    return cuda


def test_a_timed_call_waits_for_its_end(card: fake_cupy.FakeCuda) -> None:
    gpu = cupy_backend.CupyBackend('GPU:0', 0, None)
    numbers = np.arange(4, dtype=np.float32)
    array = gpu.from_host(numbers)

    def twice(array: Any) -> Any:
        return array.times(2).times(3)

    before = time.perf_counter_ns()
    timed = gpu.timed_call(twice, array)
    after = time.perf_counter_ns()
    assert all(not stream.queue for stream in card.streams.values())
    # The stand-in takes a millisecond for each piece of work.
    assert timed.end_ns - timed.start_ns == 2_000_000
    assert before < timed.end_ns <= after
    assert np.array_equal(gpu.to_host(timed.result), numbers * 6)
