"""Launches ``kernels/matmul_mma.cu``: products of matrices on tensor cores, from sm_75 on.

Sums are float32 for float16, bfloat16 and tf32, int32 for int8 and float64 for float64.
Factors lie in any of the four layouts, at any address that is a multiple of the element
size; multiples of 16 bytes are the fastest.
"""

import math
import re

import numpy as np

from tensorvar import dtypes
from tensorvar._cuda import (
    element_types,
    launch,
    matmul_family,
    matmul_problem,
    matmul_types,
    mma_tiles,
    source,
    targets,
)

_FILE = 'matmul_mma.cu'
_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
_FLOAT16 = np.dtype(np.float16)
_INT8 = np.dtype(np.int8)

_WITH_ASYNCHRONOUS_COPIES = 80
_WITH_FAST_FLOAT64 = (80, 90, 100)
_WITH_SHARED_MEMORY_FOR_FOUR_STAGES = (80, 90, 100)
_CHUNK = 16
_SMALLEST_COPY = 4
_MOST_BLOCKS = (1 << 31) - 1


class MmaMatmul(matmul_family.MatmulFamily):
    """Matrix products on the tensor cores of one device.

    Args:
        target: the device.
        tiles: what to choose the tile of a block from; the table's by default.
    """

    def __init__(
        self, target: targets.Target, tiles: tuple[mma_tiles.Tile, ...] | None = None
    ) -> None:
        super().__init__(target)
        self._capability = _capability(target.name)
        self._tiles = mma_tiles.tiles(target.name) if tiles is None else tiles

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this: by chip, dtypes, alignment and size."""
        return (
            self._has_types(problem)
            and matmul_types.is_aligned(problem)
            and all(_extents(problem).blocks(tile) <= _MOST_BLOCKS for tile in self._tiles)
        )

    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that ``multiply`` would use, at a multiple of 16.

        They hold the sums of a product that too few blocks would share otherwise.
        """
        if not problem.size:
            return 0
        return matmul_types.sums_bytes(problem, self._choose(problem, split=True).splits)

    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> matmul_family.Start:
        """What launches a product; see ``MatmulFamily``."""
        choice = self._choose(problem, split=split)
        first, tile = matmul_types.first_step(problem, choice.splits), choice.tile
        extents = _extents(problem)
        shared = tile.shared(self._stages(problem), extents.sum_size)
        grid = launch.Grid(extents.blocks(tile) * choice.splits, tile.threads, shared)
        kernel = self._target.kernel(self._export(first, tile), matmul_family.PRODUCT)
        numbers = matmul_family.numbers(
            first,
            batch=first.batch,
            terms=choice.terms,
            tiles=(-(-first.m // tile.rows), -(-first.n // tile.columns)),
            vectors=matmul_types.has_vectors(first.c, first.result.itemsize),
        )
        return self._reduced(problem, self._launched(kernel, grid, numbers), choice.splits)

    def _has_types(self, problem: matmul_problem.Problem) -> bool:
        dtype = problem.dtype
        if dtype == _FLOAT32:
            # The only type whose products tensor cores round.
            return (
                problem.precision == 'tf32'
                and problem.result == dtype
                and self._capability >= _WITH_ASYNCHRONOUS_COPIES
            )
        if not matmul_types.are_supported(problem):
            return False
        if dtype == _INT8:
            return problem.result != dtype
        if dtype == _FLOAT64:
            return self._capability in _WITH_FAST_FLOAT64
        return dtype == _FLOAT16 or (
            dtype in dtypes.HALF_PRECISION and self._capability >= _WITH_ASYNCHRONOUS_COPIES
        )

    def _choose(self, problem: matmul_problem.Problem, *, split: bool) -> mma_tiles.Choice:
        allowed = tuple(tile for tile in self._tiles if self._has_registers(problem, tile))
        return mma_tiles.choose(
            _extents(problem),
            self._target.multiprocessors,
            self._target.name,
            allowed or self._tiles[-1:],
            may_split=split,
        )

    def _has_registers(self, problem: matmul_problem.Problem, tile: mma_tiles.Tile) -> bool:
        """Whether a thread has room for its sums beside what it copies."""
        results = tile.rows * tile.columns
        if problem.dtype == _FLOAT64:
            return results <= 64 * 64
        return results <= 128 * 64 or self._copied_at_once(problem) == _CHUNK

    def _copied_at_once(self, problem: matmul_problem.Problem) -> int:
        """Bytes of a copy beside the arithmetic; 0 where there can be none."""
        aligned = _aligned(problem)
        if self._capability < _WITH_ASYNCHRONOUS_COPIES or aligned < _SMALLEST_COPY:
            return 0
        return aligned

    def _stages(self, problem: matmul_problem.Problem) -> int:
        if not self._copied_at_once(problem):
            return 2
        return 4 if self._capability in _WITH_SHARED_MEMORY_FOR_FOUR_STAGES else 3

    def _export(self, problem: matmul_problem.Problem, tile: mma_tiles.Tile) -> source.Export:
        copied = self._copied_at_once(problem)
        vectors = _flag(_aligned(problem) == _CHUNK)
        copy = f'Asynchronous<{copied}>' if copied else f'ThroughRegisters<{vectors}>'
        stages = self._stages(problem)
        layout = ''.join('t' if each.transposed else 'n' for each in (problem.a, problem.b))
        name = (
            'matmul_mma', matmul_types.short(problem.dtype, problem.result), layout,
            f'{tile.rows}x{tile.columns}x{stages}', re.sub(r'\W+', '_', copy).strip('_'),
            problem.activation,
        )  # fmt: skip
        return source.Export(
            _FILE,
            'TV_MATMUL_MMA',
            '_'.join(name),
            (
                *matmul_types.codes(problem.dtype, problem.result),
                str(tile.rows), str(tile.columns), str(stages), copy,
                _flag(not problem.a.transposed), _flag(problem.b.transposed),
                matmul_types.ACTIVATIONS[problem.activation],
            ),
        )  # fmt: skip


def _capability(chip: str) -> int:
    """Ten times the compute capability; the emulation has what sm_80 has."""
    number = re.match(r'sm_(\d+)', chip)
    return int(number[1]) if number else _WITH_ASYNCHRONOUS_COPIES


def _extents(problem: matmul_problem.Problem) -> mma_tiles.Extents:
    return mma_tiles.Extents(
        element_types.element_type('matmul', problem.dtype).short,
        problem.batch,
        problem.m,
        problem.n,
        problem.k,
        mma_tiles.TILE_BYTES // problem.dtype.itemsize,
        matmul_types.sum_type(problem.dtype).itemsize,
    )


def _aligned(problem: matmul_problem.Problem) -> int:
    """What all rows of the factors begin at multiples of, 16 bytes at most."""
    size = problem.dtype.itemsize
    found = _CHUNK
    for each in (problem.a, problem.b):
        stride = each.stride if problem.batch > 1 else 0
        found = math.gcd(found, each.address, each.leading * size, stride * size)
    return found


def _flag(value: bool) -> str:
    return 'true' if value else 'false'
