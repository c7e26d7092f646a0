"""Where the diagonals of matrices lie, and how they are packed.

Diagonal ``d`` holds the elements whose column exceeds their row by ``d``. A range of them
is packed as rows, the highest first; a short one is moved to the left or to the right.
"""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._ops import _arguments

Range = tuple[int, int]
"""The lowest and the highest diagonal."""

ALIGNMENTS = ('LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT')


def read_range(op: str, k: Any) -> Range:
    """The argument ``k``: one diagonal, or the lowest and the highest.

    Raises:
        InvalidArgumentError: no integers, not one or two of them, or the wrong order.
    """
    read = _arguments.vector(op, 'k', k)
    if len(read) not in (1, 2):
        raise errors.InvalidArgumentError(
            f'[{op}] k of {len(read)} elements was given; it must have one or two: a diagonal, or '
            f'the lowest and the highest; correct it',
            op,
        )
    low, high = read[0], read[-1]
    if low > high:
        raise errors.InvalidArgumentError(
            f'[{op}] k = {list(read)} was given; the lowest diagonal must not be larger than the '
            f'highest; exchange them',
            op,
        )
    return low, high


def read_alignment(op: str, align: Any) -> str:
    """The argument ``align``.

    Raises:
        InvalidArgumentError: it is none of the four.
    """
    if align not in ALIGNMENTS:
        raise errors.InvalidArgumentError(
            f'[{op}] align = {align!r} was given; allowed are {", ".join(ALIGNMENTS)}', op
        )
    return str(align)


def check_within(op: str, k: Range, rows: int, columns: int) -> None:
    """Raises unless matrices of this size have these diagonals.

    Raises:
        InvalidArgumentError: a diagonal lies outside.
    """
    for diagonal in k:
        if not -rows < diagonal < columns and diagonal != 0:
            raise errors.InvalidArgumentError(
                f'[{op}] diagonal {diagonal} of matrices of shape {[rows, columns]} was asked '
                f'for; it must be between {-rows} and {columns}; give one in range',
                op,
            )


def longest(k: Range, rows: int, columns: int) -> int:
    """The length of the longest diagonal of a range."""
    return min(rows + min(k[1], 0), columns - max(k[0], 0))


def packed_shape(k: Range, length: int | None) -> tuple[int | None, ...]:
    """The shape of the packed diagonals of one matrix."""
    return (length,) if k[0] == k[1] else (k[1] - k[0] + 1, length)


def _shift(xp: Any, diagonals: Array, length: int, rows: int, columns: int, align: str) -> Array:
    """By how many places each diagonal is moved to the right."""
    lengths = xp.minimum(rows + xp.minimum(diagonals, 0), columns - xp.maximum(diagonals, 0))
    above, below = (side == 'RIGHT' for side in align.split('_'))
    moved = ((diagonals > 0) & above) | ((diagonals < 0) & below)
    return xp.where(moved, length - lengths, xp.zeros_like(lengths))


def pack(xp: Any, matrices: Array, padding: Array, k: Range, align: str) -> Array:
    """The diagonals of a range as rows; free places hold the padding."""
    rows, columns = matrices.shape[-2:]
    length = longest(k, rows, columns)
    diagonals = xp.arange(k[1], k[0] - 1, -1)[:, None]
    places = xp.arange(length) - _shift(xp, diagonals, length, rows, columns, align)
    row, column = places - xp.minimum(diagonals, 0), places + xp.maximum(diagonals, 0)
    there = (places >= 0) & (row < rows) & (column < columns)
    if not matrices.size:
        return xp.broadcast_to(padding, (*matrices.shape[:-2], *there.shape)).copy()
    row, column = xp.where(there, row, 0), xp.where(there, column, 0)
    return xp.where(there, matrices[..., row, column], padding)


def unpack(xp: Any, packed: Array, others: Array, k: Range, align: str) -> Array:
    """Matrices with the packed diagonals of a range.

    Args:
        xp: the array module.
        packed: of shape ``(*batch, diagonals, length)``.
        others: matrices of the full shape with the elements outside of the range.
        k: the range.
        align: how they are packed.
    """
    rows, columns = others.shape[-2:]
    length = packed.shape[-1]
    row, column = xp.arange(rows)[:, None], xp.arange(columns)
    diagonals = column - row
    inside = (diagonals >= k[0]) & (diagonals <= k[1])
    places = row + xp.minimum(diagonals, 0)
    places = places + _shift(xp, diagonals, length, rows, columns, align)
    if not packed.size or not others.size:
        return others.copy()
    line = xp.where(inside, k[1] - diagonals, 0)
    places = xp.where(inside, places, 0)
    return xp.where(inside, packed[..., line, places], others)
