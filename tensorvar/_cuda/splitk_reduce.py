"""Launches ``kernels/splitk_reduce.cu``: the last step of a product in several parts.

The kernel before it leaves one sum per split and result in a workspace, and this one adds
them up in their order, so that the result is the same on every run. Two launches and no
counters: nothing has to be zero beforehand or is kept between launches, so that a product
may run on several streams at once and be captured in a graph.
"""

import math
import struct

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
_MOST_PLANS = 4096
_NUMBERS = struct.Struct('<7Q')
_BYTES = _NUMBERS.size + 2 * layout.DIVISOR_BYTES
_SIGNATURE = arguments.Signature(arguments.by_value(_BYTES, 8))
_Key = tuple[matmul_problem.Problem, bool]
_Plan = tuple[launch.Launch, int, bytes]


class SplitReduction:
    """Adds up the parts of products on one device."""

    def __init__(self, target: targets.Target) -> None:
        self._target = target
        self._kernels: dict[source.Export, launch.Kernel] = {}
        self._plans: dict[_Key, _Plan] = {}

    def reduce(self, problem: matmul_problem.Problem, sums: int, splits: int) -> None:
        """Launches the reduction to the results of a problem.

        Args:
            problem: says where the results go, and the bias and activation.
            sums: address of the sums, a multiple of 16: for each split all results, dense,
                in the type that the products are added in.
            splits: how many.
        """
        key = (matmul_types.describe(problem), sums % matmul_types.VECTOR_BYTES == 0)
        plan = self._plans.get(key) or self._plan(key)
        run, vectors, divisors = plan
        numbers = _NUMBERS.pack(
            sums,
            problem.c.address,
            problem.bias or 0,
            splits,
            vectors,
            problem.c.leading,
            problem.c.stride,
        )
        run(self._target.stream(), numbers + divisors)

    def _plan(self, key: _Key) -> _Plan:
        problem, aligned = key
        total = matmul_types.sum_type(problem.dtype)
        length = max(1, matmul_types.VECTOR_BYTES // total.itemsize)
        written = min(matmul_types.VECTOR_BYTES, length * problem.result.itemsize)
        vectors = (
            aligned
            and problem.n % length == 0
            and matmul_types.has_vectors(problem.c, problem.result.itemsize, written)
        )
        per_row = problem.n // length if vectors else problem.n
        count = problem.batch * problem.m * per_row
        export = _export(total, problem.result, problem.activation, vectors)
        most = self._target.multiprocessors * _BLOCKS_PER_MULTIPROCESSOR
        grid = launch.Grid(min(math.ceil(count / _THREADS), most), _THREADS)
        if export not in self._kernels:
            self._kernels[export] = self._target.kernel(export, _SIGNATURE)
        divisors = layout.pack_divisor(per_row) + layout.pack_divisor(problem.m)
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[key] = self._kernels[export].bind(grid), count, divisors
        return self._plans[key]


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
