"""Determinants and their logarithms."""

from typing import Any, NamedTuple

from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _gradient_helpers,
    _matrices,
    complex_parts,
    decompositions,
    diagonal,
    exponential,
    reduction,
    solve,
)
from tensorvar._ops._gradient_helpers import Gradients

# MatrixDeterminant


def _infer_det(input: ArraySpec) -> ArraySpec:
    _matrices.side('MatrixDeterminant', input)
    return ArraySpec(_matrices.batch(input), input.dtype)


def _det(xp: Any, array: Array) -> Array:
    return xp.asarray(xp.linalg.det(array)).astype(array.dtype)


def _det_gradient(context: Any, gradient: Tensor) -> Gradients:
    """G conj(det A) A^-H; TensorFlow leaves out the conjugate, which complex ones need."""
    scale = gradient * _gradient_helpers.conjugate(context.outputs[0])
    return (_matrices.as_matrices(scale) * solve.inv(context.inputs[0], adjoint=True),)


DET = op_registry.register(
    OpDef('MatrixDeterminant', _infer_det, _det, _det_gradient, dtypes={'T': _matrices.FACTORED})
)


def det(input: Any, name: str | None = None) -> Tensor:
    """Determinants of square matrices.

    Args:
        input: float32, float64 or complex numbers of shape ``(*batch, n, n)``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``batch`` of the same dtype. There is no gradient at a singular
        matrix, as in TensorFlow.

    Raises:
        InvalidArgumentError: matrices that are not square, or another dtype.
    """
    result: Tensor = executor.run(DET, input)
    return result


# LogMatrixDeterminant


def _infer_slogdet(input: ArraySpec) -> tuple[ArraySpec, ArraySpec]:
    _matrices.side('LogMatrixDeterminant', input)
    result = ArraySpec(_matrices.batch(input), input.dtype)
    return result, result


def _slogdet(xp: Any, array: Array) -> tuple[Array, Array]:
    sign, logarithm = map(xp.asarray, xp.linalg.slogdet(array))
    sign = _matrices.with_nan(xp, xp.isnan(logarithm), sign)
    return sign.astype(array.dtype), logarithm.astype(array.dtype)


def _slogdet_gradient(context: Any, for_sign: Tensor, for_logarithm: Tensor) -> Gradients:
    """Of the logarithm, G A^-H; a complex sign turns with the imaginary part of the same."""
    scale = for_logarithm
    if scale.dtype.is_complex:
        sign = context.outputs[0]
        turning = -complex_parts.imag(_gradient_helpers.conjugate(for_sign) * sign)
        scale = complex_parts.complex(complex_parts.real(for_logarithm), turning)
    return (_matrices.as_matrices(scale) * solve.inv(context.inputs[0], adjoint=True),)


SLOGDET = op_registry.register(
    OpDef(
        'LogMatrixDeterminant',
        _infer_slogdet,
        _slogdet,
        _slogdet_gradient,
        dtypes={'T': _matrices.FACTORED},
    )
)


class SignAndLogarithm(NamedTuple):
    """What ``slogdet`` gives."""

    sign: Tensor
    log_abs_determinant: Tensor


def slogdet(input: Any, name: str | None = None) -> SignAndLogarithm:
    """Signs, and logarithms of absolute values, of determinants.

    Args:
        input: float32, float64 or complex numbers of shape ``(*batch, n, n)``.
        name: accepted for TensorFlow's sake.

    Returns:
        The sign (0 for a singular matrix; of absolute value 1 for a complex one) and the
        logarithm (-inf for a singular matrix), both in the dtype of ``input``.

    Raises:
        InvalidArgumentError: matrices that are not square, or another dtype.
    """
    return SignAndLogarithm(*executor.run(SLOGDET, input))


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """Logarithms of the determinants of Hermitian, positive definite matrices.

    Args:
        matrix: float32, float64 or complex numbers of shape ``(*batch, n, n)``.
        name: accepted for TensorFlow's sake.

    Returns:
        A real tensor of shape ``batch``; nan where a matrix is not positive definite.

    Raises:
        InvalidArgumentError: matrices that are not square, or another dtype.
    """
    factor = decompositions.cholesky(matrix)
    roots = complex_parts.real(diagonal.diag_part(factor))
    result: Tensor = 2.0 * reduction.reduce_sum(exponential.log(roots), axis=-1)
    return result
