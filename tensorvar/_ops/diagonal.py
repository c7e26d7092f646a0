"""Diagonals of matrices: taking them out, putting them in, making matrices of them."""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _diagonal_rules, _matrices
from tensorvar._ops._diagonal_rules import Range
from tensorvar._ops._gradient_helpers import Gradients, sum_over, zeros_like

# MatrixDiagPartV3


def _infer_part(input: ArraySpec, padding_value: ArraySpec, *, k: Range, align: str) -> ArraySpec:
    _matrices.refuse_vectors('MatrixDiagPartV3', input)
    _refuse_padding('MatrixDiagPartV3', padding_value)
    rows, columns = input.shape[-2:]
    length = None
    if rows is not None and columns is not None:
        _diagonal_rules.check_within('MatrixDiagPartV3', k, rows, columns)
        length = _diagonal_rules.longest(k, rows, columns)
    packed = _diagonal_rules.packed_shape(k, length)
    return ArraySpec((*_matrices.batch(input), *packed), input.dtype)


def _refuse_padding(op: str, padding_value: ArraySpec) -> None:
    if padding_value.shape:
        raise errors.InvalidArgumentError(
            f'[{op}] a padding_value of shape {list(padding_value.shape)} was given; it must be a '
            f'scalar; give one number',
            op,
        )


def _part(xp: Any, array: Array, padding_value: Array, *, k: Range, align: str) -> Array:
    if k[0] == k[1]:
        return array.diagonal(k[0], -2, -1)
    return _diagonal_rules.pack(xp, array, padding_value, k, align)


def _part_gradient(context: Any, gradient: Tensor) -> Gradients:
    rows, columns = context.inputs[0]._shape[-2:]
    k, align = context.attributes['k'], context.attributes['align']
    placed = _run_diag(gradient, 0, k, rows, columns, align)
    if not context.needs[1]:
        return placed, None
    return placed, _total(gradient) - _total(placed)


def _total(values: Tensor) -> Tensor:
    return sum_over(values, tuple(range(values.ndim)))


DIAG_PART = op_registry.register(
    OpDef('MatrixDiagPartV3', _infer_part, _part, _part_gradient, inputs='T T')
)


def diag_part(
    input: Any,
    name: str | None = 'diag_part',
    k: Any = 0,
    padding_value: Any = 0,
    align: str = 'RIGHT_LEFT',
) -> Tensor:
    """One diagonal of each matrix, or a range of them.

    Args:
        input: values of rank 2 or more.
        name: accepted for TensorFlow's sake.
        k: which diagonal: 0 the main one, above it positive, below it negative; or the
            lowest and the highest of a range.
        padding_value: what fills up the short diagonals of a range.
        align: to which side the short diagonals above and below the main one are moved:
            'RIGHT_LEFT', 'LEFT_RIGHT', 'LEFT_LEFT' or 'RIGHT_RIGHT'.

    Returns:
        A tensor of shape ``input.shape[:-2] + (length,)``; for a range, of shape
        ``input.shape[:-2] + (diagonals, length)``, the highest diagonal first.

    Raises:
        InvalidArgumentError: the rank is below 2, or there is no such diagonal.
    """
    diagonals = _diagonal_rules.read_range('MatrixDiagPartV3', k)
    alignment = _diagonal_rules.read_alignment('MatrixDiagPartV3', align)
    result: Tensor = executor.run(DIAG_PART, input, padding_value, k=diagonals, align=alignment)
    return result


# MatrixDiagV3


def _infer_diag(
    diagonal: ArraySpec,
    padding_value: ArraySpec,
    *,
    k: Range,
    num_rows: int,
    num_cols: int,
    align: str,
) -> ArraySpec:
    shape = diagonal.shape
    _refuse_padding('MatrixDiagV3', padding_value)
    own = 1 if k[0] == k[1] else 2
    if len(shape) < own or (own == 2 and shape[-2] not in (None, k[1] - k[0] + 1)):
        raise errors.InvalidArgumentError(
            f'[MatrixDiagV3] diagonals of shape {list(shape)} were given for k = {list(k)}; '
            f'allowed is a rank of {own} or more, with one row for each diagonal of a range; '
            f'reshape them',
            'MatrixDiagV3',
        )
    rows, columns = _matrix_size(shape[-1], k, num_rows, num_cols)
    return ArraySpec((*shape[:-own], rows, columns), diagonal.dtype)


def _matrix_size(
    length: int | None, k: Range, num_rows: int, num_cols: int
) -> tuple[int | None, int | None]:
    if length is None:
        return (num_rows if num_rows >= 0 else None), (num_cols if num_cols >= 0 else None)
    least_rows, least_columns = length - min(k[1], 0), length + max(k[0], 0)
    if num_rows == -1 and num_cols == -1:
        side = max(least_rows, least_columns)
        return side, side
    rows = least_rows if num_rows == -1 else num_rows
    columns = least_columns if num_cols == -1 else num_cols
    spare = (rows - least_rows, columns - least_columns)
    if min(spare) != 0:
        raise errors.InvalidArgumentError(
            f'[MatrixDiagV3] num_rows {num_rows} and num_cols {num_cols} were given for diagonals '
            f'{list(k)} of length {length}; allowed are at least {least_rows} and '
            f'{least_columns}, and one of them exactly; leave them out',
            'MatrixDiagV3',
        )
    return rows, columns


