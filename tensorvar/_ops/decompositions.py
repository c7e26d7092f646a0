"""Cholesky and QR factors."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _matrices,
    array_join,
    band,
    creation,
    diagonal,
    triangular,
)
from tensorvar._ops._gradient_helpers import Gradients

# Cholesky

_FACTOR_ERROR = 1e-3
"""No factor is as wrong as this, relative to the greatest element; what is left over where a
card found none is.
"""


def _cholesky(xp: Any, array: Array) -> Array:
    clean, bad = _matrices.without_bad(xp, xp.tril(array))
    clean = clean + bad * xp.eye(array.shape[-1], dtype=array.dtype)
    try:
        factor = xp.linalg.cholesky(clean)
    except np.linalg.LinAlgError:
        factor = _one_by_one(xp, clean)
    if array.size and _matrices.is_card(xp):
        bad = bad | ~is_factor(xp, factor, clean)
    return _matrices.with_nan(xp, xp.tril(xp.broadcast_to(bad, array.shape)), factor)


def is_factor(xp: Any, factor: Array, matrices: Array) -> Array:
    """Which results are factors indeed, as bools of shape ``(*batch, 1, 1)``.

    Args:
        xp: the array module.
        factor: lower triangular matrices.
        matrices: Hermitian matrices, of which the lower triangle counts.
    """
    product = xp.tril(factor @ _matrices.conjugate_transpose(factor))
    error = xp.abs(product - matrices).max(axis=(-2, -1), keepdims=True)
    size = xp.abs(matrices).max(axis=(-2, -1), keepdims=True)
    return xp.asarray(error <= _FACTOR_ERROR * size)


def _one_by_one(xp: Any, matrices: Array) -> Array:
    """The same for each matrix alone, so that one that is not positive spoils no other."""
    side = matrices.shape[-1]
    flat = matrices.reshape(math.prod(matrices.shape[:-2]), side, side)
    spoilt = xp.tril(xp.full((side, side), xp.nan, dtype=matrices.dtype))
    factors = [_or_else(xp, flat[index], spoilt) for index in range(flat.shape[0])]
    return xp.stack(factors).reshape(matrices.shape)


def _or_else(xp: Any, matrix: Array, otherwise: Array) -> Array:
    try:
        return xp.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return otherwise


def _cholesky_gradient(context: Any, gradient: Tensor) -> Gradients:
    """L^-H (lower half of L^H G) L^-1, made Hermitian."""
    factor = context.outputs[0]
    side = factor._shape[-1]
    inverse = triangular.triangular_solve(factor, creation.eye(side, dtype=factor.dtype))
    middle = _matrices.product(factor, gradient, 'adjoint')
    halved = diagonal.set_diag(middle, 0.5 * diagonal.diag_part(middle))
    right = _matrices.product(band.band_part(halved, -1, 0), inverse)
    result = _matrices.product(inverse, right, 'adjoint')
    return (0.5 * (result + _matrices.adjoint(result)),)


CHOLESKY = op_registry.register(
    OpDef(
        'Cholesky',
        _matrices.square_rule('Cholesky'),
        _cholesky,
        _cholesky_gradient,
        dtypes={'T': _matrices.FACTORED},
    )
)


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The lower triangular ``l`` with ``l @ adjoint(l)`` equal to the input.

    Args:
        input: Hermitian, positive definite matrices of float32, float64 or complex dtype;
            only the lower triangle is read. The gradient is made Hermitian.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``. The lower triangle of a factor is nan
        where there is none.

    Raises:
        InvalidArgumentError: matrices that are not square, or another dtype.
    """
    result: Tensor = executor.run(CHOLESKY, input)
    return result


# Qr


def _infer_qr(input: ArraySpec, *, full_matrices: bool) -> tuple[ArraySpec, ArraySpec]:
    _matrices.refuse_vectors('Qr', input)
    rows, columns = input.shape[-2:]
    inner = rows if full_matrices else _matrices.least(rows, columns)
    outer = _matrices.batch(input)
    return (
        ArraySpec((*outer, rows, inner), input.dtype),
        ArraySpec((*outer, inner, columns), input.dtype),
    )


def _qr(xp: Any, array: Array, *, full_matrices: bool) -> tuple[Array, Array]:
    wide = array.astype(dtypes.float32.numpy) if array.dtype.itemsize == 2 else array
    q, r = xp.linalg.qr(wide, mode='complete' if full_matrices else 'reduced')
    return q.astype(array.dtype), r.astype(array.dtype)


def _qr_gradient(context: Any, for_q: Tensor, for_r: Tensor) -> Gradients:
    q, r = context.outputs
    rows, columns = context.inputs[0]._shape[-2:]
    if rows > columns and context.attributes['full_matrices']:
        raise errors.UnimplementedError(
            f'[Qr] the gradient of full matrices was asked for with {rows} rows and {columns} '
            f'columns; there is none with more rows than columns; use full_matrices=False',
            'Qr',
        )
    if rows >= columns:
        return (_tall_gradient(q, r, for_q, for_r),)
    right, for_right = context.inputs[0][..., rows:], for_r[..., rows:]
    for_q = for_q + _matrices.product(right, for_right, 'none', 'adjoint')
    left = _tall_gradient(q, r[..., :rows], for_q, for_r[..., :rows])
    return (array_join.concat([left, _matrices.product(q, for_right)], axis=-1),)


def _tall_gradient(q: Tensor, r: Tensor, for_q: Tensor, for_r: Tensor) -> Tensor:
    """(G_Q + Q S) R^-H, where S is made of the upper half of G_R R^H - Q^H G_Q.

    S is Hermitian. That R has a real diagonal leaves only real numbers on S's.
    """
    mixed = _matrices.product(for_r, r, 'none', 'adjoint') - _matrices.product(q, for_q, 'adjoint')
    upper = band.band_part(mixed, 0, -1)
    hermitian = upper + _matrices.adjoint(upper)
    hermitian = diagonal.set_diag(hermitian, 0.5 * diagonal.diag_part(hermitian))
    total = for_q + _matrices.product(q, hermitian)
    solved = triangular.triangular_solve(r, _matrices.adjoint(total), lower=False)
    return _matrices.adjoint(solved)


QR = op_registry.register(
    OpDef(
        'Qr',
        _infer_qr,
        _qr,
        _qr_gradient,
        dtypes={'T': _matrices.FACTORED_OR_HALF},
        wide=True,
    )
)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Orthogonal ``q`` and upper triangular ``r`` with ``q @ r`` equal to the input.

    Args:
        input: floats (not bfloat16) or complex numbers of rank 2 or more.
        full_matrices: whether ``q`` is square, else it has ``min(rows, columns)`` columns.
        name: accepted for TensorFlow's sake.

    Returns:
        ``q`` and ``r``.

    Raises:
        InvalidArgumentError: the rank is below 2, or another dtype.
        UnimplementedError: from the gradient, with full matrices and more rows than columns.
    """
    q, r = executor.run(QR, input, full_matrices=bool(full_matrices))
    return q, r
