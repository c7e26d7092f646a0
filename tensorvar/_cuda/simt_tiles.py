"""The tiles of ``kernels/matmul_simt.cu``, and which one suits a product.

The choice is an estimate of the cycles that a product takes, made of what the instructions
cost. No chip has been measured for it yet; it decides about speed alone.
"""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tensorvar._cuda import matmul_problem

_LANES_PER_CYCLE = 128
_PADDING = 4
# Cycles for a launch with its first loads and last stores, and for a step of a tile that
# waits for its barrier and for the first operands from shared memory.
_START = 2500
_STEP = 100
_REDUCTION_START = 4000
_REDUCTION_BYTES_PER_CYCLE = 16
_SPLITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_LEAST_TERMS = 64
MOST_TERMS = 1 << 30


class Tile(NamedTuple):
    """What a block computes at a time.

    Attributes:
        rows: of results.
        columns: of results.
        terms: of each sum that are in shared memory at once.
        warp_rows: rows that a warp computes.
        warp_columns: columns that a warp computes.
        thread_rows: rows that a thread computes.
        thread_columns: columns that a thread computes.
        resident: blocks that are to fit on a multiprocessor at once.
        efficiency: of the inner loop, where there are blocks enough.
    """

    rows: int
    columns: int
    terms: int
    warp_rows: int
    warp_columns: int
    thread_rows: int
    thread_columns: int
    resident: int
    efficiency: float

    @property
    def threads(self) -> int:
        """Per block."""
        return 32 * (self.rows // self.warp_rows) * (self.columns // self.warp_columns)

    def shared(self, stages: int, itemsize: int) -> int:
        """Bytes of shared memory for tiles of both operands in so many stages."""
        return stages * self.terms * (self.rows + self.columns + 2 * _PADDING) * itemsize


BY_ITEMSIZE: Mapping[int, tuple[Tile, ...]] = MappingProxyType(
    {
        4: (
            Tile(128, 128, 16, 64, 32, 8, 8, 2, 0.9),
            Tile(64, 64, 16, 32, 32, 8, 4, 4, 0.75),
            Tile(32, 128, 16, 32, 32, 8, 4, 4, 0.65),
            Tile(128, 32, 16, 32, 32, 8, 4, 4, 0.65),
            Tile(32, 32, 32, 16, 32, 4, 4, 8, 0.5),
            Tile(16, 16, 32, 8, 16, 2, 2, 16, 0.2),
        ),
        8: (
            Tile(64, 64, 16, 32, 32, 8, 4, 3, 0.8),
            Tile(32, 32, 16, 16, 32, 4, 4, 8, 0.5),
            Tile(16, 16, 32, 8, 16, 2, 2, 8, 0.2),
        ),
        16: (
            Tile(32, 32, 16, 16, 32, 4, 4, 4, 0.6),
            Tile(16, 16, 16, 8, 16, 2, 2, 8, 0.25),
        ),
    }
)
"""By the bytes of what is multiplied and added in."""


class Way(NamedTuple):
    """How a product is dealt out.

    Attributes:
        tile: of a block.
        splits: how many blocks share the terms of a sum.
        terms: per split, a whole number of tiles; the last one may have fewer.
    """

    tile: Tile
    splits: int
    terms: int


def choose(
    problem: matmul_problem.Problem,
    tiles: Iterable[Tile],
    itemsize: int,
    multiprocessors: int,
    *,
    may_split: bool,
) -> Way:
    """The way that is estimated to take least.

    Args:
        problem: what is multiplied.
        tiles: to choose from.
        itemsize: bytes of what it is multiplied and added in.
        multiprocessors: of the chip.
        may_split: whether there is a workspace.
    """
    ways = [
        way
        for tile in tiles
        for splits in (_SPLITS if may_split else (1,))
        if (way := _way(problem, tile, splits)) is not None
    ]
    return min(ways, key=lambda way: _cycles(problem, way, itemsize, multiprocessors))


def _way(problem: matmul_problem.Problem, tile: Tile, splits: int) -> Way | None:
    if splits == 1:
        return Way(tile, 1, max(problem.k, 1))
    tiles = math.ceil(problem.k / splits / tile.terms)
    terms = tiles * tile.terms
    # Rounded up to whole tiles, the terms may be used up before the last split.
    if terms < _LEAST_TERMS or math.ceil(problem.k / terms) != splits:
        return None
    return Way(tile, splits, terms)


def _cycles(
    problem: matmul_problem.Problem, way: Way, itemsize: int, multiprocessors: int
) -> float:
    tile = way.tile
    tiles = math.ceil(problem.m / tile.rows) * math.ceil(problem.n / tile.columns)
    blocks = tiles * problem.batch * way.splits
    # A multiprocessor runs the blocks of a wave side by side, and the last wave is short.
    at_once = multiprocessors * tile.resident
    full, rest = divmod(blocks, at_once)
    beside = full * tile.resident + math.ceil(rest / multiprocessors)
    work = tile.rows * tile.columns * (itemsize / 4) / _LANES_PER_CYCLE / tile.efficiency
    alone = tile.thread_rows * tile.thread_columns * (itemsize / 4) + _STEP / tile.terms
    waves = full + (rest > 0)
    cycles = _START + way.terms * max(beside * work, waves * alone)
    if way.splits > 1:
        results = problem.batch * problem.m * problem.n * itemsize / multiprocessors
        cycles += _REDUCTION_START + 2 * way.splits * results / _REDUCTION_BYTES_PER_CYCLE
    return cycles
