"""kernels/fused.cu, run on the CPU, against the ops' own forwards with NumPy."""

from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._core.op_registry import OPS
from tensorvar._cuda import fused, fused_ops, fused_plan, host_emulation, targets
from tests.support import fused_cases, kernel_reference, tolerances
from tests.support.fused_cases import Case, Plan

ORDERS = ('forward', 'reverse', 'random')
F4 = np.dtype('f4')
DRAWN = tuple(name for name in fused_ops.names() if name not in fused_cases.NOT_DRAWN)


@pytest.fixture
def kernels(host: host_emulation.HostTarget) -> fused.FusedKernels:
    return fused.FusedKernels(host)


def test_formulas_drawn_at_random(
    host: host_emulation.HostTarget, kernels: fused.FusedKernels
) -> None:
    generator = np.random.default_rng(0)
    cases = [fused_cases.case(generator, DRAWN) for _ in range(40)]
    host.prepare(fused_cases.exports_of(cases))
    for order in ORDERS:
        host.order = order
        for case in cases:
            fused_cases.run(kernels, case)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('seed', range(20))
def test_many_formulas(
    host: host_emulation.HostTarget, kernels: fused.FusedKernels, seed: int
) -> None:
    generator = np.random.default_rng(seed + 1)
    host.order = ORDERS[seed % 3]
    cases = [fused_cases.case(generator, DRAWN) for _ in range(100)]
    host.prepare(fused_cases.exports_of(cases))
    for case in cases:
        fused_cases.run(kernels, case)


def test_every_op_alone_has_the_values_of_its_forward(
    host: host_emulation.HostTarget, kernels: fused.FusedKernels
) -> None:
    cases = fused_cases.single_ops(0)
    assert {case.plan.formula.steps[0].name for case in cases} == set(fused_ops.names())
    host.prepare(fused_cases.exports_of(cases))
    for case in cases:
        fused_cases.run_single(kernels, case)


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('dtype', ['float32', 'int8', kernel_reference.BFLOAT16])
def test_every_offset_of_result_and_operand(
    host: host_emulation.HostTarget, kernels: fused.FusedKernels, order: str, dtype: Any
) -> None:
    host.order = order
    dtype = np.dtype(dtype)
    plan = fused_cases.chain('Mul', 'AddV2', dtype=dtype, inputs=2)
    generator = np.random.default_rng(0)
    cases = []
    for offset in range(16):
        arrays = []
        for shift in (offset, 3 * offset % 16, 0):
            memory = kernel_reference.values(dtype, 80, generator)
            begin = -memory.ctypes.data % 64 // dtype.itemsize
            arrays.append(memory[(begin + shift) % 16 :][:60])
        cases.append(Case(plan, arrays[1:], arrays[:1], fused_cases.evaluate(plan, arrays[1:])))
    host.prepare(fused_cases.exports_of(cases))
    for case in cases:
        fused_cases.run(kernels, case)


@pytest.mark.parametrize('order', ORDERS)
def test_more_elements_than_threads(
    host: host_emulation.HostTarget, kernels: fused.FusedKernels, order: str
) -> None:
    host.order = order
    plan = fused_cases.chain('Mul', 'Sub', 'Maximum', inputs=2)
    generator = np.random.default_rng(0)
    for size in (4097, 100_001):
        operands = [kernel_reference.values(F4, size, generator) for _ in range(2)]
        expected = fused_cases.evaluate(plan, operands)
        fused_cases.run(kernels, Case(plan, operands, [np.empty(size, F4)], expected))


@pytest.mark.parametrize('order', ORDERS)
def test_a_result_may_lie_where_an_operand_lies(
    host: host_emulation.HostTarget, kernels: fused.FusedKernels, order: str
) -> None:
    host.order = order
    plan = fused_cases.chain('Mul', 'AddV2', 'Neg', inputs=2)
    generator = np.random.default_rng(0)
    for shift in (0, 1):
        a, b = (kernel_reference.values(F4, 1501, generator)[shift:] for _ in range(2))
        expected = fused_cases.evaluate(plan, [a, b])
        fused_cases.run(kernels, Case(plan, [a, b], [a], expected))


def test_sixteen_bit_floats_round_after_each_op(kernels: fused.FusedKernels) -> None:
    half = np.dtype('f2')
    plan = fused_cases.chain('Mul', 'Sub', dtype=half, inputs=2)
    a, b = (np.linspace(1, 2, 999).astype(half), np.linspace(2, 3, 999).astype(half))
    result = np.empty(999, half)
    kernels.prepare(plan.formula)([result], [a, b])
    assert np.array_equal(result, a * b - b)
    at_once = (a.astype(F4) * b.astype(F4) - b.astype(F4)).astype(half)
    assert not np.array_equal(result, at_once), 'the values do not tell'


