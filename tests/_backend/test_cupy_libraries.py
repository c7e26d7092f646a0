"""Memory that CUDA's libraries keep is nobody's value, and what graphs must not keep."""

import gc
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tensorvar import _optional, errors
from tensorvar._backend import cupy_backend
from tensorvar._ops import unseeded
from tests.support import fake_cupy

F32 = np.dtype(np.float32)
CARD = 1 << 30
UNACCOUNTED = 5 << 20


class Transforms:
    """``cupy.fft``, as far as memory goes: a plan with a work area for each card."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self.plans: dict[int, Any] = {}
        self.made: list[Any] = []

    def module(self) -> ModuleType:
        module: Any = ModuleType('cupy.fft')
        for name in ('fftn', 'ifftn', 'rfftn', 'irfftn'):
            setattr(module, name, self.transform)
        cache = SimpleNamespace(clear=self.forget)
        module.config = SimpleNamespace(get_plan_cache=lambda: cache)
        return module  # type: ignore[no-any-return]

    def transform(self, array: Any, axes: Any) -> Any:
        card = self._cupy.cuda.runtime.getDevice()
        if card not in self.plans:
            self.plans[card] = self._cupy.empty((1000,), F32)
            self.made.append(card)
        return array.times(2)

    def forget(self) -> None:
        self.plans.pop(self._cupy.cuda.runtime.getDevice(), None)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> fake_cupy.FakeCuda:
    made = fake_cupy.FakeCuda(1)
    made.module.fft_code = Transforms(made.module)
    made.module.fft = made.module.fft_code.module()
    made.module.random = SimpleNamespace(default_rng=lambda: made.module.empty((1000,), F32))
    monkeypatch.setattr(_optional, 'load', lambda name, extra: made.module)
    return made


def gpu(index: int = 0, limit: int | None = None) -> Any:
    return cupy_backend.CupyBackend(f'GPU:{index}', 0, limit)


def transformed(backend: Any, array: Any) -> Any:
    return backend.call(lambda: backend.array_module.fft.fftn(array, axes=(-1,)))


def test_a_plan_is_no_value_of_the_device(cuda: fake_cupy.FakeCuda) -> None:
    backend = gpu()
    array = backend.from_host(np.arange(4, dtype=F32))
    result = transformed(backend, array)
    assert backend.to_host(result).tolist() == [0, 2, 4, 6]
    assert backend.memory_info()[:2] == (1024, 1024)
    del array, result
    assert backend.memory_info().current == 0
    # The work area, and what the transform itself wrote to, as long as it is kept.
    assert backend.memory_info().other == UNACCOUNTED - backend._session.memory.taken
    backend.release_memory()
    assert backend._session.memory._library_pool.total_bytes() == 4096
    assert cuda.module.fft_code.made == [0]


def test_logical_gpus_of_a_card_do_not_share_a_plan(cuda: fake_cupy.FakeCuda) -> None:
    first, second = gpu(0), gpu(1)
    arrays = [each.from_host(np.ones(4, F32)) for each in (first, second)]
    for each, array in ((first, arrays[0]), (second, arrays[1]), (second, arrays[1])):
        assert each.to_host(transformed(each, array)).tolist() == [2] * 4
    assert cuda.module.fft_code.made == [0, 0]


def test_a_random_generator_is_one_for_each_logical_gpu_and_no_value(
    cuda: fake_cupy.FakeCuda,
) -> None:
    first, second = gpu(0), gpu(1)
    made = [one.call(unseeded._generator, one.array_module) for one in (first, second, first)]
    assert made[0] is made[2]
    assert made[0] is not made[1]
    assert [each.memory_info().current for each in (first, second)] == [0, 0]
    alive = len(unseeded._of_this_thread.generators)
    del made, first, second
    cuda.streams.clear()
    gc.collect()
    assert len(unseeded._of_this_thread.generators) == alive - 2


def test_a_full_card_gives_kept_blocks_up_for_a_library(
    cuda: fake_cupy.FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = gpu()
    kept = backend.empty((4,), F32)
    memory = backend._session.memory
    answers = iter([cuda.module.cuda.memory.OutOfMemoryError, None])
    malloc = memory._library_pool.malloc

    def seldom(nbytes: int) -> Any:
        error = next(answers, cuda.module.cuda.memory.OutOfMemoryError)
        if error is not None:
            raise error
        return malloc(nbytes)

    monkeypatch.setattr(memory._library_pool, 'malloc', seldom)
    assert backend.call(memory.allocate_for_library, 100).mem.size == 512
    with pytest.raises(errors.ResourceExhaustedError, match='GPU:0'):
        backend.call(memory.allocate_for_library, 100)
    assert kept.shape == (4,)


@pytest.mark.parametrize('work', ['a plan', 'an upload'])
def test_a_graph_takes_no_memory_of_others(cuda: fake_cupy.FakeCuda, work: str) -> None:
    backend = gpu()
    array = backend.from_host(np.ones(4, F32))
    transformed(backend, array)

    def body() -> Any:
        # CuPy's own uploads ask for page-locked memory.
        return transformed(backend, array) if work == 'a plan' else cuda.allocate_pinned(8)

    with pytest.raises(errors.InternalError, match=r'\[capture\]'):
        backend.capture(body)
    backend.capture(lambda: backend.call(array.times, 2))
    assert cuda.allocate_pinned(8).size == 8
    assert backend.to_host(transformed(backend, array)).tolist() == [2] * 4
