"""Runs products flush against forbidden pages, built with UBSan.

``python -m tests.support.matmul_guard <cache folder> <family> ...`` ends with 0 if all is
well; see ``kernel_guard`` for how it ends otherwise.
"""

import functools
import pathlib
import sys

import numpy as np

from tensorvar._cuda import cache, host_emulation
from tests.support import kernel_guard, matmul_cases
from tests.support.matmul_cases import Case

# Sizes that are whole vectors and sizes that are not.
_EVEN, _ODD = (20, 36, 72), (19, 35, 67)
FAMILIES: dict[str, tuple[matmul_cases.Wrapper, tuple[Case, ...]]] = {
    'simt': (
        matmul_cases.simt,
        (
            Case(_EVEN, layout='tn', tile=4),
            Case(_ODD, layout='nt', epilogue='bias gelu', tile=4),
            Case(_ODD, layout='nn', split=True, tile=5),
            Case(_EVEN, ('float16', 'float32'), 'nn', epilogue='bias', tile=4),
            Case(_ODD, ('int32', 'int32'), 'tt', batch='several', chip='sm_75', tile=4),
            Case(_EVEN, ('float32', 'float32'), 'tt', chip='sm_75', tile=5),
        ),
    ),
    'thin': (
        matmul_cases.thin,
        (
            Case((3, 40, 72), layout='nn', epilogue='bias'),
            Case((3, 40, 72), layout='nt'),
            Case((41, 1, 67), layout='nn'),
            Case((41, 5, 67), layout='tn', types=('float64', 'float64')),
        ),
    ),
}


def place(nbytes: int, offset: int, *, at_end: bool) -> tuple[np.ndarray, int]:
    """Memory whose last byte, or first, is next to a page that must not be touched."""
    del offset
    return kernel_guard.guarded(np.zeros(nbytes, np.uint8), at_end=at_end), 0


def main(folder: str, *families: str) -> int:
    """Runs the cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = matmul_cases.target(kept, flags=host_emulation.SANITIZE)
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    for family in families:
        wrapper, cases = FAMILIES[family]
        target.prepare(matmul_cases.exports_of(wrapper, cases))
        for case in cases:
            target.name = case.chip
            kernels = wrapper(target, case)
            for at_end in (True, False):
                made = matmul_cases.operands(
                    case, np.random.default_rng(0), functools.partial(place, at_end=at_end)
                )
                nbytes = kernels.workspace(made.problem) if case.split else 0
                scratch, _ = place(nbytes + -nbytes % 16, 0, at_end=True)
                for target.order in orders:
                    kernels.multiply(made.problem, scratch.ctypes.data if nbytes else 0)
                    matmul_cases.check(case, made)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
