"""kernels/fused.cu on a card: formulas of the emulation, and every op alone."""

import numpy as np
import pytest

from tensorvar._cuda import fused, fused_ops
from tests.support import fused_cases, kernel_reference, mirrored_target

pytestmark = pytest.mark.gpu

PARTS = 8
# The last bits of the others are those of a library, and a chain would carry them on.
DRAWN = tuple(sorted(set(fused_ops.names()) - fused_cases.NOT_DRAWN - fused_ops.INEXACT))


@pytest.fixture
def kernels(mirrored: mirrored_target.MirroredTarget) -> fused.FusedKernels:
    return fused.FusedKernels(mirrored)


@pytest.mark.parametrize('part', range(PARTS))
def test_formulas_drawn_at_random(kernels: fused.FusedKernels, part: int) -> None:
    generator = np.random.default_rng(part)
    for _ in range(8):
        fused_cases.run(kernels, fused_cases.case(generator, DRAWN))


@pytest.mark.parametrize('part', range(PARTS))
def test_every_op_alone(kernels: fused.FusedKernels, part: int) -> None:
    for case in fused_cases.single_ops(0)[part::PARTS]:
        fused_cases.run_single(kernels, case)


def test_more_elements_than_threads(kernels: fused.FusedKernels) -> None:
    plan = fused_cases.chain('Mul', 'Sub', 'Maximum', inputs=2)
    generator = np.random.default_rng(0)
    for size in (4097, 3_000_001):
        dtype = np.dtype(np.float32)
        operands = [kernel_reference.values(dtype, size, generator) for _ in range(2)]
        expected = fused_cases.evaluate(plan, operands)
        case = fused_cases.Case(plan, operands, [np.empty(size, dtype)], expected)
        fused_cases.run(kernels, case)
