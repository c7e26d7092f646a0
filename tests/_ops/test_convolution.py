"""Convolutions: layouts, gradients of both orders, dtypes and errors."""

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import _convolution_arrays, convolution_ops
from tensorvar._ops import convolution as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient, tolerances

PAIRS = [[0, 0], [1, 2], [0, 3], [0, 0]]
CASES = [
    {'strides': 1, 'padding': 'SAME'},
    {'strides': [2, 1], 'padding': 'VALID', 'dilations': [1, 2]},
    {'strides': 3, 'padding': 'SAME', 'dilations': 2},
    {'strides': 2, 'padding': PAIRS},
]


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def slow_convolution(x, w, stride):
    """Without padding, one window after the other."""
    height, width = w.shape[:2]
    rows = (x.shape[1] - height) // stride + 1
    columns = (x.shape[2] - width) // stride + 1
    result = np.zeros((x.shape[0], rows, columns, w.shape[3]), x.dtype)
    for i in range(rows):
        for j in range(columns):
            window = x[:, i * stride : i * stride + height, j * stride : j * stride + width]
            result[:, i, j] = np.tensordot(window, w, 3)
    return result


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_values_for_every_dtype(device, dtype):
    x = device_parity.sample(dtype, (2, 5, 4, 3))
    w = device_parity.sample(dtype, (2, 3, 3, 2), seed=1)
    rules.check(
        device,
        lambda x, w: ops.conv2d(x, w, 2, 'VALID'),
        lambda x, w: slow_convolution(x, w, 2),
        x,
        w,
        looser=10,
    )


def test_int32_is_exact(device):
    x = device_parity.sample(np.int32, (1, 5, 4, 3))
    w = device_parity.sample(np.int32, (2, 2, 3, 2), seed=1)
    rules.check(
        device,
        lambda x, w: ops.conv2d(x, w, 1, 'VALID'),
        lambda x, w: slow_convolution(x, w, 1),
        x,
        w,
    )


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('depth', [4, 2], ids=['one group', 'two groups'])
def test_gradients_of_both_orders(case, depth):
    x, w = images(2, 5, 4, 4), images(3, 2, depth, 2, seed=1)
    numeric_gradient.check(lambda x, w: ops.conv2d(x, w, **case), x, w)


def test_gradients_in_one_and_three_dimensions():
    numeric_gradient.check(
        lambda x, w: ops.conv1d(x, w, 2, 'SAME'), images(2, 5, 3), images(3, 3, 2)
    )
    numeric_gradient.check(
        lambda x, w: ops.conv3d(x, w, [1, 1, 2, 1, 1], 'SAME'),
        images(1, 3, 3, 2, 2),
        images(2, 3, 2, 2, 2),
    )


@pytest.mark.parametrize('case', CASES)
def test_channels_first_is_the_same_transposed(device, case):
    x, w = images(2, 6, 5, 4), images(3, 2, 4, 3, seed=1)
    moved = dict(case)
    if not isinstance(case['padding'], str):
        moved['padding'] = [PAIRS[i] for i in (0, 3, 1, 2)]
    with tv.device(device):
        v, f = tv.constant(np.moveaxis(x, -1, 1)), tv.constant(w)
        with tv.GradientTape() as tape:
            tape.watch([v, f])
            first = ops.conv2d(v, f, data_format='NCHW', **moved)
        gradients = tape.gradient(first, [v, f])
        u = tv.constant(x)
        with tv.GradientTape() as tape:
            tape.watch([u, f])
            last = ops.conv2d(u, f, **case)
        expected = tape.gradient(last, [u, f])
    tolerances.assert_close(np.moveaxis(first.numpy(), 1, -1), last.numpy())
    tolerances.assert_close(np.moveaxis(gradients[0].numpy(), 1, -1), expected[0].numpy())
    tolerances.assert_close(gradients[1].numpy(), expected[1].numpy())


