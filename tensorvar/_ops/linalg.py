"""Matrices above products: transposes, diagonals, traces, contractions, norms."""

import math
from typing import Any

from tensorvar import _shapes, errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    array_layout,
    array_shape,
    diagonal,
    matmul,
    reduction,
    spectral,
    statistics,
)

Ints = tuple[int, ...]


def matrix_transpose(
    a: Any, name: str | None = 'matrix_transpose', conjugate: bool = False
) -> Tensor:
    """Swaps the last two axes.

    Args:
        a: values of rank 2 or more.
        name: accepted for TensorFlow's sake.
        conjugate: whether complex values are conjugated too.

    Returns:
        A tensor that shares the elements of ``a``.

    Raises:
        InvalidArgumentError: the rank is below 2.
    """
    rank = _arguments.rank_of(a)
    if rank < 2:
        raise errors.InvalidArgumentError(
            f'[matrix_transpose] a value of rank {rank} was given; a matrix has rank 2 or more; '
            f'reshape it',
            'matrix_transpose',
        )
    return array_layout.transpose(a, (*range(rank - 2), rank - 1, rank - 2), conjugate)


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of the main diagonal of each matrix.

    Args:
        x: numbers of rank 2 or more.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``x.shape[:-2]``.

    Raises:
        InvalidArgumentError: the rank is below 2; ``x`` is boolean.
    """
    return reduction.reduce_sum(diagonal.diag_part(x), axis=-1)


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """Swaps the last two axes, and conjugates complex values.

    Args:
        matrix: values of rank 2 or more.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the dtype of ``matrix``.

    Raises:
        InvalidArgumentError: the rank is below 2.
    """
    return matrix_transpose(matrix, conjugate=True)


# Contractions


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Multiplies and sums over pairs of axes.

    Args:
        a: numbers.
        b: numbers of the dtype of ``a``.
        axes: a count n, for the last n axes of ``a`` with the first n of ``b``; or two
            lists of axes, one for each.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with the other axes of ``a``, then those of ``b``.

    Raises:
        InvalidArgumentError: an axis is out of range, or lengths differ.
    """
    shape_a, shape_b = _arguments.shape_of(a), _arguments.shape_of(b)
    over_a, over_b = _contracted_axes(axes, len(shape_a), len(shape_b))
    for i, j in zip(over_a, over_b, strict=True):
        if not _arguments.same_dim(shape_a[i], shape_b[j]):
            raise errors.InvalidArgumentError(
                f'[tensordot] axis {i} of shape {list(shape_a)} and axis {j} of shape '
                f'{list(shape_b)} were paired; their lengths must be equal; pair others',
                'tensordot',
            )
    left, free_a = _as_matrix(a, shape_a, over_a, free_first=True)
    right, free_b = _as_matrix(b, shape_b, over_b, free_first=False)
    return array_shape.reshape(matmul.matmul(left, right), (*free_a, *free_b))


def _contracted_axes(axes: Any, rank_a: int, rank_b: int) -> tuple[Ints, Ints]:
    read = conversion.host_integers(axes, 'tensordot', 'axes')
    if isinstance(read, int):
        if not 0 <= read <= min(rank_a, rank_b):
            raise errors.InvalidArgumentError(
                f'[tensordot] axes {read} was given for ranks {rank_a} and {rank_b}; `axes` must '
                f'not be larger than the number of dimensions; give fewer',
                'tensordot',
            )
        return tuple(range(rank_a - read, rank_a)), tuple(range(read))
    if not isinstance(read, tuple) or len(read) != 2:
        raise errors.InvalidArgumentError(
            f'[tensordot] axes {axes!r:.80} were given; allowed are a count or two lists of axes; '
            f'give [axes of a, axes of b]',
            'tensordot',
        )
    over_a, over_b = ((part,) if isinstance(part, int) else part for part in read)
    if len(over_a) != len(over_b):
        raise errors.InvalidArgumentError(
            f'[tensordot] {len(over_a)} axes of a and {len(over_b)} axes of b were given; they '
            f'are paired; give as many of each',
            'tensordot',
        )
    return (
        tuple(_shapes.normalize_axis('tensordot', axis, rank_a) for axis in over_a),
        tuple(_shapes.normalize_axis('tensordot', axis, rank_b) for axis in over_b),
    )


