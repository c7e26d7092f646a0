"""The CuPy backend on a real card."""

import gc
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorvar import dtypes, errors
from tensorvar._backend import cupy_backend, gpu_discovery, peer
from tensorvar._ops import _special, unseeded
from tests.support import threads

pytestmark = pytest.mark.gpu

F32 = np.dtype(np.float32)
ON_CARDS = [dtype for dtype in dtypes.ALL if dtype is not dtypes.string]


@pytest.fixture
def gpu() -> Iterator[Any]:
    backend: Any = cupy_backend.CupyBackend('GPU:0', 0)
    yield backend
    backend.synchronize()
    gc.collect()


def numbers(count: int, start: int = 0) -> np.ndarray[Any, Any]:
    return (np.arange(start, start + count) % 1000).astype(F32)  # small: sums stay exact


def test_discovery_finds_the_card() -> None:
    found = gpu_discovery.discover()
    assert found.why == ''
    first = found.gpus[0]
    assert first.ordinal == 0
    assert first.name
    assert first.total_memory is not None
    free = first.free_memory()
    assert free is None or 0 < free <= first.total_memory * 1.25


@pytest.mark.parametrize('dtype', ON_CARDS, ids=lambda dtype: dtype.name)
def test_every_dtype_survives_a_round_trip(gpu: Any, dtype: dtypes.DType) -> None:
    host = np.arange(300).astype(dtype.numpy).reshape(3, 100)
    array = gpu.from_host(host)
    assert array.dtype is dtype.numpy
    assert np.array_equal(gpu.to_host(array), host)
    assert np.array_equal(gpu.to_host(gpu.copy(array)), host)


@pytest.mark.parametrize('count', [0, 1, 16 << 10, (1 << 20) + 3, (40 << 20) + 1])
def test_data_survives_a_round_trip(gpu: Any, count: int) -> None:
    host = numbers(count)
    result = gpu.to_host(gpu.from_host(host))
    assert np.array_equal(result, host)
    assert result.flags.writeable


def test_results_without_axes_are_arrays(gpu: Any) -> None:
    array = gpu.from_host(np.array(2.0, F32))
    assert array.shape == ()
    assert isinstance(gpu.call(lambda: array * array), gpu.array_type)


def test_bfloat16_is_computed(gpu: Any) -> None:
    host = np.arange(8).astype(ml_dtypes.bfloat16)
    array = gpu.from_host(host)
    result = gpu.to_host(gpu.call(lambda: array + array))
    assert result.dtype == host.dtype
    assert np.array_equal(result, host + host)


def test_views_and_transposes_are_read_in_c_order(gpu: Any) -> None:
    host = numbers(12).reshape(3, 4)
    array = gpu.from_host(host)
    assert np.array_equal(gpu.to_host(gpu.call(lambda: array.T[1:])), host.T[1:])


def test_the_host_may_reuse_its_array_at_once(gpu: Any) -> None:
    host = numbers(30 << 20)
    array = gpu.from_host(host)
    expected = host.copy()
    host[:] = -1
    assert np.array_equal(gpu.to_host(array), expected)


def test_blocks_are_not_overwritten_while_they_are_read(gpu: Any) -> None:
    results = []
    for step in range(20):
        array = gpu.from_host(numbers(1 << 20, start=step))
        results.append(gpu.call(_slow_sum, array))
        del array
    for step, result in enumerate(results):
        expected = numbers(1 << 20, start=step)
        assert np.array_equal(gpu.to_host(result), expected * 64)


def _slow_sum(array: Any) -> Any:
    total = array * 0
    for _ in range(64):
        total += array
    return total


def test_refresh_keeps_the_address_and_earlier_readers(gpu: Any) -> None:
    target = gpu.from_host(numbers(1 << 20))
    address = target.data.ptr
    earlier = gpu.call(_slow_sum, target)
    gpu.refresh(target, numbers(1 << 20, start=7))
    assert target.data.ptr == address
    assert np.array_equal(gpu.to_host(target), numbers(1 << 20, start=7))
    assert np.array_equal(gpu.to_host(earlier), numbers(1 << 20) * 64)


def test_calls_leave_the_programs_own_state_as_it_was(gpu: Any) -> None:
    cupy = gpu.array_module
    own = cupy.cuda.Stream(non_blocking=True)
    with own:
        gpu.call(gpu.empty, (3,), F32)
        assert cupy.cuda.get_current_stream() is own
    assert cupy.cuda.get_current_stream().ptr == 0
    assert cupy.cuda.memory._get_thread_local_allocator() is None


