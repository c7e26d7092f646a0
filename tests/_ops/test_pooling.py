"""Average and max pooling: layouts, gradients of both orders, dtypes and errors."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import max_pooling, pooling
from tests._ops import rules
from tests.support import device_parity, numeric_gradient, tolerances

POOLS = [pooling.avg_pool, max_pooling.max_pool]
CASES = [(2, 2, 'SAME'), ([3, 2], [1, 2], 'VALID'), (2, 3, 'SAME'), ([1, 3, 1, 1], 2, 'SAME')]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16]


def sample(*shape):
    return np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape) / 7.0


def slow_pool(reduce):
    """Windows of 2 x 3, stride 2, without padding."""

    def pool(x):
        rows, columns = (x.shape[1] - 2) // 2 + 1, (x.shape[2] - 3) // 2 + 1
        windows = [
            [reduce(x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 3]) for j in range(columns)]
            for i in range(rows)
        ]
        return np.moveaxis(np.array(windows), 2, 0).astype(x.dtype)

    return pool


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
def test_values_for_every_dtype(device, dtype):
    x = device_parity.sample(dtype, (2, 5, 7, 3))
    rules.check(
        device,
        lambda x: pooling.avg_pool2d(x, [2, 3], 2, 'VALID'),
        slow_pool(lambda window: window.mean(axis=(1, 2))),
        x,
    )
    rules.check(
        device,
        lambda x: max_pooling.max_pool2d(x, [2, 3], 2, 'VALID'),
        slow_pool(lambda window: window.max(axis=(1, 2))),
        x,
    )


@pytest.mark.parametrize('dtype', INTEGERS, ids=rules.name_of)
def test_largest_integers(device, dtype):
    rules.check(
        device,
        lambda x: max_pooling.max_pool2d(x, [2, 3], 2, 'VALID'),
        slow_pool(lambda window: window.max(axis=(1, 2))),
        device_parity.sample(dtype, (2, 5, 7, 3)),
    )


def test_padding_does_not_count():
    x = -tv.ones([1, 3, 3, 1])
    for pool in POOLS:
        assert (pool(x, 2, 1, 'SAME').numpy() == -1).all()


@pytest.mark.parametrize('pool', POOLS, ids=rules.name_of)
@pytest.mark.parametrize('case', CASES)
def test_gradients_of_both_orders(pool, case):
    numeric_gradient.check(lambda x: pool(x, *case), sample(2, 5, 4, 2))


def test_gradients_of_other_windows():
    volume = sample(1, 3, 4, 3, 2)
    for pool in POOLS:
        numeric_gradient.check(lambda x, f=pool: f(x, 2, 2, 'SAME'), volume)
        numeric_gradient.check(lambda x, f=pool: f(x, 2, 1, 'VALID'), volume[0, 0])
    pairs = [[0, 0], [1, 0], [1, 1], [0, 0]]
    numeric_gradient.check(lambda x: max_pooling.max_pool(x, 2, 2, pairs), sample(2, 5, 4, 2))
    across = [1, 1, 1, 2]
    numeric_gradient.check(
        lambda x: max_pooling.max_pool(x, across, across, 'VALID'), sample(2, 3, 2, 4)
    )


@pytest.mark.parametrize('pool', POOLS, ids=rules.name_of)
def test_channels_first_is_the_same_transposed(device, pool):
    x = sample(2, 5, 4, 3)
    with tv.device(device):
        last = pool(tv.constant(x), [2, 3], 2, 'SAME')
        first = pool(tv.constant(np.moveaxis(x, -1, 1)), [2, 3], 2, 'SAME', 'NCHW')
    tolerances.assert_close(np.moveaxis(first.numpy(), 1, -1), last.numpy())


def test_first_of_equal_elements_gets_the_gradient(device):
    with tv.device(device):
        x = tv.constant([[[1.0], [1.0], [0.0], [1.0]]])
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = max_pooling.max_pool(x, 4, 1, 'VALID')
    assert tape.gradient(y, x).numpy().ravel().tolist() == [1, 0, 0, 0]


def test_each_of_equal_elements_gets_the_gradient_in_3_dimensions(device):
    with tv.device(device):
        x = tv.reshape(tv.constant([1.0, 1.0, 1.0, 0.0, 1.0]), [1, 1, 1, 5, 1])
        with tv.GradientTape() as outer:
            outer.watch(x)
            with tv.GradientTape() as tape:
                tape.watch(x)
                y = max_pooling.max_pool3d(x, [1, 1, 2], 1, 'SAME') ** 2
            slope = tape.gradient(y, x)
    assert slope.numpy().ravel().tolist() == [2, 4, 4, 0, 4]
    # TensorFlow's second order: one of them hands on, each receives.
    assert outer.gradient(slope, x).numpy().ravel().tolist() == [2, 4, 4, 0, 4]


def test_nan_loses_and_infinity_stays():
    x = tv.constant([[[np.nan], [1.0], [-np.inf], [-np.inf]]])
    assert max_pooling.max_pool(x, 2, 2, 'SAME').numpy().ravel().tolist() == [1, -np.inf]


@pytest.mark.parametrize(
    ('shape', 'padding', 'result'),
    [
        ((0, 5, 6, 4), 'SAME', (0, 5, 6, 4)),
        ((2, 0, 6, 4), 'SAME', (2, 0, 6, 4)),
        ((2, 7, 8, 4), 'VALID', (2, 0, 1, 4)),
    ],
)
@pytest.mark.parametrize('pool', POOLS, ids=rules.name_of)
def test_empty(pool, shape, padding, result):
    x = tv.ones(shape)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = pool(x, 8 if padding == 'VALID' else 2, 1, padding)
    assert y.shape == result
    assert tape.gradient(y, x).shape == shape


WRONG = [
    (((5, 6), 2, 2, 'SAME'), ValueError, 'must be 3, 4 or 5'),
    (((1, 5, 6, 4), 0, 1, 'SAME'), errors.InvalidArgumentError, 'must be > 0'),
    (((1, 5, 6, 4), 1, -1, 'SAME'), errors.InvalidArgumentError, 'must be > 0'),
    (((1, 5, 6, 4), [2, 2, 2], 1, 'SAME'), ValueError, 'length 1, 2 or 4'),
    (((1, 5, 6, 4), [2, 2, 2, 1], 1, 'SAME'), errors.UnimplementedError, 'batch'),
    (((1, 5, 6, 4), [1, 2, 1, 2], [1, 1, 1, 2], 'SAME'), errors.UnimplementedError, 'channels'),
    (((1, 5, 6, 4), 8, 1, 'VALID'), errors.InvalidArgumentError, 'would be negative'),
    (((1, 5, 6, 4), 2, 1, 'same'), errors.InvalidArgumentError, "'SAME' and 'VALID'"),
    (((1, 5, 6, 4), 2, 1, 'SAME', 'NWC'), errors.InvalidArgumentError, "'NHWC' or 'NCHW'"),
]


@pytest.mark.parametrize('pool', POOLS, ids=rules.name_of)
@pytest.mark.parametrize(('arguments', 'error', 'text'), WRONG)
def test_wrong_arguments_are_named(pool, arguments, error, text):
    shape, *others = arguments
    with pytest.raises(error, match=text):
        pool(tv.ones(shape), *others)


def test_ranks_are_those_of_the_name():
    x = tv.ones([3, 4, 5, 2])
    for pool in (pooling.avg_pool1d, max_pooling.max_pool1d, pooling.avg_pool3d):
        with pytest.raises(errors.InvalidArgumentError, match='-dimensional'):
            pool(x, 2, 1, 'SAME')


def test_pairs_are_for_max_pooling_alone():
    x = tv.ones([1, 5, 6, 4])
    pairs = [[0, 0], [1, 1], [1, 1], [0, 0]]
    with pytest.raises(TypeError, match='Expected string'):
        pooling.avg_pool(x, 2, 1, pairs)
    with pytest.raises(errors.InvalidArgumentError, match='smaller than the window'):
        max_pooling.max_pool(x, 2, 1, [[0, 0], [2, 2], [1, 1], [0, 0]])
    with pytest.raises(ValueError, match='rank 5'):
        max_pooling.max_pool(x[None], 2, 1, [[0, 0]] * 5)
    with pytest.raises(TypeError, match='Expected string'):
        max_pooling.max_pool3d(x[None], 2, 1, [[0, 0]] * 5)


def test_windows_across_channels_divide_them():
    window = [1, 1, 1, 3]
    with pytest.raises(errors.UnimplementedError, match='evenly divide'):
        max_pooling.max_pool(tv.ones([1, 5, 6, 4]), window, window, 'VALID')
    with pytest.raises(errors.UnimplementedError, match='channels'):
        pooling.avg_pool(tv.ones([1, 5, 6, 4]), [1, 1, 1, 2], [1, 1, 1, 2], 'VALID')


@pytest.mark.parametrize('dtype', [np.int32, np.uint32, np.complex64, bool], ids=rules.name_of)
def test_dtypes_that_are_refused(dtype):
    x = np.ones((1, 2, 2, 1), dtype)
    with pytest.raises(errors.InvalidTypeError):
        pooling.avg_pool(x, 2, 1, 'SAME')
    if dtype is not np.int32:
        with pytest.raises(errors.InvalidTypeError):
            max_pooling.max_pool(x, 2, 1, 'SAME')
