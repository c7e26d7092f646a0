"""What the operands of gather and scatter must be; the errors say what they are."""

import numpy as np

from tensorvar import errors
from tensorvar._cuda import element_types, scatter_plan, targets

_INT64, _UINT64 = np.dtype(np.int64), np.dtype(np.uint64)


def check_gather(
    target: targets.Target,
    destination: targets.Array,
    table: targets.Array,
    indices: targets.Array,
    error: targets.Array,
) -> None:
    """Raises unless the operands go together; see ``RowKernels.gather``."""
    _check_rows('gather', destination, table, indices, error, one_for_all=False)
    _check_dense(target, 'gather', destination, table, indices)


def check_numbers(
    target: targets.Target,
    numbers: targets.Array,
    tuples: targets.Array,
    extents: tuple[int, ...],
) -> None:
    """Raises unless the operands go together; see ``RowKernels.number_rows``."""
    if numbers.dtype != _INT64 or tuples.dtype not in scatter_plan.INDEX:
        raise errors.InvalidTypeError(
            f'[number_rows] numbers of {numbers.dtype}, tuples of {tuples.dtype}; numbers must '
            f'be int64, tuples int32 or int64'
        )
    if numbers.ndim != 1 or tuples.shape != (len(numbers), len(extents)):
        raise errors.InvalidArgumentError(
            f'[number_rows] numbers of shape {numbers.shape}, tuples of shape {tuples.shape} for '
            f'the dimensions {extents}; the tuples must have the shape (numbers, dimensions)'
        )
    _check_dense(target, 'number_rows', numbers, tuples)


def check_scatter(
    target: targets.Target,
    op: str,
    table: targets.Array,
    indices: targets.Array,
    updates: targets.Array,
    error: targets.Array,
    order: targets.Array | None,
) -> None:
    """Raises unless the operands go together; see ``RowKernels.scatter``."""
    allowed = scatter_plan.ALLOWED[op]
    if table.dtype not in allowed:
        names = ', '.join(sorted(each.name for each in allowed))
        raise errors.InvalidTypeError(f'[{op}] a table of {table.dtype}; allowed are {names}')
    _check_rows(op, updates, table, indices, error, one_for_all=True)
    _check_dense(target, op, updates, table, indices)
    if order is None:
        return
    if order.dtype != _INT64 or order.shape != indices.shape:
        raise errors.InvalidArgumentError(
            f'[{op}] an order of {order.dtype} and shape {order.shape} for indices of shape '
            f'{indices.shape}; it must be int64 and of their shape'
        )
    _check_dense(target, op, order)


def _check_rows(
    op: str,
    rows: targets.Array,
    table: targets.Array,
    indices: targets.Array,
    error: targets.Array,
    *,
    one_for_all: bool,
) -> None:
    element_types.element_type(op, table.dtype)
    right_index = indices.dtype in scatter_plan.INDEX
    if rows.dtype != table.dtype or not right_index or error.dtype != _UINT64:
        raise errors.InvalidTypeError(
            f'[{op}] rows of {rows.dtype}, a table of {table.dtype}, indices of {indices.dtype}; '
            f'rows and table must be of one dtype, indices int32 or int64'
        )
    wanted = (*indices.shape, *table.shape[1:])
    others = ((), table.shape[1:]) if one_for_all else ()
    if indices.ndim != 1 or not table.ndim or rows.shape not in (wanted, *others):
        raise errors.InvalidArgumentError(
            f'[{op}] rows of shape {rows.shape}, a table of shape {table.shape}, indices of shape '
            f'{indices.shape}; indices have one dimension, and the rows must have the shape '
            f'{wanted}'
        )


def _check_dense(target: targets.Target, op: str, *operands: targets.Array) -> None:
    for each in operands:
        odd = target.pointer(each) % each.dtype.itemsize
        if odd or not each.flags.c_contiguous:
            raise errors.InvalidArgumentError(
                f'[{op}] an operand of shape {each.shape} and strides {each.strides} at an '
                f'address {odd} bytes past its alignment; copy it first'
            )
