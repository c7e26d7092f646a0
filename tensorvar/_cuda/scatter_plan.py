"""Which kernel scatters rows: what each op may do, by which instructions, how many at once.

There are two ways. In *sorted* order equal indices are neighbours: the result is the same
on every run, and 16-bit floats are computed with as float32 and rounded once. By *atomic*
instructions nothing has to be sorted; integers and extremes come out the same, sums of
floats vary in the last bits with the order of the additions, and 16-bit floats are rounded
with each one.

So what the atomic way computes exactly, or nearly, goes that way by itself. 16-bit sums are
sorted unless the caller wants otherwise: added to one by one, a bfloat16 of 256 stays 256
however many ones are added. What has no instruction is always sorted: products, quotients,
8- and 16-bit integers, bools, replacements (the last one wins).
"""

import math
import re
import struct
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._cuda import element_types, layout, select, source

OPS = {
    'scatter_update': 'Set',
    'scatter_add': 'Add',
    'scatter_sub': 'Sub',
    'scatter_mul': 'Mul',
    'scatter_div': 'Div',
    'scatter_min': 'Min',
    'scatter_max': 'Max',
}
ALLOWED = {
    'scatter_update': dtypes.NUMERIC | dtypes.BOOLEAN,
    'scatter_add': dtypes.NUMERIC | dtypes.BOOLEAN,
    'scatter_sub': dtypes.NUMERIC | dtypes.BOOLEAN,
    'scatter_mul': dtypes.NUMERIC,
    'scatter_div': dtypes.NUMERIC,
    'scatter_min': dtypes.REAL,
    'scatter_max': dtypes.REAL,
}
# Sums of bools: whether any, or an odd number, is added.
_OF_BOOLS = {'scatter_add': 'Max', 'scatter_sub': 'Xor'}
INDEX = {
    np.dtype(np.int32): 'tv::i32',
    np.dtype(np.int64): 'tv::i64',
}

_SUMS = ('scatter_add', 'scatter_sub')
_EXTREMES = ('scatter_min', 'scatter_max')
_INTEGERS = frozenset(dtype for dtype in dtypes.INTEGERS if dtype.itemsize >= 4)
_FLOATS = dtypes.FLOATING - dtypes.HALF_PRECISION

# A row with more updates is folded in pieces of so many.
PIECE = 64
VECTOR_BYTES = 16
_MOST_LANE_BITS = 5
_LANES = 1 << _MOST_LANE_BITS
# Shared memory of a warp, as in the kernel.
_BULK_BYTES = 2048
BULK_SHAPE_BYTES = 16 + 2 * layout.DIVISOR_BYTES
# From this generation on there are vectors of sums, sums of bfloat16, and of the copy engine.
_VECTORS_SINCE = 90
_PAIR_BYTES = 4


def needs_order(op: str, dtype: np.dtype[Any]) -> bool:
    """Whether a scatter is sorted even where nobody asks for equal results on every run."""
    if op in _SUMS:
        return dtype not in _INTEGERS | _FLOATS | dtypes.COMPLEX
    return op not in _EXTREMES or dtype not in _INTEGERS | _FLOATS


def has_atomic(op: str, dtype: np.dtype[Any], chip: str) -> bool:
    """Whether a chip has the instructions that scatter without an order.

    16-bit floats are added in pairs, so their rows must be of an even number of them, at
    addresses that 4 divides.

    Args:
        op: a key of ``OPS``.
        dtype: of the table.
        chip: a target, such as ``'sm_80'``.
    """
    if op in _SUMS and dtype in dtypes.HALF_PRECISION:
        return dtype == dtypes.float16.numpy or generation(chip) >= _VECTORS_SINCE
    return not needs_order(op, dtype)


def generation(chip: str) -> int:
    """The number in a chip's name; the emulation can do what the newest can."""
    digits = re.sub(r'\D', '', chip)
    return int(digits) if digits else 1000


class Elements(NamedTuple):
    """A row as the kernels see it: complex numbers are added up as two floats."""

    dtype: np.dtype[Any]
    per_value: int


def elements(op: str, dtype: np.dtype[Any]) -> Elements:
    """What a row of a dtype consists of for an op."""
    if op in _SUMS and dtype in dtypes.COMPLEX:
        return Elements(dtype.type(0).real.dtype, 2)
    return Elements(dtype, 1)


def is_cut(op: str, dtype: np.dtype[Any]) -> bool:
    """Whether many updates of a row are folded in pieces.

    A part of a product of floats may overflow where the whole does not, and a quotient has
    no parts.
    """
    return op in _SUMS or op in _EXTREMES or (op == 'scatter_mul' and dtype in dtypes.INTEGERS)


def scratch_bytes(op: str, dtype: np.dtype[Any], count: int, width: int) -> int:
    """Memory that a scatter in sorted order needs for partial results.

    Args:
        op: a key of ``OPS``.
        dtype: of the table.
        count: number of updates.
        width: values per row.
    """
    if count <= PIECE or not is_cut(op, dtype):
        return 0
    windows = math.ceil(count / PIECE)
    return 2 * windows * width * _compute_type(op, dtype).itemsize


def fold_length(dtype: np.dtype[Any], piece: int) -> int:
    """Elements that a thread folds at once, for rows that can be read in such pieces."""
    return VECTOR_BYTES // dtype.itemsize if piece == VECTOR_BYTES else 1


