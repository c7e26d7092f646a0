"""Faults: what fails, when, on which device, and for how long."""

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._backend import faults
from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._backend.simulated_backend import SimulatedBackend

HOST = np.ones(3, np.float32)


@pytest.fixture(params=['simulated', 'numpy'])
def backend(request):
    return SimulatedBackend('GPU:0') if request.param == 'simulated' else NumpyBackend('GPU:0')


def test_nothing_is_armed_outside_of_a_block():
    assert not faults.armed
    with faults.fail('GPU:0', 'copy'):
        assert faults.armed
    assert not faults.armed


def test_allocations_fail_after_n(backend):
    with faults.fail('GPU:0', 'allocate', after=2):
        kept = [backend.empty((3,), HOST.dtype), backend.from_host(HOST)]
        for _ in range(2):
            with pytest.raises(errors.ResourceExhaustedError, match=r"fail\('GPU:0', 'alloc"):
                backend.copy(kept[0])
    backend.copy(kept[1])


def test_a_failed_allocation_charges_nothing():
    backend = SimulatedBackend('GPU:0')
    with faults.fail('GPU:0', 'allocate'), pytest.raises(errors.ResourceExhaustedError):
        backend.empty((3,), HOST.dtype)
    assert backend.memory_info().current == 0


def test_a_result_that_cannot_be_allocated_fails(backend):
    array = backend.from_host(HOST)
    with faults.fail('GPU:0', 'allocate'):
        with pytest.raises(errors.ResourceExhaustedError):
            backend.call(backend.array_module.add, array, 1)
        backend.call(backend.array_module.add, array, 1, out=array)
    assert backend.to_host(array).tolist() == [2, 2, 2]


def test_copies_fail_in_every_direction(backend):
    array = backend.from_host(HOST)
    other = NumpyBackend('CPU:0')
    with faults.fail('GPU:0', 'copy'):
        for copy in (
            lambda: backend.from_host(HOST),
            lambda: backend.to_host(array),
            lambda: backend.refresh(array, HOST),
            lambda: backend.copy_from(other, HOST),
            lambda: other.copy_from(backend, array),
        ):
            with pytest.raises(errors.InternalError, match=r'\[copy\] data was to be copied'):
                copy()
        backend.copy(array)


def test_a_copy_between_simulated_devices_fails_for_its_source_too():
    source, destination = SimulatedBackend('GPU:0'), SimulatedBackend('GPU:1')
    array = source.from_host(HOST)
    with faults.fail('GPU:0', 'copy'), pytest.raises(errors.InternalError):
        destination.copy_from(source, array)
    assert destination.memory_info().current == 0


def test_a_lost_device_refuses_every_call(backend):
    array = backend.from_host(HOST)
    with faults.fail('GPU:0', 'lost'):
        for use in (
            lambda: backend.call(len, [1]),
            lambda: backend.empty((1,), HOST.dtype),
            lambda: backend.from_host(HOST),
            lambda: backend.to_host(array),
            lambda: backend.copy(array),
            lambda: backend.copy_from(NumpyBackend(), HOST),
            lambda: backend.refresh(array, HOST),
            backend.synchronize,
        ):
            with pytest.raises(errors.UnavailableError, match=r'GPU:0 was used, which is lost'):
                use()
        backend.memory_info()
    assert backend.to_host(array).tolist() == [1, 1, 1]


def test_arrays_of_a_lost_device_still_give_their_memory_back():
    backend = SimulatedBackend('GPU:0')
    array = backend.from_host(HOST)
    with faults.fail('GPU:0', 'lost'):
        del array
        assert backend.memory_info().current == 0


def test_other_devices_go_on(backend):
    with faults.fail('GPU:1', 'lost'), faults.fail('GPU:1', 'allocate'):
        backend.synchronize()
        backend.from_host(HOST)


def test_nested_faults_end_one_by_one(backend):
    with faults.fail('GPU:0', 'lost', after=1):
        with faults.fail('GPU:0', 'copy'), pytest.raises(errors.InternalError):
            backend.from_host(HOST)
        with pytest.raises(errors.UnavailableError):
            backend.synchronize()
    backend.synchronize()


def test_a_fault_ends_when_its_block_raises():
    with pytest.raises(KeyError), faults.fail('GPU:0', 'lost'):
        raise KeyError
    assert not faults.armed


def test_wrong_arguments_are_named():
    with (
        pytest.raises(errors.InvalidArgumentError, match="kind 'melt' was given"),
        faults.fail('GPU:0', 'melt'),
    ):
        pass
    for wrong in (-1, True, '1'):
        with (
            pytest.raises(errors.InvalidArgumentError, match=f'after={wrong!r} was given'),
            faults.fail('GPU:0', 'copy', after=wrong),
        ):
            pass
