"""Tensors: immutable values, and every way Python looks at them."""

import copy
import math
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def test_attributes(device: str) -> None:
    with tv.device(device):
        t = tv.constant([[1.0, 2.0]])
    assert (t.dtype, t.ndim) == (tv.float32, 2)
    assert t.shape == t.get_shape() == (1, 2)
    assert t.device == t.backing_device == f'/job:localhost/replica:0/task:0/device:{device}'
    assert tv.is_tensor(t)
    assert isinstance(t, tv.Tensor)


def test_the_class_is_not_called() -> None:
    with pytest.raises(TypeError, match='use tv.constant or tv.convert_to_tensor'):
        tv.Tensor([1.0])


@pytest.mark.parametrize('name', ['name', 'op', 'graph'])
def test_graph_properties(name: str) -> None:
    with pytest.raises(AttributeError, match=f'{name} is undefined when eager'):
        getattr(tv.constant(1.0), name)


@pytest.mark.parametrize('name', ['shape', 'dtype', 'device', 'note', '__setitem__'])
def test_tensors_are_immutable(name: str) -> None:
    t = tv.constant([1.0])
    with pytest.raises(AttributeError):
        setattr(t, name, 5)
    with pytest.raises(TypeError, match='item assignment.*tensor_scatter_nd_update'):
        t[0] = 2.0


def test_numpy_is_an_own_writable_copy(device: str) -> None:
    with tv.device(device):
        t = tv.constant([1.0, 2.0])
        scalar = tv.constant(2, tv.int64)
    host = t.numpy()
    host[:] = 9.0
    assert t.numpy().tolist() == [1.0, 2.0]
    assert host.flags.owndata
    assert isinstance(scalar.numpy(), np.int64)
    part = t[:1].numpy()
    part[:] = 7.0
    assert t.numpy().tolist() == [1.0, 2.0]


def test_item(device: str) -> None:
    with tv.device(device):
        assert tv.constant([[2.5]]).item() == 2.5
        assert isinstance(tv.constant(2).item(), int)
        many = tv.constant([1.0, 2.0])
    with pytest.raises(ValueError, match='size 1'):
        many.item()


def test_conversion_of_scalars(device: str) -> None:
    with tv.device(device):
        t, one, two = tv.constant(2.5), tv.constant([2.5]), tv.constant(2, tv.uint8)
    assert (int(t), float(t), complex(t), bool(t)) == (2, 2.5, 2.5 + 0j, True)
    assert (math.floor(t), '%.2f' % t) == (2, '2.50')  # noqa: UP031 - tested
    assert [10, 20, 30][two] == 30
    assert list(range(two)) == [0, 1]
    with pytest.raises(TypeError, match=r'^\[index\] .* only integer scalar tensors'):
        [1, 2, 3][t]
    with pytest.raises(TypeError, match='only 0-dimensional arrays'):
        float(one)
    assert bool(one)
    with pytest.raises(ValueError, match=r'^\[bool\] .*Tensor of shape \[2\] is ambiguous'):
        bool(tv.constant([1, 2]))


def test_what_has_no_elements_is_false(device: str) -> None:
    with tv.device(device):
        for empty in (tv.zeros([0]), tv.zeros([3, 0]), tv.Variable(tv.zeros([0, 3]))):
            assert not empty


def test_numbers_of_complex_scalars_are_their_real_parts(device: str) -> None:
    with tv.device(device):
        for scalar in (tv.constant(2.5 - 1j, tv.complex64), tv.Variable(2.5 - 1j)):
            assert (int(scalar), float(scalar), complex(scalar)) == (2, 2.5, 2.5 - 1j)


@pytest.mark.parametrize('value', [1.0, 1j, True, 'a'], ids=str)
def test_methods_that_python_does_not_find(value: Any) -> None:
    scalar = tv.constant(value)
    for kind in (AttributeError, TypeError):
        with pytest.raises(kind, match=r'^\[index\] .* only integer scalar tensors'):
            operator.index(scalar)
        with pytest.raises(kind, match=r'^\[round\] .* use tv.round'):
            round(scalar)
    with pytest.raises(TypeError, match='only 0-dimensional'):
        operator.index(tv.constant([1]))


def test_names_from_before_scopes(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        t = tv.constant([1.0, 2.0])
    assert t.cpu() is t
    there = t.gpu(1)
    assert there.device.endswith('GPU:1')
    assert there.cpu().numpy().tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match=r'^\[gpu\] GPU:7 is an unknown device'):
        t.gpu(7)
    with pytest.raises(NotImplementedError, match='consumers is undefined'):
        t.consumers()


