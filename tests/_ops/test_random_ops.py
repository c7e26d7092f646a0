"""Seeds, streams, unseeded draws, arguments and errors of tv.random's functions."""

import multiprocessing

import numpy as np
import pytest

import tensorvar as tv
from tests.support import threads

FLOATS = ['float16', 'bfloat16', 'float32', 'float64']


@pytest.fixture(autouse=True)
def no_global_seed():
    tv.random.set_seed(None)
    yield
    tv.random.set_seed(None)


def values(tensor) -> list:
    return tensor.numpy().tolist()


# Seeds.


def test_set_seed_repeats_draws_with_and_without_an_own_seed() -> None:
    def draws() -> list:
        tv.random.set_seed(11)
        kinds = [tv.random.uniform([2]), tv.random.normal([2]), tv.random.shuffle(range(9))]
        return [values(each) for each in [*kinds, tv.random.normal([2], seed=3)]]

    assert draws() == draws()


def test_each_draw_is_new() -> None:
    tv.random.set_seed(11)
    assert values(tv.random.normal([3])) != values(tv.random.normal([3]))
    assert values(tv.random.normal([3], seed=1)) != values(tv.random.normal([3], seed=1))


def test_an_own_seed_alone_is_enough() -> None:
    first = [values(tv.random.normal([3], seed=1)) for _ in range(2)]
    tv.random.set_seed(None)
    assert [values(tv.random.normal([3], seed=1)) for _ in range(2)] == first


def test_streams_do_not_depend_on_the_device(simulated_gpus) -> None:
    tv.random.set_seed(4)
    expected = [values(tv.random.uniform([3], seed=1)) for _ in range(3)]
    tv.random.set_seed(4)
    found = []
    for device in ('GPU:1', 'CPU:0', 'GPU:0'):
        with tv.device(device):
            drawn = tv.random.uniform([3], seed=1)
        assert drawn.device.endswith(device)
        found.append(values(drawn))
    assert found == expected


@pytest.mark.parametrize('seed', [7, np.int64(7), np.array(7), 7.0])
def test_seeds_may_be_any_kind_of_integer(seed) -> None:
    tv.random.set_seed(7)
    expected = values(tv.random.normal([2], seed=7))
    tv.random.set_seed(seed)
    assert values(tv.random.normal([2], seed=seed)) == expected


@pytest.mark.parametrize('seed', ['a', 1.5, [1, 2]])
def test_other_seeds_are_refused(seed) -> None:
    with pytest.raises(TypeError, match='a seed is an integer'):
        tv.random.set_seed(seed)
    with pytest.raises(TypeError, match='a seed is an integer'):
        tv.random.normal([2], seed=seed)


def test_threads_share_a_stream_without_repeating_it() -> None:
    tv.random.set_seed(1)
    expected = {values(tv.random.uniform([], seed=2)) for _ in range(200)}
    tv.random.set_seed(1)
    found: list[float] = []

    def draw() -> None:
        found.extend([values(tv.random.uniform([], seed=2)) for _ in range(50)])

    threads.several(draw, 4)
    assert set(found) == expected


# Draws without a seed.


@pytest.mark.parametrize('dtype', FLOATS)
def test_unseeded_floats(dtype: str, device: str) -> None:
    with tv.device(device):
        uniform = tv.random.uniform([20_000], dtype=dtype)
        normal = tv.random.normal([20_000], dtype=dtype)
        truncated = tv.random.truncated_normal([20_000], dtype=dtype)
    assert {uniform.dtype.name, normal.dtype.name, truncated.dtype.name} == {dtype}
    assert uniform.device.endswith(device)
    host = uniform.numpy().astype(np.float64)
    assert host.min() >= 0
    assert host.max() < 1
    np.testing.assert_allclose(host.mean(), 0.5, atol=0.02)
    host = normal.numpy().astype(np.float64)
    np.testing.assert_allclose([host.mean(), host.std()], [0, 1], atol=0.05)
    host = truncated.numpy().astype(np.float64)
    assert np.abs(host).max() <= 2
    np.testing.assert_allclose([host.mean(), host.std()], [0, 0.88], atol=0.05)


