"""Work on rows in pieces: every row once, the same bits, whole arrays as results."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import host_rows, host_threads

PIECE = 64


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_rows, '_PIECE', PIECE)
    monkeypatch.setattr(host_rows, 'MANY', 0)
    monkeypatch.setattr(host_threads, '_standard', lambda: 3)


@pytest.mark.parametrize(('rows', 'width'), [(1, 1), (7, 9), (100, 3), (5, PIECE + 1), (64, 64)])
def test_each_row_is_computed_once(rows: int, width: int) -> None:
    seen = np.zeros(rows, np.int64)

    def count(start: int, stop: int) -> None:
        assert stop - start == 1 or (stop - start) * width <= PIECE
        seen[start:stop] += 1

    host_rows.each_piece(count, rows, width)
    assert (seen == 1).all()


def test_the_result_is_an_array_of_its_own() -> None:
    array = np.arange(120.0).reshape(4, 5, 6)

    def fill(rows: 'np.ndarray[tuple[int, int], np.dtype[np.float64]]', out: object) -> None:
        np.copyto(out, rows + 1)  # type: ignore[arg-type]

    result = host_rows.computed(fill, array)
    assert result.base is None
    assert (result == array + 1).all()


def test_what_is_cut() -> None:
    array = np.zeros((4, 6))
    assert host_rows.are_many(array, -1)
    assert host_rows.are_many(array, 1)
    assert not host_rows.are_many(array, 0)
    assert not host_rows.are_many(array.T, -1)
    assert not host_rows.are_many(array[:, ::2], -1)


@pytest.mark.parametrize('function', [tv.nn.softmax, tv.nn.log_softmax])
@pytest.mark.parametrize('shape', [(1200, 7), (3, 700, 5), (2, 5000)])
@pytest.mark.parametrize('dtype', [np.float32, np.float64, np.float16])
def test_pieces_give_the_bits_of_the_whole(
    function: object, shape: tuple[int, ...], dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(function)
    logits = np.random.default_rng(0).normal(0, 30, shape).astype(dtype)
    logits[0] = -np.inf
    logits[1, ..., 2] = np.nan
    cut = function(tv.constant(logits)).numpy()
    monkeypatch.setattr(host_rows, 'MANY', 1 << 30)
    whole = function(tv.constant(logits)).numpy()
    assert cut.dtype == whole.dtype
    assert cut.tobytes() == whole.tobytes()
