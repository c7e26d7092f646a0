"""Arrays become the fewest problems, and the problems cover them."""

import ctypes
from typing import Any

import numpy as np
import pytest

from tensorvar._cuda import matmul_batch


def arrange(a: np.ndarray, b: np.ndarray, **options: Any) -> tuple[matmul_batch.Piece, ...] | None:
    turned = {'transpose_a': False, 'transpose_b': False} | options
    m = a.shape[-1 if turned['transpose_a'] else -2]
    n = b.shape[-2 if turned['transpose_b'] else -1]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.zeros((*batch, m, n), a.dtype)
    return matmul_batch.arrange(a, b, out, precision='ieee', activation='none', **turned)


def multiply(a: np.ndarray, b: np.ndarray, **options: Any) -> np.ndarray:
    """The product, by way of the pieces."""
    pieces = arrange(a, b, **options)
    assert pieces is not None
    size = a.dtype.itemsize
    problem = pieces[0].problem
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    m = a.shape[-1 if options.get('transpose_a') else -2]
    n = b.shape[-2 if options.get('transpose_b') else -1]
    out = np.full((*batch, m, n), np.nan, a.dtype)

    def view(array: np.ndarray, offset: int, matrices: Any, rows: int, columns: int) -> np.ndarray:
        inner = (1, matrices.leading) if matrices.transposed else (matrices.leading, 1)
        strides = tuple(each * size for each in (matrices.stride, *inner))
        extents = (problem.batch, rows, columns)
        reach = sum((e - 1) * s for e, s in zip(extents, strides, strict=True)) + size
        memory = (ctypes.c_char * reach).from_address(array.ctypes.data + offset)
        return np.ndarray(extents, array.dtype, memory, 0, strides)

    for piece in pieces:
        problem = piece.problem
        x, y, z = piece.offsets
        left = view(a, x, problem.a, problem.m, problem.k)
        right = view(b, y, problem.b, problem.k, problem.n)
        view(out, z, problem.c, problem.m, problem.n)[...] = left @ right
    return out


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape)


SHAPES = (
    ((3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)),
    ((2, 6, 3, 4), (2, 6, 4, 5)), ((2, 6, 3, 4), (6, 4, 5)), ((2, 1, 3, 4), (6, 4, 5)),
    ((2, 1, 3, 3, 4), (1, 7, 1, 4, 5)), ((9, 1, 4), (4, 5)), ((9, 1, 4), (9, 4, 1)),
    ((2, 3, 1), (2, 1, 5)), ((1, 1), (1, 1)), ((2, 9, 1, 1), (1, 1)),
)  # fmt: skip


@pytest.mark.parametrize('shapes', SHAPES)
def test_the_pieces_cover_the_product(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    a, b = (draw(*shape) for shape in shapes)
    assert np.allclose(multiply(a, b), a @ b)
    turned_a, turned_b = (np.ascontiguousarray(each.swapaxes(-1, -2)) for each in (a, b))
    product = multiply(turned_a, turned_b, transpose_a=True, transpose_b=True)
    assert np.allclose(product, a @ b)
    # Views that are transposed by their strides.
    assert np.allclose(multiply(turned_a.swapaxes(-1, -2), b), a @ b)


def test_parts_of_larger_arrays() -> None:
    whole, other = draw(6, 8, 10), draw(3, 10, 12)
    a, b = whole[::2, 1:5, 2:9], other[:, :7, ::1]
    assert np.allclose(multiply(a, b), a @ b)
    assert np.allclose(multiply(a.swapaxes(0, 1), b[0, :, :3]), a.swapaxes(0, 1) @ b[0, :, :3])


def test_one_problem_where_one_is_enough() -> None:
    one = arrange(draw(2, 6, 3, 4), draw(2, 6, 4, 5))
    assert one is not None
    assert len(one) == 1
    assert one[0].problem.batch == 12


def test_a_shared_second_factor_makes_one_matrix() -> None:
    for a in (draw(2, 6, 3, 4), draw(12, 3, 8)[:, :, :4], draw(36, 1, 4)):
        pieces = arrange(a, draw(4, 5))
        assert pieces is not None
        assert len(pieces) == 1
        assert (pieces[0].problem.batch, pieces[0].problem.m) == (1, 36)


def test_the_longest_dimension_is_the_batch() -> None:
    pieces = arrange(draw(2, 1, 3, 3, 4), draw(1, 7, 1, 4, 5))
    assert pieces is not None
    assert len(pieces) == 6
    assert pieces[0].problem.batch == 7


def test_what_the_kernels_cannot_walk_over() -> None:
    square = draw(8, 8)
    assert arrange(square[:, ::2], draw(4, 5)) is None
    assert arrange(square[::-1], draw(8, 5)) is None
    assert arrange(draw(3, 8, 8)[::-1], draw(3, 8, 5)) is None
    # Rows that overlap.
    windows = np.lib.stride_tricks.sliding_window_view(draw(20), 5)
    assert arrange(windows, draw(5, 5)) is None
    # Elements at odd places of a structure.
    records = np.zeros((4, 4), [('a', 'f4'), ('b', 'i2')])
    assert arrange(records['a'], np.zeros((4, 4), np.float32)) is None


def test_vectors_are_matrices_of_any_layout() -> None:
    column = draw(9, 6)[:, 2:3]
    assert np.allclose(multiply(draw(4, 9), column), draw(4, 9) @ column)
    row = draw(6, 9)[2:3]
    assert np.allclose(multiply(row, draw(9, 4)), row @ draw(9, 4))
