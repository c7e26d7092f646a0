"""``softmax`` and its logarithm."""

import numpy as np
import pytest
import scipy.special

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import softmax as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

CASES = [
    (ops.softmax, scipy.special.softmax),
    (ops.log_softmax, scipy.special.log_softmax),
]


@pytest.mark.parametrize(('body', 'reference'), CASES, ids=rules.name_of)
@pytest.mark.parametrize('axis', [None, 0, 1, -2])
def test_values_for_every_dtype(device, body, reference, axis):
    for dtype in rules.FLOATS:
        rules.check(
            device,
            lambda x: body(x, axis=axis),
            lambda x: reference(x, axis=-1 if axis is None else axis),
            device_parity.sample(dtype, (2, 3, 4)),
            looser=4,
        )


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_empty_inputs(device, body):
    for shape in ((0, 2), (2, 0)):
        rules.check(device, body, lambda x: x, np.zeros(shape, np.float32))


@pytest.mark.parametrize('shape', [(7, 20_000), (3, 100, 500), (1, 150_000)], ids=str)
def test_many_logits_have_the_bits_of_few(device, shape):
    logits = device_parity.sample(np.float32, shape)
    with tv.device(device):
        for body in (ops.softmax, ops.log_softmax):
            alone = [body(row).numpy() for row in logits.reshape((-1, shape[-1]))]
            whole = body(tv.constant(logits))
            assert whole.numpy().tobytes() == np.stack(alone).tobytes()
            turned = body(tv.transpose(tv.constant(logits[0])), axis=0)
            np.testing.assert_allclose(
                turned.numpy().T, whole.numpy().reshape(shape)[0], rtol=1e-5, atol=1e-6
            )


def test_large_logits():
    x = tv.constant([[1000.0, 0.0], [-1000.0, -1000.0]])
    assert ops.softmax(x).numpy().tolist() == [[1, 0], [0.5, 0.5]]
    np.testing.assert_allclose(ops.log_softmax(x).numpy(), [[0, -1000], [-0.6931472] * 2])


def test_sixteen_bit_floats_round_once():
    x = np.linspace(-4, 4, 1000, dtype=np.float16)
    expected = scipy.special.softmax(x.astype(np.float32)).astype(np.float16)
    actual = ops.softmax(tv.constant(x)).numpy()
    assert np.max(np.abs(actual.view(np.int16) - expected.view(np.int16))) <= 1


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_refusals(body):
    with pytest.raises(errors.InvalidIndexError, match=r'axis 2 is out of range.*\[-2, 2\)'):
        body(tv.zeros([2, 2]), axis=2)
    with pytest.raises(errors.InvalidArgumentError, match='must have >= 1 dimension'):
        body(tv.constant(1.0))
    with pytest.raises(errors.InvalidTypeError, match='has dtype int32'):
        body(tv.constant([1, 2]))
    with pytest.raises(TypeError):
        body(tv.zeros([2, 2]), axis=[0])


@pytest.mark.parametrize('body', [case[0] for case in CASES])
@pytest.mark.parametrize('axis', [-1, 0])
def test_gradients(body, axis):
    x = device_parity.sample(np.float64, (2, 3))
    numeric_gradient.check(lambda x: body(x, axis=axis), x)
