"""one_hot."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules
from tests.support import device_parity


def reference(indices: np.ndarray, depth: int, axis: int = -1) -> np.ndarray:
    vectors = (np.asarray(indices)[..., None] == np.arange(depth)).astype(np.float32)
    return np.moveaxis(vectors, -1, axis)


@pytest.mark.parametrize('dtype', [np.uint8, np.int8, np.int32, np.int64], ids=rules.name_of)
def test_index_dtypes(device: str, dtype: Any) -> None:
    indices = np.array([[0, 2], [1, 5]], dtype)
    rules.check(
        device,
        lambda x: [tv.one_hot(x, 3, axis=axis) for axis in (-1, 0, 1, 2)],
        lambda x: [reference(x, 3, axis) for axis in (-1, 0, 1, 2)],
        indices,
        dtype=np.float32,
    )


def test_negative_and_scalar_indices(device: str) -> None:
    rules.check(
        device, lambda x: tv.one_hot(x, 3), lambda x: reference(x, 3), np.array([-1, 1]),
        dtype=np.float32,
    )  # fmt: skip
    rules.check(
        device, lambda x: tv.one_hot(x, 0), lambda x: reference(x, 0), np.array(1), dtype=np.float32
    )


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_result_dtypes(device: str, dtype: Any) -> None:
    values = device_parity.sample(dtype, (2,))
    with tv.device(device):
        on, off = tv.constant(values[0]), tv.constant(values[1])
        result = tv.one_hot([1], 2, on, off)
        assert tv.one_hot([1], 2, dtype=result.dtype).numpy().tolist() == [[0, 1]]
    assert result.numpy().dtype == dtype
    assert result.numpy().tolist() == [[values[1].item(), values[0].item()]]


def test_dtype_of_values() -> None:
    assert tv.one_hot([0], 2).dtype is tv.float32
    assert tv.one_hot([0], 2, on_value=5).dtype is tv.int32
    assert tv.one_hot([0], 2, on_value=True, off_value=False).dtype is tv.bool
    assert tv.one_hot([0], 2, on_value=5, dtype=tv.float32).numpy().tolist() == [[5, 0]]
    assert tv.one_hot([0], tv.constant(2), off_value=2.0).numpy().tolist() == [[1, 2]]


def test_runs_where_the_indices_are(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('CPU:0'):
        indices = tv.constant([0, 1])
    assert tv.one_hot(indices, 2, on_value=3.0).device.endswith('CPU:0')


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match='does not match'):
        tv.one_hot([0], 3, on_value=5, off_value=1.0)
    with pytest.raises(tv.errors.InvalidArgumentError):
        tv.one_hot([0], 3, on_value=tv.constant(5.0), dtype=tv.int32)
    for arguments in (
        {'indices': [0], 'depth': -1},
        {'indices': [0], 'depth': 3, 'axis': 2},
        {'indices': [0], 'depth': 3, 'axis': -2},
        {'indices': [0], 'depth': [3]},
        {'indices': [0.5], 'depth': 3},
        {'indices': tv.constant([0], tv.int16), 'depth': 3},
        {'indices': [0], 'depth': 3, 'on_value': [1.0, 2.0]},
    ):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[OneHot\]'):
            tv.one_hot(**arguments)


@pytest.mark.parametrize('dtype', [np.uint8, np.int8, np.int32, np.int64], ids=rules.name_of)
@pytest.mark.parametrize('depth', [200, 3])
def test_many_elements(device: str, depth: int, dtype: Any) -> None:
    generator = np.random.default_rng(0)
    indices = generator.integers(-2, depth + 2, (7, 150)).astype(dtype)
    rules.check(
        device,
        lambda x: [tv.one_hot(x, depth, axis=axis) for axis in (-1, 0, 1, 2)],
        lambda x: [reference(x, depth, axis) for axis in (-1, 0, 1, 2)],
        indices,
        dtype=np.float32,
    )
