"""Launches ``kernels/matmul_mma.cu``: products of matrices on tensor cores, from sm_75 on.

Sums are float32 for float16, bfloat16 and tf32, int32 for int8 and float64 for float64.
Factors lie in any of the four layouts, at any address that is a multiple of the element
size; multiples of 16 bytes are the fastest.
"""

import math
import re
import struct
from typing import NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._cuda import (
    arguments,
    element_types,
    launch,
    matmul_problem,
    matmul_types,
    mma_tiles,
    source,
    splitk_reduce,
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
_MOST_PLANS = 4096
_PRODUCT = struct.Struct('<19Q')
_SIGNATURE = arguments.Signature(arguments.by_value(_PRODUCT.size, 8))


class _Plan(NamedTuple):
    """A prepared launch for problems that differ in their addresses only.

    Attributes:
        launch: of the product.
        choice: how it is dealt out.
        tail: the last three numbers of ``tv::Product``.
    """

    launch: launch.Launch
    choice: mma_tiles.Choice
    tail: tuple[int, int, int]


class MmaMatmul:
    """Matrix products on the tensor cores of one device.

    Args:
        target: the device.
        tiles: what to choose the tile of a block from; the table's by default.
    """

    def __init__(
        self, target: targets.Target, tiles: tuple[mma_tiles.Tile, ...] | None = None
    ) -> None:
        self._target = target
        self._capability = _capability(target.name)
        self._tiles = mma_tiles.tiles(target.name) if tiles is None else tiles
        self._reduction = splitk_reduce.SplitReduction(target)
        self._kernels: dict[source.Export, launch.Kernel] = {}
        self._plans: dict[tuple[matmul_problem.Problem, bool], _Plan] = {}

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
        if not _results(problem):
            return 0
        splits = self._choose(problem, split=True).splits
        return splits * _results(problem) * _extents(problem).sum_size if splits > 1 else 0

    def multiply(self, problem: matmul_problem.Problem, workspace: int = 0) -> None:
        """Launches a product that ``supports`` said yes to; waits for nothing.

        Args:
            problem: what is multiplied.
            workspace: address of as many bytes as ``workspace`` says, or 0 to do without,
                which takes longer.
        """
        if not _results(problem):
            # A launch of no blocks is an error of the driver's.
            return
        key = (matmul_types.describe(problem), workspace != 0)
        plan = self._plans.get(key) or self._plan(key)
        if plan.choice.splits == 1:
            self._launch(problem, plan)
            return
        self._launch(_without_epilogue(problem, workspace), plan)
        self._reduction.reduce(problem, workspace, plan.choice.splits)

    def exports(
        self, problem: matmul_problem.Problem, *, split: bool = False
    ) -> list[source.Export]:
        """The kernels of ``matmul_mma.cu`` that a problem needs.

        Args:
            problem: what is multiplied.
            split: whether there will be a workspace.
        """
        choice = self._choose(problem, split=split)
        return [self._export(_first_step(problem, choice), choice.tile)]

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

    def _launch(self, problem: matmul_problem.Problem, plan: _Plan) -> None:
        a, b, c = problem.a, problem.b, problem.c
        plan.launch(
            self._target.stream(),
            _PRODUCT.pack(
                a.address, b.address, c.address, problem.bias or 0,
                problem.m, problem.n, problem.k, problem.batch,
                a.leading, b.leading, c.leading,
                a.stride, b.stride, c.stride,
                plan.choice.terms, _results(problem),
                *plan.tail,
            ),
        )  # fmt: skip

    def _plan(self, key: tuple[matmul_problem.Problem, bool]) -> _Plan:
        problem, split = key
        choice = self._choose(problem, split=split)
        first = _first_step(problem, choice)
        tile, extents = choice.tile, _extents(problem)
        shared = tile.shared(self._stages(problem), extents.sum_size)
        blocks = extents.blocks(tile) * choice.splits
        export = self._export(first, tile)
        if export not in self._kernels:
            self._kernels[export] = self._target.kernel(export, _SIGNATURE)
        bound = self._kernels[export].bind(launch.Grid(blocks, tile.threads, shared))
        vectors = matmul_types.has_vectors(first.c, first.result.itemsize)
        tail = -(-problem.m // tile.rows), -(-problem.n // tile.columns), int(vectors)
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[key] = _Plan(bound, choice, tail)
        return self._plans[key]

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


def _results(problem: matmul_problem.Problem) -> int:
    return problem.batch * problem.m * problem.n


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


def _without_epilogue(problem: matmul_problem.Problem, workspace: int) -> matmul_problem.Problem:
    """The product whose results are the sums of splits, in the workspace."""
    into = problem.c._replace(address=workspace, leading=problem.n, stride=problem.m * problem.n)
    return problem._replace(
        c=into, result=matmul_types.sum_type(problem.dtype), bias=None, activation='none'
    )


def _first_step(
    problem: matmul_problem.Problem, choice: mma_tiles.Choice
) -> matmul_problem.Problem:
    # A workspace is at a multiple of 16.
    return problem if choice.splits == 1 else _without_epilogue(problem, 0)


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
