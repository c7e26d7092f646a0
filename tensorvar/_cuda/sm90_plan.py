"""What ``kernels/matmul_sm90.cu`` is launched with: operands, tiling, names of kernels.

Nothing here needs a device. Of the addresses of a problem nothing is read.
"""

import struct
from typing import NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._cuda import (
    arguments,
    element_types,
    matmul_problem,
    matmul_types,
    sm90_tiles,
    source,
    tensor_map,
)

FLOAT32 = np.dtype(np.float32)
_FILE = 'matmul_sm90.cu'
_PIECE_ROWS = 64
_TILING = struct.Struct('<8I2i')
_MAP = arguments.by_value(tensor_map.BYTES, tensor_map.ALIGNMENT)
SIGNATURE = arguments.Signature(
    _MAP, _MAP, _MAP, arguments.POINTER, arguments.by_value(_TILING.size, 4)
)
ROUND_SIGNATURE = arguments.Signature(arguments.POINTER, arguments.POINTER, *[arguments.COUNT] * 6)


class Operand(NamedTuple):
    """How the copy engine sees one operand, but for its address."""

    dtype: np.dtype[np.generic]
    extents: tuple[int, int, int]
    strides: tuple[int, int]
    box: tuple[int, int]

    def at(self, address: int) -> tensor_map.Tiled:
        """The operand at an address."""
        return tensor_map.Tiled(self.dtype, address, *self[1:])


def has_types(problem: matmul_problem.Problem) -> bool:
    """Whether the kernels know the dtypes at this precision."""
    if problem.dtype in dtypes.HALF_PRECISION:
        return problem.result in (problem.dtype, FLOAT32)
    return is_tf32(problem) and problem.result == FLOAT32


def is_tf32(problem: matmul_problem.Problem) -> bool:
    """Whether factors are float32 that may be rounded."""
    return problem.dtype == FLOAT32 and problem.precision == 'tf32'


def extents(problem: matmul_problem.Problem) -> sm90_tiles.Extents:
    """What the choice of a tile depends on."""
    return sm90_tiles.Extents(
        problem.batch,
        problem.m,
        problem.n,
        problem.k,
        problem.dtype.itemsize,
        problem.result.itemsize,
    )


def can_split(problem: matmul_problem.Problem) -> bool:
    """Whether the copy engine can store dense rows of sums."""
    return problem.n * FLOAT32.itemsize % tensor_map.UNIT == 0


def rounded_pitch(k: int) -> int:
    """Bytes from one rounded row of B to the next."""
    row = k * FLOAT32.itemsize
    return row + -row % tensor_map.UNIT


def rounded_bytes(problem: matmul_problem.Problem) -> int:
    """Bytes of B, rounded."""
    return rounded_matrices(problem) * problem.n * rounded_pitch(problem.k)


def rounded_matrices(problem: matmul_problem.Problem) -> int:
    """How many matrices of B there are to round."""
    return problem.batch if problem.b.stride else 1


def lie(
    matrices: matmul_problem.Matrices,
    rows: int,
    columns: int,
    batch: int,
    dtype: np.dtype[np.generic],
) -> tuple[tuple[int, int, int], tuple[int, int]]:
    """Extents and strides of stored matrices, as ``tensor_map.Tiled`` has them."""
    if matrices.transposed:
        rows, columns = columns, rows
    row = matrices.leading * dtype.itemsize
    # One matrix for the whole batch is a batch of one, whatever its stride.
    shared = batch == 1 or matrices.stride == 0
    stride = row * rows if shared else matrices.stride * dtype.itemsize
    return (columns, rows, 1 if shared else batch), (row, stride)


def operands(
    problem: matmul_problem.Problem, choice: sm90_tiles.Choice
) -> tuple[Operand, Operand, Operand]:
    """A, B and C; with splits, C of ``matmul_types.first_step``."""
    tile = choice.tile
    slab = sm90_tiles.SLAB_BYTES // problem.dtype.itemsize
    across_b = not problem.b.transposed
    lies_b = lie(problem.b, problem.k, problem.n, problem.batch, problem.dtype)
    if is_tf32(problem):
        pitch = rounded_pitch(problem.k)
        lies_b = (problem.k, problem.n, rounded_matrices(problem)), (pitch, pitch * problem.n)
        across_b = False
    lies_a = lie(problem.a, problem.m, problem.k, problem.batch, problem.dtype)
    results = problem.batch * choice.splits
    lies_c = lie(problem.c, problem.m, problem.n, results, problem.result)
    box_a = slab, slab if problem.a.transposed else tile.rows
    box_b = slab, slab if across_b else tile.columns // tile.cluster
    box_c = sm90_tiles.SLAB_BYTES // problem.result.itemsize, _PIECE_ROWS
    return (
        Operand(problem.dtype, *lies_a, box_a),
        Operand(problem.dtype, *lies_b, box_b),
        Operand(problem.result, *lies_c, box_c),
    )


def tiling(problem: matmul_problem.Problem, choice: sm90_tiles.Choice) -> tuple[bytes, int]:
    """``tv::Tiling``, and the number of tiles, or of clusters of them."""
    down, across = sm90_tiles.count_tiles(problem.m, problem.n, choice.tile)
    count = problem.batch * down * across * choice.splits
    several_a, several_b = (
        int(problem.batch > 1 and each.stride != 0) for each in (problem.a, problem.b)
    )
    packed = _TILING.pack(
        problem.m,
        problem.n,
        extents(problem).slabs,
        choice.slabs_per_split,
        down,
        across,
        problem.batch,
        count,
        several_a,
        several_b,
    )
    return packed, count


def export(problem: matmul_problem.Problem, tile: sm90_tiles.Tile) -> source.Export:
    """The kernel of a problem."""
    tf32 = is_tf32(problem)
    result = element_types.element_type('matmul', problem.result)
    operand = element_types.element_type('matmul', problem.dtype)
    short = 'tf32' if tf32 else operand.short
    across_a, across_b = problem.a.transposed, not (tf32 or problem.b.transposed)
    layout = f'{"t" if across_a else "n"}{"n" if across_b else "t"}'
    return source.Export(
        _FILE,
        'TV_MATMUL_SM90',
        f'matmul_sm90_{short}_{result.short}_{tile.rows}x{tile.columns}x{tile.cluster}_'
        f'{layout}_{problem.activation}',
        (
            'Tf32' if tf32 else operand.code.removeprefix('tv::'),
            result.code,
            str(tile.rows),
            str(tile.columns),
            str(tile.stages),
            str(tile.cluster),
            str(across_a).lower(),
            str(across_b).lower(),
            matmul_types.ACTIVATIONS[problem.activation],
        ),
    )


def round_export(problem: matmul_problem.Problem) -> source.Export:
    """The kernel that puts B into the workspace."""
    across = not problem.b.transposed
    name = f'round_tf32_{"across" if across else "along"}'
    return source.Export('round_tf32.cu', 'TV_ROUND_TF32', name, (str(across).lower(),))
