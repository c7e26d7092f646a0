"""Launches ``kernels/gather.cu`` and ``kernels/scatter.cu``: rows by their indices.

Indices outside the table are reported in an array that the caller looks at when it next
waits for the device: 0, or a position of such an index plus one. They read zeros and write
nothing.
"""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._cuda import arguments, element_types, launch, layout, select, source, targets

_THREADS = 256
_POINTER, _COUNT = arguments.POINTER, arguments.COUNT
_DIVISOR = arguments.by_value(layout.DIVISOR_BYTES, 8)
_DENSE = arguments.Signature(*[_POINTER] * 3, _COUNT, _COUNT, _DIVISOR, _POINTER)
_SORTED = arguments.Signature(*[_POINTER] * 4, _COUNT, _COUNT, _DIVISOR, _POINTER)

OPS = {
    'scatter_update': 'Set',
    'scatter_add': 'Add',
    'scatter_sub': 'Sub',
    'scatter_mul': 'Mul',
    'scatter_min': 'Min',
    'scatter_max': 'Max',
}
_INDEX = {
    np.dtype(np.int32): 'tv::i32',
    np.dtype(np.int64): 'tv::i64',
}
_ALLOWED = {
    'scatter_update': dtypes.NUMERIC | dtypes.BOOLEAN,
    'scatter_add': dtypes.NUMERIC,
    'scatter_sub': dtypes.NUMERIC,
    'scatter_mul': dtypes.NUMERIC,
    'scatter_min': dtypes.REAL,
    'scatter_max': dtypes.REAL,
}
_ATOMIC_INTEGERS = frozenset(dtype for dtype in dtypes.INTEGERS if dtype.itemsize >= 4)
_ATOMIC_SUMS = _ATOMIC_INTEGERS | dtypes.COMPLEX | (dtypes.FLOATING - dtypes.HALF_PRECISION)
_ATOMIC = {
    'scatter_add': _ATOMIC_SUMS,
    'scatter_sub': _ATOMIC_SUMS,
    'scatter_min': _ATOMIC_INTEGERS,
    'scatter_max': _ATOMIC_INTEGERS,
}


def needs_order(op: str, dtype: np.dtype[Any]) -> bool:
    """Whether a scatter can only be done in sorted order."""
    return dtype not in _ATOMIC.get(op, ())


