"""LU factors with row exchanges, by halves.

The left half of the columns is factored first, then the right half below it; all else is
products of matrices. So it runs on every array module and for every batch.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _matrices,
    _value_checks,
    array_shape,
    band,
    creation,
    diagonal,
    gather,
    matmul,
    permutation_inverse,
    triangular,
)

_INDEX_TYPES = (dtypes.int32, dtypes.int64)


def factor(xp: Any, matrices: Array) -> tuple[Array, Array]:
    """The LU factors of matrices with at least as many rows as columns.

    Args:
        xp: the array module.
        matrices: of rank 3.

    Returns:
        Both factors in one array, and per matrix the order of its rows: taken in this
        order, they are the product of the factors.
    """
    columns = matrices.shape[-1]
    if columns <= 1:
        return _factor_column(xp, matrices)
    half = columns // 2
    left, order = factor(xp, matrices[..., :half])
    right = _take_rows(xp, matrices[..., half:], order)
    top = right[:, :half].copy()
    triangular.substitute(left[:, :half], top, unit=True)
    below, order_below = factor(xp, right[:, half:] - left[:, half:] @ top)
    left_below = _take_rows(xp, left[:, half:], order_below)
    order = xp.concatenate(
        [order[:, :half], xp.take_along_axis(order[:, half:], order_below, axis=1)], axis=1
    )
    upper = xp.concatenate([left[:, :half], top], axis=2)
    return xp.concatenate([upper, xp.concatenate([left_below, below], axis=2)], axis=1), order


def _factor_column(xp: Any, column: Array) -> tuple[Array, Array]:
    """Exchanges the first row with that of the greatest absolute value, and divides."""
    batch, rows, columns = column.shape
    order = xp.broadcast_to(xp.arange(rows), (batch, rows))
    if not columns or not column.size:
        return column, order
    pivot = xp.abs(column[:, :, 0]).argmax(axis=1)[:, None]
    order = xp.where(order == pivot, xp.zeros_like(pivot), order)
    order = xp.concatenate([pivot, order[:, 1:]], axis=1)
    exchanged = _take_rows(xp, column, order)
    return xp.concatenate([exchanged[:, :1], exchanged[:, 1:] / exchanged[:, :1]], axis=1), order


def _take_rows(xp: Any, matrices: Array, order: Array) -> Array:
    return xp.take_along_axis(matrices, order[:, :, None], axis=1)


def _infer(input: ArraySpec, *, output_idx_type: np.dtype[Any]) -> tuple[ArraySpec, ArraySpec]:
    length = _matrices.side('Lu', input)
    outer = _matrices.batch(input)
    return (
        ArraySpec((*outer, length, length), input.dtype),
        ArraySpec((*outer, length), output_idx_type),
    )


def _forward(xp: Any, array: Array, *, output_idx_type: np.dtype[Any]) -> tuple[Array, Array]:
    side = array.shape[-1]
    flat = array.reshape(math.prod(array.shape[:-2]), side, side)
    factors, order = factor(xp, flat)
    pivots = factors.diagonal(0, -2, -1)
    _value_checks.refuse_where(
        xp,
        ~(xp.abs(pivots) > 0),
        'Lu',
        'a matrix that is not invertible was given; it must have full rank and no nan; '
        'use tv.linalg.svd',
    )
    return factors.reshape(array.shape), order.reshape(array.shape[:-1]).astype(output_idx_type)


LU = op_registry.register(
    OpDef('Lu', _infer, _forward, NOT_DIFFERENTIABLE, dtypes={'T': _matrices.FACTORED})
)


class Factors(NamedTuple):
    """What ``lu`` gives."""

    lu: Tensor
    p: Tensor


def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> Factors:
    """LU factors of square matrices; as in TensorFlow, without a gradient.

    Args:
        input: float32, float64 or complex numbers of shape ``(*batch, n, n)``.
        output_idx_type: of the permutation: int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        Both factors in one tensor, the lower one without its ones; and the permutation
        ``p``: row ``i`` of the product of the factors is row ``p[i]`` of ``input``.

    Raises:
        InvalidArgumentError: a singular matrix, one that is not square, or another dtype. On a
            real GPU factors of a singular matrix hold inf or nan, unless
            ``set_synchronous(True)`` was called.
    """
    index_type = dtypes.as_dtype(output_idx_type)
    if index_type not in _INDEX_TYPES:
        raise errors.InvalidTypeError(
            f'[Lu] output_idx_type {index_type.name} was given; allowed are int32 and int64', 'Lu'
        )
    return Factors(*executor.run(LU, input, output_idx_type=index_type.numpy))


# What is made of the factors


def _read(op: str, lower_upper: Any, perm: Any) -> tuple[Tensor, Tensor]:
    factors = conversion.convert_to_tensor(lower_upper, dtype_hint='float32')
    order = conversion.convert_to_tensor(perm, dtype_hint='int32')
    _matrices.side(op, factors._spec(), 'lower_upper')
    if len(order._shape) != len(factors._shape) - 1:
        raise errors.InvalidArgumentError(
            f'[{op}] lower_upper of shape {list(factors._shape)} and perm of shape '
            f'{list(order._shape)} were given; perm must have one axis less; give both as '
            f'tv.linalg.lu gives them',
            op,
        )
    return factors, order


def _unit_lower(factors: Tensor) -> Tensor:
    ones = creation.ones(factors._shape[:-1], dtype=factors.dtype)
    return diagonal.set_diag(band.band_part(factors, -1, 0), ones)


def _rows_in_order(matrices: Tensor, order: Tensor) -> Tensor:
    return gather.gather(matrices, order, axis=-2, batch_dims=len(order._shape) - 1)


def lu_reconstruct(
    lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """The matrices of which ``lu`` gave the factors.

    Args:
        lower_upper: both factors.
        perm: the permutation.
        validate_args: accepted for TensorFlow's sake; shapes are always checked.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape of ``lower_upper``.

    Raises:
        InvalidArgumentError: shapes that do not fit, or an index out of range.
    """
    factors, order = _read('lu_reconstruct', lower_upper, perm)
    product = matmul.matmul(_unit_lower(factors), band.band_part(factors, 0, -1))
    return _rows_in_order(product, permutation_inverse.invert_permutation(order))


def lu_solve(
    lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """Solves ``a @ x = rhs``, where ``lu(a)`` gave the factors.

    Args:
        lower_upper: both factors.
        perm: the permutation.
        rhs: right hand sides, whose batch broadcasts.
        validate_args: accepted for TensorFlow's sake; shapes are always checked.
        name: accepted for TensorFlow's sake.

    Returns:
        The solutions.

    Raises:
        InvalidArgumentError: shapes that do not fit, or an index out of range.
    """
    factors, order = _read('lu_solve', lower_upper, perm)
    rhs = conversion.convert_to_tensor(rhs, dtype_hint=factors.dtype)
    spec = rhs._spec()
    _matrices.refuse_vectors('lu_solve', spec, 'rhs')
    if not _arguments.same_dim(spec.shape[-2], factors._shape[-1]):
        raise errors.InvalidArgumentError(
            f'[lu_solve] lower_upper of shape {list(factors._shape)} and rhs of shape '
            f'{list(spec.shape)} were given; they must have as many rows; transpose or cut one',
            'lu_solve',
        )
    outer = _shapes.broadcast_shapes('lu_solve', spec.shape[:-2], order._shape[:-1])
    rhs = array_shape.broadcast_to(rhs, (*outer, *spec.shape[-2:]))
    order = array_shape.broadcast_to(order, (*outer, order._shape[-1]))
    first = triangular.triangular_solve(_unit_lower(factors), _rows_in_order(rhs, order))
    return triangular.triangular_solve(factors, first, lower=False)


def lu_matrix_inverse(
    lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """The inverses of the matrices of which ``lu`` gave the factors; see ``lu_reconstruct``."""
    factors, _ = _read('lu_matrix_inverse', lower_upper, perm)
    shape = factors._shape
    identity = creation.eye(shape[-1], batch_shape=shape[:-2], dtype=factors.dtype)
    return lu_solve(lower_upper, perm, identity)
