"""Ops that change some rows or slices of a variable.

Duplicate indices accumulate; where values replace each other, the last one wins, which
TensorFlow leaves undefined.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import (
    NOT_DIFFERENTIABLE,
    ArraySpec,
    ChangedCopy,
    Kernel,
    OpDef,
    ValueCheck,
    register,
)
from tensorvar._ops import _index_checks, _row_kernels, _rows

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_INDEX = frozenset({dtypes.int32.numpy, dtypes.int64.numpy})


# Rows: indices of any shape name rows of the variable.


def _rows_rule(op: str) -> Any:
    def rule(variable: ArraySpec, indices: ArraySpec, updates: ArraySpec) -> ArraySpec:
        if not variable.shape:
            raise errors.InvalidArgumentError(
                f'[{op}] the variable is a scalar; scatter needs a variable of rank 1 or more', op
            )
        expected = (*indices.shape, *variable.shape[1:])
        if updates.shape not in ((), expected):
            raise errors.InvalidArgumentError(
                f'[{op}] Must have updates.shape = indices.shape + params.shape[1:] or '
                f'updates.shape = [], got updates.shape {list(updates.shape)}, indices.shape '
                f'{list(indices.shape)}, params.shape {list(variable.shape)}; give updates of '
                f'shape {list(expected)}',
                op,
            )
        return variable

    return rule


def _flat_rows(
    xp: Any, op: str, variable: Array, indices: Array, updates: Array
) -> tuple[Array, Array]:
    """Checked indices of shape (n,) and updates of shape (n, *row)."""
    _index_checks.refuse_outside(xp, op, indices, variable.shape[0])
    rows = indices.reshape(-1)
    row_shape = variable.shape[1:]
    if not updates.shape:
        updates = xp.broadcast_to(updates, (*indices.shape, *row_shape))
    return rows, updates.reshape((rows.shape[0], *row_shape))


# Slices: the last axis of indices names slices of the variable.


def _nd_rule(op: str) -> Any:
    def rule(variable: ArraySpec, indices: ArraySpec, updates: ArraySpec) -> ArraySpec:
        depth = indices.shape[-1] if indices.shape else None
        if depth is None or depth > len(variable.shape):
            raise errors.InvalidArgumentError(
                f'[{op}] The inner dimension of indices (shape {list(indices.shape)}) must be <= '
                f'the rank of the variable (shape {list(variable.shape)}); give indices of shape '
                f'(..., k)',
                op,
            )
        expected = (*indices.shape[:-1], *variable.shape[depth:])
        if updates.shape != expected:
            raise errors.InvalidArgumentError(
                f'[{op}] updates of shape {list(updates.shape)} were given for indices of shape '
                f'{list(indices.shape)} and a variable of shape {list(variable.shape)}; allowed '
                f'is {list(expected)}; reshape the updates',
                op,
            )
        return variable

    return rule


def _flat_slices(
    xp: Any, op: str, variable: Array, indices: Array, updates: Array
) -> tuple[Array, Array, Array]:
    """The variable as rows, one row number per slice, and updates as rows."""
    depth = indices.shape[-1]
    dims = variable.shape[:depth]
    _index_checks.refuse_tuples_outside(xp, op, indices, dims)
    strides = [math.prod(dims[axis + 1 :]) for axis in range(depth)]
    rows = xp.zeros(indices.shape[:-1], dtypes.int64.numpy)
    for axis, stride in enumerate(strides):
        rows = rows + indices[..., axis].astype(dtypes.int64.numpy) * stride
    rows = rows.reshape(-1)
    tail = variable.shape[depth:]
    return (
        variable.reshape((math.prod(dims), *tail)),
        rows,
        updates.reshape((rows.shape[0], *tail)),
    )


# What happens to a row.


def _set_rows(xp: Any, target: Array, rows: Array, updates: Array) -> None:
    target[rows] = updates


def _accumulating(name: str, of_bools: Any = None) -> Any:
    """A row operation for which all of several updates of a row count."""

    def apply(xp: Any, target: Array, rows: Array, updates: Array) -> None:
        if target.dtype.kind == 'b':
            target[...] = of_bools(target, _count_true(xp, target, rows, updates))
        else:
            _accumulate(xp, name, target, rows, updates)

    return apply


def _count_true(xp: Any, target: Array, rows: Array, updates: Array) -> Array:
    """How often True is added to each bool; no card adds bools themselves."""
    count = xp.zeros(target.shape, dtypes.int32.numpy)
    _accumulate(xp, 'add', count, rows, updates.astype(dtypes.int32.numpy))
    return count


def _add_bools(target: Array, count: Array) -> Array:
    return target | (count > 0)


def _subtract_bools(target: Array, count: Array) -> Array:
    return target ^ (count % 2 == 1)


def _accumulate(xp: Any, name: str, target: Array, rows: Array, updates: Array) -> None:
    """Applies a function of two arguments to rows, in the order of the updates."""
    width = math.prod(target.shape[1:])
    table = target.reshape((target.shape[0], width))
    _rows.update_rows(xp, name, table, rows, updates.reshape((rows.shape[0], width)))


def _multiply_rows(xp: Any, target: Array, rows: Array, updates: Array) -> None:
    if hasattr(xp, 'cuda'):
        # CuPy's multiply has no ``at``.
        _row_after_row(lambda row, update: row * update, target, rows, updates)
    else:
        _accumulate(xp, 'multiply', target, rows, updates)


def _divide_rows(xp: Any, target: Array, rows: Array, updates: Array) -> None:
    _refuse_zeros(_index_checks.look(xp, updates))
    if target.dtype.kind in 'iu':
        _row_after_row(lambda row, update: _truncated(xp, row, update), target, rows, updates)
    elif hasattr(xp, 'cuda'):
        _row_after_row(lambda row, update: row / update, target, rows, updates)
    else:
        _accumulate(xp, 'true_divide', target, rows, updates)


def _refuse_zeros(updates: np.ndarray[Any, Any]) -> None:
    if (updates == 0).any():
        raise errors.InvalidArgumentError(
            '[ResourceScatterDiv] updates must not contain 0, but some do; mask them first',
            'ResourceScatterDiv',
        )


def _truncated(xp: Any, dividend: Array, divisor: Array) -> Array:
    """The quotient of integers rounded towards zero, as C and TensorFlow do."""
    floor = xp.floor_divide(dividend, divisor)
    inexact = floor * divisor != dividend
    return floor + (inexact & ((dividend < 0) != (divisor < 0))).astype(floor.dtype)


def _row_after_row(function: Any, target: Array, rows: Array, updates: Array) -> None:
    """Duplicates accumulate in order. Computed aside: what fails, fails before the write."""
    result = target.copy()
    for position in range(rows.shape[0]):
        row = rows[position]
        result[row] = function(result[row], updates[position])
    target[...] = result


# On a card: its own kernels, and checks before anything goes there.


def _rows_kernel(op: str, name: str) -> Kernel:
    def run(kernels: 'Kernels', variable: Array, indices: Array, updates: Array) -> Any:
        if not kernels.scatters(name, variable.dtype) or not _row_kernels.is_dense(variable):
            return NotImplemented
        if indices.size:
            _refuse_zero_divisors(kernels, name, updates)
        allowed = _row_kernels.allowed(variable.shape[0])
        word = kernels.reports.word(op, indices.shape, allowed)
        rows = indices.reshape((-1,))
        if updates.shape:
            updates = updates.reshape((rows.shape[0], *variable.shape[1:]))
        _row_kernels.scatter(kernels, name, variable, rows, updates, word)
        return variable

    return run


def _nd_kernel(op: str, name: str) -> Kernel:
    def run(kernels: 'Kernels', variable: Array, indices: Array, updates: Array) -> Any:
        if not kernels.scatters(name, variable.dtype) or not _row_kernels.is_dense(variable):
            return NotImplemented
        _row_kernels.scatter_slices(kernels, op, name, variable, indices, updates)
        return variable

    return run


def _refuse_zero_divisors(kernels: 'Kernels', name: str, updates: Array) -> None:
    """Raises if that can be seen at once; else quotients of integers by 0 are 0."""
    if name == 'scatter_div' and _index_checks.may_look(kernels.xp):
        _refuse_zeros(_index_checks.look(kernels.xp, updates))


def _rows_check(op: str) -> ValueCheck:
    def check(specs: Sequence[ArraySpec], values: Sequence[Any]) -> None:
        _, indices, updates = values
        count = specs[0].shape[0]
        if indices is not None and count is not None:
            _index_checks.refuse_outside(np, op, indices, count)
        # One divisor for all is none where there are no rows.
        nobody = indices is not None and not indices.size
        if updates is not None and op == 'ResourceScatterDiv' and not nobody:
            _refuse_zeros(updates)

    return check


def _nd_check(op: str) -> ValueCheck:
    def check(specs: Sequence[ArraySpec], values: Sequence[Any]) -> None:
        shape: Any = specs[0].shape
        if values[1] is not None and None not in shape:
            dims = shape[: values[1].shape[-1]]
            _index_checks.refuse_tuples_outside(np, op, values[1], dims)

    return check


def _register(name: str, apply: Any, allowed: Any, also_nd: Any = frozenset()) -> None:
    """Adds the op on rows and the op on slices, which takes more, of one kind of write."""
    rows_op, nd_op = f'ResourceScatter{name}', f'ResourceScatterNd{name}'
    kernel_op = f'scatter_{name.lower()}'

    def rows_in_place(xp: Any, target: Array, indices: Array, updates: Array) -> None:
        apply(xp, target, *_flat_rows(xp, rows_op, target, indices, updates))

    def nd_in_place(xp: Any, target: Array, indices: Array, updates: Array) -> None:
        apply(xp, *_flat_slices(xp, nd_op, target, indices, updates))

    kernel, check = _rows_kernel(rows_op, kernel_op), _rows_check(rows_op)
    _register_one(rows_op, _rows_rule(rows_op), rows_in_place, allowed, kernel, check)
    if name not in ('Mul', 'Div'):
        kernel, check = _nd_kernel(nd_op, kernel_op), _nd_check(nd_op)
        _register_one(nd_op, _nd_rule(nd_op), nd_in_place, allowed | also_nd, kernel, check)


def _register_one(
    name: str, rule: Any, in_place: Any, allowed: Any, kernel: Kernel, check: ValueCheck
) -> None:
    register(
        OpDef(
            name=name,
            infer=rule,
            forward=ChangedCopy(in_place),
            in_place=in_place,
            kernel=kernel,
            check_values=check,
            gradient=NOT_DIFFERENTIABLE,
            inputs='T i T',
            dtypes={'T': allowed, 'i': _INDEX},
        )
    )


_register('Update', _set_rows, dtypes.ANY)
_register('Add', _accumulating('add', _add_bools), dtypes.NUMERIC, dtypes.BOOLEAN)
_register('Sub', _accumulating('subtract', _subtract_bools), dtypes.NUMERIC, dtypes.BOOLEAN)
_register('Mul', _multiply_rows, dtypes.NUMERIC)
_register('Div', _divide_rows, dtypes.NUMERIC)
_register('Min', _accumulating('minimum'), dtypes.REAL)
_register('Max', _accumulating('maximum'), dtypes.REAL)