def test_denormals_and_the_order_of_roundings(kernels: fused.FusedKernels) -> None:
    plan = fused_cases.chain('Mul', 'AddV2', inputs=2)
    a = np.array([1e-40, 1 + 2**-12, -3e-39], F4)
    b = np.array([0.5, 1 - 2**-12, 1e-3], F4)
    result = np.empty(3, F4)
    kernels.prepare(plan.formula)([result], [a, b])
    assert np.array_equal(result, a * b + b)


@pytest.mark.parametrize('dtype', ['int8', kernel_reference.BFLOAT16, 'float32', 'float64'])
def test_numbers_among_the_inputs(kernels: fused.FusedKernels, dtype: Any) -> None:
    dtype = np.dtype(dtype)
    plan = fused_cases.chain('Mul', 'AddV2', 'Neg', dtype=dtype, inputs=2)
    generator = np.random.default_rng(0)
    for place in (0, 1):
        array, number = kernel_reference.values(dtype, 333, generator), np.array(3, dtype)
        operands = [number, array] if place == 0 else [array, number]
        result = np.empty(333, dtype)
        kernels.prepare(plan.formula, {place: number.tobytes()})([result], [array])
        [expected] = fused_cases.evaluate(plan, operands)
        kernel_reference.assert_same(result, expected, f'number {place}', products=False)


def test_nothing_to_do(kernels: fused.FusedKernels) -> None:
    empty = np.empty((0, 3), F4)
    kernels.prepare(fused_cases.chain('Neg', 'Abs').formula)([empty], [empty])


def test_shapes_that_do_not_broadcast(kernels: fused.FusedKernels) -> None:
    fitting, other = np.ones((2, 3), F4), np.ones(2, F4)
    kernel = kernels.prepare(fused_cases.chain('Mul', 'AddV2', inputs=2).formula)
    with pytest.raises(errors.InvalidArgumentError, match=r'must broadcast'):
        kernel([np.empty((2, 3), F4)], [fitting, other])


def test_strides_that_no_kernel_walks_over(kernels: fused.FusedKernels) -> None:
    kernel = kernels.prepare(fused_cases.chain('Neg', 'Abs').formula)
    with pytest.raises(targets.NoKernelError, match='strides'):
        kernel([np.empty((4, 4), F4).T], [np.ones((4, 4), F4)])
    rank = 16
    many = np.ones((2,) * rank, F4)[(slice(None), slice(1)) * (rank // 2)]
    with pytest.raises(targets.NoKernelError, match='strides'):
        kernel([np.empty((2,) * rank, F4)], [many])


def test_the_name_tells_the_last_ops(kernels: fused.FusedKernels) -> None:
    formula = fused_cases.chain('Neg', 'Exp', 'Tanh', 'Abs').formula
    operand = fused_plan.Operand(F4, (8,), (4,), 64)
    choice = fused_plan.choose(formula, [operand], [operand], fused_plan.Chip('host', 2))
    assert choice is not None
    assert choice.export.name.startswith('fused_Exp_Tanh_Abs_')


def test_large_formulas_take_shorter_vectors() -> None:
    plan = fused_cases.chain('AddN', dtype=np.dtype('f2'), inputs=3)
    wide = plan.formula._replace(
        inputs=(np.dtype('f2'),) * 12,
        steps=(plan.formula.steps[0]._replace(inputs=tuple(range(12))),),
        outputs=(12,),
    )
    operand = fused_plan.Operand(np.dtype('f2'), (800,), (2,), 64)
    chip = fused_plan.Chip('host', 2)
    lengths = [
        fused_plan.choose(formula, [operand], [operand] * count, chip).export.arguments[:2]
        for formula, count in ((plan.formula, 3), (wide, 12))
    ]
    assert lengths == [('8', '2'), ('8', '1')]


def test_ops_that_the_kernels_lack() -> None:
    assert fused_ops.step('MatMul', (0, 1), [F4, F4], {}, F4) is None
    assert fused_ops.step('Exp', (0,), [np.dtype('c8')], {}, np.dtype('c8')) is None
    assert fused_ops.step('Pow', (0, 1), [np.dtype('i4')] * 2, {}, np.dtype('i4')) is None
    first = {'channels_first': True}
    assert fused_ops.step('BiasAdd', (0, 1), [F4, F4], first, F4) is None


def test_the_ops_exist() -> None:
    assert set(fused_ops.names()) <= set(OPS)


def test_gelu_without_the_fit(kernels: fused.FusedKernels) -> None:
    exact = {'approximate': False}
    step = fused_ops.step('Gelu', (0,), [F4], exact, F4)
    plan = Plan(fused_ops.Formula((F4,), (step,), (1,)), (exact,))
    x = np.linspace(-5, 5, 999).astype(F4)
    result = np.empty(999, F4)
    kernels.prepare(plan.formula)([result], [x])
    tolerances.assert_close(result, *fused_cases.evaluate(plan, [x], np))
