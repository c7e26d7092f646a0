"""Launches the kernels on rows: gather and scatter by their indices.

Indices outside the table are reported in an array that the caller looks at when it next
waits for the device: 0, or a position of such an index plus one. They read zeros and write
nothing. ``scatter_plan`` says which way a scatter goes and what its results promise.

A sum of rows by segment is a ``scatter_add`` to zeros. Where more than one index addresses
a slice, ``number_rows`` makes row numbers of them.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._cuda import (
    arguments,
    gather_plan,
    launch,
    layout,
    remembered,
    row_operands,
    scatter_plan,
    source,
    targets,
)

_POINTER, _COUNT = arguments.POINTER, arguments.COUNT
_DIVISOR = arguments.by_value(layout.DIVISOR_BYTES, 8)
_ATOMIC = arguments.Signature(*[_POINTER] * 3, _COUNT, _COUNT, _DIVISOR, _COUNT, _POINTER)
_BULK = arguments.Signature(
    *[_POINTER] * 3,
    _COUNT,
    _COUNT,
    arguments.by_value(scatter_plan.BULK_SHAPE_BYTES, 8),
    _COUNT,
    _POINTER,
)
_LAST = arguments.Signature(*[_POINTER] * 4, _COUNT, _COUNT, _DIVISOR, _COUNT, _POINTER)
_FOLD = arguments.Signature(*[_POINTER] * 4, _COUNT, _COUNT, _DIVISOR, _COUNT, _POINTER, _POINTER)
_JOIN = arguments.Signature(*[_POINTER] * 4, *[_COUNT] * 4, _DIVISOR)
# Windows that a block of the joining kernel looks at.
_JOINED_WINDOWS = 32

_UINT8 = np.dtype(np.uint8)

Empty = Callable[[tuple[int, ...], np.dtype[Any]], targets.Array]
"""Allocates an array of the target's kind."""


