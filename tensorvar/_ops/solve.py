"""Linear systems, inverses and least squares."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _matrices,
    _value_checks,
    creation,
    decompositions,
    matmul,
    pseudo_inverse,
    triangular,
)
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32

_SINGULAR = (
    'a matrix that is not invertible was given; it must have full rank and no nan; '
    'use tv.linalg.pinv or tv.linalg.lstsq'
)


def _checked(xp: Any, op: str, matrices: Array, compute: Callable[[], Array]) -> Array:
    """Runs ``compute``, with the error for singular matrices.

    On a card the results of singular matrices are inf or nan, which is an error only where
    values may be read.
    """
    nans = xp.isnan(matrices).any(axis=(-2, -1))
    _value_checks.refuse_where(xp, xp.asarray(nans), op, _SINGULAR)
    try:
        with _matrices.told_of_failures(xp):
            result = compute()
    except np.linalg.LinAlgError as error:
        raise errors.InvalidArgumentError(f'[{op}] {_SINGULAR}', op) from error
    if _matrices.is_card(xp):
        _value_checks.refuse_where(xp, ~xp.isfinite(result), op, _SINGULAR)
    return result


# MatrixInverse


@in_float32
def _inverse(xp: Any, array: Array, *, adjoint: bool) -> Array:
    matrices = _matrices.conjugate_transpose(array) if adjoint else array
    return _checked(xp, 'MatrixInverse', array, lambda: _invert(xp, matrices))


def _invert(xp: Any, matrices: Array) -> Array:
    if matrices.ndim == 2 or not _matrices.is_card(xp):
        return xp.linalg.inv(matrices)
    # Of a singular matrix in a batch, cuBLAS says that it writes no inverse: memory would
    # stay as it was. A system with such a matrix has inf or nan as its solution.
    ones = xp.eye(matrices.shape[-1], dtype=matrices.dtype)
    return xp.linalg.solve(matrices, xp.broadcast_to(ones, matrices.shape))


def _inverse_gradient(context: Any, gradient: Tensor) -> Gradients:
    """With Y = A^-1, A gets -Y^H G Y^H; with Y = A^-H, it gets -Y G^H Y."""
    inverse = context.outputs[0]
    if context.attributes['adjoint']:
        inner = _matrices.product(gradient, inverse, 'adjoint')
        return (-_matrices.product(inverse, inner),)
    inner = _matrices.product(gradient, inverse, 'none', 'adjoint')
    return (-_matrices.product(inverse, inner, 'adjoint'),)


INVERSE = op_registry.register(
    OpDef(
        'MatrixInverse',
        _matrices.square_rule('MatrixInverse'),
        _inverse,
        _inverse_gradient,
        dtypes={'T': _matrices.FACTORED_OR_HALF},
        wide=True,
    )
)


def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Inverses of square matrices.

    Args:
        input: floats (not bfloat16) or complex numbers of shape ``(*batch, n, n)``.
        adjoint: whether to invert the conjugate transpose.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``.

    Raises:
        InvalidArgumentError: a singular matrix, one that is not square, or another dtype. On a
            real GPU the inverse of a singular matrix is inf or nan, unless
            ``set_synchronous(True)`` was called.
    """
    result: Tensor = executor.run(INVERSE, input, adjoint=bool(adjoint))
    return result


# MatrixSolve


def _infer_solve(matrix: ArraySpec, rhs: ArraySpec, *, adjoint: bool) -> ArraySpec:
    length = _matrices.side('MatrixSolve', matrix, 'matrix')
    batch = _arguments.merged(_matrices.batch(matrix), _matrices.batch(rhs))
    if (
        len(rhs.shape) != len(matrix.shape)
        or batch is None
        or not _arguments.same_dim(length, rhs.shape[-2])
    ):
        raise errors.InvalidArgumentError(
            f'[MatrixSolve] matrices of shape {list(matrix.shape)} and right hand sides of shape '
            f'{list(rhs.shape)} were given; ranks, batches and rows must be equal; use '
            f'tv.broadcast_to, or tv.expand_dims for vectors',
            'MatrixSolve',
        )
    return ArraySpec((*batch, length, rhs.shape[-1]), rhs.dtype)


def _solve(xp: Any, matrix: Array, rhs: Array, *, adjoint: bool) -> Array:
    left = _matrices.conjugate_transpose(matrix) if adjoint else matrix
    return _checked(xp, 'MatrixSolve', matrix, lambda: xp.linalg.solve(left, rhs))


