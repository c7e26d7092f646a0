"""Runs products on tensor cores flush against forbidden pages, built with UBSan.

``python -m tests.support.mma_guard <cache folder>`` ends with 0 if all is well; see
``kernel_guard`` for how it ends otherwise.
"""

import functools
import pathlib
import sys
from collections.abc import Iterator

import numpy as np

from tensorvar._cuda import cache, host_emulation
from tests.support import matmul_cases, matmul_guard, mma_cases

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


def main(folder: str) -> int:
    """Runs the cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = matmul_cases.target(kept, flags=host_emulation.SANITIZE)
    target.prepare(mma_cases.exports_of(list(_cases())))
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    for case in _cases():
        kernels = mma_cases.wrapper(target, case)
        for at_end in (True, False):
            place = functools.partial(matmul_guard.place, at_end=at_end)
            made = mma_cases.operands(case, np.random.default_rng(0), place)
            for target.order in orders:
                kernels.multiply(made.problem)
                mma_cases.check(case, made)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
