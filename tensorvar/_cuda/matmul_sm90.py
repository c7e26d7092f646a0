"""Launches ``kernels/matmul_sm90.cu``: matrix products on the tensor cores of Hopper.

float16 and bfloat16, and float32 where tf32 is asked for. The copy engine moves whole tiles
by itself, so addresses, rows and matrices must lie at multiples of 16 bytes; sizes are free.

tf32 keeps 10 bits of mantissa. The factors are rounded to nearest: the tensor cores would
cut off the rest, which makes every product too small by 7e-4 on average and does not
average out over a sum. A is rounded on its way through the registers, B in a pass into the
workspace, which also puts its rows along K, the only layout of tf32 that the tensor cores
read.
"""

import itertools

from tensorvar import errors
from tensorvar._cuda import (
    launch,
    matmul_family,
    matmul_problem,
    matmul_types,
    remembered,
    sm90_plan,
    sm90_tiles,
    targets,
    tensor_map,
)

_CHIPS = ('sm_90a', 'host')
_ROUND_THREADS = 256
_ROUND_TILE = 32
_ROUND_BLOCKS = 8
_MOST_TILES = 1 << 31
_LONGEST = _MOST_TILES - 512


class Sm90Matmul(matmul_family.MatmulFamily):
    """Matrix products of 16-bit floats and tf32 on one device.

    Args:
        target: the device.
        tiles: what to choose the tile of a block from.
    """

    def __init__(
        self, target: targets.Target, tiles: tuple[sm90_tiles.Tile, ...] = sm90_tiles.TILES
    ) -> None:
        super().__init__(target)
        self._tiles = tiles
        self._numbers = itertools.count()
        self._maps: dict[tensor_map.Tiled, bytes] = {}
        self._operands: dict[tuple[int, int, int, int], tuple[bytes, ...]] = {}

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
        return rounded + matmul_types.sums_bytes(problem, splits)

    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> matmul_family.Start:
        """What launches a product; see ``MatmulFamily``. tf32 needs a workspace."""
        tf32 = sm90_plan.is_tf32(problem)
        if tf32 and not split:
            raise errors.InvalidArgumentError(
                f'[matmul] tf32 without a workspace; it takes {self.workspace(problem)} bytes'
            )
        choice = self._choose(problem, may_split=split)
        product = matmul_types.first_step(problem, choice.splits)
        start = self._reduced(problem, self._product(product, choice), choice.splits)
        return self._rounded(problem, start) if tf32 else start

    def _choose(self, problem: matmul_problem.Problem, *, may_split: bool) -> sm90_tiles.Choice:
        return sm90_tiles.choose(
            sm90_plan.extents(problem),
            self._target.name,
            self._target.multiprocessors,
            self._tiles,
            may_split=may_split and sm90_plan.can_split(problem),
        )

    def _product(
        self, product: matmul_problem.Problem, choice: sm90_tiles.Choice
    ) -> matmul_family.Start:
        tile = choice.tile
        tiling, count = sm90_plan.tiling(product, choice)
        at_once = min(count, max(1, self._target.multiprocessors // tile.cluster))
        grid = launch.Grid(
            at_once * tile.cluster, tile.threads, shared=tile.shared, cluster=tile.cluster
        )
        kernel = self._target.kernel(sm90_plan.export(product, tile), sm90_plan.SIGNATURE)
        run, stream, ready = kernel.bind(grid), self._target.stream, self._operands
        operands, number = sm90_plan.operands(product, choice), next(self._numbers)

        def find(key: tuple[int, int, int, int]) -> tuple[bytes, ...]:
            tiled = [each.at(address) for each, address in zip(operands, key[1:], strict=True)]
            return remembered.remember(ready, key, tuple(map(self._map, tiled)))

        def start(a: int, b: int, c: int, bias: int, _: int) -> None:
            key = number, a, b, c
            run(stream(), *(ready.get(key) or find(key)), bias, tiling)

        return start

    def _map(self, tiled: tensor_map.Tiled) -> bytes:
        found = self._maps.get(tiled)
        if found is None:
            found = remembered.remember(self._maps, tiled, self._target.tensor_map(tiled))
        return found

    def _rounded(
        self, problem: matmul_problem.Problem, multiply: matmul_family.Start
    ) -> matmul_family.Start:
        """What puts B into the workspace, rounded, and then multiplies by that."""
        pitch = sm90_plan.rounded_pitch(problem.k) // problem.dtype.itemsize
        matrices = sm90_plan.rounded_matrices(problem)
        count = matrices * -(-problem.n // _ROUND_TILE) * -(-problem.k // _ROUND_TILE)
        grid = launch.Grid(min(count, _ROUND_BLOCKS * self._target.multiprocessors), _ROUND_THREADS)
        kernel = self._target.kernel(sm90_plan.round_export(problem), sm90_plan.ROUND_SIGNATURE)
        run, stream, leading = kernel.bind(grid), self._target.stream, problem.b.leading
        rest = matrices, problem.n, problem.k, pitch, leading, problem.b.stride
        sums = sm90_plan.rounded_bytes(problem)

        def start(a: int, b: int, c: int, bias: int, workspace: int) -> None:
            run(stream(), workspace, b, *rest)
            multiply(a, workspace, c, bias, workspace + sums)

        return start


def _has_few_tiles(problem: matmul_problem.Problem) -> bool:
    # Of the smallest; the kernel counts with 32 bits.
    return problem.batch * -(-problem.m // 64) * -(-problem.n // 64) < _MOST_TILES
