"""Formulas with operands flush against forbidden pages, built with UBSan.

``python -m tests.support.fused_guard <cache folder>`` ends with 0 if all is well. A stray
access ends it by a signal, undefined behaviour by UBSan's exit, a wrong value with 1 and
the case on the standard error stream.
"""

import pathlib
import sys
from collections.abc import Iterator

import numpy as np

from tensorvar._cuda import cache, fused, host_emulation
from tests.support import fused_cases, kernel_guard, kernel_reference

_F2, _F4, _I1, _I4 = (np.dtype(name) for name in ('f2', 'f4', 'i1', 'i4'))
# Ops, dtype, shape of the results, shapes of the operands.
_ROWS = (
    ('Mul AddV2', _F4, (1500,), ((1500,), (1500,))),
    ('Mul AddV2', _F4, (3,), ((3,), ())),
    ('Sub Maximum', _F2, (77,), ((77,), (1,))),
    ('Mul AddV2', _I4, (50,), ((50,), (50,))),
    ('Neg Abs Square', _I1, (50,), ((50,),)),
    ('Mul AddV2', _F4, (7, 16), ((7, 16), (16,))),
    ('Mul AddV2', _F4, (9, 33), ((9, 33), (33,))),
    ('Mul AddV2', _F4, (64, 33), ((64, 1), (33,))),
    ('Mul AddV2', _F4, (8, 64), ((8, 1), (8, 64))),
    ('Mul AddV2', _F4, (9, 7, 5), ((9, 1, 5), (7, 1))),
    ('Mul AddV2', _F4, (40, 24), ((24, 40), (40, 24))),
    ('Mul Sub', kernel_reference.BFLOAT16, (1001,), ((1001,), (1001,))),
)


def _cases() -> Iterator[fused_cases.Case]:
    """Cases with their operands next to forbidden pages."""
    generator = np.random.default_rng(0)
    for ops, dtype, shape, extents in _ROWS:
        plan = fused_cases.chain(*ops.split(), dtype=dtype, inputs=len(extents))
        given = [
            kernel_reference.values(dtype, int(np.prod(each)), generator).reshape(each)
            for each in extents
        ]
        for at_end in (True, False):
            operands = [kernel_guard.guarded(each, at_end=at_end) for each in given]
            if extents[0] == shape[::-1] != shape:
                operands[0] = operands[0].T
            spread = [np.broadcast_to(each, shape) for each in operands]
            results = [kernel_guard.guarded(np.zeros(shape, dtype), at_end=at_end)]
            expected = fused_cases.evaluate(plan, spread)
            yield fused_cases.Case(plan, operands, results, expected)


def main(folder: str) -> int:
    """Runs the cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = host_emulation.HostTarget(kept, flags=host_emulation.SANITIZE, multiprocessors=1)
    cases = list(_cases())
    target.prepare(fused_cases.exports_of(cases))
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    for target.order in orders:
        kernels = fused.FusedKernels(target)
        for case in cases:
            fused_cases.run(kernels, case)
    _keep_to_halves(fused.FusedKernels(target))
    return 0


def _keep_to_halves(kernels: fused.FusedKernels) -> None:
    """Each op on 16-bit floats rounds, which few values tell."""
    plan = fused_cases.chain('Mul', 'Sub', dtype=_F2, inputs=2)
    a, b = np.linspace(1, 2, 999).astype(_F2), np.linspace(2, 3, 999).astype(_F2)
    case = fused_cases.Case(plan, [a, b], [np.empty(999, _F2)], [a * b - b])
    fused_cases.run(kernels, case)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
