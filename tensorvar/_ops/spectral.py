"""Eigenvalues of Hermitian matrices, and singular values.

The signs (phases, for complex matrices) of the vectors are the library's choice: they may
differ between devices and from TensorFlow's. What does not depend on them agrees.
"""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _matrices,
    _value_checks,
    array_shape,
    band,
    complex_parts,
    creation,
    diagonal,
)
from tensorvar._ops._gradient_helpers import Gradients

# SelfAdjointEigV2


def _infer_eigh(input: ArraySpec, *, compute_v: bool) -> ArraySpec | tuple[ArraySpec, ArraySpec]:
    length = _matrices.side('SelfAdjointEigV2', input)
    outer = _matrices.batch(input)
    values = ArraySpec((*outer, length), input.dtype)
    if not compute_v:
        return values
    return values, ArraySpec((*outer, length, length), input.dtype)


def _eigh(xp: Any, array: Array, *, compute_v: bool) -> Array | tuple[Array, Array]:
    clean, bad = _matrices.without_bad(xp, xp.tril(array))
    _value_checks.refuse_where(
        xp,
        bad,
        'SelfAdjointEigV2',
        'a matrix with inf or nan was given; it has no eigenvalues; look for where they come from',
    )
    if not compute_v:
        values = xp.linalg.eigvalsh(clean, UPLO='L')
        return _matrices.with_nan(xp, bad[..., 0], values.astype(array.dtype))
    values, vectors = xp.linalg.eigh(clean, UPLO='L')
    return (
        _matrices.with_nan(xp, bad[..., 0], values.astype(array.dtype)),
        _matrices.with_nan(xp, bad, vectors),
    )


def _eigh_gradient(context: Any, for_values: Tensor, *for_vectors: Tensor) -> Gradients:
    """V (diag(g) + F * (V^H G)) V^H with F_ij = 1 / (e_j - e_i), moved to the lower half."""
    if context.attributes['compute_v']:
        values, vectors = context.outputs
        inner = _differences(values) * _matrices.product(vectors, for_vectors[0], 'adjoint')
    else:
        values, vectors = eigh(context.inputs[0])
        inner = creation.zeros_like(vectors)
    inner = diagonal.set_diag(inner, _real_part(for_values))
    right = _matrices.product(inner, vectors, 'none', 'adjoint')
    full = _matrices.product(vectors, right)
    lower = band.band_part(full + _matrices.adjoint(full), -1, 0)
    return (diagonal.set_diag(lower, 0.5 * diagonal.diag_part(lower)),)


def _differences(values: Tensor) -> Tensor:
    """``1 / (values[j] - values[i])``, 0 where they are equal."""
    columns, rows = array_shape.expand_dims(values, -2), array_shape.expand_dims(values, -1)
    return _matrices.safe_reciprocal(columns - rows)


def _real_part(values: Tensor) -> Tensor:
    """The values without their imaginary part, in their own dtype."""
    if not values.dtype.is_complex:
        return values
    return _cast_like(complex_parts.real(values), values)


def _cast_like(values: Tensor, like: Tensor) -> Tensor:
    result: Tensor = executor.run(OPS['Cast'], values, dtype=like.dtype.numpy)
    return result


EIGH = op_registry.register(
    OpDef(
        'SelfAdjointEigV2',
        _infer_eigh,
        _eigh,
        _eigh_gradient,
        dtypes={'T': _matrices.FACTORED},
    )
)


