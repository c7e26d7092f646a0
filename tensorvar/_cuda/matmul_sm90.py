"""Launches ``kernels/matmul_sm90.cu``: matrix products on the tensor cores of Hopper.

float16 and bfloat16, and float32 where tf32 is asked for. The copy engine moves whole tiles
by itself, so addresses, rows and matrices must lie at multiples of 16 bytes; sizes are free.

tf32 keeps 10 bits of mantissa. The factors are rounded to nearest: the tensor cores would
cut off the rest, which makes every product too small by 7e-4 on average and does not
average out over a sum. A is rounded on its way through the registers, B in a pass into the
workspace, which also puts its rows along K, the only layout of tf32 that the tensor cores
read.
"""

from typing import NamedTuple

from tensorvar import errors
from tensorvar._cuda import (
    launch,
    matmul_problem,
    sm90_plan,
    sm90_tiles,
    source,
    splitk_reduce,
    targets,
    tensor_map,
)

_CHIPS = ('sm_90a', 'host')
_ROUND_THREADS = 256
_ROUND_TILE = 32
_ROUND_BLOCKS = 8
_MOST_PLANS = 4096
_MOST_TILES = 1 << 31
_LONGEST = _MOST_TILES - 512
_Start = tuple[launch.Launch, tuple[int | bytes, ...]]


class _Plan(NamedTuple):
    """A prepared launch for problems that differ in their addresses only.

    Attributes:
        launch: of the product.
        operands: A, B and C.
        tiling: ``tv::Tiling``.
        round: what puts B into the workspace, or None, and its arguments after the
            addresses.
    """

    launch: launch.Launch
    operands: tuple[sm90_plan.Operand, sm90_plan.Operand, sm90_plan.Operand]
    tiling: bytes
    round: tuple[launch.Launch, tuple[int, ...]] | None


class _Ready(NamedTuple):
    """Launches with their arguments, then the reduction of the sums of splits."""

    starts: tuple[_Start, ...]
    sums: int
    splits: int


