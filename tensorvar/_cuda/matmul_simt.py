"""Launches ``kernels/matmul_simt.cu``: products of every type without tensor cores.

float32 in IEEE arithmetic, float64, complex, integers that wrap as NumPy's do, and 16-bit
floats where a chip has no better kernel. Sizes, distances between rows and addresses are
free, as long as the elements are aligned.
"""

import math
import re
import struct
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tensorvar import errors
from tensorvar._cuda import (
    arguments,
    launch,
    matmul_problem,
    matmul_types,
    simt_tiles,
    source,
    splitk_reduce,
    targets,
)

_FILE = 'matmul_simt.cu'
_MOST_PLANS = 4096
_MOST_BLOCKS = (1 << 31) - 1
_PRODUCT = struct.Struct('<19Q')
_SIGNATURE = arguments.Signature(arguments.by_value(_PRODUCT.size, 8))
_COPIES_ASYNCHRONOUSLY_SINCE = 80
# Chips with shared memory for three stages of the largest tile, twice, and on which that
# leaves registers enough.
_LARGE_SHARED = ('sm_80', 'sm_87', 'sm_90', 'sm_90a', 'host')
_PLAIN_FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))


class _Plan(NamedTuple):
    """A prepared launch for problems that differ in their addresses only.

    Attributes:
        launches: batches that go into one launch, and the kernel with that grid.
        way: how the product is dealt out.
        numbers: ``row_tiles``, ``column_tiles`` and ``vector_results`` of ``tv::Product``.
    """

    launches: tuple[tuple[int, launch.Launch], ...]
    way: simt_tiles.Way
    numbers: tuple[int, int, int]


class SimtMatmul:
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
        self._target = target
        self._tiles = tiles
        self._reduction = splitk_reduce.SplitReduction(target)
        self._kernels: dict[source.Export, launch.Kernel] = {}
        self._plans: dict[tuple[matmul_problem.Problem, bool], _Plan] = {}

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this: all but tf32 and misaligned elements."""
        return matmul_types.are_supported(problem) and matmul_types.is_aligned(problem)

    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that ``multiply`` would use, at a multiple of 16.

        They hold the sums of a product that too few blocks would share otherwise.
        """
        if not problem.batch * problem.m * problem.n:
            return 0
        way = self._way(problem, split=True)
        if way.splits == 1:
            return 0
        return way.splits * _results(problem) * _itemsize(problem)

    def multiply(self, problem: matmul_problem.Problem, workspace: int = 0) -> None:
        """Launches a product that ``supports`` said yes to; waits for nothing.

        Args:
            problem: what is multiplied.
            workspace: address of as many bytes as ``workspace`` says, or 0 to do without,
                which takes longer.

        Raises:
            InvalidArgumentError: there are more terms than a block can add up, and no
                workspace for the sums of several.
        """
        if not problem.batch * problem.m * problem.n:
            # A launch of no blocks is an error of the driver's.
            return
        key = (matmul_types.describe(problem), workspace != 0)
        plan = self._plans.get(key) or self._plan(key)
        if plan.way.splits == 1:
            self._launch(problem, plan)
            return
        into = problem.c._replace(
            address=workspace, leading=problem.n, stride=problem.m * problem.n
        )
        self._launch(problem._replace(c=into, bias=None), plan)
        self._reduction.reduce(problem, workspace, plan.way.splits)

    def _launch(self, problem: matmul_problem.Problem, plan: _Plan) -> None:
        stream = self._target.stream()
        total = _itemsize(problem) if plan.way.splits > 1 else problem.result.itemsize
        a, b, c = problem.a, problem.b, problem.c
        first = 0
        for batch, run in plan.launches:
            run(
                stream,
                _PRODUCT.pack(
                    a.address + first * a.stride * problem.dtype.itemsize,
                    b.address + first * b.stride * problem.dtype.itemsize,
                    c.address + first * c.stride * total,
                    problem.bias or 0,
                    problem.m, problem.n, problem.k, batch,
                    a.leading, b.leading, c.leading,
                    a.stride, b.stride, c.stride,
                    plan.way.terms, _results(problem),
                    *plan.numbers,
                ),
            )  # fmt: skip
            first += batch

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

    def _plan(self, key: tuple[matmul_problem.Problem, bool]) -> _Plan:
        problem, split = key
        way = self._way(problem, split=split)
        tile, itemsize = way.tile, _itemsize(problem)
        result, activation, into = problem.result, problem.activation, problem.c
        if way.splits > 1:
            result, activation = matmul_types.sum_type(problem.dtype), 'none'
            into = matmul_problem.Matrices(0, problem.n, problem.m * problem.n)
        export, stages = _export(problem, tile, result, activation, self._target.name)
        if export not in self._kernels:
            self._kernels[export] = self._target.kernel(export, _SIGNATURE)
        group = min(tile.thread_columns, max(1, matmul_types.VECTOR_BYTES // itemsize))
        written = min(matmul_types.VECTOR_BYTES, group * result.itemsize)
        vectors = matmul_types.has_vectors(into, result.itemsize, written)
        row_tiles = math.ceil(problem.m / tile.rows)
        column_tiles = math.ceil(problem.n / tile.columns)
        blocks = row_tiles * column_tiles * way.splits
        launches = []
        for batch in _slices(problem.batch, max(1, _MOST_BLOCKS // blocks)):
            grid = launch.Grid(batch * blocks, tile.threads, tile.shared(stages, itemsize))
            launches.append((batch, self._kernels[export].bind(grid)))
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        plan = _Plan(tuple(launches), way, (row_tiles, column_tiles, int(vectors)))
        self._plans[key] = plan
        return plan


def _results(problem: matmul_problem.Problem) -> int:
    return problem.batch * problem.m * problem.n


def _itemsize(problem: matmul_problem.Problem) -> int:
    return matmul_types.sum_type(problem.dtype).itemsize


def _slices(count: int, most: int) -> list[int]:
    full, rest = divmod(count, most)
    return [most] * full + [rest] * (rest > 0)


def _copies_asynchronously(chip: str) -> bool:
    number = re.match(r'sm_(\d+)', chip)
    return number is None or int(number[1]) >= _COPIES_ASYNCHRONOUSLY_SINCE


def _export(
    problem: matmul_problem.Problem,
    tile: simt_tiles.Tile,
    result: np.dtype[np.generic],
    activation: matmul_problem.Activation,
    chip: str,
) -> tuple[source.Export, int]:
    """The kernel, and how many tiles it has in shared memory."""
    total = matmul_types.sum_type(problem.dtype)
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
