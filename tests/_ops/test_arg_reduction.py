"""argmax and argmin."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules
from tests.support import device_parity


@pytest.mark.parametrize('dtype', [*rules.FLOATS, *rules.INTEGERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (5, 7))
    rules.check(
        device,
        lambda x: [tv.argmax(x), tv.argmin(x, -1)],
        lambda x: [np.argmax(x, axis=0), np.argmin(x, axis=-1)],
        array,
        dtype=np.int64,
    )


def test_first_of_ties_and_output_types(device: str) -> None:
    array = np.array([3, 7, 7, 1, 1])
    for dtype in (tv.int64, tv.int32, tv.int16, tv.uint16):
        rules.check(
            device,
            lambda x, dtype=dtype: [tv.argmax(x, 0, dtype), tv.argmin(x, output_type=dtype)],
            lambda x: [1, 3],
            array,
            dtype=dtype,
        )


def test_axis_may_be_a_tensor() -> None:
    assert tv.argmax([[1, 2], [4, 3]], tv.constant(1)).numpy().tolist() == [1, 0]


def test_nan_is_passed_over(device: str) -> None:
    with tv.device(device):
        for dtype in rules.FLOATS:
            values = tv.constant(np.array([[np.nan, 1.0, np.nan, 3.0, 0.0], [np.nan] * 5], dtype))
            assert tv.argmax(values, 1).numpy().tolist() == [3, 0]
            assert tv.argmin(values, 1).numpy().tolist() == [4, 0]


def test_bad_arguments() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='is empty'):
        tv.argmax(tv.zeros([2, 0]), 1)
    assert tv.argmax(tv.zeros([2, 0]), 0).shape == (0,)
    for axis in (1, -2):
        with pytest.raises(tv.errors.InvalidArgumentError, match='out of range'):
            tv.argmin(tv.zeros([2]), axis)
    with pytest.raises(tv.errors.InvalidArgumentError):
        tv.argmax(tv.constant(1.0))
    with pytest.raises(TypeError, match='scalar'):
        tv.argmax(tv.zeros([2]), [0])
    with pytest.raises(tv.errors.InvalidArgumentError, match='output_type'):
        tv.argmax(tv.zeros([2]), output_type=tv.float32)
    with pytest.raises(tv.errors.InvalidArgumentError):
        tv.argmax(tv.constant([1j]))


def test_no_gradient() -> None:
    values = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(values)
        result = tv.cast(tv.argmax(values), tv.float32)
    assert tape.gradient(result, values) is None
