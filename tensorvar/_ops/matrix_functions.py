"""The exponential and the square root of matrices. Both compute in double precision."""

import math
from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _gradient_helpers,
    _index_checks,
    _matrices,
    array_join,
    array_shape,
    creation,
    solve,
)
from tensorvar._ops._gradient_helpers import Gradients

# MatrixExponential

_NORM_LIMIT = 5.371920351148152
"""Up to this 1-norm the approximant below is exact in double precision (Higham, 2005)."""

_COEFFICIENTS = tuple(
    float(math.factorial(26 - i) // (math.factorial(13 - i) * math.factorial(i))) for i in range(14)
)
"""Of the Pade approximant of degree 13, up to a common factor."""


def _exponential(xp: Any, array: Array) -> Array:
    if not array.size:
        return array
    clean, bad = _matrices.without_bad(xp, array)
    matrices = _matrices.in_double(clean)
    norms = xp.abs(matrices).sum(axis=-2, keepdims=True).max(axis=-1, keepdims=True)
    halvings = xp.ceil(xp.log2(xp.maximum(norms / _NORM_LIMIT, 1.0)))
    result = _approximant(xp, matrices / 2.0**halvings)
    for count in range(int(_index_checks.look(xp, halvings).max())):
        result = xp.where(halvings > count, result @ result, result)
    return _matrices.with_nan(xp, bad, result).astype(array.dtype)


def _approximant(xp: Any, matrices: Array) -> Array:
    """The quotient of polynomials: even terms plus odd terms over even minus odd."""
    square = matrices @ matrices
    power = xp.eye(matrices.shape[-1], dtype=matrices.dtype)
    even, odd = _COEFFICIENTS[0] * power, _COEFFICIENTS[1] * power
    for first, second in zip(_COEFFICIENTS[2::2], _COEFFICIENTS[3::2], strict=True):
        power = power @ square
        even, odd = even + first * power, odd + second * power
    odd = matrices @ odd
    return xp.linalg.solve(even - odd, even + odd)


def _exponential_gradient(context: Any, gradient: Tensor) -> Gradients:
    """The derivative at A^H in direction G: the corner of exp of [[A^H, G], [0, A^H]]."""
    matrices = _matrices.adjoint(context.inputs[0])
    side = matrices._shape[-1]
    upper = array_join.concat([matrices, gradient], axis=-1)
    lower = array_join.concat([creation.zeros_like(matrices), matrices], axis=-1)
    return (expm(array_join.concat([upper, lower], axis=-2))[..., :side, side:],)


EXPONENTIAL = op_registry.register(
    OpDef(
        'MatrixExponential',
        _matrices.square_rule('MatrixExponential'),
        _exponential,
        _exponential_gradient,
        dtypes={'T': _matrices.FACTORED},
    )
)


def expm(input: Any, name: str | None = None) -> Tensor:
    """The exponential of square matrices.

    Args:
        input: float32, float64 or complex numbers of shape ``(*batch, n, n)``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``; nan for a matrix with inf or nan.

    Raises:
        InvalidArgumentError: matrices that are not square, or another dtype.
    """
    result: Tensor = executor.run(EXPONENTIAL, input)
    return result


# MatrixSquareRoot

_MOST_STEPS = 40
_CONVERGED = 1e-14
_PLAUSIBLE = 1e-6


def _square_root(xp: Any, array: Array) -> Array:
    if not array.size:
        return array
    clean, bad = _matrices.without_bad(xp, array)
    matrices = _matrices.in_double(clean)
    side = array.shape[-1]
    flat = matrices.reshape(math.prod(array.shape[:-2]), side, side)
    roots = xp.stack([_root_of_one(xp, flat[index]) for index in range(flat.shape[0])])
    return _matrices.with_nan(xp, bad, roots.reshape(array.shape)).astype(array.dtype)


def _root_of_one(xp: Any, matrix: Array) -> Array:
    """By iteration; by eigenvalues where that fails: singular ones, and those with no root."""
    try:
        root = _by_iteration(xp, matrix)
        if root is None:
            root = _by_eigenvalues(xp, matrix)
    except np.linalg.LinAlgError:
        root = _by_eigenvalues(xp, matrix)
    error, size = xp.abs(root @ root - matrix).max(), xp.abs(matrix).max()
    return xp.where(error <= _PLAUSIBLE * size, root, xp.asarray(xp.nan, dtype=root.dtype))


def _by_iteration(xp: Any, matrix: Array) -> Array | None:
    """The scaled iteration of Denman and Beavers in product form (Higham, 2008, 6.29)."""
    side = matrix.shape[-1]
    identity = xp.eye(side, dtype=matrix.dtype)
    root = rest = matrix
    for _ in range(_MOST_STEPS):
        inverse = xp.linalg.inv(rest)
        scale = xp.exp(xp.linalg.slogdet(rest)[1] / (-2.0 * side))
        root = 0.5 * scale * root @ (identity + inverse / scale**2)
        rest = 0.5 * (identity + 0.5 * (scale**2 * rest + inverse / scale**2))
        distance = float(_index_checks.look(xp, xp.asarray(xp.abs(rest - identity).max())))
        if distance <= _CONVERGED * side:
            return root
    return None


def _by_eigenvalues(xp: Any, matrix: Array) -> Array:
    values, vectors = xp.linalg.eig(matrix)
    magnitudes = xp.abs(values)
    negligible = magnitudes <= 1e-14 * matrix.shape[-1] * magnitudes.max()
    roots = xp.sqrt(xp.where(negligible, 0.0, values).astype(np.complex128))
    vectors = vectors.astype(np.complex128)
    try:
        root = xp.linalg.solve(vectors.T, (vectors * roots).T).T
    except np.linalg.LinAlgError:
        return xp.full(matrix.shape, xp.nan, dtype=matrix.dtype)
    return root if matrix.dtype.kind == 'c' else root.real.copy()


def _square_root_gradient(context: Any, gradient: Tensor) -> Gradients:
    """Solves R^H X + X R^H = G for X, as one linear system over all elements."""
    root = _matrices.adjoint(context.outputs[0])
    side = root._shape[-1]
    identity = creation.eye(side, dtype=root.dtype)
    transposed = _gradient_helpers.conjugate(context.outputs[0])
    system = _kronecker(root, identity) + _kronecker(identity, transposed)
    column = array_shape.reshape(gradient, (*root._shape[:-2], side * side, 1))
    return (array_shape.reshape(solve.solve(system, column), root._shape),)


def _kronecker(a: Tensor, b: Tensor) -> Tensor:
    """The Kronecker products of square matrices of one size."""
    side = a._shape[-1]
    left = array_shape.reshape(a, (*a._shape[:-2], side, 1, side, 1))
    right = array_shape.reshape(b, (*b._shape[:-2], 1, side, 1, side))
    product: Tensor = left * right
    return array_shape.reshape(product, (*product._shape[:-4], side * side, side * side))


SQUARE_ROOT = op_registry.register(
    OpDef(
        'MatrixSquareRoot',
        _matrices.square_rule('MatrixSquareRoot'),
        _square_root,
        _square_root_gradient,
        dtypes={'T': _matrices.FACTORED},
    )
)


def sqrtm(input: Any, name: str | None = None) -> Tensor:
    """The principal square root of square matrices.

    Args:
        input: float32, float64 or complex numbers of shape ``(*batch, n, n)``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``; nan for a matrix that has no root of
        its dtype. The root of zeros is zeros (TensorFlow gives nan).

    Raises:
        InvalidArgumentError: matrices that are not square, or another dtype; from the
            gradient, a singular matrix.
    """
    result: Tensor = executor.run(SQUARE_ROOT, input)
    return result
