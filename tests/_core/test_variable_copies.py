"""Copies and pickles of variables keep everything, the device too."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def variable(value: Any = (1.0, 2.0, 3.0), **keywords: Any) -> tv.Variable:
    return tv.Variable(value, **{'name': 'v', **keywords})


def test_copy_is_the_same_object() -> None:
    v = variable()
    assert copy.copy(v) is v


def check_kept(copied: tv.Variable, v: tv.Variable, device: str) -> None:
    assert copied is not v
    assert type(copied) is type(v)
    assert copied.device.endswith(device)
    assert (copied.name, copied.trainable, copied.dtype) == (v.name, v.trainable, v.dtype)
    assert copied.synchronization is v.synchronization
    assert copied.shape.as_list() == v.shape.as_list()
    assert copied.dtype.numpy is copied._spec().dtype, 'the canonical object'
    np.testing.assert_array_equal(copied.numpy(), v.numpy())
    copied.assign(tv.zeros_like(copied))
    assert v.numpy().any()
    assert (copied == v).shape == v.value().shape


@pytest.mark.parametrize('dtype', [tv.float32, tv.bfloat16, tv.int8, tv.bool, tv.complex64])
def test_deepcopy_and_pickle_keep_everything(device: str, dtype: tv.DType) -> None:
    with tv.device(device):
        v = variable([1, 0, 1], dtype=dtype, trainable=False, shape=[None])
    check_kept(copy.deepcopy(v), v, device)
    check_kept(pickle.loads(pickle.dumps(v)), v, device)


def test_deepcopy_and_pickle_of_strings() -> None:
    v = variable(['a', 'b'])
    assert copy.deepcopy(v).numpy().tolist() == [b'a', b'b']
    assert pickle.loads(pickle.dumps(v)).numpy().tolist() == [b'a', b'b']


def test_deepcopy_shares_what_was_shared() -> None:
    v = variable()
    first, second = copy.deepcopy([v, v])
    assert first is second


def test_unpickling_follows_scope_and_survives_a_missing_device(
    simulated_gpus: list[str],
) -> None:
    with tv.device('GPU:1'):
        v = variable()
    data = pickle.dumps(v)
    assert pickle.loads(data).device.endswith('GPU:1')
    with tv.device('CPU:0'):
        assert pickle.loads(data).device.endswith('CPU:0')
        assert copy.deepcopy(v).device.endswith('GPU:1'), 'deepcopy stays beside the original'
    del v
    tv.config.reset()
    assert pickle.loads(data).device.endswith('CPU:0')


class Marked(tv.Variable):
    """A subclass, as users write them; TensorFlow forbids that."""


def test_copies_of_subclasses() -> None:
    v = Marked([1.0], name='v')
    check_kept(copy.deepcopy(v), v, 'CPU:0')
    check_kept(pickle.loads(pickle.dumps(v)), v, 'CPU:0')
