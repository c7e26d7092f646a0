"""Launches ``kernels/gemv.cu``: products with at most 8 rows or at most 8 columns.

They are as fast as the large operand can be read, so it is read once, 16 bytes at a time,
whichever way it lies.
"""

import math
import struct
from typing import NamedTuple

from tensorvar import dtypes
from tensorvar._cuda import (
    launch,
    matmul_family,
    matmul_problem,
    matmul_types,
    source,
)

_FILE = 'gemv.cu'
_MOST_THIN = 8
_MOST_BLOCKS = (1 << 31) - 1
_ROWS_THREADS = 256
_COLUMNS_THREADS = 512
_SECTOR_LANES = 8
_NUMBERS = struct.Struct('<16Q')
_SIGNATURE = matmul_family.signature(_NUMBERS)
# What a multiprocessor reads per second, and what one more launch takes: estimates that
# decide into how many parts the terms are dealt out.
_BYTES_PER_SECOND = 40e9
_LAUNCH_SECONDS = 3e-6
_SPLITS = (1, 2, 4, 8, 16, 32, 64)
_LEAST_TERMS = 256
_TERMS_TOGETHER = 32


class _Thin(NamedTuple):
    """A problem as the kernels see it: y[s, j] = sum over k of x[s, k] w[j, k].

    Attributes:
        thin: rows of x.
        width: rows of w.
        x: elements to the next row, to the next k and to the next matrix.
        w: elements to the next stored row and to the next matrix.
        y: elements to the next s, to the next j and to the next matrix.
        along_k: whether the k of one j are neighbours in w.
        bias_along_rows: whether the bias belongs to s and not to j.
    """

    thin: int
    width: int
    x: tuple[int, int, int]
    w: tuple[int, int]
    y: tuple[int, int, int]
    along_k: bool
    bias_along_rows: bool


class GemvMatmul(matmul_family.MatmulFamily):
    """Products with few rows or columns on one device."""

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this: floats, and few rows or columns."""
        return (
            min(problem.m, problem.n) <= _MOST_THIN
            and problem.dtype in dtypes.FLOATING
            and matmul_types.are_supported(problem)
            and matmul_types.is_aligned(problem)
            and _blocks(problem) <= _MOST_BLOCKS // max(_SPLITS)
        )

    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that ``multiply`` would use, at a multiple of 16.

        They hold the sums of a product that too few blocks would share otherwise.
        """
        splits, _ = self._splits(problem, split=True)
        return matmul_types.sums_bytes(problem, splits)

    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> matmul_family.Start:
        """What launches a product; see ``MatmulFamily``."""
        splits, terms = self._splits(problem, split=split)
        first = matmul_types.first_step(problem, splits)
        export, threads = _export(first)
        strips = _strips(first)
        grid = launch.Grid(strips * first.batch * splits, threads)
        thin = _turn(first)
        numbers = _NUMBERS.pack(
            thin.thin, thin.width, first.k,
            *thin.x[:2], thin.w[0], *thin.y[:2],
            thin.x[2], thin.w[1], thin.y[2],
            first.batch, strips, terms, first.size,
            thin.bias_along_rows,
        )  # fmt: skip

        start = self._launched(self._target.kernel(export, _SIGNATURE), grid, numbers)

        def start_turned(a: int, b: int, c: int, bias: int, _: int) -> None:
            start(b, a, c, bias, 0)

        turned = thin.bias_along_rows
        return self._reduced(problem, start_turned if turned else start, splits)

    def _splits(self, problem: matmul_problem.Problem, *, split: bool) -> tuple[int, int]:
        """Into how many parts the terms are dealt out, and how many are in one."""
        whole = max(problem.k, 1)
        if not split or not problem.size:
            return 1, whole
        multiprocessors = self._target.multiprocessors
        blocks, thin = _blocks(problem), _turn(problem)
        nbytes = problem.batch * thin.width * problem.k * problem.dtype.itemsize

        def seconds(splits: int) -> float:
            share = math.ceil(blocks * splits / multiprocessors) / (blocks * splits)
            return nbytes * share / _BYTES_PER_SECOND + (splits > 1) * _LAUNCH_SECONDS

        able = [each for each in _SPLITS if each == 1 or problem.k >= each * _LEAST_TERMS]
        wanted = min(able, key=seconds)
        terms = math.ceil(whole / wanted / _TERMS_TOGETHER) * _TERMS_TOGETHER
        # Rounded up, the terms may be used up before the last split.
        return (math.ceil(whole / terms), terms) if wanted > 1 else (1, whole)