def _as_matrix(
    values: Any, shape: _shapes.PartialShape, over: Ints, *, free_first: bool
) -> tuple[Tensor, list[int]]:
    """The value as a matrix of free and contracted axes, and the free dimensions."""
    if None in shape or len(set(over)) != len(over):
        raise errors.InvalidArgumentError(
            f'[tensordot] axes {list(over)} of shape {list(shape)} were given; each axis may '
            f'come once, and all dimensions must be known; correct the axes',
            'tensordot',
        )
    dims = [dim or 0 for dim in shape]
    free = [axis for axis in range(len(dims)) if axis not in over]
    order = (*free, *over) if free_first else (*over, *free)
    rows, inner = math.prod(dims[i] for i in free), math.prod(dims[i] for i in over)
    moved = array_layout.transpose(values, order)
    matrix = array_shape.reshape(moved, (rows, inner) if free_first else (inner, rows))
    return matrix, [dims[i] for i in free]


# Norms


def norm(
    tensor: Any,
    ord: Any = 'euclidean',
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        tensor: floats or complex numbers; integers for the orders 1 and infinity.
        ord: 'euclidean', or a positive number p, or infinity; for matrices 'euclidean' and
            'fro' (the root of the sum of squares), 1, 2 (the greatest singular value) and
            infinity.
        axis: None to take all elements as one vector; one axis of vectors; or two axes of
            matrices.
        keepdims: whether the reduced axes stay, with length 1.
        name: accepted for TensorFlow's sake.

    Returns:
        The norms, in the dtype of ``tensor`` ('euclidean') or its real dtype.

    Raises:
        InvalidArgumentError: an unknown ``ord``, three or more axes, one axis twice, or a
            dtype that the order does not take.
    """
    tensor = conversion.convert_to_tensor(tensor)
    inexact = tensor.dtype.is_floating or tensor.dtype.is_complex
    if not inexact and not (tensor.dtype.is_integer and ord in (1, math.inf)):
        raise errors.InvalidTypeError(
            f'[norm] {tensor.dtype.name} was given for ord {ord!r}; allowed are floats and '
            f'complex numbers, and integers for 1 and infinity; tv.cast it first',
            'norm',
        )
    axes = _arguments.axes('norm', axis)
    keep = bool(keepdims)
    if isinstance(axes, tuple):
        if len(axes) != 2 or axes[0] == axes[1]:
            raise errors.InvalidArgumentError(
                f"[norm] axes {list(axes)} were given; 'axis' must be None, an integer, or two "
                f'unique integers for matrices; reshape the tensor',
                'norm',
            )
        return _matrix_norm(tensor, ord, (axes[0], axes[1]), keep)
    return _vector_norm(tensor, ord, axes, keep)


def _vector_norm(tensor: Tensor, ord: Any, axis: int | None, keepdims: bool) -> Tensor:
    if ord in ('euclidean', 2):
        return statistics.reduce_euclidean_norm(tensor, axis, keepdims)
    if isinstance(ord, str) or not ord > 0:
        raise errors.InvalidArgumentError(
            f"[norm] ord {ord!r} was given; 'ord' must be a supported vector norm: 'euclidean', "
            f'a positive number or infinity; give one of them',
            'norm',
        )
    magnitude = abs(tensor)
    if ord == math.inf:
        return reduction.reduce_max(magnitude, axis, keepdims)
    if ord == 1:
        return reduction.reduce_sum(magnitude, axis, keepdims)
    result: Tensor = reduction.reduce_sum(magnitude**ord, axis, keepdims) ** (1.0 / ord)
    return result


def _matrix_norm(tensor: Tensor, ord: Any, axes: tuple[int, int], keepdims: bool) -> Tensor:
    if ord in ('euclidean', 'fro'):
        return statistics.reduce_euclidean_norm(tensor, list(axes), keepdims)
    if ord not in (1, 2, math.inf):
        raise errors.InvalidArgumentError(
            f"[norm] ord {ord!r} was given; 'ord' must be a supported matrix norm: 'euclidean', "
            f"'fro', 1, 2 or infinity; give one of them",
            'norm',
        )
    rank = len(tensor._shape)
    rows, columns = (_shapes.normalize_axis('norm', axis, rank) for axis in axes)
    if ord == 2:
        greatest = _greatest_singular_value(tensor, rows, columns)
    else:
        summed, searched = (rows, columns) if ord == 1 else (columns, rows)
        totals = reduction.reduce_sum(abs(tensor), summed, keepdims=True)
        greatest = reduction.reduce_max(totals, searched, keepdims=True)
    return greatest if keepdims else array_shape.squeeze(greatest, [rows, columns])


def _greatest_singular_value(tensor: Tensor, rows: int, columns: int) -> Tensor:
    """Of each matrix, with the axes of rows and columns kept as 1."""
    others = [axis for axis in range(len(tensor._shape)) if axis not in (rows, columns)]
    matrices = array_layout.transpose(tensor, (*others, rows, columns))
    values = spectral.svd(matrices, compute_uv=False)
    kept = [1 if axis in (rows, columns) else dim for axis, dim in enumerate(tensor._shape)]
    return array_shape.reshape(reduction.reduce_max(values, axis=-1), kept)
