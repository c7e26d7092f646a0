"""Chooses the tile of C that one block of ``kernels/matmul_sm90.cu`` works on, and the splits.

A model of the time, in cycles of a multiprocessor: a tile costs what takes longer, its
products or its loads from the second level cache, and a start and an end that nothing
hides; tiles run in waves over the card. Terms are split among blocks where that fills a
card which tiles alone do not. The rates are estimates, not measured yet; only their ratios
matter here. A table named after the chip fixes the choice for one size.
"""

import functools
from typing import NamedTuple

from tensorvar._cuda import select

SLAB_BYTES = 128
"""Bytes along K that one slot of the ring holds of each row."""

_SHARED_BYTES = 227 * 1024
_PIECE_BYTES = 64 * SLAB_BYTES
_PIECES_PER_CONSUMER = 2
_BARRIER_BYTES = 16
_MOST_STAGES = 6
_PRODUCTS_PER_CYCLE = 32
_LOADED_PER_CYCLE = 64
_LOADED_PER_CYCLE_BY_ALL = 36
_START_CYCLES = 1000
_CLUSTER_CYCLES = 40
_REDUCE_CYCLES = 4000
_SUM_BYTES = 4
_MOST_SPLITS = 32
_FEWEST_SLABS_PER_SPLIT = 4
_FIXED_BY = ('batch', 'm', 'n', 'k', 'itemsize')


class Tile(NamedTuple):
    """Rows and columns of C that a block has at a time.

    Attributes:
        rows: 64 or 128.
        columns: 64, 128, 192 or 256.
        cluster: blocks, one below the other, that load a tile of B together: 1, or 2 where
            half the columns are a multiple of 64.
    """

    rows: int
    columns: int
    cluster: int = 1

    @property
    def consumers(self) -> int:
        """Warpgroups that multiply."""
        return self.rows // 64

    @property
    def threads(self) -> int:
        """Of a block: one warpgroup more loads."""
        return 128 * (1 + self.consumers)

    @property
    def stages(self) -> int:
        """Slots of the ring that shared memory has room for."""
        slot = (self.rows + self.columns) * SLAB_BYTES + _BARRIER_BYTES
        return min(_MOST_STAGES, (_SHARED_BYTES - self._pieces) // slot)

    @property
    def shared(self) -> int:
        """Bytes of shared memory of a block."""
        slot = (self.rows + self.columns) * SLAB_BYTES + _BARRIER_BYTES
        return self.stages * slot + self._pieces

    @property
    def _pieces(self) -> int:
        return self.consumers * _PIECES_PER_CONSUMER * _PIECE_BYTES


TILES = (
    *(Tile(rows, columns) for rows in (64, 128) for columns in (64, 128, 192, 256)),
    Tile(128, 128, cluster=2),
    Tile(128, 256, cluster=2),
)


class Choice(NamedTuple):
    """A tile, the number of splits of K, and the slabs of each but the last."""

    tile: Tile
    splits: int
    slabs_per_split: int


class Extents(NamedTuple):
    """What the choice depends on.

    Attributes:
        batch: number of products.
        m: rows of C.
        n: columns of C.
        k: terms of a sum.
        itemsize: bytes of an element of A and B.
        result_itemsize: bytes of an element of C.
    """

    batch: int
    m: int
    n: int
    k: int
    itemsize: int
    result_itemsize: int

    @property
    def slabs(self) -> int:
        """Slabs along K."""
        return -(-self.k * self.itemsize // SLAB_BYTES)

    def count(self, tile: Tile) -> int:
        """Tiles of all matrices, or clusters of them."""
        down, across = count_tiles(self.m, self.n, tile)
        return self.batch * down * across


def count_tiles(m: int, n: int, tile: Tile) -> tuple[int, int]:
    """Tiles below and beside each other in a matrix; those of a cluster count as one."""
    return -(-m // (tile.rows * tile.cluster)), -(-n // tile.columns)


@functools.lru_cache(maxsize=4096)
def choose(
    extents: Extents,
    chip: str,
    multiprocessors: int,
    tiles: tuple[Tile, ...] = TILES,
    *,
    may_split: bool = False,
) -> Choice:
    """The tile and the splits with which the product takes the least time.

    Args:
        extents: of the product.
        chip: the target, such as ``'sm_90a'``.
        multiprocessors: of the card.
        tiles: what there is to choose from.
        may_split: whether there is room for the sums of splits.
    """
    for row in select.section('sm90_choices', chip):
        tile = Tile(row['rows'], row['columns'], row['cluster'])
        if tile in tiles and all(row[name] == getattr(extents, name) for name in _FIXED_BY):
            return split(extents, tile, row['splits'] if may_split else 1)
    possible = (
        split(extents, tile, splits)
        for tile in tiles
        for splits in (_splits(extents, tile, multiprocessors) if may_split else (1,))
    )
    return min(
        possible,
        key=lambda each: (cycles(extents, each, multiprocessors), -each.tile.columns),
    )


def split(extents: Extents, tile: Tile, splits: int) -> Choice:
    """At most so many splits, none of them empty."""
    each = -(-extents.slabs // splits)
    return Choice(tile, -(-extents.slabs // each), each)


def cycles(extents: Extents, choice: Choice, multiprocessors: int) -> float:
    """An estimate of the time of a product."""
    tile = choice.tile
    count = extents.count(tile) * choice.splits
    at_once = max(1, multiprocessors // tile.cluster)
    busy = min(count, at_once) * tile.cluster
    loaded = min(_LOADED_PER_CYCLE, _LOADED_PER_CYCLE_BY_ALL * multiprocessors / busy)
    area = tile.rows * tile.columns
    rows = tile.rows + tile.columns / tile.cluster
    slab = max(area / _PRODUCTS_PER_CYCLE, rows * SLAB_BYTES / loaded)
    # The blocks of a cluster wait for each other at every slot.
    if tile.cluster > 1:
        slab += _CLUSTER_CYCLES
    result = _SUM_BYTES if choice.splits > 1 else extents.result_itemsize
    each = choice.slabs_per_split * slab + area * result / _LOADED_PER_CYCLE
    time = -(-count // at_once) * each + _START_CYCLES
    if choice.splits > 1:
        moved = extents.batch * extents.m * extents.n * _SUM_BYTES * 2 * choice.splits
        time += _REDUCE_CYCLES + moved / (_LOADED_PER_CYCLE_BY_ALL * multiprocessors)
    return time


def _splits(extents: Extents, tile: Tile, multiprocessors: int) -> range:
    room = multiprocessors // (extents.count(tile) * tile.cluster)
    long = extents.slabs // _FEWEST_SLABS_PER_SPLIT
    return range(1, max(1, min(room, long, _MOST_SPLITS)) + 1)
