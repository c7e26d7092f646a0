"""Sixteen-bit floats: float32 inside, rounded once."""

import ml_dtypes
import numpy as np
import pytest

from tensorvar._ops import _half_precision


@pytest.mark.parametrize('dtype', [np.float16, ml_dtypes.bfloat16])
def test_forward_sees_float32_and_the_result_is_rounded(dtype):
    seen = []

    def forward(xp, x, index, *, scale):
        seen.append((x.dtype, index.dtype))
        return x * scale

    wrapped = _half_precision.in_float32(forward)
    result = wrapped(np, np.array([1, 2], dtype), np.array([1], np.int16), scale=0.5)
    assert seen == [(np.float32, np.int16)]
    assert result.dtype == dtype
    assert result.astype(float).tolist() == [0.5, 1]


@pytest.mark.parametrize('dtype', [np.int16, np.float32, np.float64, np.complex64])
def test_other_dtypes_pass_unchanged(dtype):
    x = np.array([1, 2], dtype)
    assert _half_precision.in_float32(lambda xp, x: x)(np, x) is x
