"""Gathers and scatters on a card: what ``_cuda.rows`` wants, from what ops are given.

Row numbers out of range are reported in a word of the device, see ``IndexReports``: such
rows are zeros where they are read, and are not written.
"""

import math
from typing import TYPE_CHECKING, Any

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._device import determinism
from tensorvar._ops import _rows

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_INT64 = dtypes.int64.numpy
_UINT8 = dtypes.uint8.numpy
_MOST_NUMBERED = 8


def allowed(count: int) -> str:
    """What an index of ``count`` rows must be, for reports."""
    return f'in [0, {count})'


def allowed_tuples(dims: tuple[int, ...]) -> str:
    """What an index tuple must be, for reports."""
    return f'a place in shape {list(dims)}'


def is_dense(array: Array) -> bool:
    """Whether an array lies in memory as the kernels want a table."""
    return bool(array.flags.c_contiguous)


def _dense(xp: Any, array: Array) -> Array:
    return array if is_dense(array) else xp.ascontiguousarray(array)


def number_tuples(
    kernels: 'Kernels', indices: Array, shape: tuple[int, ...], batch_dims: int = 0
) -> Array:
    """``_rows.row_numbers``, by one kernel where there is one."""
    depth = indices.shape[-1]
    if batch_dims or not 1 <= depth <= _MOST_NUMBERED:
        return _rows.row_numbers(kernels.xp, indices, shape, batch_dims)
    if depth == 1:
        return indices.reshape((-1,))
    tuples = _dense(kernels.xp, indices).reshape((-1, depth))
    numbers = kernels.xp.empty((tuples.shape[0],), _INT64)
    kernels.rows.number_rows(numbers, tuples, shape[:depth])
    return numbers


def report_outside(
    kernels: 'Kernels', name: str, numbers: Array, limit: int, argument: str, least: int = 0
) -> None:
    """Reports the first number out of range, as kernels do, for an op that is array code.

    To be called after the op, which may have refused the number itself.

    Args:
        kernels: of the device.
        name: of the op.
        numbers: integers of any shape.
        limit: they must be below this.
        argument: name of the op's argument.
        least: what they must not be below.
    """
    if not numbers.size:
        return
    xp = kernels.xp
    word = kernels.reports.word(name, numbers.shape, f'in [{least}, {limit})', argument)
    outside = ((numbers < least) | (numbers >= limit)).reshape((-1,))
    position = xp.where(outside.any(), outside.argmax() + 1, 0)
    xp.maximum(word, position.astype(word.dtype), out=word)


def gather(
    kernels: 'Kernels', shape: tuple[int, ...], table: Array, rows: Array, word: Array
) -> Any:
    """Rows of a dense table as a new array.

    Args:
        kernels: of the device.
        shape: of the result.
        table: of shape ``(count, *row)``.
        rows: row numbers, shape ``(n,)``.
        word: where row numbers out of range are reported.
    """
    result = kernels.xp.empty(shape, table.dtype)
    picked = result.reshape((rows.shape[0], *table.shape[1:]))
    kernels.rows.gather(picked, table, _dense(kernels.xp, rows), word)
    return result


def scatter(
    kernels: 'Kernels', op: str, table: Array, rows: Array, updates: Array, word: Array
) -> None:
    """Changes rows of a dense table in place.

    Args:
        kernels: of the device.
        op: a key of ``scatter_plan.OPS`` for which ``scatters`` is true.
        table: of shape ``(count, *row)``.
        rows: row numbers, shape ``(n,)``, which may repeat.
        updates: of shape ``(n, *row)``, or one value for all.
        word: where row numbers out of range are reported.
    """
    xp, dtype = kernels.xp, table.dtype
    rows, updates = _dense(xp, rows), _dense(xp, updates)
    order = scratch = None
    inexact = determinism.enabled and dtype in dtypes.INEXACT
    if inexact or kernels.needs_order(op, dtype):
        order = xp.argsort(rows, kind='stable')
        width = math.prod(table.shape[1:])
        nbytes = kernels.scatter_scratch(op, dtype, rows.shape[0], width)
        scratch = xp.empty((nbytes,), _UINT8) if nbytes else None
    kernels.rows.scatter(op, table, rows, updates, word, order, scratch)


def scatter_slices(
    kernels: 'Kernels', name: str, op: str, target: Array, indices: Array, updates: Array
) -> None:
    """Changes slices of a dense array in place.

    Args:
        kernels: of the device.
        name: of the op, for reports.
        op: a key of ``scatter_plan.OPS`` for which ``scatters`` is true.
        target: is changed.
        indices: index tuples along the last axis.
        updates: of shape ``(*indices.shape[:-1], *slice)``.
    """
    depth = indices.shape[-1]
    dims, tail = target.shape[:depth], target.shape[depth:]
    word = kernels.reports.word(name, indices.shape[:-1], allowed_tuples(dims))
    rows = number_tuples(kernels, indices, target.shape)
    table = target.reshape((math.prod(dims), *tail))
    scatter(kernels, op, table, rows, updates.reshape((rows.shape[0], *tail)), word)


def sum_rows(
    kernels: 'Kernels', shape: tuple[int, ...], outer: int, rows: Array, values: Array, word: Array
) -> Array:
    """Zeros, with rows added; what ``_rows.sum_rows`` is for.

    Args:
        kernels: of the device.
        shape: of the result.
        outer: how many of its dimensions the row numbers count through.
        rows: row numbers, shape ``(n,)``.
        values: what is added, of any shape with ``n`` rows' elements.
        word: where row numbers out of range are reported.
    """
    total = kernels.xp.zeros(shape, values.dtype)
    width = math.prod(shape[outer:])
    table = total.reshape((math.prod(shape[:outer]), width))
    scatter(kernels, 'scatter_add', table, rows, values.reshape((rows.shape[0], width)), word)
    return total
