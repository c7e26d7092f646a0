"""Variables: what they tell about themselves, readers, Python's protocols, moves, copies."""

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def variable(value: Any = (1.0, 2.0, 3.0), **keywords: Any) -> tv.Variable:
    return tv.Variable(value, **{'name': 'v', **keywords})


# Attributes


def test_attributes(device: str) -> None:
    with tv.device(device):
        v = variable()
    assert v.dtype is tv.float32
    assert v.dtype == 'float32'
    assert v.dtype == np.float32
    assert v.shape == (3,)
    assert v.shape == [3]
    assert v.get_shape() == v.shape
    assert repr(v.shape) == 'TensorShape([3])'
    assert v.device == f'/job:localhost/replica:0/task:0/device:{device}'
    assert v.name == 'v:0'
    assert v.constraint is None
    assert v.handle is v
    assert v.initializer is None
    assert not isinstance(v, tv.Tensor)
    assert tv.is_tensor(v)
    assert not tv.is_tensor([1.0])


@pytest.mark.parametrize('name', ['name', 'shape', 'trainable', 'dtype', 'device'])
def test_properties_cannot_be_set(name: str) -> None:
    with pytest.raises(AttributeError, match='no setter'):
        setattr(variable(), name, 'x')


def test_other_attributes_can_be_set() -> None:
    v = variable()
    v.note = 'mine'
    assert v.note == 'mine'


@pytest.mark.parametrize(
    'name',
    [
        'ndim', 'size', 'T', 'itemsize', 'nbytes', 'grad', 'item', 'tolist', 'copy', 'astype',
        'reshape', 'sum', 'cpu', 'gpu', 'values', '__array_interface__', '__array_namespace__',
        '__cuda_array_interface__', '__index__', '__len__',
    ],
)  # fmt: skip
def test_attributes_that_variables_lack(name: str) -> None:
    assert not hasattr(variable(), name)


def test_set_shape() -> None:
    v = variable()
    v.set_shape([None])
    assert v.shape == (3,)
    with pytest.raises(ValueError, match=r'\(3,\) and \(4,\)'):
        v.set_shape([4])
    unknown = variable(shape=tv.TensorShape(None))
    unknown.set_shape([None])
    assert unknown.shape.as_list() == [None]


# Readers


@pytest.mark.parametrize('read', ['value', 'read_value', 'read_value_no_copy'])
def test_readers_give_snapshots(device: str, read: str) -> None:
    with tv.device(device):
        v = variable()
        tensor = getattr(v, read)()
        v.assign_add([1.0, 1.0, 1.0])
    assert isinstance(tensor, tv.Tensor)
    assert tensor.device.endswith(device)
    assert tensor.numpy().tolist() == [1.0, 2.0, 3.0]
    assert v.numpy().tolist() == [2.0, 3.0, 4.0]


def test_where_readers_read(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        v = variable()
    with tv.device('GPU:1'):
        assert v.value().device.endswith('GPU:0')
        assert tv.convert_to_tensor(v).device.endswith('GPU:0')
        assert v.read_value().device.endswith('GPU:1')
        assert v[0].device.endswith('GPU:1')
    assert v.read_value().device.endswith('GPU:0')


def test_numpy_is_an_own_writable_copy(device: str) -> None:
    with tv.device(device):
        v = variable()
        scalar = variable(2.5)
    host = v.numpy()
    assert host.flags.owndata
    assert host.flags.writeable
    host[:] = 9.0
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]
    assert isinstance(scalar.numpy(), np.float32)


def test_is_initialized() -> None:
    assert bool(variable().is_initialized())
    assert variable().is_initialized(name='x').dtype is tv.bool


# Identity


def test_hash_is_by_identity() -> None:
    v, w = variable(1.0), variable(1.0)
    found = {v: 'v', w: 'w'}
    assert found[v] == 'v'
    assert found[w] == 'w'
    assert len({v, w, v}) == 2


def test_references() -> None:
    v, w = variable(), variable()
    assert v.ref() == v.ref()
    assert v.ref() != w.ref()
    assert hash(v.ref()) == hash(v.ref())
    assert v.ref().deref() is v
    assert v.ref() in [w.ref(), v.ref()]
    assert (v.ref() == None) is False  # noqa: E711 - the comparison itself is tested
    assert repr(v.ref()).startswith("<Reference wrapping <tv.Variable 'v:0'")
    with pytest.raises(TypeError, match='references compare with references only'):
        assert v.ref() == v


