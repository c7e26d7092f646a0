"""Conversions that clip."""

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops.saturate_cast import saturate_cast
from tests._ops import rules

REAL = [np.dtype(dtype) for dtype in rules.REAL]


def limits(dtype):
    return np.iinfo(dtype) if dtype.kind in 'iu' else ml_dtypes.finfo(dtype)


@pytest.mark.parametrize('source', REAL, ids=str)
@pytest.mark.parametrize('target', REAL, ids=str)
def test_the_outermost_values_stay_within_the_target(source, target):
    ends = np.array([limits(source).min, limits(source).max], source)
    result = saturate_cast(tv.constant(ends), target).numpy()
    assert result.dtype == target
    low, high = number(limits(target).min), number(limits(target).max)
    for end, reached in zip(ends, result, strict=True):
        allowed = min(max(number(end), low), high)
        # A float beside an integer type's end may be the nearest one inside.
        assert abs(number(reached) - allowed) <= abs(allowed) * 0.01
        assert low <= number(reached) <= high


def number(scalar):
    """A Python number; Python compares ints and floats exactly."""
    return int(scalar) if isinstance(scalar, np.integer | int) else float(scalar)


def test_values_of_tensorflow(device):
    with tv.device(device):
        floats = tv.constant([3e9, -3e9, 300.0, -5.0])
        assert saturate_cast(floats, 'int32').numpy().tolist() == [
            2147483520, -(2**31), 300, -5
        ]  # fmt: skip
        assert saturate_cast(floats, 'uint8').numpy().tolist() == [255, 0, 255, 0]
        wide = tv.constant(np.array([1e300, -np.inf]))
        largest = np.finfo(np.float32).max
        assert saturate_cast(wide, 'float32').numpy().tolist() == [largest, -largest]


def test_infinities_become_the_ends_of_integer_types():
    ends = saturate_cast(tv.constant([np.inf, -np.inf]), 'int64').numpy()
    assert ends.tolist() == [2**63 - 2**39, -(2**63)]


def test_complex_values():
    x = tv.constant(np.array([1e300 + 2j]))
    largest = float(np.finfo(np.float32).max)
    assert saturate_cast(x, 'complex64').numpy().tolist() == [complex(largest, 2)]
    assert saturate_cast(x, 'float32').numpy().tolist() == [largest]
    assert saturate_cast(tv.constant([1.0]), 'complex64').dtype == tv.complex64


def test_types_without_a_range_are_refused():
    for source, target in ((True, 'int32'), (1.0, 'bool'), ('a', 'int32'), (1.0, 'string')):
        with pytest.raises(errors.InvalidTypeError, match='no smallest and largest value'):
            saturate_cast(tv.constant([source]), target)
