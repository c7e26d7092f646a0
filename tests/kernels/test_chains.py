"""Chains of elementwise ops in plans: one kernel for each, and the results of an eager run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests.support import emulated_kernels, tolerances

Target = emulated_kernels.EmulatedTarget

X = np.linspace(-2, 2, 60, dtype=np.float32).reshape(12, 5)
Y = np.linspace(3, -1, 60, dtype=np.float32).reshape(12, 5)
ROW = np.linspace(0.5, 1.5, 5, dtype=np.float32)


@pytest.fixture
def gpu(kernel_target: Target, simulated_gpus: list[str]) -> Target:
    """What GPU:0, the default device, launches with."""
    return kernel_target


def replays(function: Any, *arguments: Any) -> list[Any]:
    """The results of a first run and of two replays."""
    return [function(*arguments) for _ in range(3)]


def same(results: Any, expected: Any) -> None:
    """Asserts that nested results are equal, bit for bit."""
    for got, wanted in zip(tv.nest.flatten(results), tv.nest.flatten(expected), strict=True):
        assert got.device == wanted.device
        np.testing.assert_array_equal(got.numpy(), wanted.numpy(), strict=True)


def check(function: Callable[..., Any], *arguments: Any) -> Any:
    """Compares replays with an eager run; gives the function."""
    expected = function(*arguments)
    traced = tv.function(function)
    for result in replays(traced, *arguments):
        same(result, expected)
    return traced


def arithmetic(x: Any, y: Any) -> Any:
    return tv.maximum((x * y + x) / 3.0, y) - 1.0


def test_a_chain_is_one_launch(gpu: Target) -> None:
    traced = check(arithmetic, tv.constant(X), tv.constant(Y))
    assert gpu.count('fused_') == 2, gpu.launched
    plan = traced.pretty_printed_plan()
    assert plan.count('= fused_RealDiv_Maximum_Sub') == 1
    assert 'AddV2' not in plan


def test_functions_of_the_library_are_within_tolerance(gpu: Target) -> None:
    def smooth(x: Any) -> Any:
        return tv.tanh(x) * tv.sigmoid(x) + tv.exp(-x)

    expected = smooth(tv.constant(X)).numpy()
    for result in replays(tv.function(smooth), tv.constant(X)):
        tolerances.assert_close(result.numpy(), expected)
    assert gpu.count('fused_') == 2, gpu.launched


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16', 'float64', 'int8', 'uint32', 'int64'])
def test_dtypes(gpu: Target, dtype: str) -> None:
    def program(x: Any, y: Any) -> Any:
        larger = x * y + x > y
        return tv.where(larger, x - y, y * y), tv.cast(larger, tv.int32)

    values = [tv.cast(tv.constant(np.abs(each * 9)), dtype) for each in (X, Y)]
    check(program, *values)
    assert gpu.count('fused_') == 2, gpu.launched


def test_operands_that_are_broadcast(gpu: Target) -> None:
    def program(x: Any, row: Any, column: Any, number: Any) -> Any:
        return (x + row) * column - number * x

    check(program, *map(tv.constant, (X, ROW, Y[:, :1], np.float32(0.3))))
    # A product of the shape of one column more than its operands is of its own shape.
    check(lambda r, c: (r * c + r) * (r * 2.0 + 1.0), tv.constant(ROW), tv.constant(Y[:, :1]))
    assert gpu.count('fused_') > 3


def test_strides(gpu: Target) -> None:
    check(
        lambda x, y: tv.transpose(x) * y[:, ::2] + y[:, 1::2],
        tv.constant(X),
        tv.constant(np.concatenate([X.T, Y.T], axis=1)),
    )
    assert gpu.count('fused_') == 2, gpu.launched


def test_values_in_the_middle_that_others_need(gpu: Target) -> None:
    def program(x: Any, y: Any) -> Any:
        a = x * y
        b = a + x
        return b - y, a, tv.reduce_sum(b * a, axis=0)

    check(program, tv.constant(X), tv.constant(Y))


def test_a_chain_ends_where_another_op_takes_its_value(gpu: Target) -> None:
    def program(x: Any, y: Any) -> Any:
        a = tv.nn.relu(x * y)
        b = tv.matmul(a, tv.ones([5, 5]))
        return a + 1.0 - b * b

    check(program, tv.constant(X), tv.constant(Y))
    assert gpu.count('fused_Mul_Relu') == 2, gpu.launched
    assert gpu.count('fused_AddV2_Mul_Sub') == 2, gpu.launched


def test_equal_ops_are_done_once(gpu: Target) -> None:
    check(lambda x, y: (x * y + 1.0) - (x * y) * (x * y + 1.0), tv.constant(X), tv.constant(Y))


def test_variables_are_read_before_they_are_written(gpu: Target) -> None:
    def program(v: Any, x: Any) -> Any:
        before = v * x
        v.assign_sub(before * 0.5 + 1.0)
        after = v * x
        v.assign(after + v)
        return before - after, v + 0.0

    eager, traced = tv.Variable(X), tv.Variable(X)
    function = tv.function(program)
    for _ in range(4):
        same(function(traced, tv.constant(Y)), program(eager, tv.constant(Y)))
    same([traced], [eager])
    assert gpu.count('fused_') >= 3, gpu.launched


def training_step(w: Any, b: Any, x: Any, y: Any) -> Any:
    with tv.GradientTape() as tape:
        h = tv.nn.relu(tv.matmul(x, w) + b)
        loss = tv.reduce_mean(tv.square(h * 0.5 - y))
    slopes = tape.gradient(loss, [w, b])
    for variable, slope in zip((w, b), slopes, strict=True):
        variable.assign_sub(0.1 * slope)
    return loss


def test_a_training_step(gpu: Target) -> None:
    def weights() -> tuple[Any, Any]:
        return tv.Variable(X[:5, :5]), tv.Variable(ROW)

    eager, traced = weights(), weights()
    function = tv.function(training_step)
    for _ in range(4):
        arguments = tv.constant(X), tv.constant(Y)
        same(function(*traced, *arguments), training_step(*eager, *arguments))
    same(list(traced), list(eager))
    assert gpu.count('fused_') >= 6, gpu.launched


def test_loops_and_branches(gpu: Target) -> None:
    def program(x: Any) -> Any:
        total = tv.while_loop(
            lambda i, a: i < 3, lambda i, a: (i + 1, (a * x + x) * 0.5), (tv.constant(0), x)
        )[1]
        if tv.reduce_sum(total) > 0:
            return total * 2.0 - x
        return total - x * x

    check(program, tv.constant(X + 3))
    assert gpu.count('fused_') > 3, gpu.launched


def test_a_tape_around_the_function(gpu: Target) -> None:
    traced = tv.function(arithmetic)
    x, y = tv.constant(X), tv.constant(Y)
    slopes = []
    for function in (arithmetic, traced, traced):
        with tv.GradientTape() as tape:
            tape.watch([x, y])
            result = function(x, y)
        slopes.append(tape.gradient(result, [x, y]))
    same(slopes[1], slopes[0])
    same(slopes[2], slopes[0])


def test_recorders_see_each_op(gpu: Target) -> None:
    traced = tv.function(arithmetic)
    replays(traced, tv.constant(X), tv.constant(Y))
    launched = gpu.count('fused_')
    with tv.debugging.record_placement() as log:
        traced(tv.constant(X), tv.constant(Y))
    names = [record.op for record in log.records]
    assert names.count('Mul') == names.count('RealDiv') == 1
    assert gpu.count('fused_') == launched


def test_a_caught_error_finds_the_values_of_a_chain(gpu: Target) -> None:
    def program(x: Any, y: Any) -> Any:
        a = x * y
        b = a + x
        c = b - y
        try:
            return tv.matmul(c, c, transpose_b=True)
        except tv.errors.ResourceExhaustedError:
            return a - b

    function = tv.function(program)
    x, y = (tv.constant(np.tile(each, (50, 1))) for each in (X, Y))
    replays(function, x, y)
    launched = gpu.count('fused_')
    in_use = tv.config.get_memory_info('GPU:0')['current']
    tv.config.set_memory_limit('GPU:0', in_use + 200_000)
    same([function(x, y)], [x * y - (x * y + x)])
    # The product of 600 rows did not fit, after the chain.
    assert gpu.count('fused_') == launched + 1


@pytest.mark.parametrize('place', ['copy', 'choice'])
def test_an_error_that_comes_late_is_not_lost(gpu: Target, place: str) -> None:
    def program(v: Any, x: Any, rows: Any) -> Any:
        v.assign_add(x)
        found = tv.gather(v, rows) * 2.0
        if place == 'choice':
            return tv.cond(tv.reduce_sum(found) > 0.0, lambda: found, lambda: -found)
        with tv.device('CPU:0'):
            return tv.identity(found) + 1.0

    eager, planned = tv.Variable(tv.zeros([8])), tv.Variable(tv.zeros([8]))
    function = tv.function(lambda x, rows: program(planned, x, rows))
    x, good, bad = tv.ones([8]), tv.constant([1, 2]), tv.constant([1, 20])
    for _ in range(4):
        wanted = program(eager, x, good).numpy()
        np.testing.assert_array_equal(function(x, good).numpy(), wanted)
    for run in (lambda: program(eager, x, bad), lambda: function(x, bad)):
        with pytest.raises(tv.errors.InvalidIndexError, match=r'indices\[1\].* has left such rows'):
            run()
    assert planned.version == eager.version
    wanted = program(eager, x, good).numpy()
    np.testing.assert_array_equal(function(x, good).numpy(), wanted)


@pytest.mark.parametrize('place', ['copy', 'branch'])
def test_an_error_that_comes_late_is_caught_where_it_comes(gpu: Target, place: str) -> None:
    def program(v: Any, x: Any, rows: Any) -> Any:
        v.assign_add(x)
        # A constant that each run makes anew.
        found = tv.gather(v, rows) * tv.constant([2.0, 3.0])
        try:
            if place == 'branch':
                return found * 2.0 if tv.reduce_sum(found) > 0.0 else found
            with tv.device('CPU:0'):
                return tv.identity(found) + 1.0
        except tv.errors.InvalidIndexError:
            return v * 10.0

    eager, planned = tv.Variable(tv.zeros([8])), tv.Variable(tv.zeros([8]))
    function = tv.function(lambda x, rows: program(planned, x, rows))
    x, good, bad = tv.ones([8]), tv.constant([1, 2]), tv.constant([1, 20])
    for rows in (good, good, good, bad, good):
        wanted = program(eager, x, rows).numpy()
        np.testing.assert_array_equal(function(x, rows).numpy(), wanted)
    assert planned.version == eager.version


def test_an_error_before_a_write_leaves_the_variable(gpu: Target) -> None:
    v = tv.Variable(X)
    function = tv.function(lambda x: v.assign(v * x + x - 1.0))
    function(tv.constant(Y))
    function(tv.constant(Y))
    for after in range(3):
        before, wanted = v.numpy(), (v * tv.constant(Y) + tv.constant(Y) - 1.0).numpy()
        y = tv.constant(Y)
        with tv.testing.fail('GPU:0', 'allocate', after=after):
            try:
                function(y)
            except tv.errors.ResourceExhaustedError:
                wanted = before
        np.testing.assert_array_equal(v.numpy(), wanted)


def test_without_the_kernel_the_ops_run(gpu: Target, caplog: pytest.LogCaptureFixture) -> None:
    gpu.missing = 'fused_'
    check(arithmetic, tv.constant(X), tv.constant(Y))
    assert not gpu.count('fused_')
    assert 'one by one on GPU:0' in caplog.text


def test_without_kernels_there_are_no_chains(simulated_gpus: list[str]) -> None:
    traced = check(arithmetic, tv.constant(X), tv.constant(Y))
    assert 'fused' not in traced.pretty_printed_plan()


def test_two_gpus_have_their_own_chains(gpu: Target) -> None:
    def program(x: Any, y: Any) -> Any:
        with tv.device('GPU:1'):
            a = x * y + x
        with tv.device('GPU:0'):
            return a * y - x

    check(program, tv.constant(X), tv.constant(Y))
    assert gpu.count('fused_') == 4, gpu.launched


def test_chains_with_too_many_inputs_are_cut(gpu: Target) -> None:
    def program(*values: Any) -> Any:
        total = values[0]
        for value in values[1:]:
            total = total * 0.5 + value
        return total

    check(program, *(tv.constant(X + i) for i in range(20)))
    assert gpu.count('fused_') == 4, gpu.launched


def test_memory_of_values_inside_is_never_taken(gpu: Target) -> None:
    traced = tv.function(arithmetic)
    x, y = tv.constant(np.ones((256, 256), np.float32)), tv.constant(np.ones(256, np.float32))
    replays(traced, x, y)
    tv.config.experimental.reset_memory_stats('GPU:0')
    base = tv.config.get_memory_info('GPU:0')['current']
    traced(x, y)
    assert tv.config.get_memory_info('GPU:0')['peak'] - base == 256 * 256 * 4


OPS: tuple[Callable[..., Any], ...] = (
    tv.add, tv.subtract, tv.multiply, tv.maximum, tv.minimum, tv.divide,
    lambda x, y: tv.where(x > y, x, y * 2.0), lambda x, y: tv.nn.relu(x) - y,
    lambda x, y: tv.square(x) + tv.abs(y), lambda x, y: tv.clip_by_value(x, -1.0, 1.0) * y,
    lambda x, y: x + tv.reduce_sum(y, axis=0, keepdims=True), lambda x, y: tv.negative(x),
    lambda x, y: tv.reshape(tv.reshape(x, [-1]), x.shape) + y,
)  # fmt: skip


def random_program(seed: int) -> Callable[..., Any]:
    """A program of elementwise ops and a few others that changes a variable."""

    def program(v: Any, x: Any, y: Any) -> Any:
        generator = np.random.default_rng(seed)
        values = [x, y, v + 0.0]
        for _ in range(int(generator.integers(4, 20))):
            op = OPS[generator.integers(len(OPS))]
            first, second = generator.choice(len(values), 2)
            values.append(op(values[first], values[second]))
            if generator.random() < 0.1:
                v.assign_add(tv.clip_by_value(values[-1], -1.0, 1.0) * 0.5)
                values.append(v * 2.0)
        kept = generator.choice(len(values), 2)
        return [values[-1], *(values[each] for each in kept)]

    return program


def compare_random_program(seed: int) -> None:
    program = random_program(seed)
    function = tv.function(program)
    eager, traced = tv.Variable(X), tv.Variable(X)
    for turn in range(3):
        arguments = tv.constant(X * (turn + 1)), tv.constant(Y)
        same(function(traced, *arguments), program(eager, *arguments))
        same([traced], [eager])


@pytest.mark.parametrize('seed', range(8))
def test_random_programs(gpu: Target, seed: int) -> None:
    compare_random_program(seed)
    assert gpu.count('fused_'), gpu.launched


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('block', range(20))
def test_many_random_programs(gpu: Target, block: int) -> None:
    for seed in range(10):
        compare_random_program(1000 + 10 * block + seed)