def eigh(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of Hermitian matrices.

    The signs of the vectors may differ from TensorFlow's and between devices. The gradient
    of vectors is that of TensorFlow: terms of equal eigenvalues are left out.

    Args:
        tensor: float32, float64 or complex matrices; only the lower triangle is read.
        name: accepted for TensorFlow's sake.

    Returns:
        The eigenvalues in rising order, in the dtype of ``tensor``, and the eigenvectors as
        columns.

    Raises:
        InvalidArgumentError: matrices that are not square or hold inf or nan; another dtype. A
            real GPU gives nan for matrices with inf or nan, unless ``set_synchronous(True)``
            was called.
    """
    values, vectors = executor.run(EIGH, tensor, compute_v=True)
    return values, vectors


def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """Eigenvalues of Hermitian matrices; see ``eigh``."""
    result: Tensor = executor.run(EIGH, tensor, compute_v=False)
    return result


# Svd


def _infer_svd(
    input: ArraySpec, *, compute_uv: bool, full_matrices: bool
) -> ArraySpec | tuple[ArraySpec, ...]:
    _matrices.refuse_vectors('Svd', input)
    rows, columns = input.shape[-2:]
    outer = _matrices.batch(input)
    count = _matrices.least(rows, columns)
    values = ArraySpec((*outer, count), _matrices.real_dtype(input.dtype))
    if not compute_uv:
        return values
    return (
        values,
        ArraySpec((*outer, rows, rows if full_matrices else count), input.dtype),
        ArraySpec((*outer, columns, columns if full_matrices else count), input.dtype),
    )


def _svd(
    xp: Any, array: Array, *, compute_uv: bool, full_matrices: bool
) -> Array | tuple[Array, ...]:
    clean, bad = _matrices.without_bad(xp, array)
    if not compute_uv:
        values = xp.linalg.svd(clean, compute_uv=False)
        return _matrices.with_nan(xp, bad[..., 0], values)
    u, values, adjoint_v = xp.linalg.svd(clean, full_matrices=full_matrices)
    return (
        _matrices.with_nan(xp, bad[..., 0], values),
        _matrices.with_nan(xp, bad, u),
        _matrices.with_nan(xp, bad, _matrices.conjugate_transpose(adjoint_v)),
    )


def _svd_gradient(context: Any, for_values: Tensor, *for_vectors: Tensor) -> Gradients:
    matrix = context.inputs[0]
    if not context.attributes['compute_uv']:
        _, u, v = svd(matrix)
        scaled = _matrices.columns_scaled(u, _cast_like(for_values, matrix))
        return (_matrices.product(scaled, v, 'none', 'adjoint'),)
    rows, columns = matrix._shape[-2:]
    if context.attributes['full_matrices'] and abs(rows - columns) > 1:
        raise errors.UnimplementedError(
            f'[Svd] the gradient of full matrices was asked for with {rows} rows and {columns} '
            f'columns; they may differ by 1, since further vectors are arbitrary; use '
            f'full_matrices=False',
            'Svd',
        )
    return (_vectors_gradient(context, _cast_like(for_values, matrix), *for_vectors),)


def _vectors_gradient(context: Any, for_values: Tensor, for_u: Tensor, for_v: Tensor) -> Tensor:
    """The gradient by Giles and Townsend.

    It has a part within both spaces of singular vectors, and parts that turn these spaces.
    """
    values, u_full, v_full = context.outputs
    count = values._shape[-1]
    values = _cast_like(values, u_full)
    u, v = u_full[..., :count], v_full[..., :count]
    within_u = _matrices.product(u, for_u[..., :count], 'adjoint')
    within_v = _matrices.product(v, for_v[..., :count], 'adjoint')
    gaps = _differences(values * values)
    turned_u, turned_v = gaps * within_u, gaps * within_v
    middle = _matrices.columns_scaled(turned_u + _matrices.adjoint(turned_u), values)
    middle = middle + (turned_v + _matrices.adjoint(turned_v)) * array_shape.expand_dims(values, -1)
    on_diagonal: Tensor = for_values
    inverse = _matrices.safe_reciprocal(values)
    if values.dtype.is_complex:
        phases = diagonal.diag_part(within_v)
        on_diagonal = on_diagonal + inverse * (_real_part(phases) - phases)
    middle = diagonal.set_diag(middle, on_diagonal)
    result = _matrices.product(_matrices.product(u, middle), v, 'none', 'adjoint')
    if u_full._shape[-2] > count:
        outside = _outside(u_full, for_u, within_u, count)
        scaled = _matrices.columns_scaled(outside, inverse)
        result = result + _matrices.product(scaled, v, 'none', 'adjoint')
    if v_full._shape[-2] > count:
        outside = _outside(v_full, for_v, within_v, count)
        scaled = _matrices.columns_scaled(u, inverse)
        result = result + _matrices.product(scaled, outside, 'none', 'adjoint')
    return result


def _outside(vectors: Tensor, gradient: Tensor, within: Tensor, count: int) -> Tensor:
    """The part of a gradient of singular vectors that leaves their space."""
    first = vectors[..., :count]
    result: Tensor = gradient[..., :count] - _matrices.product(first, within)
    if vectors._shape[-1] > count:
        rest = _matrices.product(gradient[..., count:], first, 'adjoint')
        result = result - _matrices.product(vectors[..., count:], rest)
    return result


SVD = op_registry.register(
    OpDef('Svd', _infer_svd, _svd, _svd_gradient, dtypes={'T': _matrices.FACTORED})
)


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """Singular values and vectors: ``tensor = u @ diag(s) @ adjoint(v)``.

    The signs of the vectors may differ from TensorFlow's and between devices. As in
    TensorFlow, ``v`` is not yet transposed, and the gradient of vectors leaves out the terms
    of equal singular values.

    Args:
        tensor: float32, float64 or complex numbers of rank 2 or more.
        full_matrices: whether ``u`` and ``v`` are square.
        compute_uv: whether to give the vectors.
        name: accepted for TensorFlow's sake.

    Returns:
        ``s, u, v``, or ``s`` alone: real and in falling order. All are nan for a matrix with
        inf or nan.

    Raises:
        InvalidArgumentError: the rank is below 2, or another dtype.
        UnimplementedError: from the gradient of full matrices of rather different sides.
    """
    return executor.run(
        SVD, tensor, compute_uv=bool(compute_uv), full_matrices=bool(full_matrices and compute_uv)
    )