def test_channels_first_in_one_and_three_dimensions():
    x, w = images(2, 5, 3), images(3, 3, 2)
    last = ops.conv1d(x, w, 1, 'SAME')
    first = ops.conv1d(x.transpose(0, 2, 1), w, 1, 'SAME', 'NCW')
    tolerances.assert_close(first.numpy().transpose(0, 2, 1), last.numpy())
    x, w = images(2, 3, 4, 3, 2), images(2, 2, 2, 2, 3)
    last = ops.conv3d(x, w, [1] * 5, 'SAME')
    first = ops.conv3d(np.moveaxis(x, -1, 1), w, [1] * 5, 'SAME', 'NCDHW')
    tolerances.assert_close(np.moveaxis(first.numpy(), 1, -1), last.numpy())


def test_several_batch_dimensions():
    x, w = images(2, 3, 5, 4, 2), images(2, 2, 2, 3)
    whole = ops.conv2d(x, w, 1, 'SAME')
    flat = ops.conv2d(x.reshape(6, 5, 4, 2), w, 1, 'SAME')
    assert whole.shape == (2, 3, 5, 4, 3)
    tolerances.assert_close(whole.numpy().reshape(flat.shape), flat.numpy())


@pytest.mark.parametrize('limit', [1, 100, 500])
def test_work_in_blocks_gives_the_same(monkeypatch, limit):
    def run():
        with tv.GradientTape() as tape:
            tape.watch([x, w])
            y = ops.conv2d(x, w, [2, 1], 'SAME')
        return [y, *tape.gradient(y, [x, w])]

    x, w = tv.constant(images(3, 7, 5, 2)), tv.constant(images(3, 3, 2, 4))
    expected = run()
    monkeypatch.setattr(_convolution_arrays, '_HOST_LIMIT', limit)
    for actual, wanted in zip(run(), expected, strict=True):
        tolerances.assert_close(actual.numpy(), wanted.numpy())


@pytest.mark.parametrize(
    ('image', 'window', 'padding', 'shape'),
    [
        ((0, 5, 6, 4), (3, 2, 4, 3), 'SAME', (0, 5, 6, 3)),
        ((2, 0, 6, 4), (3, 2, 4, 3), 'SAME', (2, 0, 6, 3)),
        ((2, 5, 6, 4), (6, 6, 4, 3), 'VALID', (2, 0, 1, 3)),
        ((2, 5, 6, 4), (7, 7, 4, 3), 'SAME', (2, 5, 6, 3)),
        ((2, 5, 6, 4), (3, 2, 4, 0), 'SAME', (2, 5, 6, 0)),
    ],
)
def test_empty_and_wide(device, image, window, padding, shape):
    with tv.device(device):
        x, w = tv.ones(image), tv.ones(window)
        with tv.GradientTape() as tape:
            tape.watch([x, w])
            y = ops.conv2d(x, w, 1, padding)
        gradients = tape.gradient(y, [x, w])
    assert y.shape == shape
    assert [gradient.shape for gradient in gradients] == [image, window]


def test_bfloat16_is_rounded_once():
    x = np.full((1, 1, 300, 1), 1.0, ml_dtypes.bfloat16)
    w = np.full((1, 300, 1, 1), 1.0, ml_dtypes.bfloat16)
    assert float(ops.conv2d(x, w, 1, 'VALID').numpy().reshape(())) == 300


