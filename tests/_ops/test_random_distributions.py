"""Distributions and permutations against plain loops over single counters."""

import math

import numpy as np
import pytest

from tensorvar import dtypes
from tensorvar._ops import distributions, permutation, philox

KEY, COUNTER = philox.scramble((3, 4))
FLOATS = [dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64]
DRAWS = [distributions.uniform, distributions.normal, distributions.truncated_normal]


def box_muller(counter: int, double: bool) -> list[float]:
    """The normal values of one counter, in float64 throughout."""
    words = philox.block(KEY, counter)
    if double:
        units = [((words[i] & 0xFFFFF) << 32 | words[i + 1]) / 2**52 for i in (0, 2)]
        pairs = [(units[0], units[1])]
    else:
        units = [(word & 0x7FFFFF) / 2**23 for word in words]
        pairs = [(units[0], units[1]), (units[2], units[3])]
    values = []
    for first, second in pairs:
        radius = math.sqrt(-2 * math.log(max(first, 1e-7)))
        angle = 2 * math.pi * second
        values += [radius * math.sin(angle), radius * math.cos(angle)]
    return values


def truncated(group: int, bound: float, double: bool) -> list[float]:
    """The values of one group: TensorFlow's loop."""
    wanted = 2 if double else 4
    counter = COUNTER + group * wanted * 64
    kept: list[float] = []
    while len(kept) < wanted:
        kept += [value for value in box_muller(counter, double) if abs(value) < bound]
        counter += 1
    return kept[:wanted]


def swapped(key: int, length: int) -> list[int]:
    """TensorFlow's loop of swaps."""
    words = [word for step in range(-(-length // 4)) for word in philox.block(key, COUNTER + step)]
    order = list(range(length))
    for place in range(length - 1):
        other = place + words[place] % (length - place)
        order[place], order[other] = order[other], order[place]
    return order


@pytest.mark.parametrize('dtype', FLOATS, ids=str)
@pytest.mark.parametrize('draw', DRAWS)
def test_a_long_draw_continues_a_short_one(draw, dtype, monkeypatch) -> None:
    whole = draw(np, KEY, COUNTER, (203,), dtype.numpy)
    assert whole.dtype is dtype.numpy
    np.testing.assert_array_equal(draw(np, KEY, COUNTER, (5,), dtype.numpy), whole[:5])
    monkeypatch.setattr(distributions, '_COUNTERS_ON_THE_CPU', 7)
    np.testing.assert_array_equal(draw(np, KEY, COUNTER, (7, 29), dtype.numpy).ravel(), whole)


@pytest.mark.parametrize('dtype', FLOATS, ids=str)
@pytest.mark.parametrize('draw', DRAWS)
@pytest.mark.parametrize('shape', [(), (0,), (1,), (2, 0, 3), (2, 3)])
def test_shapes(draw, dtype, shape) -> None:
    result = draw(np, KEY, COUNTER, shape, dtype.numpy)
    assert isinstance(result, np.ndarray)
    assert result.shape == shape
    assert result.base is None


@pytest.mark.parametrize('dtype', FLOATS, ids=str)
def test_uniform_values_are_multiples_of_the_last_bit_below_1(dtype) -> None:
    bits = {2: 10, 4: 23, 8: 52}[dtype.size] if dtype is not dtypes.bfloat16 else 7
    values = distributions.uniform(np, KEY, COUNTER, (500,), dtype.numpy).astype(np.float64)
    assert values.min() >= 0
    assert values.max() < 1
    np.testing.assert_array_equal(values * 2.0**bits % 1, 0)


def test_normal_float32_is_within_3_units_of_the_exact_value() -> None:
    values = distributions.normal(np, KEY, COUNTER, (4000,), dtypes.float32.numpy)
    exact = np.array([box_muller(COUNTER + step, False) for step in range(1000)]).ravel()
    # Angles are rounded to float32, which moves values near a zero of sine or cosine.
    np.testing.assert_allclose(values, exact, rtol=4e-7, atol=2e-6)


def test_normal_float64() -> None:
    values = distributions.normal(np, KEY, COUNTER, (2000,), dtypes.float64.numpy)
    exact = np.array([box_muller(COUNTER + step, True) for step in range(1000)]).ravel()
    np.testing.assert_allclose(values, exact, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize('bound', [2.0, 0.7, 0.2])
@pytest.mark.parametrize('dtype', [dtypes.float32, dtypes.float64], ids=str)
def test_truncated_normal_draws_until_it_has_enough(dtype, bound, monkeypatch) -> None:
    """A tight bound makes groups go on for dozens of counters."""
    monkeypatch.setattr(distributions, 'TRUNCATION', bound)
    values = distributions.truncated_normal(np, KEY, COUNTER, (402,), dtype.numpy)
    double = dtype is dtypes.float64
    groups = 201 if double else 101
    exact = np.array([truncated(group, bound, double) for group in range(groups)]).ravel()[:402]
    assert np.abs(values).max() < bound
    np.testing.assert_allclose(values, exact, rtol=4e-7, atol=2e-6)


@pytest.mark.parametrize(
    ('dtype', 'low', 'high'),
    [
        (dtypes.int32, -(2**31), 2**31 - 1),
        (dtypes.int32, -5, 7),
        (dtypes.int32, 2**31 - 2, 2**31 - 1),
        (dtypes.int64, -(2**63), 2**63 - 1),
        (dtypes.int64, -3, 4),
        (dtypes.uint32, 3, 2**32 - 1),
        (dtypes.uint64, 2**63, 2**64 - 1),
    ],
)
def test_integers_are_words_modulo_the_range(dtype, low, high) -> None:
    values = distributions.integers(np, KEY, COUNTER, (9,), dtype.numpy, low, high)
    words = [word for step in range(5) for word in philox.block(KEY, COUNTER + step)]
    if dtype.size == 8:
        words = [words[i] | words[i + 1] << 32 for i in range(0, 20, 2)]
    assert values.tolist() == [low + word % (high - low) for word in words[:9]]
    assert values.dtype is dtype.numpy


@pytest.mark.parametrize('length', [*range(1, 20), 100, 1001])
def test_permutation_follows_the_swaps(length: int) -> None:
    for key in range(5):
        found = permutation.permutation(np, key, COUNTER, length)
        assert found.tolist() == swapped(key, length)