class RowKernels:
    """Gather and scatter of rows on one device; all operands are dense, in C order."""

    def __init__(self, target: targets.Target) -> None:
        self._target = target
        self._kernels: dict[source.Export, launch.Kernel] = {}

    def gather(
        self,
        destination: targets.Array,
        table: targets.Array,
        indices: targets.Array,
        error: targets.Array,
    ) -> None:
        """Does ``destination[i] = table[indices[i]]``.

        Args:
            destination: one row for each index.
            table: rows of the destination's dtype.
            indices: int32 or int64, of one dimension.
            error: one uint64, which is raised where an index is outside the table.

        Raises:
            InvalidTypeError: a dtype is not allowed.
            InvalidArgumentError: shapes do not go together, or an operand is not dense.
        """
        self._check('gather', destination, table, indices, error)
        count, width = len(indices), math.prod(table.shape[1:])
        if not count * width:
            return
        pointers = [self._target.pointer(each) for each in (destination, table, indices)]
        row_bytes = width * table.dtype.itemsize
        piece = math.gcd(16, row_bytes, pointers[0], pointers[1])
        export = _gather_export(piece, indices.dtype)
        pieces = row_bytes // piece
        self._kernel(export, _DENSE).bind(self._grid(count * pieces, piece))(
            self._target.stream(),
            *pointers,
            count,
            len(table),
            layout.pack_divisor(pieces),
            self._target.pointer(error),
        )

    def scatter(
        self,
        op: str,
        table: targets.Array,
        indices: targets.Array,
        updates: targets.Array,
        error: targets.Array,
        order: targets.Array | None = None,
    ) -> None:
        """Does ``table[indices[i]] = table[indices[i]] (op) updates[i]`` in place.

        Args:
            op: a key of ``OPS``.
            table: is changed.
            indices: int32 or int64, of one dimension; may repeat.
            updates: one row for each index, of the table's dtype.
            error: one uint64, which is raised where an index is outside the table.
            order: int64 positions that sort the indices, equal ones in their order; gives
                the same result on every run. See ``needs_order``.

        Raises:
            InvalidTypeError: a dtype is not allowed.
            InvalidArgumentError: shapes do not go together, an operand is not dense, or
                the order is missing.
        """
        self._check(op, updates, table, indices, error)
        if table.dtype not in _ALLOWED[op]:
            allowed = ', '.join(sorted(each.name for each in _ALLOWED[op]))
            raise errors.InvalidTypeError(
                f'[{op}] a table of {table.dtype.name}; allowed are {allowed}'
            )
        if order is None and needs_order(op, table.dtype):
            raise errors.InvalidArgumentError(
                f'[{op}] a table of {table.dtype.name} without an order; there is no atomic '
                f'instruction for it; give the order that sorts the indices'
            )
        count, width = len(indices), math.prod(table.shape[1:])
        if not count * width:
            return
        operands = [table, updates, indices] + ([] if order is None else [order])
        self._kernel(
            _scatter_export(op, table.dtype, indices.dtype, order is not None),
            _DENSE if order is None else _SORTED,
        ).bind(self._grid(count * width, table.dtype.itemsize))(
            self._target.stream(),
            *[self._target.pointer(each) for each in operands],
            count,
            len(table),
            layout.pack_divisor(width),
            self._target.pointer(error),
        )

    def _check(
        self,
        op: str,
        rows: targets.Array,
        table: targets.Array,
        indices: targets.Array,
        error: targets.Array,
    ) -> None:
        element_types.element_type(op, table.dtype)
        if rows.dtype != table.dtype or indices.dtype not in _INDEX or error.dtype != np.uint64:
            raise errors.InvalidTypeError(
                f'[{op}] rows of {rows.dtype}, a table of {table.dtype}, indices of '
                f'{indices.dtype}; rows and table must be of one dtype, indices int32 or int64'
            )
        wanted = (*indices.shape, *table.shape[1:])
        if indices.ndim != 1 or not table.ndim or rows.shape != wanted:
            raise errors.InvalidArgumentError(
                f'[{op}] rows of shape {rows.shape}, a table of shape {table.shape}, indices '
                f'of shape {indices.shape}; indices have one dimension, and the rows must '
                f'have the shape {wanted}'
            )
        for each in (rows, table, indices):
            odd = self._target.pointer(each) % each.dtype.itemsize
            if odd or not each.flags.c_contiguous:
                raise errors.InvalidArgumentError(
                    f'[{op}] an operand of shape {each.shape} and strides {each.strides} at '
                    f'an address {odd} bytes past its alignment; copy it first'
                )

    def _kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        kernel = self._kernels.get(export)
        if kernel is None:
            kernel = self._target.kernel(export, signature)
            self._kernels[export] = kernel
        return kernel

    def _grid(self, count: int, size: int) -> launch.Grid:
        geometry = select.geometry('rows', size, self._target.name)
        most = self._target.multiprocessors * geometry.blocks_per_multiprocessor
        return launch.Grid(min(math.ceil(count / _THREADS), most), _THREADS)


def _gather_export(piece: int, index: np.dtype[Any]) -> source.Export:
    moved = element_types.bits_of_size(piece)
    name = f'gather_rows_{moved.short}_{index.name}'
    return source.Export('gather.cu', 'TV_GATHER_ROWS', name, (moved.code, _INDEX[index]))


def _scatter_export(
    op: str, dtype: np.dtype[Any], index: np.dtype[Any], ordered: bool
) -> source.Export:
    element = element_types.element_type(op, dtype)
    path = 'sorted' if ordered else 'atomic'
    name = f'{op}_{path}_{element.short}_{index.name}'
    if not ordered:
        codes: tuple[str, ...] = (OPS[op], element.code, _INDEX[index])
        return source.Export('scatter.cu', 'TV_SCATTER_ATOMIC', name, codes)
    compute = element = element_types.bits(dtype) if op == 'scatter_update' else element
    if op != 'scatter_update':
        computed = element_types.compute_type(op, dtype, dtype)
        compute = element_types.element_type(op, computed)
    codes = (OPS[op], compute.code, element.code, _INDEX[index])
    return source.Export('scatter.cu', 'TV_SCATTER_SORTED', name, codes)