@pytest.mark.parametrize('dtype', ['int32', 'int64'])
def test_unseeded_integers(dtype: str, device: str) -> None:
    with tv.device(device):
        small = tv.random.uniform([1000], -3, 2, dtype)
        low, high = small.dtype.min, small.dtype.max
        wide = tv.random.uniform([1000], low, high, dtype)
    assert set(values(small)) == {-3, -2, -1, 0, 1}
    assert min(values(wide)) < low // 2
    assert max(values(wide)) > high // 2


def test_unseeded_shuffle(device: str) -> None:
    with tv.device(device):
        shuffled = tv.random.shuffle(tv.constant(np.arange(100).reshape(50, 2)))
    assert values(shuffled) != np.arange(100).reshape(50, 2).tolist()
    assert sorted(values(shuffled)) == np.arange(100).reshape(50, 2).tolist()


def test_threads_draw_differently() -> None:
    found: list[float] = []
    threads.several(lambda: found.append(values(tv.random.uniform([]))), 4)
    assert len(set(found)) == 4


def _draw_into(queue) -> None:
    queue.put(values(tv.random.uniform([2])))


@pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')
def test_a_forked_child_draws_differently() -> None:
    values(tv.random.uniform([2]))
    fork = multiprocessing.get_context('fork')
    queue = fork.SimpleQueue()
    children = [fork.Process(target=_draw_into, args=(queue,)) for _ in range(2)]
    for child in children:
        child.start()
    drawn = [queue.get() for _ in children]
    for child in children:
        child.join()
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize('shape', [[], [0], [1], [2, 0, 3], [2, 3], (4,), np.array([2, 2])])
@pytest.mark.parametrize('seed', [None, 5])
def test_shapes(shape, seed, device: str) -> None:
    wanted = tuple(int(dim) for dim in shape)
    with tv.device(device):
        for dtype in FLOATS:
            assert tv.random.uniform(shape, dtype=dtype, seed=seed).shape == wanted
            assert tv.random.normal(shape, dtype=dtype, seed=seed).shape == wanted
            assert tv.random.truncated_normal(shape, dtype=dtype, seed=seed).shape == wanted
        for dtype in ('int32', 'int64'):
            assert tv.random.uniform(shape, 0, 9, dtype, seed=seed).shape == wanted


@pytest.mark.parametrize('value', [5, [], [7], [[1, 2]], np.zeros((0, 3)), np.zeros((3, 0))])
@pytest.mark.parametrize('seed', [None, 5])
def test_shuffle_of_what_has_one_order(value, seed, device: str) -> None:
    with tv.device(device):
        assert values(tv.random.shuffle(value, seed=seed)) == np.asarray(value).tolist()


def test_shuffle_keeps_the_device_and_dtype_of_its_input(simulated_gpus) -> None:
    with tv.device('GPU:1'):
        value = tv.constant([True, False, True])
    assert tv.random.shuffle(value, seed=1).device.endswith('GPU:1')
    assert tv.random.shuffle(value, seed=1).dtype == tv.bool
    assert values(tv.random.shuffle(['a'], seed=1)) == [b'a']


# Scale and range.


def test_mean_and_stddev_broadcast_and_get_gradients() -> None:
    mean = tv.Variable([1.0, 100.0])
    stddev = tv.Variable([[2.0], [3.0]])
    tv.random.set_seed(3)
    plain = tv.random.normal([2, 2], seed=1).numpy()
    tv.random.set_seed(3)
    with tv.GradientTape() as tape:
        drawn = tv.random.normal([2, 2], mean, stddev, seed=1)
        total = tv.reduce_sum(drawn)
    np.testing.assert_allclose(drawn.numpy(), plain * stddev.numpy() + mean.numpy(), rtol=1e-6)
    by_mean, by_stddev = tape.gradient(total, [mean, stddev])
    np.testing.assert_allclose(by_mean.numpy(), [2.0, 2.0])
    np.testing.assert_allclose(by_stddev.numpy(), plain.sum(axis=1, keepdims=True), rtol=1e-6)


def test_bounds_may_be_tensors() -> None:
    tv.random.set_seed(3)
    drawn = tv.random.uniform([3, 2], tv.constant([0.0, 10.0]), [1.0, 12.0]).numpy()
    assert ((drawn >= [0, 10]) & (drawn < [1, 12])).all()
    drawn = tv.random.uniform([50], tv.constant(3), np.int32(5), tv.int32).numpy()
    assert set(drawn.tolist()) == {3, 4}


