"""Diagonals of matrices: taking them out and making matrices of them."""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients, sum_over

# MatrixDiagPartV3


def _infer_part(input: ArraySpec, *, k: int) -> ArraySpec:
    shape = input.shape
    if len(shape) < 2:
        raise errors.InvalidArgumentError(
            f'[MatrixDiagPartV3] input must be at least 2-dim, received shape: {list(shape)}; '
            f'reshape it to a matrix',
            'MatrixDiagPartV3',
        )
    rows, columns = shape[-2], shape[-1]
    if rows is None or columns is None:
        return ArraySpec((*shape[:-2], None), input.dtype)
    if not -rows < k < columns and k != 0:
        raise errors.InvalidArgumentError(
            f'[MatrixDiagPartV3] diagonal {k} of shape {list(shape)} was asked for; it must be '
            f'between {-rows} and {columns}; give one in range',
            'MatrixDiagPartV3',
        )
    return ArraySpec((*shape[:-2], min(rows + min(k, 0), columns - max(k, 0))), input.dtype)


def _part(xp: Any, array: Array, *, k: int) -> Array:
    return array.diagonal(k, -2, -1)


def _part_gradient(context: Any, gradient: Tensor) -> Gradients:
    rows, columns = context.inputs[0]._shape[-2:]
    return (_run_diag(gradient, 0, context.attributes['k'], rows, columns),)


DIAG_PART = op_registry.register(OpDef('MatrixDiagPartV3', _infer_part, _part, _part_gradient))


def diag_part(
    input: Any,
    name: str | None = 'diag_part',
    k: Any = 0,
    padding_value: Any = 0,
    align: str = 'RIGHT_LEFT',
) -> Tensor:
    """One diagonal of each matrix.

    Args:
        input: values of rank 2 or more.
        name: accepted for TensorFlow's sake.
        k: which diagonal: 0 the main one, above it positive, below it negative.
        padding_value: accepted for TensorFlow's sake; one diagonal needs no padding.
        align: likewise.

    Returns:
        A tensor of shape ``input.shape[:-2] + (length,)``.

    Raises:
        InvalidArgumentError: the rank is below 2, or there is no such diagonal.
        UnimplementedError: a range of diagonals was asked for.
    """
    result: Tensor = executor.run(DIAG_PART, input, k=_single('MatrixDiagPartV3', k))
    return result


def _single(op: str, k: Any) -> int:
    read = _arguments.vector(op, 'k', k)
    if len(set(read)) != 1:
        raise errors.UnimplementedError(
            f'[{op}] the diagonals {list(read)} were asked for; there is one at a time here; '
            f'call it for each and stack the results',
            op,
        )
    return read[0]


# MatrixDiagV3


def _infer_diag(
    diagonal: ArraySpec, padding_value: ArraySpec, *, k: int, num_rows: int, num_cols: int
) -> ArraySpec:
    shape = diagonal.shape
    if not shape or padding_value.shape:
        raise errors.InvalidArgumentError(
            f'[MatrixDiagV3] a diagonal of shape {list(shape)} and a padding_value of shape '
            f'{list(padding_value.shape)} were given; allowed are a rank of 1 or more and a '
            f'scalar; reshape them',
            'MatrixDiagV3',
        )
    rows, columns = _matrix_size(shape[-1], k, num_rows, num_cols)
    return ArraySpec((*shape[:-1], rows, columns), diagonal.dtype)


def _matrix_size(
    length: int | None, k: int, num_rows: int, num_cols: int
) -> tuple[int | None, int | None]:
    if length is None:
        return (num_rows if num_rows >= 0 else None), (num_cols if num_cols >= 0 else None)
    least_rows, least_columns = length - min(k, 0), length + max(k, 0)
    if num_rows == -1 and num_cols == -1:
        side = max(least_rows, least_columns)
        return side, side
    rows = least_rows if num_rows == -1 else num_rows
    columns = least_columns if num_cols == -1 else num_cols
    spare = (rows - least_rows, columns - least_columns)
    if min(spare) != 0:
        raise errors.InvalidArgumentError(
            f'[MatrixDiagV3] num_rows {num_rows} and num_cols {num_cols} were given for diagonal '
            f'{k} of length {length}; allowed are at least {least_rows} and {least_columns}, and '
            f'one of them exactly; leave them out',
            'MatrixDiagV3',
        )
    return rows, columns


def _diag(
    xp: Any, diagonal: Array, padding_value: Array, *, k: int, num_rows: int, num_cols: int
) -> Array:
    length = diagonal.shape[-1]
    rows, columns = _matrix_size(length, k, num_rows, num_cols)
    result = xp.empty((*diagonal.shape[:-1], rows, columns), diagonal.dtype)
    result[...] = padding_value
    places = xp.arange(length)
    result[..., places - min(k, 0), places + max(k, 0)] = diagonal
    return result


def _diag_gradient(context: Any, gradient: Tensor) -> Gradients:
    picked = diag_part(gradient, k=context.attributes['k'])
    if not context.needs[1]:
        return picked, None
    everything = sum_over(gradient, tuple(range(gradient.ndim)))
    on_diagonal = sum_over(picked, tuple(range(picked.ndim)))
    return picked, everything - on_diagonal


DIAG = op_registry.register(OpDef('MatrixDiagV3', _infer_diag, _diag, _diag_gradient, inputs='T T'))


def diag(
    diagonal: Any,
    name: str | None = 'diag',
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = 'RIGHT_LEFT',
) -> Tensor:
    """Matrices with a given diagonal.

    Args:
        diagonal: values of rank 1 or more; the last axis becomes the diagonal.
        name: accepted for TensorFlow's sake.
        k: which diagonal: 0 the main one, above it positive, below it negative.
        num_rows: rows of the matrices; -1 for as many as needed.
        num_cols: columns of the matrices; likewise.
        padding_value: the other elements.
        align: accepted for TensorFlow's sake; one diagonal needs no alignment.

    Returns:
        A tensor of one rank more.

    Raises:
        InvalidArgumentError: a scalar diagonal, or a size that does not fit.
        UnimplementedError: a range of diagonals was given.
    """
    rows = _arguments.scalar('MatrixDiagV3', 'num_rows', num_rows)
    columns = _arguments.scalar('MatrixDiagV3', 'num_cols', num_cols)
    return _run_diag(diagonal, padding_value, _single('MatrixDiagV3', k), rows, columns)


def _run_diag(diagonal: Any, padding_value: Any, k: int, num_rows: int, num_cols: int) -> Tensor:
    result: Tensor = executor.run(
        DIAG, diagonal, padding_value, k=k, num_rows=num_rows, num_cols=num_cols
    )
    return result