def _diag(
    xp: Any,
    diagonal: Array,
    padding_value: Array,
    *,
    k: Range,
    num_rows: int,
    num_cols: int,
    align: str,
) -> Array:
    length = diagonal.shape[-1]
    rows, columns = _matrix_size(length, k, num_rows, num_cols)
    outer = diagonal.shape[: -1 if k[0] == k[1] else -2]
    result = xp.empty((*outer, rows, columns), diagonal.dtype)
    result[...] = padding_value
    if k[0] != k[1]:
        return _diagonal_rules.unpack(xp, diagonal, result, k, align)
    places = xp.arange(length)
    result[..., places - min(k[0], 0), places + max(k[0], 0)] = diagonal
    return result


def _diag_gradient(context: Any, gradient: Tensor) -> Gradients:
    picked = diag_part(gradient, k=context.attributes['k'], align=context.attributes['align'])
    if not context.needs[1]:
        return picked, None
    return picked, _total(gradient) - _total(picked)


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
    """Matrices with a given diagonal, or a range of them; undoes ``diag_part``.

    Args:
        diagonal: values of rank 1 or more, of which the last axis becomes the diagonal; for
            a range the last two axes, the highest diagonal first.
        name: accepted for TensorFlow's sake.
        k: which diagonal: 0 the main one, above it positive, below it negative; or the
            lowest and the highest of a range.
        num_rows: rows of the matrices; -1 for as many as needed.
        num_cols: columns of the matrices; likewise.
        padding_value: the other elements.
        align: to which side the short diagonals above and below the main one are moved;
            see ``diag_part``.

    Returns:
        A tensor of one rank more; of the same rank for a range.

    Raises:
        InvalidArgumentError: a scalar diagonal, or a size that does not fit.
    """
    return _run_diag(
        diagonal,
        padding_value,
        _diagonal_rules.read_range('MatrixDiagV3', k),
        _arguments.scalar('MatrixDiagV3', 'num_rows', num_rows),
        _arguments.scalar('MatrixDiagV3', 'num_cols', num_cols),
        _diagonal_rules.read_alignment('MatrixDiagV3', align),
    )


def _run_diag(
    diagonal: Any, padding_value: Any, k: Range, num_rows: int, num_cols: int, align: str
) -> Tensor:
    result: Tensor = executor.run(
        DIAG, diagonal, padding_value, k=k, num_rows=num_rows, num_cols=num_cols, align=align
    )
    return result


# MatrixSetDiagV3


def _infer_set(input: ArraySpec, diagonal: ArraySpec, *, k: Range, align: str) -> ArraySpec:
    part = _part_shape(input, k)
    outer = _arguments.merged(part, diagonal.shape)
    if outer is None:
        raise errors.InvalidArgumentError(
            f'[MatrixSetDiagV3] diagonals of shape {list(diagonal.shape)} were given for matrices '
            f'of shape {list(input.shape)} and k = {list(k)}; allowed is the shape of that part, '
            f'{list(part)}; reshape them',
            'MatrixSetDiagV3',
        )
    own = 1 if k[0] == k[1] else 2
    return ArraySpec((*outer[:-own], *input.shape[-2:]), input.dtype)


def _part_shape(input: ArraySpec, k: Range) -> tuple[int | None, ...]:
    _matrices.refuse_vectors('MatrixSetDiagV3', input)
    rows, columns = input.shape[-2:]
    length = None
    if rows is not None and columns is not None:
        _diagonal_rules.check_within('MatrixSetDiagV3', k, rows, columns)
        length = _diagonal_rules.longest(k, rows, columns)
    return (*_matrices.batch(input), *_diagonal_rules.packed_shape(k, length))


def _set(xp: Any, array: Array, diagonal: Array, *, k: Range, align: str) -> Array:
    if k[0] != k[1]:
        return _diagonal_rules.unpack(xp, diagonal, array, k, align)
    result = array.copy()
    places = xp.arange(diagonal.shape[-1])
    result[..., places - min(k[0], 0), places + max(k[0], 0)] = diagonal
    return result


def _set_gradient(context: Any, gradient: Tensor) -> Gradients:
    k, align = context.attributes['k'], context.attributes['align']
    others = set_diag(gradient, zeros_like(context.inputs[1]), k=k, align=align)
    return others, diag_part(gradient, k=k, align=align)


SET_DIAG = op_registry.register(
    OpDef('MatrixSetDiagV3', _infer_set, _set, _set_gradient, inputs='T T')
)


def set_diag(
    input: Any,
    diagonal: Any,
    name: str | None = 'set_diag',
    k: Any = 0,
    align: str = 'RIGHT_LEFT',
) -> Tensor:
    """Matrices with one diagonal, or a range of them, replaced.

    Args:
        input: values of rank 2 or more.
        diagonal: the new values, in the shape that ``diag_part`` gives, without broadcasting.
        name: accepted for TensorFlow's sake.
        k: which diagonal: 0 the main one, above it positive, below it negative; or the
            lowest and the highest of a range.
        align: to which side the short diagonals above and below the main one are moved;
            see ``diag_part``.

    Returns:
        A tensor of the shape and dtype of ``input``.

    Raises:
        InvalidArgumentError: the rank is below 2, there is no such diagonal, or the shapes do
            not fit.
    """
    diagonals = _diagonal_rules.read_range('MatrixSetDiagV3', k)
    alignment = _diagonal_rules.read_alignment('MatrixSetDiagV3', align)
    result: Tensor = executor.run(SET_DIAG, input, diagonal, k=diagonals, align=alignment)
    return result
