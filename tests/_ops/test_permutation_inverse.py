"""invert_permutation."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import permutation_inverse
from tests._ops import rules


@pytest.mark.parametrize('dtype', [np.int32, np.int64], ids=rules.name_of)
def test_values(device: str, dtype: Any) -> None:
    rules.check(
        device,
        permutation_inverse.invert_permutation,
        lambda x: np.argsort(x, axis=-1),
        np.array([[2, 0, 1], [0, 1, 2]], dtype),
    )


def test_bad_arguments() -> None:
    for bad in ([0, 0], [0, 5], [-1, 0]):
        with pytest.raises(tv.errors.InvalidArgumentError, match='no permutation'):
            permutation_inverse.invert_permutation(bad)
    with pytest.raises(tv.errors.InvalidArgumentError, match='vector'):
        permutation_inverse.invert_permutation(0)
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        permutation_inverse.invert_permutation([0.0])
    assert permutation_inverse.invert_permutation(tv.zeros([0], tv.int32)).shape == (0,)
