"""The plain CPU: copies are own copies, variables are counted, failures have our class."""

import numpy as np
import pytest

from tensorvar import dtypes, errors
from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._backend.simulated_backend import SimulatedBackend


@pytest.fixture
def backend():
    return NumpyBackend()


def test_describes_itself(backend):
    assert backend.device == 'CPU:0'
    assert backend.array_module is np
    assert backend.array_type is np.ndarray
    assert backend.ledger is None


@pytest.mark.parametrize('name', ['from_host', 'to_host', 'copy'])
@pytest.mark.parametrize('dtype', [np.float32, dtypes.bfloat16.numpy, np.bool_])
def test_copies_are_own_writable_and_in_c_order(backend, name, dtype):
    source = np.ones((3, 2), dtype).T
    source.flags.writeable = False
    copied = getattr(backend, name)(source)
    assert not np.shares_memory(copied, source)
    assert copied.flags.c_contiguous
    assert copied.flags.writeable
    assert copied.dtype is source.dtype


def test_an_own_array_is_adopted(backend):
    host = np.ones((3, 2))
    assert backend.adopt(host) is host
    frozen = host.copy()
    frozen.flags.writeable = False
    for other in (host[1:], host.T.copy(order='K').reshape(2, 3), host.copy('F'), frozen):
        adopted = backend.adopt(other)
        assert not np.shares_memory(adopted, other)
        assert adopted.flags.carray
        assert adopted.base is None
        np.testing.assert_array_equal(adopted, other)


def test_a_copy_of_a_scalar_array_is_an_array(backend):
    assert type(backend.copy(np.array(1.0))) is np.ndarray


def test_copies_from_another_device(backend):
    simulated = SimulatedBackend('GPU:0')
    array = simulated.from_host(np.arange(3))
    assert backend.copy_from(simulated, array).tolist() == [0, 1, 2]


def test_refresh_writes_in_place(backend):
    target = np.zeros(2, np.float32)
    backend.refresh(target, np.ones(2, np.float32))
    assert target.tolist() == [1, 1]
    with pytest.raises(TypeError):
        backend.refresh(target, np.ones(2, np.float64))


def test_call_passes_arguments_and_results(backend):
    assert backend.call(np.add, 1, 2, dtype=np.float32) == 3


def test_memory_is_that_of_variables(backend):
    backend.empty((1000,), np.dtype(np.float32))
    backend.charge_variable(300)
    backend.release_variable(100)
    assert backend.memory_info() == (200, 300, None, 0)
    backend.reset_memory_stats()
    assert backend.memory_info().peak == 200


def test_a_limit_is_refused_with_the_way_to_get_one(backend):
    backend.set_memory_limit(None)
    with pytest.raises(errors.FailedPreconditionError, match='set_logical_device_configuration'):
        backend.set_memory_limit(1 << 20)


def test_a_machine_without_memory_raises_our_class(backend):
    with pytest.raises(errors.ResourceExhaustedError, match='more memory was asked for on CPU:0'):
        backend.call(np.empty, 1 << 60, np.uint8)
