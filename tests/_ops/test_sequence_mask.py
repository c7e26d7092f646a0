"""sequence_mask."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.sequence_mask import sequence_mask
from tests._ops import rules


@pytest.mark.parametrize('maxlen', [None, 5, 2, 0, tv.int32])
def test_sequence_mask(device: str, maxlen: Any) -> None:
    given = tv.constant(4) if maxlen is tv.int32 else maxlen
    length = {None: 3, tv.int32: 4}.get(maxlen, maxlen)
    for dtype in (np.int32, np.int64, np.float32, np.float16):
        rules.check(
            device,
            lambda x: sequence_mask(x, given),
            lambda x: np.arange(length) < x[..., None],
            np.array([[1, 3], [0, -2]], dtype),
            dtype=np.bool_,
        )


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
def test_dtypes_of_sequence_mask(dtype: Any) -> None:
    found = sequence_mask(2, 3, dtype=dtype)
    assert found.dtype == dtype
    assert found.numpy().tolist() == [1, 1, 0]


def test_edges_of_sequence_mask() -> None:
    assert sequence_mask([]).shape == (0, 0)
    assert sequence_mask([0, -1]).shape == (2, 0)
    assert sequence_mask([1.5, 2.0], 2.0).numpy().tolist() == [[True, True]] * 2
    with pytest.raises(ValueError, match='scalar'):
        sequence_mask([1, 2], [3])
    with pytest.raises(tv.errors.InvalidArgumentError, match='maxlen -1'):
        sequence_mask([1, 2], -1)
    for bad in ([True], [1j], np.array([1], np.uint8)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            sequence_mask(bad)
