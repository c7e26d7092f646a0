"""The simulated device: copies in and out, limits, and giving memory back."""

import sys

import numpy as np
import pytest

from tensorvar import dtypes, errors
from tensorvar._backend import memory_ledger
from tensorvar._backend.memory_ledger import Stage
from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_backend import SimulatedBackend

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def backend():
    return SimulatedBackend('GPU:0', 1 << 16)


def test_describes_itself(backend):
    assert backend.device == 'GPU:0'
    assert backend.array_type is SimulatedArray
    assert backend.ledger.limit == 1 << 16


@pytest.mark.parametrize(
    'dtype', [np.float32, np.bool_, np.complex64, np.int64, dtypes.bfloat16.numpy]
)
def test_data_goes_in_and_comes_out(backend, dtype):
    host = X.astype(dtype).T
    array = backend.from_host(host)
    back = backend.to_host(array)
    assert back.dtype is host.dtype
    np.testing.assert_array_equal(back, host)
    back[...] = 0
    host[...] = 0
    np.testing.assert_array_equal(backend.to_host(array), X.astype(dtype).T)
    assert array.flags.c_contiguous


def test_a_copy_is_charged_and_contiguous(backend):
    array = backend.from_host(X)
    copied = backend.copy(array.T)
    assert copied.base is None
    assert copied.flags.c_contiguous
    assert backend.memory_info().current == 1024


def test_scalars_stay_arrays(backend):
    array = backend.from_host(np.array(2.0))
    assert array.shape == ()
    assert type(backend.to_host(array)) is np.ndarray
    assert isinstance(backend.call(backend.array_module.add, array, 1), SimulatedArray)


def test_copies_between_devices(backend):
    second, cpu = SimulatedBackend('GPU:1'), NumpyBackend()
    array = backend.from_host(X)
    for copied in (second.copy_from(backend, array), second.copy_from(cpu, X)):
        assert copied.device == 'GPU:1'
        np.testing.assert_array_equal(second.to_host(copied), X)
    np.testing.assert_array_equal(cpu.copy_from(backend, array), X)


def test_refresh_writes_the_same_buffer(backend):
    second = SimulatedBackend('GPU:1')
    target = backend.empty((2, 3), X.dtype)
    before = backend.memory_info()
    backend.refresh(target, X)
    np.testing.assert_array_equal(backend.to_host(target), X)
    backend.refresh(target, second.from_host(X + 1))
    np.testing.assert_array_equal(backend.to_host(target), X + 1)
    assert backend.memory_info() == before


def test_foreign_arrays_are_refused(backend):
    other = SimulatedBackend('GPU:1').from_host(X)
    for use in (backend.to_host, backend.copy, lambda array: backend.refresh(array, X)):
        with pytest.raises(errors.InvalidArgumentError, match='an array of GPU:1'):
            use(other)
        with pytest.raises(TypeError, match='a ndarray was given'):
            use(X)


def test_what_does_not_fit_is_never_made(backend):
    with pytest.raises(errors.ResourceExhaustedError, match='were asked for on GPU:0'):
        backend.empty((1 << 40,), X.dtype)
    with pytest.raises(errors.ResourceExhaustedError):
        backend.from_host(np.broadcast_to(np.float32(1), (1 << 20,)))
    assert backend.memory_info() == (0, 0, 1 << 16, 0)
    backend.from_host(X)


def test_the_limit_can_change(backend):
    backend.set_memory_limit(512)
    array = backend.from_host(X)
    with pytest.raises(errors.ResourceExhaustedError):
        backend.copy(array)
    backend.set_memory_limit(None)
    backend.copy(array)
    assert backend.memory_info().limit is None


def test_a_machine_without_memory_raises_our_class():
    backend = SimulatedBackend('GPU:0')
    with pytest.raises(errors.ResourceExhaustedError, match='more memory was asked for'):
        backend.empty((1 << 60,), np.dtype(np.uint8))
    assert backend.memory_info().current == 0


def test_a_view_raises_the_reference_count_of_its_owner(backend):
    array = backend.from_host(X)
    before = sys.getrefcount(array)
    view = array[0]
    assert sys.getrefcount(array) == before + 1
    del view
    assert sys.getrefcount(array) == before


def test_peak_can_be_reset(backend):
    backend.from_host(X)
    assert (backend.memory_info().current, backend.memory_info().peak) == (0, 512)
    backend.reset_memory_stats()
    assert backend.memory_info().peak == 0


def test_variables_are_not_counted_twice(backend):
    backend.charge_variable(100)
    backend.release_variable(50)
    assert backend.memory_info().current == 0


@pytest.fixture
def droppable(monkeypatch):
    kept = []

    def drop(device, missing):
        freed = sum(array.nbytes for array in kept if array.device == device)
        kept[:] = [array for array in kept if array.device != device]
        return freed

    monkeypatch.setattr(memory_ledger, '_reclaimers', list(memory_ledger._reclaimers))
    memory_ledger.register_reclaimer(Stage.REPLICAS, drop)
    return kept


def test_release_memory_gives_back_what_nobody_needs(backend, droppable):
    other = SimulatedBackend('GPU:1')
    droppable += [backend.from_host(X), other.from_host(X)]
    kept = backend.from_host(X)
    assert backend.release_memory() == 512
    assert backend.memory_info().current == 512
    assert kept.shape == (2, 3)
    assert other.memory_info().current == 512


def test_a_full_device_gives_up_what_can_be_had_again(backend, droppable):
    backend.set_memory_limit(1024)
    droppable += [backend.from_host(X), backend.from_host(X)]
    array = backend.from_host(X)
    assert array.shape == (2, 3)
    assert droppable == []


def test_release_memory_works_while_the_error_is_handled(backend, droppable):
    droppable.append(backend.from_host(X))
    try:
        backend.empty((1 << 20,), X.dtype)
    except errors.ResourceExhaustedError:
        assert backend.release_memory() == 0
        assert backend.memory_info().current == 0
        backend.from_host(X)
