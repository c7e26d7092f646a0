"""The cross entropy of class numbers."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops.sparse_loss import sparse_softmax_cross_entropy_with_logits
from tests._ops import rules
from tests.support import device_parity, numeric_gradient


def reference(labels, logits):
    chosen = np.take_along_axis(
        scipy.special.log_softmax(logits, axis=-1), labels[..., None].astype(int), axis=-1
    )
    return -chosen[..., 0]


@pytest.mark.parametrize('shape', [(), (4,), (2, 3), (0,)], ids=str)
def test_values_for_every_dtype(device, shape):
    for dtype in rules.FLOATS:
        logits = device_parity.sample(dtype, (*shape, 5))
        for index in (np.int32, np.int64):
            labels = np.random.default_rng(1).integers(0, 5, shape).astype(index)
            rules.check(
                device,
                sparse_softmax_cross_entropy_with_logits,
                lambda labels, logits: np.asarray(reference(np.asarray(labels), logits)),
                np.asarray(labels),
                logits,
                dtype=np.dtype(dtype),
                looser=4,
            )


def test_host_values():
    result = sparse_softmax_cross_entropy_with_logits([[1, 0]], [[[1.0, 2.0], [3.0, 5.0]]])
    np.testing.assert_allclose(result.numpy(), [[0.31326166, 2.12692809]], rtol=1e-6)
    result = sparse_softmax_cross_entropy_with_logits([0], tv.constant([[-np.inf, 1.0]]))
    assert result.numpy()[0] == np.inf


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize('label', [-1, 2])
def test_labels_that_are_no_class_raise(device, label):
    with (
        tv.device(device),
        pytest.raises(errors.InvalidArgumentError, match=r'range of \[0, 2\).*first at \[1\]'),
    ):
        sparse_softmax_cross_entropy_with_logits([1, label], [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ('labels', 'logits', 'message'),
    [
        ([[1]], [[1.0, 2.0]], 'labels.shape.rank` must equal'),
        ([1, 0], [[1.0, 2.0]], 'except for the last dimension'),
        ([0], 1.0, 'cannot be a scalar'),
        ([0, 0], np.zeros((2, 0), np.float32), 'at least one class'),
        ([1.5], [[1.0, 2.0]], 'has dtype float32'),
        (np.array([1], np.uint8), [[1.0, 2.0]], 'has dtype uint8'),
        ([1], [[1, 2]], 'has dtype int32'),
    ],
)
def test_refusals(labels, logits, message):
    with pytest.raises(errors.InvalidArgumentError, match=message):
        sparse_softmax_cross_entropy_with_logits(labels, logits)


@pytest.mark.parametrize('turned', [False, True])
def test_the_slope_is_softmax_less_one_at_the_label(device, turned):
    logits = device_parity.sample(np.float32, (2, 30, 50))
    labels = np.random.default_rng(0).integers(0, 50, (2, 30))
    with tv.device(device), tv.GradientTape() as tape:
        x = tv.transpose(tv.constant(logits.T.copy())) if turned else tv.constant(logits)
        tape.watch(x)
        loss = tv.reduce_sum(sparse_softmax_cross_entropy_with_logits(labels, x))
    slope = tape.gradient(loss, x).numpy()
    expected = tv.nn.softmax(x).numpy()
    np.put_along_axis(
        expected,
        labels[..., None],
        np.take_along_axis(expected, labels[..., None], -1) - 1,
        axis=-1,
    )
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-7)


def test_gradients():
    labels = tv.constant([1, 0, 2])
    logits = device_parity.sample(np.float64, (3, 3))
    numeric_gradient.check(lambda x: sparse_softmax_cross_entropy_with_logits(labels, x), logits)
