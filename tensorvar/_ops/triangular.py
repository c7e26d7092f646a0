"""Triangular systems, by substitution in blocks.

The algorithm is made of products of matrices alone, so it runs on every array module and
for every batch. A 0 on the diagonal gives inf or nan, as in TensorFlow.
"""

from typing import Any

from tensorvar import _shapes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _define, _matrices, band
from tensorvar._ops._gradient_helpers import Gradients, sum_to_shape

_OP = 'MatrixTriangularSolve'


def substitute(lower: Array, values: Array, *, unit: bool = False) -> None:
    """Solves ``lower @ x = values`` in place.

    Args:
        lower: lower triangular matrices; what is above the diagonal is not read.
        values: the right hand sides, with the full batch; they become the solutions.
        unit: whether the diagonal counts as ones and is not read either.
    """
    _substitute(lower, values, 0, values.shape[-2], unit)


def _substitute(lower: Array, values: Array, start: int, stop: int, unit: bool) -> None:
    """Solves for the rows from ``start`` on, of which earlier ones are already subtracted."""
    if stop - start > 1:
        middle = (start + stop) // 2
        _substitute(lower, values, start, middle, unit)
        done = lower[..., middle:stop, start:middle] @ values[..., start:middle, :]
        values[..., middle:stop, :] -= done
        _substitute(lower, values, middle, stop, unit)
    elif stop > start and not unit:
        values[..., start:stop, :] /= lower[..., start:stop, start:stop]


def _infer(matrix: ArraySpec, rhs: ArraySpec, *, lower: bool, adjoint: bool) -> ArraySpec:
    length = _matrices.side(_OP, matrix, 'matrix')
    _matrices.refuse_vectors(_OP, rhs, 'rhs')
    if not _arguments.same_dim(length, rhs.shape[-2]):
        raise errors.InvalidArgumentError(
            f'[{_OP}] matrices of shape {list(matrix.shape)} and right hand sides of shape '
            f'{list(rhs.shape)} were given; both must have as many rows; transpose or cut one',
            _OP,
        )
    outer = [ArraySpec(_matrices.batch(spec), spec.dtype) for spec in (matrix, rhs)]
    return ArraySpec((*_define.broadcast(_OP, *outer), *rhs.shape[-2:]), rhs.dtype)


def _forward(xp: Any, matrix: Array, rhs: Array, *, lower: bool, adjoint: bool) -> Array:
    outer = _shapes.broadcast_shapes(_OP, matrix.shape[:-2], rhs.shape[:-2])
    solution = xp.broadcast_to(rhs, (*outer, *rhs.shape[-2:])).copy()
    if adjoint:
        matrix, lower = _matrices.conjugate_transpose(matrix), not lower
    if lower:
        substitute(matrix, solution)
    else:
        # Read from the last row up, an upper triangle is a lower one.
        substitute(matrix[..., ::-1, ::-1], solution[..., ::-1, :])
    return solution


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    """With A X = B, B gets A^-H G, and A gets -A^-H G X^H within its triangle."""
    matrix, rhs = context.inputs
    lower, adjoint = context.attributes['lower'], context.attributes['adjoint']
    solution = context.outputs[0]
    for_rhs = triangular_solve(matrix, gradient, lower=lower, adjoint=not adjoint)
    left, right = (solution, for_rhs) if adjoint else (for_rhs, solution)
    outer = -_matrices.product(left, right, 'none', 'adjoint')
    for_matrix = band.band_part(outer, -1, 0) if lower else band.band_part(outer, 0, -1)
    return sum_to_shape(for_matrix, matrix._shape), sum_to_shape(for_rhs, rhs._shape)


TRIANGULAR_SOLVE = op_registry.register(
    OpDef(_OP, _infer, _forward, _gradient, inputs='T T', dtypes={'T': _matrices.FACTORED})
)


def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Solves ``matrix @ x = rhs`` for triangular matrices; the batches broadcast.

    Args:
        matrix: float32, float64 or complex square matrices, of which one triangle is read.
        rhs: right hand sides of the same dtype, of shape ``(*batch, rows, columns)``.
        lower: whether it is the lower triangle, else the upper one.
        adjoint: whether to solve with the conjugate transpose of that triangle.
        name: accepted for TensorFlow's sake.

    Returns:
        The solutions; inf or nan where the diagonal holds a 0.

    Raises:
        InvalidArgumentError: shapes that do not fit, or another dtype.
    """
    result: Tensor = executor.run(
        TRIANGULAR_SOLVE, matrix, rhs, lower=bool(lower), adjoint=bool(adjoint)
    )
    return result


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Solves ``a @ x = rhs`` given the Cholesky factor of ``a``.

    Args:
        chol: what ``tv.linalg.cholesky(a)`` gives; its lower triangle is read.
        rhs: right hand sides of shape ``(*batch, rows, columns)``.
        name: accepted for TensorFlow's sake.

    Returns:
        The solutions.

    Raises:
        InvalidArgumentError: shapes that do not fit, or a wrong dtype.
    """
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)