class RowKernels:
    """Gather and scatter of rows on one device; all operands are dense, in C order.

    Args:
        target: the device.
        empty: allocates what a scatter needs for itself, until it is done on its stream.

    Attributes:
        chip: what the kernels run on, such as ``'sm_90a'``.
    """

    def __init__(self, target: targets.Target, empty: Empty) -> None:
        self.chip = target.name
        self._target = target
        self._empty = empty
        self._bound: dict[tuple[source.Export, int, int], launch.Launch] = {}

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
        row_operands.check_gather(self._target, destination, table, indices, error)
        count, width = len(indices), math.prod(table.shape[1:])
        if not count * width:
            return
        pointers = [self._target.pointer(each) for each in (destination, table, indices)]
        row_bytes = width * table.dtype.itemsize
        piece = math.gcd(gather_plan.VECTOR_BYTES, row_bytes, pointers[0], pointers[1])
        choice = gather_plan.choose(count, row_bytes, piece, indices.dtype, self.chip)
        self._bind(choice.export, choice.signature, choice.blocks, piece)(
            self._target.stream(),
            *pointers,
            count,
            len(table),
            *choice.tail,
            self._target.pointer(error),
        )

    def number_rows(
        self, numbers: targets.Array, tuples: targets.Array, extents: tuple[int, ...]
    ) -> None:
        """Writes which row of a flattened table each tuple of indices addresses.

        A tuple with an index outside its dimension gets -1, which ``gather`` and
        ``scatter`` report.

        Args:
            numbers: int64, of one dimension, one for each tuple.
            tuples: int32 or int64, of shape ``(len(numbers), len(extents))``.
            extents: the dimensions that are indexed, at most 8.

        Raises:
            InvalidTypeError: a dtype is not allowed.
            InvalidArgumentError: shapes do not go together, or an operand is not dense.
        """
        row_operands.check_numbers(self._target, numbers, tuples, extents)
        packed = gather_plan.pack_extents(extents)
        count = len(numbers)
        if not count:
            return
        export = gather_plan.numbers_export(tuples.dtype)
        blocks = math.ceil(count / gather_plan.THREADS)
        self._bind(export, gather_plan.NUMBERS, blocks, numbers.dtype.itemsize)(
            self._target.stream(),
            self._target.pointer(numbers),
            self._target.pointer(tuples),
            count,
            packed,
        )

    def scatter(
        self,
        op: str,
        table: targets.Array,
        indices: targets.Array,
        updates: targets.Array,
        error: targets.Array,
        order: targets.Array | None = None,
        scratch: targets.Array | None = None,
    ) -> None:
        """Does ``table[indices[i]] = table[indices[i]] (op) updates[i]`` in place.

        Division of integers is towards zero; by zero it gives 0. The extremes hand NaN on.
        Of several replacements of a row the last one stays.

        Args:
            op: a key of ``scatter_plan.OPS``.
            table: is changed.
            indices: int32 or int64, of one dimension; may repeat.
            updates: one row for each index, or one row or one value for all, of the table's
                dtype. Must not overlap the table.
            error: one uint64, which is raised where an index is outside the table.
            order: int64 positions that sort the indices, equal ones in their order; gives
                the same result on every run. See ``scatter_plan.needs_order``.
            scratch: uint8, of ``scatter_plan.scratch_bytes`` or more, at an address that 16
                divides; allocated if it is missing. Without an order nothing is needed.

        Raises:
            InvalidTypeError: a dtype is not allowed.
            InvalidArgumentError: shapes do not go together, an operand is not dense, or
                the order is missing and the chip has no instruction for it; see
                ``scatter_plan.has_atomic``.
        """
        row_operands.check_scatter(self._target, op, table, indices, updates, error, order)
        if not updates.shape and table.shape[1:]:
            row = self._empty(table.shape[1:], table.dtype)
            row[...] = updates
            updates = row
        if not len(indices) * math.prod(table.shape[1:]):
            return
        stride = math.prod(updates.shape[1:]) if updates.ndim == table.ndim else 0
        if order is None:
            self._scatter_atomic(op, table, indices, updates, error, stride)
        elif op == 'scatter_update':
            self._scatter_last(table, indices, updates, error, order, stride)
        else:
            self._scatter_sorted(op, table, indices, updates, error, order, scratch, stride)

    def _scatter_atomic(
        self,
        op: str,
        table: targets.Array,
        indices: targets.Array,
        updates: targets.Array,
        error: targets.Array,
        stride: int,
    ) -> None:
        dtype, per_value = scatter_plan.elements(op, table.dtype)
        columns = math.prod(table.shape[1:]) * per_value
        piece = self._piece(columns * dtype.itemsize, table, updates)
        length = scatter_plan.atomic_length(op, dtype, piece, self.chip)
        if not length:
            raise errors.InvalidArgumentError(
                f'[{op}] a table of {table.dtype.name} and rows of {columns} without an order; '
                f'{self.chip} has no atomic instruction for them; give the order that sorts the '
                f'indices'
            )
        if scatter_plan.goes_in_bulk(op, dtype, columns * dtype.itemsize, piece, self.chip):
            self._scatter_bulk(op, dtype, columns, table, indices, updates, error, stride)
            return
        export = scatter_plan.atomic_export(op, dtype, indices.dtype, length)
        blocks = math.ceil(len(indices) * columns / length / gather_plan.THREADS)
        self._bind(export, _ATOMIC, blocks, length * dtype.itemsize)(
            self._target.stream(),
            *self._pointers(table, updates, indices),
            len(indices),
            len(table),
            layout.pack_divisor(columns // length),
            stride * per_value,
            self._target.pointer(error),
        )

    def _scatter_bulk(
        self,
        op: str,
        dtype: np.dtype[Any],
        columns: int,
        table: targets.Array,
        indices: targets.Array,
        updates: targets.Array,
        error: targets.Array,
        stride: int,
    ) -> None:
        bulk = scatter_plan.bulk(len(indices), columns, dtype.itemsize)
        export = scatter_plan.bulk_export(op, dtype, indices.dtype)
        blocks = math.ceil(bulk.units / gather_plan.WARPS_PER_BLOCK)
        self._bind(export, _BULK, blocks, scatter_plan.VECTOR_BYTES)(
            self._target.stream(),
            *self._pointers(table, updates, indices),
            len(indices),
            len(table),
            bulk.shape,
            stride and columns,
            self._target.pointer(error),
        )

    def _scatter_last(
        self,
        table: targets.Array,
        indices: targets.Array,
        updates: targets.Array,
        error: targets.Array,
        order: targets.Array,
        stride: int,
    ) -> None:
        size = table.dtype.itemsize
        row_bytes = math.prod(table.shape[1:]) * size
        piece = self._piece(row_bytes, table, updates)
        blocks = math.ceil(len(indices) * row_bytes / piece / gather_plan.THREADS)
        self._bind(scatter_plan.last_export(piece, indices.dtype), _LAST, blocks, piece)(
            self._target.stream(),
            *self._pointers(table, updates, indices, order),
            len(indices),
            len(table),
            layout.pack_divisor(row_bytes // piece),
            stride * size // piece,
            self._target.pointer(error),
        )

    def _scatter_sorted(
        self,
        op: str,
        table: targets.Array,
        indices: targets.Array,
        updates: targets.Array,
        error: targets.Array,
        order: targets.Array,
        scratch: targets.Array | None,
        stride: int,
    ) -> None:
        dtype, per_value = scatter_plan.elements(op, table.dtype)
        columns = math.prod(table.shape[1:]) * per_value
        needed = scatter_plan.scratch_bytes(op, dtype, len(indices), columns)
        if needed and scratch is None:
            scratch = self._empty((needed,), _UINT8)
        partial = self._scratch_pointer(op, scratch, needed) if needed else 0
        piece = self._piece(columns * dtype.itemsize, table, updates)
        length = scatter_plan.fold_length(dtype, piece)
        export = scatter_plan.fold_export(op, dtype, indices.dtype, length)
        blocks = math.ceil(len(indices) * columns / length / gather_plan.THREADS)
        fold = self._bind(export, _FOLD, blocks, length * dtype.itemsize)
        # Both are at hand before one is launched: a scatter is done, or not begun.
        join, joined = self._join(op, dtype, indices, columns) if needed else (None, ())
        stream = self._target.stream()
        fold(
            stream,
            *self._pointers(table, updates, indices, order),
            len(indices),
            len(table),
            layout.pack_divisor(columns // length),
            stride * per_value,
            partial,
            self._target.pointer(error),
        )
        if join is not None:
            read = self._pointers(indices, order)
            join(
                stream,
                self._target.pointer(table),
                partial,
                *read,
                len(indices),
                len(table),
                *joined,
            )

    def _join(
        self, op: str, dtype: np.dtype[Any], indices: targets.Array, columns: int
    ) -> tuple[launch.Launch, tuple[Any, ...]]:
        """The kernel that joins pieces, and its last arguments."""
        lane_bits = scatter_plan.join_lane_bits(columns)
        tiles = math.ceil(columns / (1 << lane_bits))
        groups = math.ceil(len(indices) / (scatter_plan.PIECE * _JOINED_WINDOWS))
        export = scatter_plan.join_export(op, dtype, indices.dtype)
        bound = self._bind(export, _JOIN, groups * tiles, dtype.itemsize)
        return bound, (columns, lane_bits, layout.pack_divisor(tiles))

    def _scratch_pointer(self, op: str, scratch: targets.Array, needed: int) -> int:
        pointer = self._target.pointer(scratch)
        if scratch.nbytes < needed or pointer % scatter_plan.VECTOR_BYTES:
            raise errors.InvalidArgumentError(
                f'[{op}] {scratch.nbytes} bytes of scratch memory at 0x{pointer:x}; it takes '
                f'{needed} at an address that {scatter_plan.VECTOR_BYTES} divides'
            )
        return pointer

    def _piece(self, row_bytes: int, table: targets.Array, updates: targets.Array) -> int:
        return math.gcd(scatter_plan.VECTOR_BYTES, row_bytes, *self._pointers(table, updates))

    def _pointers(self, *operands: targets.Array) -> list[int]:
        return [self._target.pointer(each) for each in operands]

    def _bind(
        self, export: source.Export, signature: arguments.Signature, blocks: int, size: int
    ) -> launch.Launch:
        """A kernel on a grid for so many blocks of work on elements of so many bytes."""
        key = export, blocks, size
        bound = self._bound.get(key)
        if bound is None:
            grid = gather_plan.grid(blocks, size, self.chip, self._target.multiprocessors)
            made = self._target.kernel(export, signature).bind(grid)
            bound = remembered.remember(self._bound, key, made)
        return bound
