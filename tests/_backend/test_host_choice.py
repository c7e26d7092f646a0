"""Choosing by masks gives the bits of ``np.where``."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tensorvar._backend import host_choice

BLOCK = 16
DTYPES = (
    np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.complex64, np.complex128,
    np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.bool_,
)  # fmt: skip


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_choice, 'FEW', 0)
    monkeypatch.setattr(host_choice, '_BLOCK', BLOCK)


def same_bits(found: Any, expected: Any) -> bool:
    alike = (found.shape, found.dtype) == (expected.shape, expected.dtype)
    return alike and found.tobytes() == expected.tobytes()


def any_array(shape: tuple[int, ...], dtype: Any, seed: int) -> Any:
    """Elements with all bits there are, nans among them."""
    generator = np.random.default_rng(seed)
    if np.dtype(dtype) == np.bool_:
        return np.asarray(generator.random(shape) < 0.5)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(generator.bytes(size), dtype).reshape(shape).copy()


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', [(1,), (BLOCK,), (BLOCK - 1,), (3, BLOCK + 1), (0, 3), (5, 1, 7)])
def test_the_same_bits(shape: tuple[int, ...], dtype: Any) -> None:
    condition = np.random.default_rng(0).random(shape) < 0.5
    x, y = any_array(shape, dtype, 1), any_array(shape, dtype, 2)
    expected = np.where(condition, x, y)
    assert same_bits(host_choice.where(condition, x, y), expected)


@given(
    st.sampled_from(DTYPES),
    arrays.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=20),
    st.booleans(),
    st.integers(0, 3),
)
def test_all_that_broadcasts(dtype: Any, shapes: Any, is_turned: bool, into: int) -> None:
    order = 'F' if is_turned else 'C'
    condition = np.asarray(any_array(shapes.input_shapes[0], np.bool_, 0), order=order)
    x = any_array(shapes.input_shapes[1], dtype, 1)
    y = np.asarray(any_array(shapes.input_shapes[2], dtype, 2), order=order)
    expected = np.where(condition, x, y)
    operands = {1: x, 2: y, 3: np.empty(expected.shape, dtype)}
    out = operands.get(into)
    if out is not None and (out.shape != expected.shape or not out.flags.c_contiguous):
        out = None
    found = host_choice.where(condition, x, y, out=out)
    assert out is None or found is out
    assert same_bits(np.asarray(found), expected)


def test_objects_are_chosen_by_numpy() -> None:
    condition = np.arange(40) % 3 == 0
    x, y = np.array([b'x'] * 40, object), np.array([b'y'] * 40, object)
    assert (host_choice.where(condition, x, y) == np.where(condition, x, y)).all()
