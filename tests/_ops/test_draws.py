"""gamma, poisson, categorical and binomial draws."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.stats

import tensorvar as tv
from tensorvar._ops import (
    _rejection,
    binomial_draws,
    categorical_draws,
    gamma_draws,
    poisson_draws,
    random_seed,
)
from tests._ops import draw_bodies

REFERENCE = Path(__file__).parent / 'data' / 'draws_reference.npz'
RANDOM = SimpleNamespace(
    set_seed=random_seed.set_seed,
    gamma=gamma_draws.gamma,
    poisson=poisson_draws.poisson,
    categorical=categorical_draws.categorical,
    stateless_gamma=gamma_draws.stateless_gamma,
    stateless_poisson=poisson_draws.stateless_poisson,
    stateless_categorical=categorical_draws.stateless_categorical,
    stateless_binomial=binomial_draws.stateless_binomial,
)
SEED = [1, 2]


@pytest.fixture(autouse=True)
def no_global_seed() -> Any:
    tv.random.set_seed(None)
    yield
    tv.random.set_seed(None)


@pytest.mark.parametrize('body', draw_bodies.BODIES, ids=lambda body: body.__name__)
def test_numbers_are_those_of_tensorflow(body: Any, device: str) -> None:
    with tv.device(device):
        tensors = body(RANDOM)
    assert all(tensor.device.endswith(device) for tensor in tensors)
    results = draw_bodies.as_arrays(tensors)
    with np.load(REFERENCE) as kept:
        names = [name for name in kept.files if name.startswith(f'{body.__name__}.')]
        assert len(results) == len(names)
        for name, actual in zip(names, results, strict=True):
            expected = kept[name]
            assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), name
            tolerance = {'float16': 1e-3, 'float32': 3e-7, 'float64': 1e-13}
            rtol = tolerance.get(expected.dtype.name, 0)
            np.testing.assert_allclose(actual, expected, rtol=rtol, err_msg=name)


# Distributions of draws without a seed.

COUNT = 20_000


@pytest.mark.parametrize('alpha', [0.2, 1.0, 4.0])
def test_gamma_values_are_distributed_so(alpha: float) -> None:
    drawn = RANDOM.gamma([COUNT], alpha, 2.0, dtype=tv.float64).numpy()
    assert scipy.stats.kstest(drawn, scipy.stats.gamma(alpha, scale=0.5).cdf).pvalue > 1e-6


@pytest.mark.parametrize('rate', [0.3, 6.0, 40.0])
def test_poisson_values_are_distributed_so(rate: float) -> None:
    drawn = RANDOM.poisson([COUNT], rate, dtype=tv.float64).numpy()
    assert abs(drawn.mean() - rate) < 7 * np.sqrt(rate / COUNT)
    assert abs(drawn.var() / rate - 1) < 0.15


def test_classes_are_distributed_so() -> None:
    drawn = RANDOM.categorical(np.log([[0.2, 0.5, 0.3]]), COUNT).numpy()[0]
    np.testing.assert_allclose(np.bincount(drawn) / COUNT, [0.2, 0.5, 0.3], atol=0.03)


@pytest.mark.parametrize(('count', 'chance'), [(20.0, 0.3), (20.0, 0.8), (200.0, 0.3)])
def test_binomial_values_are_distributed_so(count: float, chance: float) -> None:
    drawn = RANDOM.stateless_binomial([COUNT], SEED, count, chance).numpy()
    variance = count * chance * (1 - chance)
    assert abs(drawn.mean() - count * chance) < 7 * np.sqrt(variance / COUNT)
    assert abs(drawn.var() / variance - 1) < 0.15


def test_portions_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def draws() -> list[Any]:
        tensors = [
            RANDOM.stateless_gamma([30, 2], SEED, [0.5, 3.0]),
            RANDOM.stateless_poisson([30, 2], SEED, [3.0, 30.0]),
            RANDOM.stateless_binomial([30, 2], SEED, [3.0, 90.0], 0.4),
        ]
        return [tensor.numpy().tolist() for tensor in tensors]

    whole = draws()
    monkeypatch.setattr(_rejection, '_AT_ONCE_ON_THE_CPU', 7)
    assert draws() == whole


def test_draws_without_a_seed_differ() -> None:
    first, second = (RANDOM.gamma([3], 2.0).numpy().tolist() for _ in range(2))
    assert first != second
    tv.random.set_seed(3)
    third = RANDOM.poisson([9], 200.0).numpy().tolist()
    tv.random.set_seed(3)
    assert RANDOM.poisson([9], 200.0).numpy().tolist() == third


def test_parameters_out_of_range() -> None:
    bad = [-1.0, np.nan]
    assert np.isnan(RANDOM.stateless_gamma([3, 2], SEED, bad).numpy()).all()
    least = np.finfo(np.float32).tiny
    assert RANDOM.stateless_gamma([2], SEED, 0.0).numpy().tolist() == [least, least]
    drawn = RANDOM.poisson([1], [np.inf, -1.0, np.nan]).numpy()[0]
    np.testing.assert_array_equal(drawn, [np.inf, 0, np.nan])
    drawn = RANDOM.stateless_binomial([2], SEED, 10.0, [1.5, -0.5]).numpy()
    assert drawn.tolist() == [10, 0]


def test_shapes() -> None:
    assert RANDOM.gamma([2], [[1.0], [2.0]], [2.0, 3.0, 4.0]).shape == (2, 2, 3)
    assert RANDOM.gamma([], 1.0).shape == ()
    assert RANDOM.gamma([0], [1.0, 2.0]).shape == (0, 2)
    assert RANDOM.gamma([2], tv.zeros([0])).shape == (2, 0)
    assert RANDOM.poisson([2, 3], [1.0, 2.0]).shape == (2, 3, 2)
    assert RANDOM.categorical(tv.zeros([0, 2]), 3).shape == (0, 3)
    assert RANDOM.categorical(tv.zeros([2, 2]), 0).shape == (2, 0)


@pytest.mark.parametrize(
    ('draw', 'arguments'),
    [
        ('gamma', ([-2], 1.0)),
        ('gamma', (2, 1.0)),
        ('stateless_gamma', ([3], SEED, [1.0, 2.0])),
        ('stateless_gamma', ([2], SEED, [[1.0], [2.0]])),
        ('stateless_gamma', ([2], [1], 1.0)),
        ('stateless_gamma', ([2], SEED, 1.0, [2.0, 3.0, 4.0])),
        ('stateless_poisson', ([3], SEED, [1.0, 2.0])),
        ('stateless_poisson', ([3], SEED, 3.0, tv.bool)),
        ('poisson', ([3], np.array([1], np.uint8))),
        ('stateless_binomial', ([3], SEED, [10.0, 5.0], [0.5, 0.1])),
        ('stateless_binomial', ([3], SEED, 10.0, 0.5, tv.uint8)),
        ('categorical', ([1.0, 2.0], 3)),
        ('categorical', ([[1.0, 2.0]], -1)),
        ('categorical', ([[1.0, 2.0]], [3])),
        ('categorical', (np.zeros((2, 0)), 1)),
        ('categorical', ([[1, 2]], 1)),
        ('categorical', ([[1.0, 2.0]], 3, tv.float32)),
        ('stateless_categorical', ([[1.0, 2.0]], 3, [1])),
    ],
    ids=str,
)
def test_bad_arguments(draw: str, arguments: Any) -> None:
    with pytest.raises(ValueError, match=r'\['):
        getattr(RANDOM, draw)(*arguments)


def test_gamma_values_move_with_alpha(device: str) -> None:
    alphas = np.array([0.4, 1.0, 3.0])
    step = 1e-6
    with tv.device(device):
        alpha, beta = tv.constant(alphas), tv.constant(2.0, tv.float64)
        with tv.GradientTape() as tape:
            tape.watch([alpha, beta])
            drawn = RANDOM.stateless_gamma([5, 3], SEED, alpha, beta, dtype=tv.float64)
        by_alpha, by_beta = tape.gradient(drawn, [alpha, beta])
    values = drawn.numpy()
    quantiles = scipy.stats.gamma.cdf(values, alphas, scale=0.5)
    moved = [scipy.stats.gamma.ppf(quantiles, alphas + s, scale=0.5) for s in (step, -step)]
    slope = (moved[0] - moved[1]) / (2 * step)
    np.testing.assert_allclose(by_alpha.numpy(), slope.sum(0), rtol=1e-4)
    np.testing.assert_allclose(by_beta.numpy(), -values.sum() / 2.0)
