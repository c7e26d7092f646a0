"""Chooses the tile of C that one block of ``kernels/matmul_mma.cu`` works on, and the splits.

A model of the time, in cycles of a multiprocessor: a block costs its products, slower in
small tiles, which load more for each, and a start that nothing hides; blocks run in waves
over the card. Terms are split among blocks where that fills a card which tiles alone do
not. The rates are estimates, not measured yet; a table named after the chip replaces the
speeds of the tiles, or the choice for one size.
"""

import functools
from typing import NamedTuple

from tensorvar._cuda import select

TILE_BYTES = 64
"""Bytes along K that a tile of a factor has."""

_PADDING = 8
_BLOCK_ROWS = 16
_PRODUCTS_PER_CYCLE = 1024
_SPLIT_BYTES_PER_CYCLE = 16
_START_CYCLES = 1500
_REDUCE_CYCLES = 4000
_MOST_SPLITS = 32
_FEWEST_TILES_PER_SPLIT = 8


class Tile(NamedTuple):
    """Rows and columns of C that a block computes.

    Attributes:
        rows: of C.
        columns: of C.
        speed: products per cycle, in parts of the fastest tile's.
    """

    rows: int
    columns: int
    speed: float

    @property
    def threads(self) -> int:
        """Of a block."""
        return 32 * _warps(self.rows) * _warps(self.columns)

    def shared(self, stages: int, sum_size: int) -> int:
        """Bytes of shared memory: tiles of the factors, then rows of sums of each warp."""
        factors = stages * (self.rows + self.columns) * TILE_BYTES
        pitch = self.columns // _warps(self.columns) + _PADDING
        sums = self.threads // 32 * _BLOCK_ROWS * pitch * sum_size
        return max(factors, sums)


def _warps(extent: int) -> int:
    """Warps along an edge of a tile."""
    return 4 if extent > 128 else 2


class Extents(NamedTuple):
    """What the choice depends on.

    Attributes:
        dtype: of the factors, as the tables name it.
        batch: number of products.
        m: rows of C.
        n: columns of C.
        k: terms of a sum.
        depth: terms in a tile.
        sum_size: bytes of a sum.
    """

    dtype: str
    batch: int
    m: int
    n: int
    k: int
    depth: int
    sum_size: int

    def blocks(self, tile: Tile) -> int:
        """How many blocks work on the results."""
        return self.batch * -(-self.m // tile.rows) * -(-self.n // tile.columns)


class Choice(NamedTuple):
    """A tile, the number of splits of K, and the terms of each but the last."""

    tile: Tile
    splits: int
    terms: int


def tiles(chip: str) -> tuple[Tile, ...]:
    """The tiles that there are, the fastest first."""
    rows = select.section('mma_tiles', chip)
    found = (Tile(row['rows'], row['columns'], row['speed']) for row in rows)
    return tuple(sorted(found, key=lambda tile: -tile.speed))


@functools.lru_cache(maxsize=4096)
def choose(
    extents: Extents,
    multiprocessors: int,
    chip: str,
    allowed: tuple[Tile, ...],
    *,
    may_split: bool,
) -> Choice:
    """The tile and the splits with which the product takes the least time.

    Args:
        extents: of the product.
        multiprocessors: of the card.
        chip: whose table is asked.
        allowed: tiles, as ``tiles`` gives them.
        may_split: whether there is room for the sums of splits.
    """
    for row in select.section('mma_choices', chip):
        if all(row[name] == getattr(extents, name) for name in ('dtype', 'm', 'n', 'k')):
            for tile in allowed:
                if (tile.rows, tile.columns) == (row['rows'], row['columns']):
                    return split(extents, tile, row['splits'] if may_split else 1)
    possible = (
        split(extents, tile, splits)
        for tile in allowed
        for splits in (_splits(extents, tile, multiprocessors) if may_split else (1,))
    )
    return min(possible, key=lambda choice: cycles(extents, choice, multiprocessors))


def split(extents: Extents, tile: Tile, splits: int) -> Choice:
    """At most so many splits, none of them empty."""
    tiles = max(1, -(-extents.k // extents.depth))
    each = -(-tiles // splits)
    return Choice(tile, -(-tiles // each), each * extents.depth)


def cycles(extents: Extents, choice: Choice, multiprocessors: int) -> float:
    """An estimate of the time of a product."""
    tile = choice.tile
    waves = -(-extents.blocks(tile) * choice.splits // multiprocessors)
    terms = min(choice.terms, max(1, extents.k))
    products = tile.rows * tile.columns * terms
    time = waves * (products / (_PRODUCTS_PER_CYCLE * tile.speed) + _START_CYCLES)
    if choice.splits > 1:
        moved = extents.batch * extents.m * extents.n * extents.sum_size * 2 * choice.splits
        time += _REDUCE_CYCLES + moved / (_SPLIT_BYTES_PER_CYCLE * multiprocessors)
    return time


def _splits(extents: Extents, tile: Tile, multiprocessors: int) -> range:
    room = multiprocessors // extents.blocks(tile)
    long = extents.k // (extents.depth * _FEWEST_TILES_PER_SPLIT)
    return range(1, max(1, min(room, long, _MOST_SPLITS)) + 1)
