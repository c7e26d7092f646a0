"""Arrays in pieces: the same bits, the same layout, and copies of any layout."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorvar._backend import host_pieces, host_threads

SHAPE = (60, 37)
F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_threads, '_standard', lambda: 3)
    monkeypatch.setattr(host_pieces, 'LARGE', 256)
    monkeypatch.setattr(host_pieces, 'LIGHT', 256)
    monkeypatch.setattr(host_pieces, '_BLOCK', 100)
    monkeypatch.setattr(host_pieces, '_ROUND', 16)


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pieces each work had."""
    found: list[int] = []
    each = host_threads.each

    def counted(function: Callable[[int, int], None], length: int, step: int) -> None:
        found.append(-(-length // step))
        each(function, length, step)

    monkeypatch.setattr(host_threads, 'each', counted)
    return found


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


X = values(*SHAPE)
PAIRS = {
    'same shape': (X, values(*SHAPE, seed=1)),
    'a number': (X, np.array(3, F32)),
    'a number first': (np.array(3, F32), X),
    'one element of rank 2': (X, values(1, 1)),
    'a line': (X, values(37)),
    'a line first': (values(37), X),
    'a line of rank 2': (X, values(1, 37)),
    'a column': (X, values(60, 1)),
    'both transposed': (values(37, 60).T, values(37, 60, seed=1).T),
    'transposed with a number': (values(37, 60).T, np.array(3, F32)),
    'rank 3': (values(20, 3, 37), values(3, 37)),
    'rank 1': (values(2000), values(2000, seed=1)),
}
UNCUT = {
    'one transposed': (X, values(37, 60).T),
    'strided': (values(120, 37)[::2], X),
    'an outer product': (values(60, 1), values(1, 37)),
    'few rows': (values(2, 1000), values(1000)),
    'small': (values(4), values(4)),
}


def compute(
    function: Callable[..., Any], arrays: tuple[np.ndarray, ...], takes_out: bool = True
) -> np.ndarray | None:
    whole = function(*arrays)
    return host_pieces.compute(function, arrays, whole.shape, whole.dtype, 256, takes_out)


@pytest.mark.parametrize('takes_out', [True, False])
@pytest.mark.parametrize('name', PAIRS)
def test_results_are_the_same_bits_in_the_same_layout(
    name: str, takes_out: bool, cuts: list[int]
) -> None:
    arrays = PAIRS[name]
    for function in (np.add, np.less, np.arctan2):
        whole, pieces = function(*arrays), compute(function, arrays, takes_out)
        assert pieces is not None
        assert pieces.dtype == whole.dtype
        assert pieces.strides == whole.strides
        assert pieces.flags.owndata
        np.testing.assert_array_equal(pieces, whole, strict=True)
    assert min(cuts) > 1


@pytest.mark.parametrize('takes_out', [True, False])
@pytest.mark.parametrize('name', ['same shape', 'a number first', 'a line'])
def test_a_result_goes_where_it_is_asked_for(name: str, takes_out: bool) -> None:
    arrays, out = PAIRS[name], np.empty(SHAPE, F32)
    given = host_pieces.compute(np.add, arrays, SHAPE, F32, 256, takes_out, out)
    assert given is out
    np.testing.assert_array_equal(out, np.add(*arrays), strict=True)


def test_transposed_arrays_are_left_where_the_result_is_not(cuts: list[int]) -> None:
    out = np.empty((37, 60), F32)
    arrays = (X.T, X.T)
    assert host_pieces.compute(np.add, arrays, out.shape, F32, 256, True, out) is None
    assert cuts == []


def test_a_result_may_go_into_an_input() -> None:
    x, other = X.copy(), values(37)
    given = host_pieces.compute(np.multiply, (x, other), SHAPE, F32, 256, True, x)
    assert given is x
    np.testing.assert_array_equal(x, X * other, strict=True)


@pytest.mark.parametrize('name', UNCUT)
def test_what_cannot_be_cut_alike_is_left(name: str, cuts: list[int]) -> None:
    assert compute(np.add, UNCUT[name]) is None
    assert cuts == []


def test_objects_are_left() -> None:
    text = np.array([b'ab'] * 1000, object)
    assert compute(np.add, (text, text)) is None


def test_one_thread_leaves_single_calls_and_cuts_others(
    monkeypatch: pytest.MonkeyPatch, cuts: list[int]
) -> None:
    monkeypatch.setattr(host_threads, '_standard', lambda: 1)
    assert compute(np.add, (X, X)) is None
    assert compute(lambda x: np.exp(x) + x, (X,), takes_out=False) is not None
    assert cuts == [23]


def test_a_step_is_at_least_the_grain(cuts: list[int]) -> None:
    x = values(1024)
    host_pieces.compute(np.exp, (x,), x.shape, x.dtype, 2048, True)
    assert cuts == [2]


def test_errors_come_through() -> None:
    def fail(x: np.ndarray) -> np.ndarray:
        raise MemoryError

    with pytest.raises(MemoryError):
        host_pieces.compute(fail, (X,), SHAPE, F32, 256, False)


@pytest.mark.parametrize(
    'source',
    [
        X,
        values(37, 60).T,
        values(120, 74)[::2, ::2],
        values(2000),
        values(3),
        np.array(1.0, F32),
        np.zeros((0, 3), F32),
        np.zeros((50, 50, 3), bool),
        np.array([b'a'] * 500, object),
        np.arange(5000).astype('>i4'),
        np.broadcast_to(values(1, 37), SHAPE),
    ],
    ids=str,
)
def test_copies_are_own_and_in_c_order(source: np.ndarray) -> None:
    copied = host_pieces.copy(source)
    np.testing.assert_array_equal(copied, source, strict=True)
    assert copied.flags.c_contiguous
    assert copied.flags.owndata
    assert copied.flags.writeable
    assert not np.shares_memory(copied, source)
    assert copied.dtype == source.dtype


def test_a_copy_into_a_view(cuts: list[int]) -> None:
    whole = np.zeros((60, 74), F32)
    host_pieces.copy_into(whole[:, ::2], X)
    np.testing.assert_array_equal(whole[:, ::2], X)
    assert not whole[:, 1::2].any()
    assert cuts


def test_a_copy_refuses_another_dtype() -> None:
    with pytest.raises(TypeError):
        host_pieces.copy_into(np.zeros(2000, np.float64), values(2000))


def test_a_write_reads_what_it_overwrites(cuts: list[int]) -> None:
    target = X.copy()
    assert host_pieces.write(lambda target, x: np.add(target, x, out=target), target, (X,))
    np.testing.assert_array_equal(target, X + X)
    assert cuts == [12]


def test_a_small_write_is_left() -> None:
    assert not host_pieces.write(lambda target: target.fill(1), np.zeros(4), ())


@pytest.mark.parametrize('takes_out', [True, False])
def test_an_empty_result_of_large_arrays_is_left(takes_out: bool) -> None:
    arrays = [values(5000, 1), values(5000, 0)]
    assert host_pieces.compute(np.add, arrays, (5000, 0), F32, 256, takes_out) is None
