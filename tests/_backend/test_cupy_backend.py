"""The CuPy backend against cards whose streams run as late as they may."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorvar import _optional, errors
from tensorvar._backend import cupy_backend, faults, memory_ledger, peer
from tensorvar._backend.numpy_backend import NumpyBackend
from tests.support import fake_cupy

F32 = np.dtype(np.float32)
Cards = Callable[..., fake_cupy.FakeCuda]


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Cards:
    def make(count: int = 1) -> fake_cupy.FakeCuda:
        cuda = fake_cupy.FakeCuda(count)
        monkeypatch.setattr(_optional, 'load', lambda name, extra: cuda.module)
        monkeypatch.setattr(peer, 'table', peer.PeerTable(peer.check_pair))
        return cuda

    return make


def backend(index: int = 0, ordinal: int = 0, limit: int | None = None) -> Any:
    return cupy_backend.CupyBackend(f'GPU:{index}', ordinal, limit)


def times(array: Any, factor: int) -> Any:
    return array.times(factor)


def numbers(count: int, start: int = 0) -> np.ndarray[Any, Any]:
    return np.arange(start, start + count, dtype=F32)


@pytest.mark.parametrize('count', [0, 1, 7, 16 << 10, (1 << 20) + 3, (5 << 20) + 1])
def test_data_survives_a_round_trip(cards: Cards, count: int) -> None:
    cards()
    gpu = backend()
    host = numbers(count)
    result = gpu.to_host(gpu.from_host(host))
    assert result.dtype == F32
    assert np.array_equal(result, host)
    assert result.flags.writeable
    assert result.flags.owndata


def test_scalars_and_fortran_order(cards: Cards) -> None:
    cards()
    gpu = backend()
    assert gpu.to_host(gpu.from_host(np.array(3.0, F32))).shape == ()
    columns = np.asfortranarray(numbers(6).reshape(2, 3))
    result = gpu.to_host(gpu.from_host(columns))
    assert np.array_equal(result, columns)
    assert result.flags.c_contiguous


def test_uploaded_data_may_be_changed_at_once(cards: Cards) -> None:
    cards()
    gpu = backend()
    host = numbers(100)
    array = gpu.from_host(host)
    host[:] = -1
    assert np.array_equal(gpu.to_host(array), numbers(100))


def test_array_code_waits_for_the_upload_and_the_download_for_it(cards: Cards) -> None:
    cards()
    gpu = backend()
    doubled = gpu.call(times, gpu.from_host(numbers(100)), 2)
    assert np.array_equal(gpu.to_host(doubled), numbers(100) * 2)


def test_a_block_is_not_overwritten_while_array_code_reads_it(cards: Cards) -> None:
    cards()
    gpu = backend()
    array = gpu.from_host(numbers(100))
    address = array.data.ptr
    doubled = gpu.call(times, array, 2)
    del array
    again = gpu.from_host(numbers(100, start=500))
    assert again.data.ptr == address
    gpu._session.incoming.synchronize()
    assert np.array_equal(gpu.to_host(doubled), numbers(100) * 2)


def test_uploads_do_not_wait_for_array_code(cards: Cards) -> None:
    cards()
    gpu = backend()
    batch = gpu.from_host(numbers(10))
    result = gpu.call(times, batch, 2)
    compute = gpu._session.compute
    executed = compute.executed
    next_batch = gpu.from_host(numbers(10))
    gpu._session.incoming.synchronize()
    assert compute.executed == executed < compute.submitted
    assert (result.shape, next_batch.shape) == ((10,), (10,))


def test_a_block_that_dies_during_a_capture_waits_for_its_end(cards: Cards) -> None:
    cards()
    gpu = backend()
    array = gpu.from_host(numbers(100))
    doubled = gpu.call(times, array, 2)
    session = gpu._session
    session.compute.capturing = True
    submitted = session.incoming.submitted
    address = array.data.ptr
    del array
    assert session.incoming.submitted == submitted
    session.compute.capturing = False
    again = gpu.from_host(numbers(100, start=500))
    assert again.data.ptr == address
    session.incoming.synchronize()
    assert np.array_equal(gpu.to_host(doubled), numbers(100) * 2)


def test_refresh_from_the_host_keeps_the_address_and_earlier_readers(cards: Cards) -> None:
    cards()
    gpu = backend()
    target = gpu.from_host(numbers(50))
    address = target.data.ptr
    doubled = gpu.call(times, target, 2)
    gpu.refresh(target, numbers(50, start=100))
    gpu._session.incoming.synchronize()
    assert target.data.ptr == address
    assert np.array_equal(gpu.to_host(target), numbers(50, start=100))
    assert np.array_equal(gpu.to_host(doubled), numbers(50) * 2)


def test_an_upload_does_not_take_a_block_that_array_code_still_uses(cards: Cards) -> None:
    cards()
    gpu = backend()
    doubled = gpu.call(times, gpu.from_host(numbers(100)), 2)
    result = gpu.call(times, doubled, 2)
    del doubled
    gpu.from_host(numbers(100, start=500))
    gpu._session.incoming.synchronize()
    assert np.array_equal(gpu.to_host(result), numbers(100) * 4)


@pytest.mark.parametrize('overwritten', [False, True])
@pytest.mark.parametrize('ordinal', [0, 1])
@pytest.mark.parametrize('peers', [True, False])
def test_copies_between_gpus_are_ordered_on_both(
    cards: Cards, ordinal: int, peers: bool, overwritten: bool
) -> None:
    cuda = cards(2)
    cuda.peers = peers
    first, second = backend(0, 0), backend(1, ordinal)
    source = first.call(times, first.from_host(numbers(200)), 3)
    copied = second.copy_from(first, source)
    assert copied.data.device_id == ordinal
    if overwritten:  # a later write of the source must not show
        first.refresh(source, numbers(200, start=9))
        first.synchronize()
    tripled = second.call(times, copied, 2)
    assert np.array_equal(second.to_host(tripled), numbers(200) * 6)


@pytest.mark.parametrize('overwritten', [False, True])
@pytest.mark.parametrize('ordinal', [0, 1])
@pytest.mark.parametrize('peers', [True, False])
def test_refresh_between_gpus_is_ordered_on_both(
    cards: Cards, ordinal: int, peers: bool, overwritten: bool
) -> None:
    cuda = cards(2)
    cuda.peers = peers
    first, second = backend(0, 0), backend(1, ordinal)
    neighbour = backend(2, 0)  # another logical GPU of the source's card has computed it
    source = neighbour.call(times, neighbour.from_host(numbers(40)), 3)
    first.from_host(numbers(1))
    target = second.from_host(numbers(40))
    earlier = second.call(times, target, 10)
    second.refresh(target, source)
    if overwritten:
        neighbour.refresh(source, numbers(40, start=77))
        neighbour.synchronize()
    assert np.array_equal(second.to_host(target), numbers(40) * 3)
    assert np.array_equal(second.to_host(earlier), numbers(40) * 10)


def test_refresh_takes_the_buffers_own_shape_and_dtype(cards: Cards) -> None:
    cards()
    gpu = backend()
    target = gpu.from_host(numbers(4))
    for wrong in (numbers(5), numbers(4).astype(np.float64)):
        with pytest.raises(errors.InvalidArgumentError, match='refresh'):
            gpu.refresh(target, wrong)


def test_copies_from_the_host_backend(cards: Cards) -> None:
    cards()
    gpu = backend()
    assert np.array_equal(gpu.to_host(gpu.copy_from(NumpyBackend(), numbers(5))), numbers(5))


def test_broken_peer_access_goes_through_the_host_and_says_so_once(
    cards: Cards, caplog: pytest.LogCaptureFixture
) -> None:
    cuda = cards(2)
    cuda.corrupt_peers = True
    first, second = backend(0, 0), backend(1, 1)
    source = first.from_host(numbers(30))
    for _ in range(2):
        assert np.array_equal(second.to_host(second.copy_from(first, source)), numbers(30))
    assert peer.table.matrix([0, 1]) == {
        (0, 0): 'peer', (0, 1): 'broken', (1, 0): 'unknown', (1, 1): 'peer',
    }  # fmt: skip
    assert len(caplog.records) == 1
    assert caplog.records[0].name == 'tensorvar.transfer'


@pytest.mark.parametrize('ordinal', [0, 1])
def test_a_call_leaves_the_programs_own_state_as_it_was(cards: Cards, ordinal: int) -> None:
    cuda = cards(2)
    gpu = backend(0, ordinal)
    own = fake_cupy.Stream(cuda, 0)
    own.use()
    gpu.call(gpu.empty, (3,), F32)
    assert cuda.device == 0
    assert cuda.get_current_stream() is own
    assert cuda.current.thread_allocator is None
    with pytest.raises(ValueError, match='inside'):
        gpu.call(_fail)
    assert cuda.device == 0
    assert cuda.current.thread_allocator is None


def _fail() -> None:
    raise ValueError('inside')


def test_nothing_is_switched_when_the_gpu_is_current_already(cards: Cards) -> None:
    cuda = cards(2)
    gpu = backend(0, 1)
    with gpu.stream() as stream:
        assert cuda.get_current_stream() is stream
        switched = len(cuda.set_devices)
        gpu.call(gpu.empty, (3,), F32)
        assert len(cuda.set_devices) == switched


def test_the_programs_own_code_is_ordered_with_ours(cards: Cards) -> None:
    cuda = cards()
    gpu = backend()
    gpu.synchronize()
    own = cuda.module.ndarray((4,), F32)
    write = own.values()
    cuda.get_current_stream().submit(lambda: np.copyto(write, numbers(4)))
    with gpu.stream():
        doubled = own.times(2)
    read = doubled.values()
    seen: list[Any] = []
    cuda.get_current_stream().submit(lambda: seen.append(read.copy()))
    cuda.get_current_stream().synchronize()
    assert np.array_equal(seen[0], numbers(4) * 2)


def test_no_card_is_touched_before_the_first_use(cards: Cards) -> None:
    cuda = cards()
    gpu = backend()
    gpu.synchronize()
    assert gpu.memory_info() == (0, 0, None, 0)
    assert gpu.release_memory() == 0
    gpu.reset_memory_stats()
    assert cuda.set_devices == []
    assert len(cuda.streams) == 1


def test_memory_is_counted_in_blocks_and_given_back_at_once(cards: Cards) -> None:
    cards()
    gpu = backend()
    array = gpu.from_host(numbers(1))
    other = gpu.empty((200,), F32)
    assert gpu.memory_info()[:3] == (512 + 1024, 512 + 1024, None)
    assert gpu.memory_info().other == (5 << 20) - 1536
    del array
    assert gpu.memory_info()[:2] == (1024, 1536)
    gpu.reset_memory_stats()
    assert gpu.memory_info().peak == 1024
    del other
    assert gpu.release_memory() == 1536
    assert gpu.memory_info().current == 0


def test_a_full_gpu_raises_and_the_next_small_array_fits(cards: Cards) -> None:
    cards()
    gpu = backend(limit=4096)
    kept = gpu.empty((512,), F32)
    with pytest.raises(errors.ResourceExhaustedError, match=r'GPU:0.*2 KiB.*4 KiB'):
        gpu.empty((1024,), F32)
    small = gpu.empty((128,), F32)
    assert gpu.memory_info().current == 2048 + 512
    assert (kept.shape, small.shape) == ((512,), (128,))


def test_a_limit_can_be_changed(cards: Cards) -> None:
    cards()
    gpu = backend()
    gpu.set_memory_limit(1024)
    kept = gpu.empty((256,), F32)
    with pytest.raises(errors.ResourceExhaustedError):
        gpu.empty((1,), F32)
    gpu.set_memory_limit(0)
    with pytest.raises(errors.ResourceExhaustedError):
        gpu.empty((1,), F32)
    gpu.set_memory_limit(None)
    assert gpu.empty((1,), F32).shape == (1,)
    assert kept.shape == (256,)
    with pytest.raises(errors.InvalidArgumentError, match='-1 bytes'):
        gpu.set_memory_limit(-1)


def test_a_full_gpu_asks_for_memory_back_in_order(
    cards: Cards, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards()
    gpu = backend(limit=4096)
    replicas = [gpu.empty((256,), F32) for _ in range(4)]
    asked: list[str] = []

    def stale(device: str, missing: int) -> int:
        asked.append(f'stale {missing}')
        replicas.pop()
        return 1024

    def fresh(device: str, missing: int) -> int:
        asked.append(f'fresh {missing}')
        replicas.pop()
        return 1024

    monkeypatch.setattr(memory_ledger, '_reclaimers', list(memory_ledger._reclaimers))
    memory_ledger.register_reclaimer(memory_ledger.Stage.REPLICAS, fresh)
    memory_ledger.register_reclaimer(memory_ledger.Stage.STALE_REPLICAS, stale)
    array = gpu.empty((512,), F32)
    assert asked == ['stale 2048', 'fresh 1024']
    assert array.shape == (512,)


def test_memory_of_another_card_is_not_taken_from_this_pool(cards: Cards) -> None:
    cuda = cards(2)
    gpu = backend()

    def elsewhere() -> Any:
        cuda.module.cuda.runtime.setDevice(1)
        array = gpu.array_module.empty((4,), F32)
        cuda.module.cuda.runtime.setDevice(0)
        return array

    assert gpu.call(elsewhere).data.device_id == 1
    assert gpu.memory_info().current == 0


def test_errors_of_cuda_are_put_into_our_words(cards: Cards) -> None:
    cards()
    gpu = backend()

    def fail() -> None:
        raise fake_cupy.CUDARuntimeError(2, 'cudaErrorMemoryAllocation: out of memory')

    with pytest.raises(errors.ResourceExhaustedError) as caught:
        gpu.call(fail)
    assert isinstance(caught.value.__cause__, fake_cupy.CUDARuntimeError)


def test_other_errors_stay_as_they_are(cards: Cards) -> None:
    cards()
    gpu = backend()

    def fail(error: Exception) -> None:
        raise error

    for error in (RuntimeError('else'), errors.AbortedError('ours')):
        with pytest.raises(type(error)) as caught:
            gpu.call(fail, error)
        assert caught.value is error


@pytest.mark.parametrize(
    ('kind', 'error'),
    [
        ('allocate', errors.ResourceExhaustedError),
        ('copy', errors.InternalError),
        ('lost', errors.UnavailableError),
    ],
)
def test_faults_can_be_injected(cards: Cards, kind: str, error: type) -> None:
    cards()
    gpu = backend()
    with faults.fail('GPU:0', kind), pytest.raises(error):
        gpu.from_host(numbers(3))
    assert np.array_equal(gpu.to_host(gpu.from_host(numbers(3))), numbers(3))
