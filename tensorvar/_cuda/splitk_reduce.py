"""Launches ``kernels/splitk_reduce.cu``: the last step of a product in several parts.

The kernel before it leaves one sum per split and result in a workspace, and this one adds
them up in their order, so that the result is the same on every run. Two launches and no
counters: nothing has to be zero beforehand or is kept between launches, so that a product
may run on several streams at once and be captured in a graph.
"""

import math
import struct
from collections.abc import Callable

import numpy as np

from tensorvar._cuda import (
    arguments,
    launch,
    layout,
    matmul_problem,
    matmul_types,
    source,
    targets,
)

_FILE = 'splitk_reduce.cu'
_THREADS = 256
_BLOCKS_PER_MULTIPROCESSOR = 8
_pack_addresses = struct.Struct('<3Q').pack
_NUMBERS = struct.Struct('<4Q')
_BYTES = 3 * 8 + _NUMBERS.size + 2 * layout.DIVISOR_BYTES
_SIGNATURE = arguments.Signature(arguments.by_value(_BYTES, 8))
Reduce = Callable[[int, int, int], None]
"""Launches a reduction: addresses of the sums, C and the bias, 0 for none."""


def prepare(target: targets.Target, problem: matmul_problem.Problem, splits: int) -> Reduce:
    """What launches the reduction to the results of a problem.

    Args:
        target: the device.
        problem: says where the results go, and the bias and activation; of the addresses
            only what they are modulo 16 bytes.
        splits: how many sums there are of each result. All results of a split are dense,
            those of the first at a multiple of 16, in the type that products are added in.
    """
    total = matmul_types.sum_type(problem.dtype)
    length = max(1, matmul_types.VECTOR_BYTES // total.itemsize)
    written = min(matmul_types.VECTOR_BYTES, length * problem.result.itemsize)
    vectors = problem.n % length == 0 and matmul_types.has_vectors(
        problem.c, problem.result.itemsize, written
    )
    per_row = problem.n // length if vectors else problem.n
    count = problem.batch * problem.m * per_row
    export = _export(total, problem.result, problem.activation, vectors)
    most = target.multiprocessors * _BLOCKS_PER_MULTIPROCESSOR
    grid = launch.Grid(min(math.ceil(count / _THREADS), most), _THREADS)
    run, stream = target.kernel(export, _SIGNATURE).bind(grid), target.stream
    numbers = _NUMBERS.pack(splits, count, problem.c.leading, problem.c.stride)
    rest = numbers + layout.pack_divisor(per_row) + layout.pack_divisor(problem.m)

    def reduce(sums: int, c: int, bias: int) -> None:
        run(stream(), _pack_addresses(sums, c, bias) + rest)

    return reduce


def _export(
    total: np.dtype[np.generic],
    result: np.dtype[np.generic],
    activation: matmul_problem.Activation,
    vectors: bool,
) -> source.Export:
    suffix = '_vectors' if vectors else ''
    name = f'splitk_reduce_{activation}_{matmul_types.short(total, result)}{suffix}'
    codes = matmul_types.codes(total, result)
    flag = str(vectors).lower()
    return source.Export(
        _FILE, 'TV_SPLITK_REDUCE', name, (*codes, matmul_types.ACTIVATIONS[activation], flag)
    )
