"""Changing rows by number on the CPU, where NumPy's ``at`` would take several times as long.

Rows are added by a product of SciPy's: row numbers are a sparse matrix with one entry in
each column, 1 to add and -1 to subtract. The product with the rows is added to the table
in their order, one by one, so the bits are those of ``at``.
"""

import functools
from typing import Any

import numpy as np

from tensorvar import _optional, dtypes
from tensorvar._backend.base import Array

_SUMS = ('add', 'subtract')
_ADDED = dtypes.INTEGERS | {dtypes.float32.numpy, dtypes.float64.numpy}
_PARTS = {
    dtypes.complex64.numpy: dtypes.float32.numpy,
    dtypes.complex128.numpy: dtypes.float64.numpy,
}

# Up to so many elements NumPy takes at most 12 us, and loading SciPy takes 0.1 s.
_FEW = 1 << 12

# Elements from which on NumPy computes a row faster than one element after the other: as
# one of several different rows, and alone.
_SHORT_ROW = 16
_LONG_ROW = 256


def update(name: str, table: Array, rows: Array, values: Array) -> bool:
    """Does ``np.<name>.at(table, rows, values)`` if there is a faster way.

    Args:
        name: of the ufunc.
        table: what is changed, contiguous and of rank 2.
        rows: integers in range, shape ``(n,)``.
        values: numbers of the dtype of ``table``, shape ``(n, width)``, not of width 1.

    Returns:
        Whether it is done.
    """
    if name in _SUMS and values.size > _FEW:
        part = _PARTS.get(table.dtype, table.dtype)
        product = _product() if part in _ADDED else None
        if product is not None:
            parts = np.ascontiguousarray(values).view(part)
            _add(product, 1 if name == 'add' else -1, table.view(part), rows, parts)
            return True
    function = getattr(np, name)
    if values.shape[1] >= _SHORT_ROW and _are_different(rows):
        table[rows] = function(table.take(rows, 0), values)
        return True
    if values.shape[1] >= _LONG_ROW:
        _update_one_by_one(function, table, rows, values)
        return True
    return False


@functools.cache
def _product() -> Any:
    """SciPy's function, which is not public, or None where it does not offer it."""
    try:
        tools = _optional.load('scipy.sparse._sparsetools', 'tensorvar')
    except ImportError:
        return None
    return getattr(tools, 'csc_matvecs', None)


def _add(product: Any, sign: int, table: Array, rows: Array, values: Array) -> None:
    count, width = values.shape
    ends = np.arange(count + 1, dtype=rows.dtype)
    # An unsigned -1 is the largest number, which subtracts just as well.
    signs = np.full(count, sign).astype(table.dtype)
    product(len(table), count, width, ends, rows, signs, values.reshape(-1), table.reshape(-1))


def _are_different(rows: Array) -> bool:
    in_order = np.sort(rows)
    return bool((in_order[1:] != in_order[:-1]).all())


def _update_one_by_one(function: np.ufunc, table: Array, rows: Array, values: Array) -> None:
    """Aside, because a program can be interrupted between two rows."""
    touched, positions = np.unique(rows, return_inverse=True)
    changed = table[touched]
    for position, value in zip(positions.tolist(), values, strict=True):
        row = changed[position]
        function(row, value, out=row)
    table[touched] = changed
