"""unravel_index."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.unravel_index import unravel_index
from tests._ops import rules


@pytest.mark.parametrize('dtype', [np.int32, np.int64], ids=rules.name_of)
def test_unravel_index(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: unravel_index(x, [2, 3, 4]),
        lambda x: np.stack(np.unravel_index(x, (2, 3, 4))),
        np.array([0, 5, 23, 12], dtype),
    )
    assert unravel_index(5, [2, 3]).numpy().tolist() == [1, 2]
    assert unravel_index(tv.zeros([0], tv.int32), [2, 3]).shape == (2, 0)


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize(
    ('indices', 'dims'),
    [([6], [2, 3]), ([-1], [2, 3]), ([[1]], [2, 3]), ([1], [2, 0]), ([1], 3), ([1.0], [2]),
     ([1], [[2]])],
    ids=str,
)  # fmt: skip
def test_bad_unravel_index(device: str, indices: Any, dims: Any) -> None:
    with tv.device(device):
        for given in (indices, tv.constant(indices)):
            with pytest.raises(tv.errors.InvalidArgumentError, match='UnravelIndex'):
                unravel_index(given, dims)
