"""Runs products on tensor cores flush against forbidden pages, built with UBSan.

``python -m tests.support.mma_guard <cache folder>`` ends with 0 if all is well; see
``kernel_guard`` for how it ends otherwise.
"""

import pathlib
import sys
from collections.abc import Iterator

import numpy as np

from tensorvar._cuda import cache, host_emulation, matmul_problem
from tests.support import kernel_guard, mma_cases

# Rows of 16, 8, 4 and fewer bytes; what is copied at once follows from that.
_SIZES = {
    '16 bytes': (17, 40, 72),
    '8 bytes': (17, 36, 68),
    '4 bytes': (17, 34, 66),
    'dense': (17, 33, 65),
}
_KINDS = (
    (0, 'nn', '16 bytes', 'none'), (1, 'nt', '8 bytes', 'bias'), (2, 'tn', '4 bytes', 'none'),
    (3, 'tt', 'dense', 'bias gelu'), (4, 'tn', '4 bytes', 'none'), (5, 'tt', 'dense', 'none'),
    (6, 'nn', 'dense', 'none'), (6, 'nn', '16 bytes', 'bias'),
)  # fmt: skip


def _cases() -> Iterator[mma_cases.Case]:
    for types, layout, pitch, epilogue in _KINDS:
        for size in (_SIZES[pitch], (1, 8, 0)):
            yield mma_cases.Case(
                size, mma_cases.TYPES[types], layout, (64, 64), 'one', epilogue, 'dense', 0, False
            )


def _guarded(operand: mma_cases.Operand, *, at_end: bool) -> mma_cases.Operand:
    matrices = operand.matrices
    stored = operand.values.swapaxes(1, 2) if matrices.transposed else operand.values
    placed = kernel_guard.guarded(np.ascontiguousarray(stored), at_end=at_end)
    values = placed.swapaxes(1, 2) if matrices.transposed else placed
    return operand._replace(values=values, matrices=matrices._replace(address=placed.ctypes.data))


def _operands(case: mma_cases.Case, *, at_end: bool) -> mma_cases.Operands:
    made = mma_cases.operands(case, np.random.default_rng(0))
    a, b, c = (_guarded(each, at_end=at_end) for each in (made.a, made.b, made.c))
    bias = None if made.bias is None else kernel_guard.guarded(made.bias, at_end=at_end)
    problem: matmul_problem.Problem = made.problem._replace(
        a=a.matrices,
        b=b.matrices,
        c=c.matrices,
        bias=None if bias is None else bias.ctypes.data,
    )
    return mma_cases.Operands(problem, a, b, c, bias)


def main(folder: str) -> int:
    """Runs the cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = mma_cases.target(kept, flags=host_emulation.SANITIZE)
    target.prepare(mma_cases.exports_of(list(_cases())))
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    for case in _cases():
        kernels = mma_cases.wrapper(target, case)
        for at_end in (True, False):
            made = _operands(case, at_end=at_end)
            for target.order in orders:
                kernels.multiply(made.problem)
                mma_cases.check(case, made.c.values, made)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