@pytest.mark.parametrize(
    ('change', 'error', 'text'),
    [
        ({'padding': 'same'}, errors.InvalidArgumentError, "allowed are 'SAME' and 'VALID'"),
        ({'padding': 'EXPLICIT'}, ValueError, 'allowed are'),
        ({'padding': None}, TypeError, 'Expected string'),
        ({'padding': [[1, 2], [3, 4]]}, ValueError, 'must be of size 4'),
        ({'padding': [1, 2, 3, 4]}, ValueError, 'size 2'),
        ({'padding': [[0, 0], [1, -2], [0, 0], [0, 0]]}, ValueError, 'nonnegative'),
        ({'padding': [[1, 0], [1, 2], [0, 0], [0, 0]]}, ValueError, 'batch or depth'),
        ({'strides': 0}, errors.InvalidArgumentError, 'must be > 0, but got 0'),
        ({'strides': [1, 1, 1]}, ValueError, 'length 1, 2 or 4'),
        ({'strides': [2, 1, 1, 1]}, errors.UnimplementedError, 'batch and depth'),
        ({'dilations': 0}, errors.InvalidArgumentError, 'must be > 0, but got 0'),
        ({'dilations': [2, 1, 1, 1]}, errors.InvalidArgumentError, 'batch and depth'),
        ({'data_format': 'NWC'}, errors.InvalidArgumentError, "'NHWC' or 'NCHW'"),
        ({'input': np.ones((5, 6, 4))}, errors.InvalidArgumentError, 'must be 4-dimensional'),
        ({'filters': np.ones((2, 4, 3))}, errors.InvalidArgumentError, 'must be 4-dimensional'),
        ({'filters': np.ones((2, 2, 3, 3))}, errors.InvalidArgumentError, 'evenly divisible'),
        ({'filters': np.ones((2, 2, 2, 3))}, errors.InvalidArgumentError, 'number of groups'),
        ({'filters': np.ones((0, 2, 4, 3))}, errors.InvalidArgumentError, 'zero elements'),
        (
            {'filters': np.ones((7, 7, 4, 3)), 'padding': 'VALID'},
            errors.InvalidArgumentError,
            'would be negative: -1',
        ),
        ({'input': np.ones((2, 5, 6, 4), np.int64)}, errors.InvalidTypeError, 'int64'),
    ],
)
def test_wrong_arguments_are_named(change, error, text):
    given = {
        'input': tv.constant(np.ones((2, 5, 6, 4))),
        'filters': np.ones((3, 2, 4, 3)),
        'strides': 1,
        'padding': 'SAME',
    }
    with pytest.raises(error, match=text):
        ops.conv2d(**given | change)


def test_one_and_three_dimensions_take_words_as_padding():
    with pytest.raises(TypeError, match='Expected string'):
        ops.conv1d(np.ones((2, 7, 3)), np.ones((3, 3, 4)), 1, [[0, 0]] * 3)
    with pytest.raises(TypeError, match='Expected string'):
        ops.conv3d(np.ones((1, 2, 2, 2, 1)), np.ones((1, 1, 1, 1, 1)), [1] * 5, [[0, 0]] * 5)
    with pytest.raises(TypeError, match='Expected list'):
        ops.conv3d(np.ones((1, 2, 2, 2, 1)), np.ones((1, 1, 1, 1, 1)), 1, 'SAME')
    with pytest.raises(ValueError, match='dimensions'):
        ops.conv3d(np.ones((1, 2, 2, 2, 1)), np.ones((1, 1, 1, 1, 1)), [1, 1, 1], 'SAME')


def test_convolution_takes_its_dimensions_from_the_filter():
    assert ops.convolution(images(2, 7, 3), images(3, 3, 4)).shape == (2, 5, 4)
    assert ops.convolution(images(2, 4, 5, 3), images(3, 2, 3, 1)).shape == (2, 2, 4, 1)
    with pytest.raises(ValueError, match='must be 1, 2, or 3'):
        ops.convolution(np.ones((1, 2, 2, 2, 2, 2)), np.ones((1, 1, 1, 1, 2, 2)))
    with pytest.raises(ValueError, match='not supported in conjunction'):
        ops.convolution(images(2, 7, 7, 3), images(3, 3, 3, 4), strides=2, dilations=2)


def test_host_data_takes_the_dtype_of_the_tensor():
    x = tv.ones([1, 3, 3, 1])
    assert ops.conv2d(x, np.ones((2, 2, 1, 1), np.float64), 1, 'SAME').dtype is tv.float32
    with pytest.raises(errors.InvalidArgumentError, match='float64'):
        ops.conv2d(x, tv.ones([2, 2, 1, 1], tv.float64), 1, 'SAME')


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(errors.InvalidArgumentError, match="doesn't match computed"):
        convolution_ops.CONV2D_TO_FILTER.infer(
            tv.ones([1, 4, 4, 1])._spec(),
            tv.ones([1, 3, 4, 1])._spec(),
            filter_shape=(2, 2, 1, 1),
            strides=(1, 1),
            dilations=(1, 1),
            padding='SAME',
            channels_first=False,
        )