def test_length_and_iteration(device: str) -> None:
    with tv.device(device):
        t, scalar = tv.constant([[1, 2], [3, 4], [5, 6]]), tv.constant(1)
        empty = tv.zeros([0, 2])
    assert len(t) == 3
    assert [row.numpy().tolist() for row in t] == [[1, 2], [3, 4], [5, 6]]
    assert [row.numpy().tolist() for row in reversed(t)] == [[5, 6], [3, 4], [1, 2]]
    assert list(empty) == []
    with pytest.raises(TypeError, match='Scalar tensor has no `len'):
        len(scalar)
    with pytest.raises(TypeError, match='Cannot iterate over a scalar'):
        iter(scalar)


def test_hash_and_references() -> None:
    t, same = tv.constant(1.0), tv.constant(1.0)
    with pytest.raises(TypeError, match='Tensor is unhashable. Instead, use tensor.ref()'):
        hash(t)
    assert {t.ref(): 1}[t.ref()] == 1
    assert t.ref() != same.ref()
    assert t.ref().deref() is t


def test_formats(device: str) -> None:
    with tv.device(device):
        scalar, vector, text = tv.constant(2.5), tv.constant([1.0, 2.5]), tv.constant('a')
    assert f'{scalar}' == '2.5'
    assert f'{scalar:>6.2f}' == '  2.50'
    assert f'{vector}' == '[1.  2.5]'
    assert f'{text}' == "b'a'"
    assert f'{scalar!r}' == '<tv.Tensor: shape=(), dtype=float32, numpy=2.5>'
    with pytest.raises(TypeError, match='unsupported format string'):
        f'{vector:.1f}'


def test_set_shape_only_checks() -> None:
    t = tv.constant([1.0, 2.0])
    t.set_shape([None])
    with pytest.raises(ValueError, match='incompatible'):
        t.set_shape([3])


def test_no_assign_on_a_plain_tensor(device: str) -> None:
    with tv.device(device):
        t, v = tv.constant([1.0, 2.0]), tv.Variable([[1.0, 2.0]])
    for value in (t, t[0], v.value(), v.value()[0], v + 1.0, v[0][0]):
        assert not hasattr(value, 'assign')
    with pytest.raises(AttributeError, match='only variables, and parts of them'):
        t.assign([3.0, 4.0])


@pytest.mark.parametrize('name', ['assign_add', 'astype', 'reshape', 'T', 'size'])
def test_attributes_that_tensors_lack(name: str) -> None:
    assert not hasattr(tv.constant([1.0]), name)


def test_array_protocol(device: str) -> None:
    with tv.device(device):
        t = tv.constant([1.0, 4.0])
    assert np.sqrt(t).tolist() == [1.0, 2.0]
    assert np.asarray(t, np.float64).dtype == np.float64
    assert np.array(t).dtype == np.float32
    with pytest.raises(ValueError, match='copy=False'):
        np.asarray(t, copy=False)


@pytest.mark.parametrize('value', [[1.0, 2.0], 3, [[True]], 1j, 'text'])
def test_copies_and_pickles(device: str, value: Any) -> None:
    with tv.device(device):
        t = tv.constant(value)
    assert copy.copy(t) is t
    for copied in (copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert copied is not t
        assert copied.device == t.device
        assert copied.dtype is t.dtype
        assert copied._spec().dtype is t.dtype.numpy, 'the canonical object'
        np.testing.assert_array_equal(copied.numpy(), t.numpy())


def test_to_device(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        t = tv.constant([1.0, 2.0])
    with tv.transfer_guard('disallow'):
        moved = t.to_device('GPU:1')
    assert moved.device.endswith('GPU:1')
    assert moved.numpy().tolist() == [1.0, 2.0]
    assert t.to_device('CPU:0') is t
    with pytest.raises(ValueError, match='GPU:5'):
        t.to_device('GPU:5')


def test_looks_are_guarded_except_for_explicit_ones(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        t = tv.constant([2, 1])
    with tv.transfer_guard('disallow'):
        assert t.numpy().tolist() == [2, 1]
        assert t[0].item() == 2
        assert 'array([2, 1]' in repr(t)
        assert f'{t}' == '[2 1]'
        looks = [
            np.asarray,
            lambda x: bool(x[0]),
            lambda x: int(x[0]),
            lambda x: operator.index(x[1]),
        ]
        for look in looks:
            with pytest.raises(tv.errors.TransferError, match=r'GPU:0.*CPU:0|CPU:0.*GPU:0'):
                look(t)
