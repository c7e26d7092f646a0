"""Launches ``kernels/matmul_simt.cu``: products of every type without tensor cores.

float32 in IEEE arithmetic, float64, complex, integers that wrap as NumPy's do, and 16-bit
floats where a chip has no better kernel. Sizes, distances between rows and addresses are
free, as long as the elements are aligned.
"""

import math
import re
from collections.abc import Mapping

import numpy as np

from tensorvar import errors
from tensorvar._cuda import (
    launch,
    matmul_family,
    matmul_problem,
    matmul_types,
    simt_tiles,
    source,
    targets,
)

_FILE = 'matmul_simt.cu'
_MOST_BLOCKS = (1 << 31) - 1
_COPIES_ASYNCHRONOUSLY_SINCE = 80
# Chips with shared memory for three stages of the largest tile, twice, and on which that
# leaves registers enough.
_LARGE_SHARED = ('sm_80', 'sm_87', 'sm_90', 'sm_90a', 'host')
_PLAIN_FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))
_Slice = tuple[matmul_family.Start, tuple[int, int, int]]


class SimtMatmul(matmul_family.MatmulFamily):
    """Products without tensor cores on one device.

    Args:
        target: the device.
        tiles: what to choose the tile of a block from, by the bytes of what is added up.
    """

    def __init__(
        self,
        target: targets.Target,
        tiles: Mapping[int, tuple[simt_tiles.Tile, ...]] = simt_tiles.BY_ITEMSIZE,
    ) -> None:
        super().__init__(target)
        self._tiles = tiles

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this: all but tf32 and misaligned elements."""
        return matmul_types.are_supported(problem) and matmul_types.is_aligned(problem)

    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that ``multiply`` would use, at a multiple of 16.

        They hold the sums of a product that too few blocks would share otherwise.
        """
        if not problem.size:
            return 0
        return matmul_types.sums_bytes(problem, self._way(problem, split=True).splits)

    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> matmul_family.Start:
        """What launches a product; see ``MatmulFamily``."""
        way = self._way(problem, split=split)
        first = matmul_types.first_step(problem, way.splits)
        slices = self._slices(first, way)

        def start_all(a: int, b: int, c: int, bias: int, _: int) -> None:
            for start, (from_a, from_b, from_c) in slices:
                start(a + from_a, b + from_b, c + from_c, bias, 0)

        return self._reduced(problem, start_all if len(slices) > 1 else slices[0][0], way.splits)

    def _way(self, problem: matmul_problem.Problem, *, split: bool) -> simt_tiles.Way:
        itemsize = _itemsize(problem)
        multiprocessors = self._target.multiprocessors
        way = simt_tiles.choose(
            problem, self._tiles[itemsize], itemsize, multiprocessors, may_split=split
        )
        if way.terms <= simt_tiles.MOST_TERMS:
            return way
        if not split:
            raise errors.InvalidArgumentError(
                f'[matmul] {problem.k} terms per sum without a workspace; a block adds up '
                f'{simt_tiles.MOST_TERMS}; give a workspace of {self.workspace(problem)} bytes'
            )
        most = simt_tiles.MOST_TERMS
        return way._replace(splits=math.ceil(problem.k / most), terms=most)

    def _slices(self, first: matmul_problem.Problem, way: simt_tiles.Way) -> list[_Slice]:
        """What launches each part of the batch, and where that begins in A, B and C, in bytes.

        There are several where a grid cannot have blocks enough for the whole batch.
        """
        tile, itemsize = way.tile, _itemsize(first)
        export, stages = _export(first, tile, self._target.name)
        kernel = self._target.kernel(export, matmul_family.PRODUCT)
        group = min(tile.thread_columns, max(1, matmul_types.VECTOR_BYTES // itemsize))
        written = min(matmul_types.VECTOR_BYTES, group * first.result.itemsize)
        vectors = matmul_types.has_vectors(first.c, first.result.itemsize, written)
        tiles = math.ceil(first.m / tile.rows), math.ceil(first.n / tile.columns)
        blocks = math.prod(tiles) * way.splits
        factor, result = first.dtype.itemsize, first.result.itemsize
        skips = first.a.stride * factor, first.b.stride * factor, first.c.stride * result
        at_once = max(1, _MOST_BLOCKS // blocks)
        slices = []
        for done in range(0, first.batch, at_once):
            batch = min(at_once, first.batch - done)
            grid = launch.Grid(batch * blocks, tile.threads, tile.shared(stages, itemsize))
            numbers = matmul_family.numbers(
                first, batch=batch, terms=way.terms, tiles=tiles, vectors=vectors
            )
            begins = done * skips[0], done * skips[1], done * skips[2]
            slices.append((self._launched(kernel, grid, numbers), begins))
        return slices


def _itemsize(problem: matmul_problem.Problem) -> int:
    return matmul_types.sum_type(problem.dtype).itemsize


def _copies_asynchronously(chip: str) -> bool:
    number = re.match(r'sm_(\d+)', chip)
    return number is None or int(number[1]) >= _COPIES_ASYNCHRONOUSLY_SINCE


def _export(
    problem: matmul_problem.Problem,
    tile: simt_tiles.Tile,
    chip: str,
) -> tuple[source.Export, int]:
    """The kernel, and how many tiles it has in shared memory."""
    total, result = matmul_types.sum_type(problem.dtype), problem.result
    activation = problem.activation
    asynchronous = problem.dtype == total and _copies_asynchronously(chip)
    stages = 3 if asynchronous and chip in _LARGE_SHARED else 2
    along_k = not problem.a.transposed, problem.b.transposed
    # Asynchronous copies go element by element where a tile is transposed on the way.
    vectors = all(
        matmul_types.has_vectors(each, problem.dtype.itemsize)
        for each, along in zip((problem.a, problem.b), along_k, strict=True)
        if not (asynchronous and along)
    )
    layout = ''.join('NT'[each.transposed] for each in (problem.a, problem.b))
    name = (
        f'matmul_simt_{activation}_{matmul_types.short(problem.dtype, result)}_{layout}_'
        f'{tile.rows}x{tile.columns}_{"vectors" if vectors else "elements"}_'
        f'{f"{stages}_stages" if asynchronous else "staged"}'
    )
    # On the way through registers all but whole vectors of plain floats take many of them.
    roomy = not asynchronous and not (vectors and problem.dtype in _PLAIN_FLOATS)
    resident = max(1, tile.resident // 2) if roomy else tile.resident
    flags = (*along_k, vectors, asynchronous)
    codes = (
        *matmul_types.codes(problem.dtype, total, result),
        matmul_types.ACTIVATIONS[activation],
        str(resident),
        *(str(length) for length in tile[:7]),
        *(str(flag).lower() for flag in flags),
        str(stages),
    )
    return source.Export(_FILE, 'TV_MATMUL_SIMT', name, codes), stages
