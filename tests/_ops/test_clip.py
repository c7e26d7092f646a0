"""Clipping by value and by norm."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import clip as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def test_clip_by_value_equals_numpy(device):
    for dtype in rules.REAL:
        t = device_parity.sample(dtype, (2, 3))
        low, high = np.array(1, dtype), np.array([[2], [5]], dtype)
        rules.check(
            device, ops.clip_by_value, lambda t, a, b: np.maximum(np.minimum(t, b), a), t, low, high
        )


def test_clip_by_value_with_host_bounds():
    assert ops.clip_by_value(tv.constant([1.0, 5.0, -3.0]), 0, 2.0).numpy().tolist() == [1, 2, 0]
    assert ops.clip_by_value([1, 2], 0, 1).numpy().tolist() == [1, 1]
    # The lower bound wins where the bounds cross.
    assert ops.clip_by_value(tv.constant([1.0, 5.0]), 3.0, 2.0).numpy().tolist() == [3, 3]
    assert np.isnan(ops.clip_by_value(tv.constant([np.nan]), 0.0, 1.0).numpy()[0])


def test_clip_by_value_refusals():
    t = tv.constant([1.0, 2.0])
    for bound in ([[0.0], [1.0]], [0.0, 1.0, 2.0]):
        with pytest.raises(errors.InvalidArgumentError, match=r'clip_value_min has shape'):
            ops.clip_by_value(t, bound, 9.0)
    with pytest.raises(errors.InvalidTypeError, match='expected to be a float32'):
        ops.clip_by_value(t, tv.constant(0.0, 'float64'), 1.0)
    with pytest.raises(errors.InvalidTypeError, match='has dtype complex128'):
        ops.clip_by_value(tv.constant([1j]), 0, 1)


def test_clip_by_value_gradients():
    t = np.array([[-3.0, 0.5, 4.0], [-0.5, 2.5, 0.1]])
    low, high = np.array(-1.0), np.array([1.0, 2.0, 3.0])
    numeric_gradient.check(ops.clip_by_value, t, low, high)


def test_clip_by_norm(device):
    with tv.device(device), rules.verified():
        t = tv.constant([[3.0, 4.0], [6.0, 8.0]])
        rows = ops.clip_by_norm(t, 5.0, axes=1).numpy()
        each = ops.clip_by_norm(t, [[5.0], [1.0]], axes=[-1]).numpy()
        whole = ops.clip_by_norm(tv.constant([3.0, 4.0]), 1).numpy()
        unchanged = ops.clip_by_norm(tv.constant([3.0, 4.0]), 10.0).numpy()
    np.testing.assert_allclose(rows, [[3, 4], [3, 4]], rtol=1e-6)
    np.testing.assert_allclose(each, [[3, 4], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(whole, [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(unchanged, [3, 4], rtol=1e-6)


def test_clip_by_norm_at_the_edges():
    zeros = tv.constant([0.0, 0.0])
    assert ops.clip_by_norm(zeros, 1.0).numpy().tolist() == [0, 0]
    assert ops.clip_by_norm(zeros, 0.0).numpy().tolist() == [0, 0]
    assert ops.clip_by_norm(tv.constant([3.0, 4.0]), -1.0).numpy().tolist() == [0, 0]


def test_clip_by_norm_refusals():
    with pytest.raises(errors.InvalidArgumentError, match='Incompatible shapes'):
        ops.clip_by_norm(tv.constant([3.0, 4.0]), [1.0, 2.0, 3.0])
    with pytest.raises(errors.InvalidArgumentError, match='clip_norm has shape'):
        ops.clip_by_norm(tv.constant([3.0, 4.0]), [[1.0], [2.0]])
    with pytest.raises(errors.InvalidIndexError, match='axis 1 is out of range'):
        ops.clip_by_norm(tv.constant([3.0, 4.0]), 1.0, axes=1)
    with pytest.raises(errors.InvalidTypeError):
        ops.clip_by_norm(tv.constant([3, 4]), 1)


def test_clip_by_norm_gradients():
    t = np.array([[3.0, 4.0], [0.6, 0.8]])
    numeric_gradient.check(lambda t: ops.clip_by_norm(t, 2.0, axes=1), t)
    x = tv.constant([0.0, 0.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = ops.clip_by_norm(x, 1.0)
    assert tape.gradient(y, x).numpy().tolist() == [1, 1]


def test_global_norm(device):
    with tv.device(device):
        t_list = [tv.constant([3.0]), None, tv.constant([[4.0]])]
        assert ops.global_norm(t_list).numpy() == 5
        clipped, norm = ops.clip_by_global_norm(t_list, 1.0)
        same, _ = ops.clip_by_global_norm(t_list, 10.0)
    assert norm.numpy() == 5
    assert clipped[1] is None
    np.testing.assert_allclose([clipped[0].numpy()[0], clipped[2].numpy()[0, 0]], [0.6, 0.8])
    assert same[0].numpy().tolist() == [3]


def test_global_norm_at_the_edges():
    assert ops.global_norm([None]).numpy() == 0
    clipped, norm = ops.clip_by_global_norm([], 1.0)
    assert clipped == []
    assert norm.numpy() == 0
    clipped, norm = ops.clip_by_global_norm([tv.constant([3.0]), tv.constant([np.inf])], 1.0)
    assert np.isinf(norm.numpy())
    assert all(np.isnan(part.numpy()).all() for part in clipped)
    clipped, _ = ops.clip_by_global_norm([tv.constant([3.0])], 1.0, use_norm=tv.constant(6.0))
    assert clipped[0].numpy().tolist() == [0.5]


def test_global_norm_refusals():
    for body in (ops.global_norm, lambda t: ops.clip_by_global_norm(t, 1.0)):
        with pytest.raises(TypeError, match='should be a sequence of tensors'):
            body(tv.constant([1.0]))
        with pytest.raises(errors.InvalidTypeError):
            body([tv.constant([1])])


def test_indexed_slices_stay_indexed_slices():
    slices = tv.IndexedSlices([[3.0, 4.0]], [1], [5, 2])
    for clipped in (
        ops.clip_by_value(slices, 0.0, 3.5),
        ops.clip_by_norm(slices, 1.0),
        ops.clip_by_global_norm([slices], 1.0)[0][0],
    ):
        assert isinstance(clipped, tv.IndexedSlices)
        assert clipped.indices.numpy().tolist() == [1]
        assert clipped.shape == [5, 2]
    np.testing.assert_allclose(ops.clip_by_norm(slices, 1.0).values.numpy(), [[0.6, 0.8]])