def test_the_programs_own_code_is_ordered_with_ours(gpu: Any) -> None:
    cupy = gpu.array_module
    own = cupy.asarray(numbers(1 << 20))
    with gpu.stream():
        inside = _slow_sum(own)
        array = gpu.call(_slow_sum, inside)
    outside = array + 1
    assert np.array_equal(cupy.asnumpy(outside), numbers(1 << 20) * 4096 + 1)


def test_memory_is_counted_limited_and_given_back(gpu: Any) -> None:
    gpu.set_memory_limit(64 << 20)
    kept = gpu.empty((32 << 20,), np.dtype(np.uint8))
    info = gpu.memory_info()
    assert (info.current, info.peak, info.limit) == (32 << 20, 32 << 20, 64 << 20)
    assert info.other > 0
    with pytest.raises(errors.ResourceExhaustedError, match='GPU:0'):
        gpu.empty((33 << 20,), np.dtype(np.uint8))
    small = gpu.empty((1,), F32)
    assert small.shape == (1,)
    del kept
    assert gpu.memory_info().current == 512
    assert gpu.release_memory() >= 32 << 20


def test_what_libraries_keep_is_no_value(gpu: Any) -> None:
    xp = gpu.array_module
    array = gpu.from_host(numbers(1 << 12).astype(np.complex64))
    transformed = gpu.call(xp.fft.fftn, array, axes=(-1,))
    np.testing.assert_allclose(gpu.to_host(transformed), np.fft.fft(numbers(1 << 12)), rtol=1e-3)
    drawn = gpu.call(unseeded.uniform, xp, (1000,), F32)
    assert gpu.memory_info().current == (1 << 15) * 2 + 4096
    del array, transformed, drawn
    assert gpu.memory_info().current == 0


def test_a_graph_takes_no_memory_of_others(gpu: Any) -> None:
    xp = gpu.array_module
    array = gpu.from_host(numbers(64).astype(np.complex64))
    for work in (lambda: xp.fft.fftn(array, axes=(-1,)), lambda: xp.asarray([1.0, 2.0])):
        gpu.call(work)
        with pytest.raises(errors.InternalError, match=r'\[capture\]'):
            gpu.capture(work)
    gpu.call(lambda: array * 2)
    graph, doubled = gpu.capture(lambda: gpu.call(lambda: array * 2))
    gpu.call(graph.launch)
    assert np.array_equal(gpu.to_host(doubled), numbers(64) * 2)
    assert gpu.call(xp.asarray, [1.0, 2.0]).shape == (2,)


def test_a_full_card_raises_our_error(gpu: Any) -> None:
    _, total = gpu.call(gpu.array_module.cuda.runtime.memGetInfo)
    with pytest.raises(errors.ResourceExhaustedError, match='GPU:0'):
        gpu.empty((2 * total,), np.dtype(np.uint8))
    assert gpu.empty((1,), F32).shape == (1,)


def test_threads_share_one_gpu(gpu: Any) -> None:
    failures = []

    def work(start: int) -> None:
        for step in range(50):
            host = numbers(10_000, start=start + step)
            array = gpu.from_host(host)
            if not np.array_equal(gpu.to_host(gpu.call(lambda a=array: a + a)), host * 2):
                failures.append((start, step))

    threads.each(work, [100 * index for index in range(8)])
    assert failures == []


def test_logical_gpus_of_one_card_copy_to_each_other(gpu: Any) -> None:
    other: Any = cupy_backend.CupyBackend('GPU:1', 0)
    source = gpu.call(_slow_sum, gpu.from_host(numbers(1 << 20)))
    copied = other.copy_from(gpu, source)
    target = other.empty(source.shape, source.dtype)
    other.refresh(target, source)
    gpu.refresh(source, numbers(1 << 20))
    for array in (copied, target):
        assert np.array_equal(other.to_host(array), numbers(1 << 20) * 64)


def test_two_cards_copy_to_each_other(gpu: Any) -> None:
    if len(gpu_discovery.discover().gpus) < 2:
        pytest.skip('needs two cards')
    other: Any = cupy_backend.CupyBackend('GPU:1', 1)
    source = gpu.call(_slow_sum, gpu.from_host(numbers(1 << 20)))
    copied = other.copy_from(gpu, source)
    gpu.refresh(source, numbers(1 << 20))
    assert np.array_equal(other.to_host(copied), numbers(1 << 20) * 64)
    assert peer.table.matrix([0, 1])[0, 1] in ('peer', 'staged')


def test_special_functions_are_those_of_cupy(gpu: Any) -> None:
    array = gpu.from_host(numbers(5))
    special = _special.special(gpu.array_module)
    assert gpu.call(special.erf, array).shape == (5,)
