"""DLPack both ways, and the interfaces that a tensor has or lacks."""

import gc
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import dtypes
from tensorvar._core import dlpack_capsule, interop
from tensorvar.experimental import dlpack

SHARED = [dtype for dtype in dtypes.ALL if dtype.name not in ('bfloat16', 'string')]


@pytest.mark.parametrize('dtype', SHARED, ids=lambda dtype: dtype.name)
def test_numpy_reads_tensors(two_cpus: tuple[str, str], dtype: tv.DType) -> None:
    for device in two_cpus:
        with tv.device(device):
            array = np.from_dlpack(tv.constant([[1, 0], [1, 1]], dtype))
        assert array.dtype == dtype.numpy
        assert array.tolist() == np.array([[1, 0], [1, 1]], dtype.numpy).tolist()


def test_a_tensor_on_the_plain_cpu_is_shared(fresh_devices: None) -> None:
    t = tv.constant([1.0, 2.0])
    assert np.shares_memory(np.from_dlpack(t), t._array)
    assert t.__dlpack_device__() == (interop.DLPACK_CPU, 0)


def test_a_variable_exports_a_snapshot(fresh_devices: None) -> None:
    v = tv.Variable([1.0, 2.0])
    array = np.from_dlpack(v)
    capsule = dlpack.to_dlpack(v)
    v.assign([3.0, 4.0])
    assert array.tolist() == [1.0, 2.0]
    assert dlpack.from_dlpack(capsule).numpy().tolist() == [1.0, 2.0]
    del array, capsule
    gc.collect()
    before = id(v._array)
    v.assign([5.0, 6.0])
    assert id(v._array) == before, 'nobody holds the buffer any more'


@pytest.mark.parametrize('dtype', SHARED, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize('versioned', [False, True])
def test_objects_and_capsules_come_in(
    two_cpus: tuple[str, str], dtype: tv.DType, versioned: bool
) -> None:
    array = np.array([[1, 0], [1, 1]], dtype.numpy)
    keywords: dict[str, Any] = {'max_version': (1, 0)} if versioned else {}
    for value in (array, array.T, array.__dlpack__(**keywords)):
        tensor = dlpack.from_dlpack(value)
        assert tensor._spec().dtype is dtype.numpy
        assert tensor.device.endswith('CPU:0')
        expected = array.T if value is not array and isinstance(value, np.ndarray) else array
        np.testing.assert_array_equal(tensor.numpy(), expected)
        np.testing.assert_array_equal((tensor == tensor).numpy(), np.full((2, 2), True))


def test_what_comes_in_is_shared_and_never_written(fresh_devices: None) -> None:
    array = np.ones(3, np.float32)
    tensor = dlpack.from_dlpack(array)
    assert np.shares_memory(tensor._array, array)
    v = tv.Variable(tensor)
    v.assign([5.0, 5.0, 5.0])
    v.assign(tensor)
    v.assign_add([1.0, 1.0, 1.0])
    assert array.tolist() == [1.0, 1.0, 1.0]


def test_a_capsule_is_read_once() -> None:
    capsule = dlpack.to_dlpack(tv.constant([1.0]))
    assert dlpack_capsule.is_capsule(capsule)
    assert dlpack.from_dlpack(capsule).numpy().tolist() == [1.0]
    with pytest.raises(TypeError, match='a capsule can be read once'):
        dlpack.from_dlpack(capsule)


@pytest.mark.parametrize('value', [1.0, [1.0], 'text', None])
def test_what_is_no_dlpack(value: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'^\[from_dlpack\] a \w+ was given'):
        dlpack.from_dlpack(value)


def test_a_device_that_is_not_here() -> None:
    class Elsewhere:
        def __dlpack__(self, **keywords: Any) -> Any:
            raise AssertionError('it must not be asked')

        def __dlpack_device__(self) -> tuple[int, int]:
            return (10, 3)

    with pytest.raises(ValueError, match=r'DLPack device \(10, 3\); the devices here are CPU:0'):
        dlpack.from_dlpack(Elsewhere())


def test_dtypes_without_a_code() -> None:
    for value in (tv.constant([1.0], tv.bfloat16), tv.constant(['a'])):
        with pytest.raises(NotImplementedError, match=r'^\[dlpack\] an array of dtype'):
            dlpack.to_dlpack(value)


def test_simulated_arrays_have_no_address(simulated_gpus: list[str]) -> None:
    t = tv.constant([1.0])
    for attempt in (lambda: np.from_dlpack(t), lambda: dlpack.to_dlpack(t)):
        with pytest.raises(NotImplementedError, match=r'on GPU:0 .* use \.numpy\(\)'):
            attempt()
    assert not hasattr(t, '__cuda_array_interface__')


def test_a_copy_that_may_not_be_made(two_cpus: tuple[str, str]) -> None:
    with tv.device('CPU:1'):
        t = tv.constant([1.0])
    with pytest.raises(NotImplementedError, match='CPU:1'):
        np.from_dlpack(t, copy=False)


class OnCard:
    """Stands for an array on a card."""

    def __init__(self, interface: dict[str, Any]) -> None:
        self.__cuda_array_interface__ = interface


def test_cudas_interface_is_read_only() -> None:
    given = {'shape': (1,), 'typestr': '<f4', 'data': (4_096, False), 'version': 3}
    described = interop.cuda_array_interface(OnCard(given), tv.constant(1.0)._device)
    assert described == {**given, 'data': (4_096, True)}
    assert given['data'] == (4_096, False)


def test_no_array_interface() -> None:
    for value in (tv.constant([1.0]), tv.Variable([1.0])):
        assert not hasattr(value, '__array_interface__')
        assert not hasattr(value, '__array_namespace__')
        assert value.__array_priority__ == 100


def test_who_takes_a_variable_by_dlpack_cannot_change_it(fresh_devices: None) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0])
    taken = np.from_dlpack(v)
    taken[...] = 9.0
    assert v.numpy().tolist() == [1.0, 2.0]
