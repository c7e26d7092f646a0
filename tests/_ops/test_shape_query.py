"""shape, shape_n, size, rank, broadcast_static_shape, broadcast_dynamic_shape."""

import hypothesis
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors


def test_shape_size_rank() -> None:
    value = tv.zeros([2, 0, 3])
    assert tv.shape(value).numpy().tolist() == [2, 0, 3]
    assert tv.shape(value).dtype is tv.int32
    assert tv.shape(value, tv.int64).dtype is tv.int64
    assert tv.size(value).numpy() == 0
    assert tv.size([[1, 2]], tv.int64).numpy() == 2
    assert tv.rank(value).numpy() == 3
    assert tv.shape(5).shape == (0,)
    assert [s.numpy().tolist() for s in tv.shape_n([value, [1, 2]])] == [[2, 0, 3], [2]]
    assert tv.shape(tv.Variable([1.0])).numpy().tolist() == [1]


def test_shapes_stay_on_the_cpu(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('GPU:1'):
        value = tv.zeros([2, 3])
        assert tv.shape(value).device.endswith('CPU:0')
        with tv.transfer_guard('disallow'):
            flat = tv.reshape(value, tv.size(value))
    assert flat.device.endswith('GPU:1')


def test_bad_out_type() -> None:
    for function in (tv.shape, tv.size):
        with pytest.raises(tv.errors.InvalidArgumentError, match='out_type'):
            function([1], tv.float32)


@hypothesis.given(shapes=arrays.mutually_broadcastable_shapes(num_shapes=2, min_side=0))
def test_broadcast_shapes(shapes: arrays.BroadcastableShapes) -> None:
    first, second = shapes.input_shapes
    static = tv.broadcast_static_shape(tv.TensorShape(first), second)
    assert static.as_tuple() == shapes.result_shape
    dynamic = tv.broadcast_dynamic_shape(list(first), np.array(second, np.int32))
    assert tuple(dynamic.numpy()) == shapes.result_shape
    assert dynamic.dtype is tv.int32


def test_dtype_of_dynamic_shape() -> None:
    wide = tv.constant([2, 1], tv.int64)
    assert tv.broadcast_dynamic_shape([3], wide).dtype is tv.int64


def test_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(ValueError, match='Incompatible shapes'):
        tv.broadcast_static_shape([2, 2], [3])
    with pytest.raises(tv.errors.InvalidArgumentError, match='Incompatible shapes'):
        tv.broadcast_dynamic_shape([2, 2], [3])
    with pytest.raises(ValueError, match='Incompatible shapes'):
        tv.broadcast_static_shape([None, 2], [3])


@pytest.mark.parametrize(
    ('first', 'second', 'common'),
    [
        ([None, 4], [3, 1], [3, 4]),
        ([None, 4], [1, 4], [None, 4]),
        ([None], [None], [None]),
        ([2, None], [3], [2, 3]),
    ],
)
def test_static_shapes_that_are_partly_known(first, second, common):
    for one, other in ((first, second), (second, first)):
        shape = tv.broadcast_static_shape(tv.TensorShape(one), tv.TensorShape(other))
        assert shape.as_list() == common
    assert tv.broadcast_static_shape(tv.TensorShape(None), [3]).rank is None


def test_shapes_are_arrays_of_the_cpu_whatever_kind_it_is(two_cpus):
    with tv.device('CPU:1'):
        x = tv.zeros([2, 3])
        assert tv.shape(x).numpy().tolist() == [2, 3]
        assert tv.reshape(x, tv.shape(x)[::-1]).shape == (3, 2)


@pytest.mark.parametrize('given', [tv.int64, tv.float32])
def test_broadcast_dynamic_shape_wants_vectors_of_indices(given):
    wrong = tv.constant(3, given) if given is tv.int64 else tv.constant([3.0])
    with pytest.raises(errors.InvalidArgumentError, match=r'\[BroadcastArgs\] a shape was given'):
        tv.broadcast_dynamic_shape(wrong, [3])
