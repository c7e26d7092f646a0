"""What the ops of linear algebra share: rules, adjoints, matrices that are not finite."""

import contextlib
from typing import Any

import numpy as np

from tensorvar import _optional, _shapes, dtypes, errors
from tensorvar._backend import gpu_discovery
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _index_checks, array_layout, array_shape, matmul

FACTORED = frozenset(
    d.numpy for d in (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)
)
"""The dtypes that have factorisations."""

FACTORED_OR_HALF = FACTORED | {dtypes.float16.numpy}

_REAL_OF = {
    dtypes.complex64.numpy: dtypes.float32.numpy,
    dtypes.complex128.numpy: dtypes.float64.numpy,
}
_DOUBLE_OF = {'f': dtypes.float64.numpy, 'c': dtypes.complex128.numpy}


def refuse_vectors(op: str, spec: ArraySpec, argument: str = 'input') -> None:
    """Raises unless the rank is 2 or more.

    Raises:
        InvalidArgumentError: the rank is below 2.
    """
    if len(spec.shape) < 2:
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} of shape {list(spec.shape)} was given; it must be at least 2-dim '
            f'(rank >= 2), the last two axes being rows and columns; reshape it',
            op,
        )


def side(op: str, spec: ArraySpec, argument: str = 'input') -> int | None:
    """The length of the sides of square matrices; None while it is unknown.

    Raises:
        InvalidArgumentError: the rank is below 2, or the matrices are not square.
    """
    refuse_vectors(op, spec, argument)
    rows, columns = spec.shape[-2:]
    if rows is None or columns is None:
        return columns if rows is None else rows
    if rows != columns:
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} of shape {list(spec.shape)} was given; the matrix must be square; '
            f'cut or pad it',
            op,
        )
    return rows


def known_sides(op: str, spec: ArraySpec, argument: str) -> tuple[int, int]:
    """The rows and columns of matrices, for functions that decide by them.

    Raises:
        InvalidArgumentError: the rank is below 2, or one of them is unknown.
    """
    refuse_vectors(op, spec, argument)
    rows, columns = spec.shape[-2:]
    if rows is None or columns is None:
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} of shape {list(spec.shape)} was given; rows and columns must be '
            f'known; give them in the input signature',
            op,
        )
    return rows, columns


def square_rule(op: str) -> Any:
    """The rule of ops that give a square matrix for each square matrix."""

    def infer(input: ArraySpec, **attributes: Any) -> ArraySpec:
        length = side(op, input)
        return ArraySpec((*input.shape[:-2], length, length), input.dtype)

    return infer


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the parts of a complex dtype; other dtypes themselves."""
    return _REAL_OF.get(dtype, dtype)


def in_double(array: Array) -> Array:
    """The array in double precision."""
    return array.astype(_DOUBLE_OF[array.dtype.kind])


def least(first: int | None, second: int | None) -> int | None:
    """The smaller of two dimensions, None while one is unknown."""
    return None if first is None or second is None else min(first, second)


def batch(spec: ArraySpec) -> _shapes.PartialShape:
    """The dimensions before the rows and columns."""
    return spec.shape[:-2]


def without_bad(xp: Any, matrices: Array) -> tuple[Array, Array]:
    """Replaces matrices with an inf or a nan by zeros, on which no algorithm fails.

    Args:
        xp: the array module.
        matrices: of rank 2 or more.

    Returns:
        The matrices, and bools of shape ``(*batch, 1, 1)`` that mark the replaced ones.
    """
    good = xp.isfinite(matrices).all(axis=(-2, -1), keepdims=True)
    return xp.where(good, matrices, xp.zeros_like(matrices)), ~xp.asarray(good)


def with_nan(xp: Any, bad: Array, values: Array) -> Array:
    """Sets what belongs to the marked matrices to nan."""
    return xp.where(bad, xp.asarray(xp.nan, dtype=values.dtype), values)


def is_card(xp: Any) -> bool:
    """Whether the array module is CuPy, whose factorisations fail without saying so."""
    return getattr(xp, '__name__', '') == 'cupy'


def told_of_failures(xp: Any) -> contextlib.AbstractContextManager[Any]:
    """Inside, a failed factorisation raises ``LinAlgError``.

    With CuPy only where values may be looked at, as it waits for the card then.
    """
    if not (is_card(xp) and _index_checks.may_look(xp)):
        return contextlib.nullcontext()
    cupyx = _optional.load('cupyx', gpu_discovery.cupy_requirement())
    return cupyx.errstate(linalg='raise')  # type: ignore[no-any-return]


def conjugate_transpose(array: Array) -> Array:
    """The adjoint of an array of matrices."""
    swapped = array.swapaxes(-1, -2)
    return swapped.conj() if array.dtype.kind == 'c' else swapped


def adjoint(matrices: Tensor) -> Tensor:
    """The adjoint of matrices, as an op."""
    rank = len(matrices._shape)
    order = (*range(rank - 2), rank - 1, rank - 2)
    return array_layout.transpose(matrices, order, matrices.dtype.is_complex)


def product(a: Tensor, b: Tensor, form_a: str = 'none', form_b: str = 'none') -> Tensor:
    """The product of matrices, each in its form; see ``matmul.multiply``."""
    return matmul.multiply(a, b, form_a, form_b)


def columns_scaled(matrices: Tensor, scales: Tensor) -> Tensor:
    """Each column times its own number."""
    result: Tensor = matrices * array_shape.expand_dims(scales, -2)
    return result


def as_matrices(values: Tensor) -> Tensor:
    """One number for each matrix, in a shape that broadcasts to the matrices."""
    return array_shape.reshape(values, (*values._shape, 1, 1))


def safe_reciprocal(values: Tensor) -> Tensor:
    """``1 / values``, and 0 where that would be infinite."""
    result: Tensor = values / (values * values + 1e-20)
    return result
