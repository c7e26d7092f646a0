"""Rows of a flattened array, addressed by indices: what gathers and scatters share.

Indices are checked where the host can read them at once: in the public functions if
they are host data on their way to a card, in the forwards on the CPU and on simulated
devices. An index that comes from a card itself and is out of range reads zeros and
writes nothing; where a kernel of ours meets it, ``IndexReports`` tells.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import conversion, host_data, op_call
from tensorvar._core.array_value import ArrayValue
from tensorvar._device import scope
from tensorvar._ops import _element_updates, _host_rows, _index_checks

_INT64 = dtypes.int64.numpy

INDICES = frozenset({dtypes.int32.numpy, dtypes.int64.numpy})

_ACCUMULATED_IN = {
    dtypes.float16.numpy: dtypes.float32.numpy,
    dtypes.bfloat16.numpy: dtypes.float32.numpy,
    dtypes.bool_.numpy: dtypes.int32.numpy,
    dtypes.int8.numpy: dtypes.int32.numpy,
    dtypes.int16.numpy: dtypes.int32.numpy,
    dtypes.uint8.numpy: dtypes.int32.numpy,
    dtypes.uint16.numpy: dtypes.int32.numpy,
    # CUDA adds 64-bit integers atomically only without sign; the bits are the same.
    dtypes.int64.numpy: dtypes.uint64.numpy,
}


def accumulation_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which rows of ``dtype`` are added up."""
    return _ACCUMULATED_IN.get(dtype, dtype)


# Checks


def check_on_host(
    target: Any, indices: Any, op: str, check: Callable[[np.ndarray[Any, Any]], None]
) -> None:
    """Checks indices before the op runs, if the host can read them and it may run elsewhere.

    Args:
        target: what is indexed; on the CPU the forward itself looks at the indices.
        indices: as given by the program.
        op: who asks, for the error text.
        check: takes the indices, and refuses those that are out of range.
    """
    state = scope.current()
    unscoped = state is None or state.device is None
    if unscoped and isinstance(target, ArrayValue) and type(target._read()) is np.ndarray:
        return
    indices = conversion.unwrap(indices)
    if isinstance(indices, ArrayValue):
        array, values = indices._read(), [indices]
    else:
        array, values = host_data.to_array(indices, None, op), []
        check = functools.partial(check, array)
    if type(array) is np.ndarray and array.dtype in INDICES:
        op_call.check_on_host(values, check)


# Reading and adding rows


def flat_rows(xp: Any, op: str, indices: Array, shape: tuple[int, ...], batch_dims: int) -> Array:
    """Numbers of the rows that index tuples address; -1 for a tuple out of range.

    Args:
        xp: the array module.
        op: who asks, for the error text.
        indices: array of shape ``(*batch, *outer, depth)``.
        shape: of the array addressed; its batch dimensions come first.
        batch_dims: how many dimensions the two share.

    Returns:
        int64 of shape ``(number of tuples,)``, in order.
    """
    if _index_checks.may_look(xp):
        dims = shape[batch_dims : batch_dims + indices.shape[-1]]
        _index_checks.refuse_tuples_outside(xp, op, indices, dims)
    return row_numbers(xp, indices, shape, batch_dims)


def row_numbers(xp: Any, indices: Array, shape: tuple[int, ...], batch_dims: int) -> Array:
    """``flat_rows`` without a check: -1 on every device for a tuple out of range."""
    depth = indices.shape[-1]
    batches = math.prod(shape[:batch_dims])
    tuples = math.prod(indices.shape[batch_dims:-1])
    columns = indices.astype(_INT64).reshape((batches, tuples, depth))
    rows = xp.zeros((batches, tuples), _INT64) + xp.arange(batches, dtype=_INT64)[:, None]
    inside = xp.ones((batches, tuples), dtypes.bool_.numpy)
    for k, dim in enumerate(shape[batch_dims : batch_dims + depth]):
        column = columns[:, :, k]
        inside = inside & (column >= 0) & (column < dim)
        rows = rows * dim + column
    return xp.where(inside, rows, -1).reshape((-1,))


def take_rows(xp: Any, table: Array, rows: Array) -> Array:
    """Rows of a table of rank 2; zeros for row numbers out of range."""
    if _index_checks.looks_at_once(xp):
        return xp.take(table, rows, axis=0)
    count, width = table.shape
    if count == 0:
        return xp.zeros((rows.shape[0], width), table.dtype)
    inside = (rows >= 0) & (rows < count)
    taken = xp.take(table, xp.where(inside, rows, 0), axis=0)
    return xp.where(inside[:, None], taken, xp.zeros((), table.dtype))


def caught(xp: Any, rows: Array, count: int) -> Array:
    """Row numbers with those out of range sent to a spare row behind the last."""
    rows = rows.astype(_INT64)
    return xp.where((rows >= 0) & (rows < count), rows, count)


def places(xp: Any, rows: Array, width: int) -> Array:
    """Positions of all elements of rows in the flattened table."""
    if width == 1:
        return rows
    return (rows[:, None] * width + xp.arange(width, dtype=_INT64)).reshape((-1,))


def update_rows(xp: Any, name: str, table: Array, rows: Array, values: Array) -> None:
    """Does ``xp.<name>.at(table, rows, values)``, which takes NumPy much longer.

    Args:
        xp: the array module.
        name: as for ``_element_updates.update_at``.
        table: what is changed, contiguous and of rank 2.
        rows: integers in range, shape ``(n,)``.
        values: numbers of the dtype of ``table``, shape ``(n, width)``.
    """
    width = table.shape[1]
    if xp is np and width > 1 and _host_rows.update(name, table, rows, values):
        return
    # Addressing single elements is several times as fast in NumPy as adding whole rows.
    where = places(xp, rows.astype(_INT64), width)
    _element_updates.update_at(xp, name, table.reshape((-1,)), where, values.reshape((-1,)))


def sum_rows(xp: Any, count: int, rows: Array, values: Array) -> Array:
    """Adds rows up by number; those out of range are dropped.

    Args:
        xp: the array module.
        count: number of rows of the result.
        rows: row numbers, shape ``(n,)``.
        values: what is added, shape ``(n, width)``.

    Returns:
        An array of shape ``(count, width)`` in ``accumulation_dtype``.
    """
    wide = accumulation_dtype(values.dtype)
    total = xp.zeros((count + 1, values.shape[1]), wide)
    update_rows(xp, 'add', total, caught(xp, rows, count), values.astype(wide, copy=False))
    return total[:count]
