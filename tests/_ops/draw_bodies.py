"""Draws by rejection that run alike on TensorFlow and on tensorvar.

Each body takes a namespace with the functions of ``tf.random`` and gives a list of
tensors. ``data/draws_reference.npz`` holds what TensorFlow gives for them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

FLOATS = ('float16', 'float32', 'float64')
NUMBERS = (*FLOATS, 'int32', 'int64')
Body = Callable[[Any], list[Any]]

ALPHAS = np.array([[0.03, 0.5], [1.0, 1.5], [7.0, 300.0]])
RATES = np.array([0.0, 0.5, 3.0, 9.9, 10.0, 25.0, 1000.0, 1e6, -2.0])
COUNTS = np.array([0.0, 1.0, 10.0, 30.0, 100.0, 5000.0, -3.0])
CHANCES = np.array([[0.1], [0.5], [0.85], [1.0], [0.0]])
LOGITS = np.log([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]])


def gamma(random: Any) -> list[Any]:
    results = []
    for name in FLOATS:
        alphas = ALPHAS.astype(name)
        results.append(random.stateless_gamma([4, 3, 2], [3, -4], alphas, dtype=name))
        results.append(random.stateless_gamma([0, 3, 2], [3, -4], alphas, dtype=name))
    results.append(random.stateless_gamma([300], [5, 6], 0.7, 2.0, dtype='float64'))
    return results


def seeded_gamma(random: Any) -> list[Any]:
    results = []
    for seed in (11, None):
        random.set_seed(5)
        for _ in range(2):
            results.append(random.gamma([3], ALPHAS, seed=seed, dtype='float64'))
            results.append(random.gamma([], [1.0, 2.5], [[1.0], [3.0]], seed=seed, dtype='float64'))
    return results


def poisson(random: Any) -> list[Any]:
    results = []
    for name in FLOATS:
        rates = RATES[:-3].astype(name)
        results.append(random.stateless_poisson([40, 6], [3, -4], rates, dtype=name))
    for name in NUMBERS[1:]:
        results.append(random.stateless_poisson([20, 9], [8, 9], RATES, dtype=name))
    results.append(random.stateless_poisson([9, 1], [8, 9], np.array([4], np.int32)))
    return results


def seeded_poisson(random: Any) -> list[Any]:
    random.set_seed(5)
    results = []
    for _ in range(2):
        results.append(random.poisson([7], RATES, seed=1, dtype='float64'))
        results.append(random.poisson([], 30.0, seed=1, dtype='int64'))
        results.append(random.poisson([2], [2, 40]))
    return results


def binomial(random: Any) -> list[Any]:
    results = []
    for name in FLOATS:
        counts, chances = COUNTS[:5].astype(name), CHANCES.astype(name)
        results.append(random.stateless_binomial([20, 5, 5], [3, -4], counts, chances))
    for name in NUMBERS[1:]:
        draw = random.stateless_binomial
        results.append(draw([20, 5, 7], [8, 9], COUNTS, CHANCES, output_dtype=name))
    return results


def categorical(random: Any) -> list[Any]:
    random.set_seed(5)
    results = []
    for name in ('float16', 'float32', 'float64'):
        logits = LOGITS.astype(name)
        results.append(random.stateless_categorical(logits, 9, [3, -4]))
        results.append(random.categorical(logits, 5, seed=1, dtype='int32'))
        results.append(random.categorical(logits, 6, seed=1, dtype='int32'))
        results.append(random.categorical(logits, 6))
    odd = np.array([[np.nan, 1.0], [-np.inf, -np.inf], [np.inf, 1.0]])
    results.append(random.stateless_categorical(odd, 4, [1, 2]))
    return results


BODIES: tuple[Body, ...] = (gamma, seeded_gamma, poisson, seeded_poisson, binomial, categorical)


def as_arrays(results: list[Any]) -> list[np.ndarray]:
    """The values as NumPy arrays."""
    return [np.asarray(result.numpy()) for result in results]