def test_in_compares_by_identity_then_value() -> None:
    v, w = variable(), variable()
    assert v in [v]
    with pytest.raises(ValueError, match=r'ambiguous.*`is` \(or `in` on a list of .ref\(\)\)'):
        assert w in [v]
    assert variable(2.0) in [variable(1.0), variable(2.0)]


# Looks by Python


def test_truth_value(device: str) -> None:
    with tv.device(device):
        assert bool(variable(1.0))
        assert not bool(variable([[0.0]]))
        many = variable()
    with pytest.raises(ValueError, match=r'^\[bool\].*shape \[3\] is ambiguous'):
        bool(many)


def test_conversion_of_scalars(device: str) -> None:
    with tv.device(device):
        v, one = variable(2.5), variable([2.5])
    assert (int(v), float(v), complex(v)) == (2, 2.5, 2.5 + 0j)
    assert (math.floor(v), math.ceil(v)) == (2, 3)
    assert f'{v!r:.3}' == '<tv'
    assert '%.1f' % v == '2.5'  # noqa: UP031 - the operator itself is tested
    for convert in (int, float, complex):
        with pytest.raises(TypeError, match=r'shape \[1\].*only 0-dimensional arrays'):
            convert(one)


def test_formats() -> None:
    v = variable(2.5)
    assert f'{v}' == repr(v) == str(v)
    with pytest.raises(TypeError, match='unsupported format string'):
        f'{v:.1f}'


def test_no_index() -> None:
    two = variable(2)
    with pytest.raises(TypeError):
        range(two)
    with pytest.raises(TypeError):
        [1, 2, 3][two]


def test_iteration(device: str) -> None:
    with tv.device(device):
        v, scalar = variable(), variable(1.0)
    first, *_, last = v
    assert (float(first), float(last)) == (1.0, 3.0)
    assert float(sum(v)) == 6.0
    assert float(max(v)) == 3.0
    assert 2.0 in v
    assert 9.0 not in v
    with pytest.raises(TypeError, match='Cannot iterate over a scalar tensor'):
        iter(scalar)
    with pytest.raises(TypeError, match='no len'):
        len(v)
    with pytest.raises(TypeError):
        reversed(v)


def test_numpys_functions_take_it(device: str) -> None:
    with tv.device(device):
        v = variable([1.0, 4.0, 9.0])
    array = np.asarray(v)
    assert array.dtype == np.float32
    array[:] = 0.0
    assert v.numpy().tolist() == [1.0, 4.0, 9.0], 'a copy was given'
    assert np.sqrt(v).tolist() == [1.0, 2.0, 3.0]
    assert np.add(np.ones(3), v).tolist() == [2.0, 5.0, 10.0]
    assert np.concatenate([v, v]).shape == (6,)
    assert np.asarray(v, dtype=np.int32).dtype == np.int32
    with pytest.raises(ValueError, match=r'\[asarray\].*copy=False'):
        np.asarray(v, copy=False)
    with pytest.raises(TypeError):
        memoryview(v)


# Moving


def test_to_device(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = variable()
    held = v.value()
    with tv.debugging.record_placement() as log:
        assert v.to_device('GPU:1') is v
    assert v.device.endswith('GPU:1')
    assert held.device.endswith('CPU:0')
    assert v.numpy().tolist() == held.numpy().tolist() == [1.0, 2.0, 3.0]
    (moved,) = [each for each in log.copies if each.nbytes == 12][:1]
    assert (moved.source, moved.destination, moved.variable) == ('CPU:0', 'GPU:1', 'v:0')
    v.assign_add([1.0, 1.0, 1.0])
    assert v.to_device(v.device) is v
    assert v.numpy().tolist() == [2.0, 3.0, 4.0]


def test_to_device_refuses_what_is_no_device(simulated_gpus: list[str]) -> None:
    v = variable()
    with pytest.raises(ValueError, match='GPU:7'):
        v.to_device('GPU:7')
    assert v.device.endswith('GPU:0')
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


# Lifetime


def test_memory_returns_with_the_last_reference(simulated_gpus: list[str]) -> None:
    before = tv.config.get_memory_info('GPU:0')['current']
    v = variable(np.ones(1_000, np.float32))
    assert tv.config.get_memory_info('GPU:0')['current'] == before + 4_096
    chained = v.assign(tv.zeros([1_000]))
    seen = weakref.ref(v)
    gc.disable()
    try:
        del v, chained
        assert seen() is None
        assert tv.config.get_memory_info('GPU:0')['current'] == before
    finally:
        gc.enable()
