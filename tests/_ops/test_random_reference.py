"""TensorFlow's own numbers, on every kind of device."""

from pathlib import Path

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import random_bodies

REFERENCE = Path(__file__).parent / 'data' / 'random_reference.npz'


@pytest.fixture(autouse=True)
def no_global_seed():
    yield
    tv.random.set_seed(None)


def units_apart(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Distances in units in the last place of the expected values."""
    wide = expected.astype(np.float64)
    spacing = np.spacing(np.abs(expected)).astype(np.float64)
    return np.abs(actual.astype(np.float64) - wide) / spacing


@pytest.mark.parametrize('body', random_bodies.BODIES, ids=lambda body: body.__name__)
def test_numbers_are_those_of_tensorflow(body, device: str) -> None:
    tv.random.set_seed(None)
    with tv.device(device):
        results = random_bodies.as_arrays(body(tv))
    different = floats = 0
    with np.load(REFERENCE) as kept:
        names = [name for name in kept.files if name.startswith(f'{body.__name__}.')]
        assert len(results) == len(names)
        for name, actual in zip(names, results, strict=True):
            expected = kept[name]
            assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), name
            if expected.dtype.kind in 'iu':
                np.testing.assert_array_equal(actual, expected, name)
            elif expected.size:
                assert units_apart(actual, expected).max() <= 3, name
                different += int((actual != expected).sum())
                floats += expected.size
    assert different <= (0 if body in random_bodies.EXACT else 0.03 * floats)
