"""Simulated arrays: what they tell, what they refuse, and who owns which memory."""

import gc
import operator
import pickle
import sys
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorvar import dtypes, errors
from tensorvar._backend.simulated_backend import SimulatedBackend

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def backend():
    return SimulatedBackend('GPU:0')


@pytest.fixture
def array(backend):
    return backend.from_host(X)


def test_attributes_are_numpys(array):
    for name in ('shape', 'dtype', 'ndim', 'size', 'nbytes', 'itemsize', 'strides'):
        assert getattr(array, name) == getattr(X, name)
    assert array.flags.c_contiguous
    assert array.device == 'GPU:0'
    assert len(array) == 2
    assert repr(array) == '<SimulatedArray GPU:0 shape=(2, 3) dtype=float32>'


@pytest.mark.parametrize(
    'look',
    [bool, int, float, complex, operator.index, np.asarray, np.array, pickle.dumps]
    + [lambda a: a.item(), lambda a: a.tolist(), lambda a: [1, 2][a], np.concatenate],
)
def test_every_look_from_the_host_is_refused(backend, look):
    with pytest.raises(TypeError, match='array of GPU:0 with shape'):
        look(backend.from_host(np.ones((1,), np.int32)))


@pytest.mark.parametrize('look', [memoryview, bytes, lambda a: np.add(a, 1)])
def test_buffer_protocol_and_ufuncs_are_refused(array, look):
    with pytest.raises(TypeError):
        look(array)


def test_there_is_no_other_attribute(array):
    with pytest.raises(AttributeError):
        array.name = 'w'


@pytest.mark.parametrize(
    'index',
    [0, -1, (1, 2), slice(None, None, 2), (slice(None), 1), Ellipsis, None, (..., 0), ([0, 1], 1)]
    + [(), np.int64(1), [1, 0], (slice(None), [True, False, True])],
)
def test_indexing_agrees_with_numpy(backend, array, index):
    expected = np.asarray(X[index])
    result = array[index]
    assert result.shape == expected.shape
    np.testing.assert_array_equal(backend.to_host(result), expected)


def test_one_element_is_a_view_as_on_a_card(backend, array):
    element = array[1, 2]
    assert element.shape == ()
    assert element.base is array
    element[...] = 9
    assert backend.to_host(array)[1, 2] == 9


def test_index_arrays_lie_on_the_device(backend, array):
    rows = backend.from_host(np.array([1, 0, 1]))
    np.testing.assert_array_equal(backend.to_host(array[rows]), X[[1, 0, 1]])
    np.testing.assert_array_equal(backend.to_host(array[array > 2]), X[X > 2])
    array[rows] = 7
    assert (backend.to_host(array) == 7).all()
    for index in (np.array([0]), (slice(None), np.array([0]))):
        with pytest.raises(TypeError, match='of the host with shape'):
            array[index]
        with pytest.raises(TypeError, match='of the host with shape'):
            array[index] = 1


def test_values_to_set_lie_on_the_device(backend, array):
    array[0] = backend.from_host(np.full(3, 8, np.float32))
    array[1, 1:] = 5
    assert backend.to_host(array).tolist() == [[8, 8, 8], [3, 5, 5]]
    with pytest.raises(TypeError, match='__setitem__'):
        array[0] = np.zeros(3, np.float32)


def test_iteration_gives_rows(backend, array):
    assert [backend.to_host(row).tolist() for row in array] == X.tolist()
    with pytest.raises(TypeError, match='unsized'):
        iter(array[0, 0]).__next__()


def test_a_view_keeps_its_owner_and_is_not_charged(backend, array):
    before = backend.memory_info().current
    views = [array.T, array.reshape(6), array[1:], array.T[0], array.view(np.int32), array[0][None]]
    assert all(view.base is array for view in views)
    assert backend.memory_info().current == before
    assert sys.getrefcount(array) >= len(views) + 1


def test_memory_goes_with_the_last_view(backend):
    array = backend.from_host(X)
    view = array[0]
    del array
    assert backend.memory_info().current == 512
    del view
    assert backend.memory_info().current == 0


def test_arrays_that_stay_the_same_are_the_same_object(backend, array):
    xp = backend.array_module
    assert xp.asarray(array) is array
    assert xp.ascontiguousarray(array) is array
    assert array.astype(np.float32, copy=False) is array
    assert xp.add(array, 1, out=array) is array


@pytest.mark.parametrize('function', ['broadcast_to', 'sliding_window_view'])
def test_stride_tricks_make_views(backend, array, function):
    xp = backend.array_module
    if function == 'broadcast_to':
        view = xp.broadcast_to(array, (4, 2, 3))
    else:
        view = xp.lib.stride_tricks.sliding_window_view(array, 2, axis=1)
    assert view.base is array
    assert backend.memory_info().current == 512


def test_a_result_that_hides_its_owner_is_an_owner_for_its_views(backend, array):
    product = backend.array_module.tensordot(array, array.T, 1)
    assert product.base is None
    assert product[0].base is product
    assert backend.memory_info().current == 1024


def test_bfloat16_works(backend):
    host = np.array([[1, 2.5], [3, 4]], dtypes.bfloat16.numpy)
    array = backend.from_host(host)
    assert backend.to_host(array).dtype is dtypes.bfloat16.numpy
    for result, expected in (
        (array + 1, host + 1),
        (array.sum(axis=0), host.sum(axis=0)),
        (array.max(), np.asarray(host.max())),
        (array.astype(np.float32).astype(host.dtype), host),
        (array[1, 1], np.asarray(host[1, 1])),
        (backend.array_module.exp(array), np.exp(host)),
    ):
        assert result.dtype is dtypes.bfloat16.numpy
        np.testing.assert_array_equal(backend.to_host(result), expected)


def test_weak_references_work(array):
    reference = weakref.ref(array)
    assert reference() is array


def test_cycles_of_creation_leave_nothing_without_the_collector(backend):
    xp = backend.array_module
    backend.reset_memory_stats()
    gc.disable()
    try:
        for _ in range(10_000):
            array = xp.zeros(100, np.float32)
            array = array.reshape(10, 10)[1:] + 1
            del array
        assert backend.memory_info().current == 0
        assert backend.memory_info().peak == 1024
    finally:
        gc.enable()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(['create', 'compute', 'view', 'split', 'drop', 'refuse', 'in place']),
        st.integers(0, 1000),
    ),
    max_size=40,
)


@given(STEPS)
def test_the_ledger_equals_the_sum_of_living_owners(steps):
    backend = SimulatedBackend('GPU:0', 1 << 20)
    xp = backend.array_module
    held = []
    for step, number in steps:
        chosen = held[number % len(held)] if held else xp.ones((number % 7, 2), np.float32)
        if step == 'create':
            held.append(xp.zeros((number, 2), np.float32))
        elif step == 'compute':
            held.append(chosen + 1)
        elif step == 'view':
            held.append(chosen[number % 3 :].T)
        elif step == 'split':
            held.extend(xp.array_split(chosen, 3))
        elif step == 'drop' and held:
            del held[number % len(held)]
        elif step == 'in place':
            chosen *= 2
        elif step == 'refuse':
            with pytest.raises(errors.ResourceExhaustedError):
                xp.zeros(1 << 20, np.uint16)
        del chosen
        owners = {}
        for array in held:
            owner = array if array.base is None else array.base
            owners[id(owner)] = owner._charged
            assert owner._charged >= owner.nbytes
            del owner, array
        assert backend.memory_info().current == sum(owners.values())
    held.clear()
    assert backend.memory_info().current == 0
