"""reduce_logsumexp, variance, std, Euclidean norm, count_nonzero."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import statistics
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def logsumexp(x: np.ndarray, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def euclidean_norm(x: np.ndarray, axis: Any, keepdims: bool) -> Any:
    return np.sqrt(np.sum(np.abs(x) ** 2, axis=axis, keepdims=keepdims))


REFERENCES = {
    'logsumexp': logsumexp,
    'variance': lambda x, axis, keepdims: np.var(x, axis=axis, keepdims=keepdims),
    'std': lambda x, axis, keepdims: np.std(x, axis=axis, keepdims=keepdims),
    'euclidean_norm': euclidean_norm,
}


def function_of(name: str) -> Any:
    return getattr(statistics, f'reduce_{name}')


@pytest.mark.parametrize('keepdims', [False, True])
@pytest.mark.parametrize('axis', [None, 0, (0, -1), ()], ids=str)
@pytest.mark.parametrize('name', REFERENCES)
def test_axes(device: str, name: str, axis: Any, keepdims: bool) -> None:
    array = device_parity.sample(np.float32, (3, 4, 2))
    rules.check(
        device,
        lambda x: function_of(name)(x, axis, keepdims),
        lambda x: REFERENCES[name](x, axis, keepdims),
        array,
    )


@pytest.mark.parametrize('dtype', rules.FLOATS, ids=rules.name_of)
@pytest.mark.parametrize('name', REFERENCES)
def test_float_dtypes(device: str, name: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (5, 7))
    rules.check(
        device, lambda x: function_of(name)(x, 1), lambda x: REFERENCES[name](x, 1, False), array
    )


@pytest.mark.parametrize('name', ['variance', 'std'])
def test_complex_gives_real(device: str, name: str) -> None:
    array = device_parity.sample(np.complex64, (5, 7))
    rules.check(
        device,
        lambda x: function_of(name)(x, 1),
        lambda x: REFERENCES[name](x, 1, False),
        array,
        dtype=np.float32,
    )


def test_euclidean_norm_dtypes(device: str) -> None:
    for dtype in (*rules.INTEGERS, np.complex64, np.complex128):
        array = device_parity.sample(dtype, (5, 7))
        rules.check(
            device,
            lambda x: statistics.reduce_euclidean_norm(x, 0),
            lambda x: euclidean_norm(x.astype(np.complex128), 0, False),
            array,
        )


def test_logsumexp_of_extremes(device: str) -> None:
    inf = np.inf
    for values, expected in (
        ([1000.0, 1000.0], 1000 + np.log(2)),
        ([-inf, -inf], -inf),
        ([inf, 1.0], inf),
        ([], -inf),
        ([np.nan, 1.0], np.nan),
    ):
        rules.check(
            device,
            tv.reduce_logsumexp,
            lambda x, expected=expected: np.array(expected),
            np.array(values, np.float32),
        )


def test_spread_of_nothing() -> None:
    assert np.isnan(statistics.reduce_variance(tv.zeros([0])).numpy())
    assert np.isnan(statistics.reduce_std(tv.zeros([0])).numpy())


def test_variance_far_from_zero() -> None:
    values = tv.constant(np.array([1e4, 1e4 + 1, 1e4 + 2], np.float32))
    np.testing.assert_allclose(statistics.reduce_variance(values).numpy(), 2 / 3, rtol=1e-5)


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_count_nonzero(device: str, dtype: Any) -> None:
    array = np.array([[0, 1, 0], [1, 1, 0]]).astype(dtype)
    for axis, keepdims in ((None, None), (1, False), ([0, 1], True)):
        rules.check(
            device,
            lambda x, axis=axis, keepdims=keepdims: statistics.count_nonzero(
                x, axis, keepdims, dtype=tv.int32
            ),
            lambda x, axis=axis, keepdims=keepdims: np.count_nonzero(
                x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=bool(keepdims)
            ),
            array,
            dtype=np.int32,
        )


def test_count_nonzero_of_text() -> None:
    assert statistics.count_nonzero(['a', '', 'b']).numpy() == 2


def test_bad_dtypes() -> None:
    for function in (statistics.reduce_variance, statistics.reduce_std):
        with pytest.raises(TypeError, match='allowed'):
            function([1, 2])
    with pytest.raises(tv.errors.InvalidArgumentError):
        tv.reduce_logsumexp(tv.constant([1j]))


@pytest.mark.parametrize('keepdims', [False, True])
@pytest.mark.parametrize('axis', [None, 1, (0, -1)], ids=str)
@pytest.mark.parametrize('name', REFERENCES)
def test_gradient(name: str, axis: Any, keepdims: bool) -> None:
    values = samples.float64(2, 3, 2)
    numeric_gradient.check(lambda x: function_of(name)(x, axis, keepdims), values)


@pytest.mark.parametrize('name', ['variance', 'std', 'euclidean_norm'])
def test_complex_gradient(name: str) -> None:
    numeric_gradient.check(lambda x: function_of(name)(x, 1), samples.complex128(2, 3))


@pytest.mark.parametrize('dtype', [np.float32, np.complex64])
def test_no_gradient_of_no_deviation(dtype: Any) -> None:
    values = tv.constant(np.array([[2, 2], [1, 3]], dtype))
    with tv.GradientTape() as tape:
        tape.watch(values)
        # Its own gradient is 0 where there is no deviation.
        result = statistics.reduce_std(values, 1) ** 2
    assert tape.gradient(result, values).numpy().tolist() == [[0, 0], [-1, 1]]


def test_gradient_of_logsumexp_at_infinity() -> None:
    values = tv.constant([[-np.inf, -np.inf], [-np.inf, 1.0]])
    with tv.GradientTape() as tape:
        tape.watch(values)
        result = tv.reduce_logsumexp(values, 1)
    assert tape.gradient(result, values).numpy().tolist() == [[0, 0], [0, 1]]