def _solve_gradient(context: Any, gradient: Tensor) -> Gradients:
    matrix = context.inputs[0]
    adjoint = context.attributes['adjoint']
    solution = context.outputs[0]
    for_rhs = solve(matrix, gradient, adjoint=not adjoint)
    left, right = (solution, for_rhs) if adjoint else (for_rhs, solution)
    return -_matrices.product(left, right, 'none', 'adjoint'), for_rhs


SOLVE = op_registry.register(
    OpDef(
        'MatrixSolve',
        _infer_solve,
        _solve,
        _solve_gradient,
        inputs='T T',
        dtypes={'T': _matrices.FACTORED},
    )
)


def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Solves ``matrix @ x = rhs``.

    Args:
        matrix: float32, float64 or complex matrices of shape ``(*batch, n, n)``.
        rhs: right hand sides of the same dtype, of shape ``(*batch, n, k)``; the batches
            must be equal.
        adjoint: whether to solve with the conjugate transpose of ``matrix``.
        name: accepted for TensorFlow's sake.

    Returns:
        The solutions, of the shape of ``rhs``.

    Raises:
        InvalidArgumentError: a singular matrix (on a real GPU as for ``inv``), shapes that do
            not fit, or another dtype.
    """
    result: Tensor = executor.run(SOLVE, matrix, rhs, adjoint=bool(adjoint))
    return result


# Least squares


def lstsq(
    matrix: Any,
    rhs: Any,
    l2_regularizer: Any = 0.0,
    fast: bool = True,
    name: str | None = None,
) -> Tensor:
    """Solves ``matrix @ x = rhs`` in the sense of least squares.

    Args:
        matrix: float32, float64 or complex matrices of shape ``(*batch, m, n)``.
        rhs: right hand sides of the same dtype, of shape ``(*batch, m, k)``.
        l2_regularizer: this times the square of the norm of the solution is minimised too.
        fast: whether to solve the normal equations, which needs full rank; otherwise the
            pseudo-inverse is used, and ``l2_regularizer`` is ignored.
        name: accepted for TensorFlow's sake.

    Returns:
        The solutions, of shape ``(*batch, n, k)``: of several, that of least norm. The fast
        way gives nan for matrices that lack full rank.

    Raises:
        InvalidArgumentError: shapes that do not fit, or another dtype.
        UnimplementedError: complex128 with a regularizer, as in TensorFlow.
    """
    matrix = conversion.convert_to_tensor(matrix)
    rhs = conversion.convert_to_tensor(rhs, dtype_hint=matrix.dtype)
    rows, columns = _matrices.known_sides('lstsq', matrix._spec(), 'matrix')
    _matrices.refuse_vectors('lstsq', rhs._spec(), 'rhs')
    if not _arguments.same_dim(rhs._spec().shape[-2], rows):
        raise errors.InvalidArgumentError(
            f'[lstsq] matrix of shape {list(matrix._spec().shape)} and rhs of shape '
            f'{list(rhs._spec().shape)} were given; they must have as many rows; transpose or '
            f'cut one',
            'lstsq',
        )
    if not fast:
        epsilon = float(np.finfo(_matrices.real_dtype(matrix.dtype.numpy)).eps)
        inverse = pseudo_inverse.run(matrix, epsilon * min(rows, columns))
        return matmul.matmul(inverse, rhs)
    regularized = isinstance(l2_regularizer, Tensor) or l2_regularizer != 0
    if regularized and matrix.dtype.name == 'complex128':
        raise errors.UnimplementedError(
            '[lstsq] a regularizer was given for complex128 matrices; there is none for them, as '
            'in TensorFlow; leave it out, or add its root times the identity below the matrix',
            'lstsq',
        )
    return _by_normal_equations(matrix, rhs, l2_regularizer if regularized else None)


def _by_normal_equations(matrix: Tensor, rhs: Tensor, regularizer: Any) -> Tensor:
    rows, columns = matrix._shape[-2:]
    tall = rows >= columns
    gram = matmul.matmul(matrix, matrix, adjoint_a=tall, adjoint_b=not tall)
    if regularizer is not None:
        gram = gram + regularizer * creation.eye(min(rows, columns), dtype=matrix.dtype)
    factor = decompositions.cholesky(gram)
    if tall:
        return triangular.cholesky_solve(factor, matmul.matmul(matrix, rhs, adjoint_a=True))
    return matmul.matmul(matrix, triangular.cholesky_solve(factor, rhs), adjoint_a=True)