@pytest.mark.parametrize('dtype', FLOATS)
def test_scaled_draws_keep_the_dtype(dtype: str) -> None:
    assert tv.random.normal([2], 1.5, 2, dtype).dtype.name == dtype
    assert tv.random.uniform([2], -1, 1.0, dtype).dtype.name == dtype


# Errors.


@pytest.mark.parametrize(
    ('call', 'expected', 'text'),
    [
        (lambda: tv.random.uniform([2], dtype=tv.int32), ValueError, 'Must specify maxval'),
        (lambda: tv.random.uniform([2], maxval=3, dtype=tv.uint32), ValueError, 'uint32'),
        (lambda: tv.random.uniform([2], maxval=3, dtype=tv.int8), ValueError, 'int8'),
        (lambda: tv.random.uniform([2], 3, 3, tv.int32), ValueError, 'Need minval < maxval'),
        (lambda: tv.random.uniform([2], [3, 1], 5, tv.int32), ValueError, 'must be 0-D'),
        (lambda: tv.random.uniform([2], 0, 2**31, tv.int32), ValueError, 'fit int32'),
        (lambda: tv.random.uniform([2], 0.5, 3, tv.int32), TypeError, 'integers'),
        (lambda: tv.random.normal([2], dtype=tv.int32), TypeError, 'int32'),
        (lambda: tv.random.normal([-2]), ValueError, 'must be >= 0'),
        (lambda: tv.random.normal(3), ValueError, 'must be a vector'),
        (lambda: tv.random.normal([[3]]), ValueError, 'must be a vector'),
        (lambda: tv.random.normal([2.0]), TypeError, 'integers'),
        (lambda: tv.random.normal([2], tv.constant(np.zeros(2))), ValueError, 'float32'),
    ],
)
def test_errors(call, expected, text) -> None:
    with pytest.raises(expected, match=text):
        call()


def test_no_values_may_come_from_an_empty_range() -> None:
    assert values(tv.random.uniform([0], 3, 3, tv.int32)) == []


# Stateless draws.


def test_stateless_draws_repeat() -> None:
    for draw in (
        tv.random.stateless_uniform, tv.random.stateless_normal,
        tv.random.stateless_truncated_normal,
    ):  # fmt: skip
        assert values(draw([3], [1, 2])) == values(draw([3], tv.constant([1, 2])))
        assert values(draw([3], [1, 2])) != values(draw([3], [2, 1]))


@pytest.mark.parametrize('alg', [None, 'philox', 'Auto_Select', 1, 3, tv.random.Algorithm.PHILOX])
def test_philox_has_many_names(alg) -> None:
    expected = values(tv.random.stateless_uniform([2], [1, 2]))
    assert values(tv.random.stateless_uniform([2], [1, 2], alg=alg)) == expected


@pytest.mark.parametrize(
    ('alg', 'expected'),
    [('foo', ValueError), (7, ValueError), (1.5, TypeError), ('threefry', NotImplementedError)],
)
def test_other_algorithms_are_refused(alg, expected) -> None:
    with pytest.raises(expected, match='philox'):
        tv.random.stateless_uniform([2], [1, 2], alg=alg)


@pytest.mark.parametrize('seed', [[1, 2, 3], 1, [[1, 2]], [2**64, 0]])
def test_seeds_have_two_integers(seed) -> None:
    with pytest.raises(ValueError, match='seed'):
        tv.random.stateless_uniform([2], seed)


def test_seeds_are_integers() -> None:
    with pytest.raises(TypeError, match='integers'):
        tv.random.stateless_uniform([2], [1.0, 2.0])


@pytest.mark.parametrize(
    ('dtype', 'bounds'),
    [('int32', (None, 5)), ('int32', (0, None)), ('uint32', (0, 4)), ('int8', (0, 4))],
)
def test_stateless_bounds(dtype, bounds) -> None:
    with pytest.raises(ValueError, match='minval|int8'):
        tv.random.stateless_uniform([2], [1, 2], *bounds, dtype)
