"""kernels/gemv.cu, run on the CPU, against NumPy."""

from typing import Any

import numpy as np
import pytest

from tensorvar._cuda import cache, gemv, host_emulation, matmul_problem
from tests.support import matmul_cases
from tests.support.matmul_cases import Case

ORDERS: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


@pytest.fixture(scope='module')
def target(kernel_cache: cache.Cache) -> host_emulation.HostTarget:
    return matmul_cases.target(kernel_cache)


def test_pairwise(target: host_emulation.HostTarget) -> None:
    matmul_cases.run_all(
        target, matmul_cases.thin, matmul_cases.pairwise_cases(matmul_cases.THIN, 0)
    )


def thin_size(generator: np.random.Generator) -> tuple[int, int, int]:
    thin, wide = int(generator.integers(1, 9)), int(generator.integers(1, 400))
    k = int(generator.choice((1, 16, 63, 500, 1030, 4200)))
    return (thin, wide, k) if generator.random() < 0.5 else (wide, thin, k)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('part', range(10))
def test_many_random_cases(target: host_emulation.HostTarget, part: int) -> None:
    generator = np.random.default_rng(200 + part)
    cases = [matmul_cases.draw(matmul_cases.THIN, generator, thin_size) for _ in range(200)]
    matmul_cases.run_all(target, matmul_cases.thin, cases, part)


def test_many_rows_for_a_warp(target: host_emulation.HostTarget) -> None:
    cases = [Case((wide, 2, 40), layout='nn') for wide in (1027, 4099)]
    cases += [Case((2, wide, 40), layout='nt') for wide in (1027, 4099)]
    matmul_cases.run_all(target, matmul_cases.thin, cases)


@pytest.mark.parametrize('layout', ['nn', 'nt'])
def test_x_in_several_parts(target: host_emulation.HostTarget, layout: str) -> None:
    """More terms than the shared memory holds of x, and one more, and one less."""
    cases = [
        Case((8, 33, k), layout=layout, types=('float32', 'float32'))
        for k in (511, 512, 513, 1024, 1500)
    ]
    matmul_cases.run_all(target, matmul_cases.thin, cases, orders=3)


def test_the_same_result_on_every_run(target: host_emulation.HostTarget) -> None:
    for layout in ('nn', 'nt'):
        case = Case((2, 40, 9000), layout=layout, split=True)
        results = []
        for target.order in ORDERS:
            made = matmul_cases.operands(case, np.random.default_rng(0))
            kernels = matmul_cases.thin(target, case)
            scratch = matmul_cases.workspace(kernels.workspace(made.problem))
            assert scratch.size
            kernels.multiply(made.problem, scratch.ctypes.data)
            results.append(made.c.stored.copy())
        assert np.array_equal(results[0], results[1])
        assert np.array_equal(results[0], results[2])


def problem(m: int, n: int, k: int, **changes: Any) -> matmul_problem.Problem:
    made = matmul_cases.operands(Case((m, n, 1)), np.random.default_rng(0))
    wide = made.problem._replace(
        a=made.problem.a._replace(leading=k), b=made.problem.b._replace(leading=n), k=k
    )
    return wide._replace(**changes)


def test_what_is_left_to_other_kernels() -> None:
    kernels = gemv.GemvMatmul(matmul_cases.Recorder('sm_90a', 132))
    integers = np.dtype(np.int32)
    assert kernels.supports(problem(8, 100, 64))
    assert kernels.supports(problem(100, 1, 64))
    assert not kernels.supports(problem(9, 9, 64))
    assert not kernels.supports(problem(1, 100, 64, dtype=integers, result=integers))
    assert not kernels.supports(problem(1, 100, 64, precision='tf32'))
    odd = problem(1, 100, 64)
    assert not kernels.supports(odd._replace(c=odd.c._replace(address=odd.c.address + 2)))


def test_terms_are_split_where_there_are_too_few_blocks() -> None:
    kernels = gemv.GemvMatmul(matmul_cases.Recorder('sm_90a', 132))
    # 128 blocks already, and little to read.
    assert kernels.workspace(problem(1, 4096, 4096)) == 0
    assert kernels.workspace(problem(1, 64, 256)) == 0
    for k in (1 << 20, (1 << 20) + 1, (1 << 20) - 1):
        splits, terms = kernels._splits(problem(1, 64, k), split=True)
        assert splits > 16
        assert (splits - 1) * terms < k <= splits * terms
        assert kernels.workspace(problem(1, 64, k)) == splits * 64 * 4
    assert kernels._splits(problem(1, 64, 1 << 20), split=False) == (1, 1 << 20)


def test_nothing_is_launched_for_no_results() -> None:
    recorder = matmul_cases.Recorder('sm_90a')
    kernels = gemv.GemvMatmul(recorder)
    made = matmul_cases.operands(Case((0, 5, 7)), np.random.default_rng(0))
    assert kernels.workspace(made.problem) == 0
    kernels.multiply(made.problem)
    assert recorder.exports == []