def _turn(problem: matmul_problem.Problem) -> _Thin:
    """The smaller side of the results becomes ``thin``."""
    a, b, c = problem.a, problem.b, problem.c
    if problem.m <= problem.n:
        row, k = (1, a.leading) if a.transposed else (a.leading, 1)
        x, w = (row, k, a.stride), (b.leading, b.stride)
        y = (c.leading, 1, c.stride)
        return _Thin(problem.m, problem.n, x, w, y, b.transposed, bias_along_rows=False)
    row, k = (b.leading, 1) if b.transposed else (1, b.leading)
    x, w = (row, k, b.stride), (a.leading, a.stride)
    y = (1, c.leading, c.stride)
    return _Thin(problem.n, problem.m, x, w, y, not a.transposed, bias_along_rows=True)


def _has_vectors(problem: matmul_problem.Problem) -> bool:
    """Whether the rows of the large operand are whole vectors at aligned addresses."""
    large = problem.b if problem.m <= problem.n else problem.a
    thin = _turn(problem)
    row = problem.k if thin.along_k else thin.width
    itemsize = problem.dtype.itemsize
    whole = row * itemsize % matmul_types.VECTOR_BYTES == 0
    return whole and matmul_types.has_vectors(large, itemsize)


def _padded(thin: int) -> int:
    """The rows of x that the kernels know: a power of two."""
    return 1 << max(thin - 1, 0).bit_length()


def _lines(problem: matmul_problem.Problem) -> int:
    """Rows of w that a warp takes at once."""
    width = max(problem.m, problem.n)
    return 4 if width >= 4096 else 2 if width >= 1024 else 1


def _width_of_strip(problem: matmul_problem.Problem) -> int:
    if _turn(problem).along_k:
        return _ROWS_THREADS // 32 * _lines(problem)
    if not _has_vectors(problem):
        return 32
    return _SECTOR_LANES * (matmul_types.VECTOR_BYTES // problem.dtype.itemsize)


def _strips(problem: matmul_problem.Problem) -> int:
    return math.ceil(max(problem.m, problem.n) / _width_of_strip(problem))


def _blocks(problem: matmul_problem.Problem) -> int:
    return _strips(problem) * problem.batch


def _export(problem: matmul_problem.Problem) -> tuple[source.Export, int]:
    """The kernel, and the threads of a block."""
    result, activation = problem.result, problem.activation
    thin = _turn(problem)
    vectors, padded = _has_vectors(problem), _padded(thin.thin)
    if thin.along_k:
        kind, count, threads = 'rows', _lines(problem), _ROWS_THREADS
    else:
        kind, count, threads = 'columns', _SECTOR_LANES if vectors else 32, _COLUMNS_THREADS
    name = (
        f'gemv_{kind}_{activation}_{matmul_types.short(problem.dtype, result)}_{padded}_{count}_'
        f'{"vectors" if vectors else "elements"}'
    )
    total = matmul_types.sum_type(problem.dtype)
    codes = (
        *matmul_types.codes(problem.dtype, total, result),
        matmul_types.ACTIVATIONS[activation],
        str(padded),
        str(count),
        str(vectors).lower(),
    )
    return source.Export(_FILE, f'TV_GEMV_{kind.upper()}', name, codes), threads
