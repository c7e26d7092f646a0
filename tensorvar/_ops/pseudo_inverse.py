"""The pseudo-inverse of Moore and Penrose, and the rank of matrices."""

from typing import Any

import ml_dtypes
import numpy as np

from tensorvar import _shapes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, _matrices, comparison, creation, reduction, spectral
from tensorvar._ops._gradient_helpers import Gradients, sum_to_shape

_OP = 'MatrixPseudoInverse'


def _infer(a: ArraySpec, rcond: ArraySpec) -> ArraySpec:
    _matrices.refuse_vectors(_OP, a, 'a')
    outer = _define.broadcast(_OP, ArraySpec(_matrices.batch(a), a.dtype), rcond)
    return ArraySpec((*outer, a.shape[-1], a.shape[-2]), a.dtype)


def _forward(xp: Any, a: Array, rcond: Array) -> Array:
    clean, bad = _matrices.without_bad(xp, a)
    u, values, adjoint_v = xp.linalg.svd(clean, full_matrices=False)
    if values.size:
        limit = xp.expand_dims(rcond.real, -1) * values.max(axis=-1, keepdims=True)
        # As in TensorFlow, small singular values count as infinite: they leave nothing.
        values = xp.where(values > limit, values, xp.asarray(xp.inf, dtype=values.dtype))
    v = _matrices.conjugate_transpose(adjoint_v)
    inverse = (v / xp.expand_dims(values, -2)) @ _matrices.conjugate_transpose(u)
    outer = _shapes.broadcast_shapes(_OP, a.shape[:-2], rcond.shape)
    inverse = xp.broadcast_to(inverse, (*outer, *inverse.shape[-2:]))
    return _matrices.with_nan(xp, bad, inverse).astype(a.dtype)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    """By Golub and Pereyra, as long as the rank does not change.

    With P = A^+: -P^H G P^H + (I - A P) G^H P P^H + P^H P G^H (I - P A).
    """
    a = context.inputs[0]
    inverse = context.outputs[0]
    rows, columns = a._shape[-2:]
    inner = _matrices.product(gradient, inverse, 'none', 'adjoint')
    result = -_matrices.product(inverse, inner, 'adjoint')
    back = _matrices.adjoint(gradient)
    left = creation.eye(rows, dtype=a.dtype) - _matrices.product(a, inverse)
    square = _matrices.product(inverse, inverse, 'none', 'adjoint')
    result = result + _matrices.product(_matrices.product(left, back), square)
    right = creation.eye(columns, dtype=a.dtype) - _matrices.product(inverse, a)
    square = _matrices.product(inverse, inverse, 'adjoint')
    result = result + _matrices.product(_matrices.product(square, back), right)
    return sum_to_shape(result, a._shape), None


PSEUDO_INVERSE = op_registry.register(
    OpDef(_OP, _infer, _forward, _gradient, inputs='T T', dtypes={'T': _matrices.FACTORED})
)


def run(a: Any, rcond: Any) -> Tensor:
    """Runs the op, on complex matrices too.

    Args:
        a: matrices of rank 2 or more.
        rcond: which share of the greatest singular value is too small, per matrix.
    """
    result: Tensor = executor.run(PSEUDO_INVERSE, a, rcond)
    return result


def _tolerance(op: str, a: Tensor) -> float:
    """The greater of the sides times epsilon, for matrices of real floats.

    Raises:
        InvalidArgumentError: another dtype or rank, as in TensorFlow.
    """
    if not a.dtype.is_floating:
        raise errors.InvalidTypeError(
            f'[{op}] Input `a` must have `float`-like `dtype`, but {a.dtype.name} was given; '
            f'tv.cast it first',
            op,
        )
    return float(ml_dtypes.finfo(a.dtype.numpy).eps) * max(
        _matrices.known_sides(op, a._spec(), 'a')
    )


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverse of matrices.

    Args:
        a: float32 or float64 matrices of rank 2 or more.
        rcond: singular values of at most this share of the greatest count as 0; one number,
            or one for each matrix. None for ``10 * max(rows, columns) * epsilon``.
        validate_args: accepted for TensorFlow's sake; shapes are always checked.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(*batch, columns, rows)``.

    Raises:
        InvalidArgumentError: the rank is below 2, or another dtype.
    """
    a = conversion.convert_to_tensor(a)
    tolerance = _tolerance('pinv', a)
    return run(a, 10.0 * tolerance if rcond is None else rcond)


def matrix_rank(
    a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """How many singular values of each matrix count.

    Args:
        a: float32 or float64 matrices of rank 2 or more.
        tol: singular values of at most this count as 0; None for
            ``max(rows, columns) * epsilon`` times the greatest of the matrix.
        validate_args: accepted for TensorFlow's sake; shapes are always checked.
        name: accepted for TensorFlow's sake.

    Returns:
        An int32 tensor of shape ``a.shape[:-2]``.

    Raises:
        InvalidArgumentError: the rank is below 2, or another dtype.
    """
    a = conversion.convert_to_tensor(a, dtype_hint='float32')
    tolerance = _tolerance('matrix_rank', a)
    values = spectral.svd(a, compute_uv=False)
    if tol is None:
        tol = tolerance * reduction.reduce_max(values, axis=-1, keepdims=True)
    counted = executor.run(OPS['Cast'], comparison.greater(values, tol), dtype=np.dtype('int32'))
    return reduction.reduce_sum(counted, axis=-1)
