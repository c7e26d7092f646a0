"""kernels/optimizer.cu and reduce.cu on a card: the tables of the emulation."""

import numpy as np
import pytest

from tensorvar._cuda import optimizer_rules, optimizers
from tests.support import kernel_reference, mirrored_target, optimizer_cases

pytestmark = pytest.mark.gpu

PARTS = 8
Scalar = optimizers.Scalar


@pytest.mark.parametrize('part', range(PARTS))
def test_every_rule_with_all_dtypes(mirrored: mirrored_target.MirroredTarget, part: int) -> None:
    generator = np.random.default_rng(part)
    for case in optimizer_cases.product_cases(seed=0)[part::PARTS]:
        optimizer_cases.run(mirrored, case, generator)


@pytest.mark.parametrize(('count', 'most'), [(500, 3_000), (900, 40)])
def test_many_variables(mirrored: mirrored_target.MirroredTarget, count: int, most: int) -> None:
    generator = np.random.default_rng(1)
    sizes = generator.integers(0, most, count)
    place = optimizer_cases.beside_margins('aligned', generator, [])
    arrays = optimizer_cases.fill('adam', optimizer_cases.TYPES[0], sizes, generator, place)
    case = optimizer_cases.Case(
        'adam', optimizer_cases.TYPES[0], 'odd', 'aligned', 0, False, None, False
    )
    kernels = optimizers.OptimizerKernels(mirrored, np.copy)
    scalars = optimizers.initial_scalars(0.01)
    for _ in range(2):
        optimizer_cases.check_step(kernels, case, arrays, scalars)


@pytest.mark.parametrize('name', ['float32', 'float64', 'float16', 'bfloat16'])
@pytest.mark.parametrize('bad', [None, np.inf, np.nan])
def test_the_norm(mirrored: mirrored_target.MirroredTarget, name: str, bad: float | None) -> None:
    dtype = kernel_reference.dtype_named(name)
    generator = np.random.default_rng(0)
    for sizes in ((1,), (3, 5, 259), (0, 17, 0), (400_003, 2), (7,) * 900):
        gradients = [generator.standard_normal(size).astype(dtype) for size in sizes]
        if bad is not None:
            max(gradients, key=len)[-1] = bad
        found = set()
        for limit in (4096, 0):
            kernels = optimizers.OptimizerKernels(mirrored, np.copy, limit)
            scalars = optimizers.initial_scalars(0.0, 2.0)
            kernels.apply(
                optimizer_rules.sgd(),
                [np.zeros(each.shape, np.float32) for each in gradients],
                gradients,
                {},
                scalars,
                skip_non_finite=True,
            )
            assert scalars[Scalar.FINITE] == (bad is None)
            found.add(scalars[Scalar.NORM].tobytes())
        assert len(found) == 1, 'it depends on how the addresses are handed over'
        exact = np.sqrt(sum(float(np.sum(each.astype(np.float64) ** 2)) for each in gradients)) / 2
        if bad is None:
            assert abs(scalars[Scalar.NORM] - exact) <= 3e-7 * exact
        else:
            assert not np.isfinite(scalars[Scalar.NORM])
