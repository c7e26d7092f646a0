"""Which kernel gathers rows: how they are split among threads, and in which pieces."""

import math
import struct
from typing import Any, NamedTuple

import numpy as np

from tensorvar import errors
from tensorvar._cuda import (
    arguments,
    element_types,
    launch,
    layout,
    scatter_plan,
    select,
    source,
)

THREADS = 256
VECTOR_BYTES = 16
_FILE = 'gather.cu'
# Pieces of a row that a warp takes at a time: as in the kernel.
_PIECES_PER_WARP = 32 * 4
WARPS_PER_BLOCK = THREADS // 32
_MOST_EXTENTS = 8
_EXTENTS = struct.Struct(f'<{1 + _MOST_EXTENTS}Q')

_POINTER, _COUNT = arguments.POINTER, arguments.COUNT
_DIVISOR = arguments.by_value(layout.DIVISOR_BYTES, 8)
_ROWS = arguments.Signature(*[_POINTER] * 3, _COUNT, _COUNT, _DIVISOR, _POINTER)
_WIDE = arguments.Signature(*[_POINTER] * 3, *[_COUNT] * 3, _DIVISOR, _POINTER)
NUMBERS = arguments.Signature(_POINTER, _POINTER, _COUNT, arguments.by_value(_EXTENTS.size, 8))


class Choice(NamedTuple):
    """A kernel and how it is launched.

    Attributes:
        export: the kernel.
        signature: of its parameters.
        blocks: that have something to do.
        tail: arguments between the number of rows and the error.
    """

    export: source.Export
    signature: arguments.Signature
    blocks: int
    tail: tuple[Any, ...]


def choose(count: int, row_bytes: int, piece: int, index: np.dtype[Any], chip: str) -> Choice:
    """Chooses the kernel that gathers.

    Args:
        count: rows to gather, at least one.
        row_bytes: of each.
        piece: bytes that divide the rows and the addresses: 1 to 16, a power of two.
        index: dtype of the indices.
        chip: what it runs on.
    """
    pieces = row_bytes // piece
    if row_bytes < select.threshold('gather_wide_bytes', chip):
        blocks = math.ceil(count * pieces / THREADS)
        return Choice(rows_export(piece, index), _ROWS, blocks, (layout.pack_divisor(pieces),))
    chunks = math.ceil(pieces / _PIECES_PER_WARP)
    blocks = math.ceil(count * chunks / WARPS_PER_BLOCK)
    tail = (pieces, layout.pack_divisor(chunks))
    return Choice(wide_export(piece, index), _WIDE, blocks, tail)


def grid(blocks: int, size: int, chip: str, multiprocessors: int) -> launch.Grid:
    """A grid of so many blocks, or of what the card runs at once if that is less."""
    geometry = select.geometry('rows', size, chip)
    most = multiprocessors * geometry.blocks_per_multiprocessor
    return launch.Grid(min(blocks, most), THREADS)


def pack_extents(extents: tuple[int, ...]) -> bytes:
    """``tv::Extents``.

    Raises:
        InvalidArgumentError: there are too many.
    """
    if len(extents) > _MOST_EXTENTS:
        raise errors.InvalidArgumentError(
            f'[number_rows] {len(extents)} indices per row; the kernels take '
            f'{_MOST_EXTENTS} at most; reshape the table'
        )
    spare = (0,) * (_MOST_EXTENTS - len(extents))
    return _EXTENTS.pack(len(extents), *extents, *spare)


def rows_export(piece: int, index: np.dtype[Any]) -> source.Export:
    """The kernel for narrow rows: a piece per thread."""
    return _export('TV_GATHER_ROWS', 'rows', piece, index)


def wide_export(piece: int, index: np.dtype[Any]) -> source.Export:
    """The kernel for wide rows: a part of a row per warp."""
    return _export('TV_GATHER_WIDE', 'wide', piece, index)


def numbers_export(index: np.dtype[Any]) -> source.Export:
    """The kernel that makes row numbers of index tuples."""
    return source.Export(
        _FILE, 'TV_ROW_NUMBERS', f'row_numbers_{index.name}', (scatter_plan.INDEX[index],)
    )


def _export(macro: str, kind: str, piece: int, index: np.dtype[Any]) -> source.Export:
    moved = element_types.bits_of_size(piece)
    name = f'gather_{kind}_{moved.short}_{index.name}'
    return source.Export(_FILE, macro, name, (moved.code, scatter_plan.INDEX[index]))
