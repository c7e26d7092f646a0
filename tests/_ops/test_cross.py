"""cross."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import cross
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', rules.REAL, ids=rules.name_of)
def test_values(device: str, dtype: Any) -> None:
    a, b = device_parity.sample(dtype, (2, 3)), device_parity.sample(dtype, (2, 3), seed=1)
    rules.check(device, cross.cross, np.cross, a, b, looser=4)


def test_bad_shapes() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='same shape'):
        cross.cross(tv.zeros([2, 3]), tv.zeros([3]))
    with pytest.raises(tv.errors.InvalidArgumentError, match='rank 1'):
        cross.cross(1.0, 2.0)
    with pytest.raises(tv.errors.FailedPreconditionError, match='3-element'):
        cross.cross([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        cross.cross([1j, 2, 3], [1j, 2, 3])


def test_gradient() -> None:
    numeric_gradient.check(cross.cross, samples.float64(2, 3), samples.float64(2, 3, seed=1))
