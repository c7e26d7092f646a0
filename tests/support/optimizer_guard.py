"""Runs optimizer steps on arrays flush against forbidden pages, built with UBSan.

``python -m tests.support.optimizer_guard <cache folder>`` ends with 0 if all is well. A
stray access ends it by a signal, undefined behaviour by UBSan's exit, a wrong value with 1
and the case on the standard error stream.
"""

import pathlib
import sys

import numpy as np

from tensorvar._cuda import arguments, cache, host_emulation, optimizers
from tests.support import kernel_guard, optimizer_cases, optimizer_reference

_SINGLE, _BFLOAT16, _MASTERS, _DOUBLE = (optimizer_cases.TYPES[i] for i in (0, 2, 3, 6))
CASES = tuple(
    optimizer_cases.Case(rule, types, sizes, 'aligned', *rest)
    for rule, types, sizes, *rest in (
        ('adamw', _SINGLE, 'odd', 4096, True, 0.5, False),
        ('adam', _MASTERS, 'several chunks', 0, False, None, True),
        ('sgd decay', _BFLOAT16, 'small', arguments.MAX_BYTES, True, 2.0, True),
        ('nesterov', _DOUBLE, 'vectors', 0, False, None, False),
    )
)


def _check_skip(target: host_emulation.HostTarget) -> None:
    """Nothing changes where a gradient is not finite."""
    case = CASES[1]
    arrays = optimizer_cases.fill(
        case.rule, case.types, (9, 30), np.random.default_rng(1), lambda values, _: values
    )
    arrays.gradients[1][17] = np.inf
    before = [array.copy() for array in (*arrays.parameters, *arrays.slots['momentum'])]
    kernels = optimizers.OptimizerKernels(target, np.copy, case.limit)
    kernels.apply(
        optimizer_reference.RULES[case.rule],
        arrays.parameters,
        arrays.gradients,
        arrays.slots,
        optimizers.initial_scalars(0.1),
        masters=arrays.masters,
        skip_non_finite=True,
    )
    after = (*arrays.parameters, *arrays.slots['momentum'])
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(old, new), 'a step that was to be skipped changed values; they differ'


def main(folder: str) -> int:
    """Runs the cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = host_emulation.HostTarget(kept, flags=host_emulation.SANITIZE, multiprocessors=1)
    target.prepare(dict.fromkeys(optimizer_cases.exports_of(CASES)))
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    for target.order in orders:
        for case in CASES:
            for at_end in (True, False):
                generator = np.random.default_rng(0)
                arrays = optimizer_cases.fill(
                    case.rule,
                    case.types,
                    optimizer_cases.SIZES[case.sizes],
                    generator,
                    lambda values, _, at_end=at_end: kernel_guard.guarded(values, at_end=at_end),
                )
                kernels = optimizers.OptimizerKernels(target, np.copy, case.limit)
                scalars = optimizers.initial_scalars(0.1, 2.0)
                for _ in range(2):
                    optimizer_cases.check_step(kernels, case, arrays, scalars)
        _check_skip(target)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