class Sm90Matmul:
    """Matrix products of 16-bit floats and tf32 on one device.

    Args:
        target: the device.
        tiles: what to choose the tile of a block from.
    """

    def __init__(
        self, target: targets.Target, tiles: tuple[sm90_tiles.Tile, ...] = sm90_tiles.TILES
    ) -> None:
        self._target = target
        self._tiles = tiles
        self._reduction = splitk_reduce.SplitReduction(target)
        self._kernels: dict[source.Export, launch.Kernel] = {}
        self._plans: dict[tuple[matmul_problem.Problem, sm90_tiles.Choice], _Plan] = {}
        self._maps: dict[tensor_map.Tiled, bytes] = {}
        self._ready: dict[tuple[matmul_problem.Problem, int], _Ready] = {}

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this: by chip, dtypes, alignment and size."""
        if self._target.name not in _CHIPS or not sm90_plan.has_types(problem):
            return False
        sizes = problem.batch, problem.m, problem.n, problem.k
        if min(sizes) < 1 or max(sizes) > _LONGEST or not _has_few_tiles(problem):
            return False
        if problem.batch > 1 and not problem.c.stride:
            return False
        described = [
            (problem.a, problem.m, problem.k, problem.dtype),
            (problem.c, problem.m, problem.n, problem.result),
        ]
        if not sm90_plan.is_tf32(problem):
            described.append((problem.b, problem.k, problem.n, problem.dtype))
        elif problem.b.address % problem.dtype.itemsize:
            return False
        return all(
            tensor_map.can_describe(
                each.address, *sm90_plan.lie(each, rows, columns, problem.batch, dtype)
            )
            for each, rows, columns, dtype in described
        )

    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that ``multiply`` uses, at a multiple of 16.

        They hold B in tf32, and the sums of a product that too few blocks would share
        otherwise.
        """
        splits = self._choose(problem, may_split=True).splits
        rounded = sm90_plan.rounded_bytes(problem) if sm90_plan.is_tf32(problem) else 0
        sums = problem.batch * problem.m * problem.n * sm90_plan.FLOAT32.itemsize
        return rounded + (splits * sums if splits > 1 else 0)

    def multiply(self, problem: matmul_problem.Problem, workspace: int = 0) -> None:
        """Launches a product that ``supports`` said yes to; waits for nothing.

        Args:
            problem: what is multiplied.
            workspace: address of as many bytes as ``workspace`` says; 16-bit floats can do
                without, which may take longer.

        Raises:
            InvalidArgumentError: tf32 has no workspace.
        """
        key = problem, workspace
        ready = self._ready.get(key)
        if ready is None:
            if len(self._ready) >= _MOST_PLANS:
                self._ready.clear()
            ready = self._ready[key] = self._prepare(problem, workspace)
        stream = self._target.stream()
        for start, values in ready.starts:
            start(stream, *values)
        if ready.splits > 1:
            self._reduction.reduce(problem, ready.sums, ready.splits)

    def exports(
        self, problem: matmul_problem.Problem, *, split: bool = False
    ) -> list[source.Export]:
        """The kernels of ``matmul_sm90.cu`` and ``round_tf32.cu`` that a problem needs.

        Args:
            problem: what is multiplied.
            split: whether there will be a workspace.
        """
        choice = self._choose(problem, may_split=split)
        product = problem if choice.splits == 1 else sm90_plan.sums_of(problem, 0)
        found = [sm90_plan.export(product, choice.tile)]
        if sm90_plan.is_tf32(problem):
            found.append(sm90_plan.round_export(problem))
        return found

    def _prepare(self, problem: matmul_problem.Problem, workspace: int) -> _Ready:
        choice = self._choose(problem, may_split=workspace != 0)
        starts: list[_Start] = []
        b, sums = problem.b.address, workspace
        product = problem
        if sm90_plan.is_tf32(problem):
            if not workspace:
                raise errors.InvalidArgumentError(
                    f'[matmul] tf32 without a workspace; it takes {self.workspace(problem)} bytes'
                )
            b, sums = workspace, workspace + sm90_plan.rounded_bytes(problem)
        if choice.splits > 1:
            product = sm90_plan.sums_of(problem, sums)
        plan = self._plan(product, choice)
        if plan.round is not None:
            start, tail = plan.round
            starts.append((start, (workspace, problem.b.address, *tail)))
        addresses = problem.a.address, b, product.c.address
        maps = [
            self._map(operand.at(address))
            for operand, address in zip(plan.operands, addresses, strict=True)
        ]
        starts.append((plan.launch, (*maps, product.bias or 0, plan.tiling)))
        return _Ready(tuple(starts), sums, choice.splits)

    def _choose(self, problem: matmul_problem.Problem, *, may_split: bool) -> sm90_tiles.Choice:
        return sm90_tiles.choose(
            sm90_plan.extents(problem),
            self._target.name,
            self._target.multiprocessors,
            self._tiles,
            may_split=may_split and sm90_plan.can_split(problem),
        )

    def _map(self, tiled: tensor_map.Tiled) -> bytes:
        found = self._maps.get(tiled)
        if found is None:
            if len(self._maps) >= _MOST_PLANS:
                self._maps.clear()
            found = self._maps[tiled] = self._target.tensor_map(tiled)
        return found

    def _plan(self, product: matmul_problem.Problem, choice: sm90_tiles.Choice) -> _Plan:
        described = product._replace(
            a=product.a._replace(address=0),
            b=product.b._replace(address=0),
            c=product.c._replace(address=0),
            bias=None,
        )
        plan = self._plans.get((described, choice))
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[described, choice] = self._bind(described, choice)
        return plan

    def _bind(self, product: matmul_problem.Problem, choice: sm90_tiles.Choice) -> _Plan:
        tile = choice.tile
        tiling, count = sm90_plan.tiling(product, choice)
        at_once = min(count, max(1, self._target.multiprocessors // tile.cluster))
        grid = launch.Grid(
            at_once * tile.cluster, tile.threads, shared=tile.shared, cluster=tile.cluster
        )
        kernel = self._kernel(sm90_plan.export(product, tile))
        operands = sm90_plan.operands(product, choice)
        return _Plan(kernel.bind(grid), operands, tiling, self._rounding(product))

    def _rounding(
        self, product: matmul_problem.Problem
    ) -> tuple[launch.Launch, tuple[int, ...]] | None:
        if not sm90_plan.is_tf32(product):
            return None
        pitch = sm90_plan.rounded_pitch(product.k) // product.dtype.itemsize
        matrices = sm90_plan.rounded_matrices(product)
        count = matrices * -(-product.n // _ROUND_TILE) * -(-product.k // _ROUND_TILE)
        grid = launch.Grid(min(count, _ROUND_BLOCKS * self._target.multiprocessors), _ROUND_THREADS)
        bound = self._kernel(sm90_plan.round_export(product)).bind(grid)
        tail = (matrices, product.n, product.k, pitch, product.b.leading, product.b.stride)
        return bound, tail

    def _kernel(self, export: source.Export) -> launch.Kernel:
        kernel = self._kernels.get(export)
        if kernel is None:
            rounds = export.macro == 'TV_ROUND_TF32'
            signature = sm90_plan.ROUND_SIGNATURE if rounds else sm90_plan.SIGNATURE
            kernel = self._kernels[export] = self._target.kernel(export, signature)
        return kernel


def _has_few_tiles(problem: matmul_problem.Problem) -> bool:
    # Of the smallest; the kernel counts with 32 bits.
    return problem.batch * -(-problem.m // 64) * -(-problem.n // 64) < _MOST_TILES