def atomic_length(op: str, dtype: np.dtype[Any], piece: int, chip: str) -> int:
    """Elements that one instruction adds or compares; 0 if there is none.

    Args:
        op: a key of ``OPS``.
        dtype: of the elements.
        piece: bytes in which rows can be read.
        chip: a target, such as ``'sm_80'``.
    """
    if not has_atomic(op, dtype, chip):
        return 0
    vectors = op in _SUMS and generation(chip) >= _VECTORS_SINCE
    if dtype in dtypes.HALF_PRECISION:
        return (piece if vectors else min(piece, _PAIR_BYTES)) // _PAIR_BYTES * 2
    return piece // dtype.itemsize if vectors and dtype == dtypes.float32.numpy else 1


def has_bulk(chip: str) -> bool:
    """Whether the copy engine of a chip can add."""
    return generation(chip) >= _VECTORS_SINCE


def goes_in_bulk(op: str, dtype: np.dtype[Any], row_bytes: int, piece: int, chip: str) -> bool:
    """Whether the copy engine adds whole rows, in place of one instruction per 16 bytes.

    Args:
        op: a key of ``OPS``.
        dtype: of the elements.
        row_bytes: of a row.
        piece: bytes in which rows can be read.
        chip: a target, such as ``'sm_80'``.
    """
    return (
        op in _SUMS
        and dtype in dtypes.FLOATING
        and piece == VECTOR_BYTES
        and has_bulk(chip)
        and row_bytes >= select.threshold('scatter_bulk_bytes', chip)
    )


class Bulk(NamedTuple):
    """How the copy engine is fed.

    Attributes:
        units: that warps fill their shared memory with.
        shape: ``tv::BulkShape``.
    """

    units: int
    shape: bytes


def bulk(count: int, width: int, size: int) -> Bulk:
    """Splits updates into what a warp stages at a time.

    Args:
        count: of updates.
        width: elements per row.
        size: bytes per element.
    """
    parts = math.ceil(width * size / _BULK_BYTES)
    together = min(_LANES, _BULK_BYTES // (width * size)) if parts == 1 else 1
    vectors = min(width * size, _BULK_BYTES) // VECTOR_BYTES
    divisors = layout.pack_divisor(parts) + layout.pack_divisor(vectors)
    units = math.ceil(count / together) * parts
    return Bulk(units, struct.pack('<2Q', width, together) + divisors)


def join_lane_bits(width: int) -> int:
    """Columns that a block joins side by side, as the exponent of 2."""
    return min(_MOST_LANE_BITS, (width - 1).bit_length())


def atomic_export(
    op: str, dtype: np.dtype[Any], index: np.dtype[Any], length: int
) -> source.Export:
    """The kernel that scatters by atomic instructions."""
    element = element_types.element_type(op, dtype)
    name = f'{op}_atomic_{element.short}_x{length}_{index.name}'
    codes = (_code(op, dtype), element.code, INDEX[index], str(length))
    return source.Export('scatter.cu', 'TV_SCATTER_ATOMIC', name, codes)


def bulk_export(op: str, dtype: np.dtype[Any], index: np.dtype[Any]) -> source.Export:
    """The kernel that has the copy engine add rows."""
    element = element_types.element_type(op, dtype)
    name = f'{op}_bulk_{element.short}_{index.name}'
    codes = (OPS[op], element.code, INDEX[index])
    return source.Export('scatter_bulk.cu', 'TV_SCATTER_BULK', name, codes)


def fold_export(op: str, dtype: np.dtype[Any], index: np.dtype[Any], length: int) -> source.Export:
    """The kernel that folds the updates of each row, or pieces of them."""
    element = element_types.element_type(op, dtype)
    compute = element_types.element_type(op, _compute_type(op, dtype))
    piece = PIECE if is_cut(op, dtype) else 0
    name = f'{op}_fold_{element.short}_x{length}_{index.name}'
    codes = (_code(op, dtype), compute.code, element.code, INDEX[index], str(length), str(piece))
    return source.Export('scatter_sorted.cu', 'TV_SCATTER_FOLD', name, codes)


def join_export(op: str, dtype: np.dtype[Any], index: np.dtype[Any]) -> source.Export:
    """The kernel that joins the pieces of a row."""
    element = element_types.element_type(op, dtype)
    compute = element_types.element_type(op, _compute_type(op, dtype))
    name = f'{op}_join_{element.short}_{index.name}'
    codes = (_code(op, dtype), compute.code, element.code, INDEX[index], str(PIECE))
    return source.Export('scatter_sorted.cu', 'TV_SCATTER_JOIN', name, codes)


def last_export(piece: int, index: np.dtype[Any]) -> source.Export:
    """The kernel that copies the last update of each row, in pieces of so many bytes."""
    moved = element_types.bits_of_size(piece)
    name = f'scatter_update_{moved.short}_{index.name}'
    return source.Export('scatter_sorted.cu', 'TV_SCATTER_LAST', name, (moved.code, INDEX[index]))


def _code(op: str, dtype: np.dtype[Any]) -> str:
    code = _OF_BOOLS.get(op) if dtype in dtypes.BOOLEAN else None
    return code or OPS[op]


def _compute_type(op: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    return element_types.compute_type(op, dtype, dtype)
