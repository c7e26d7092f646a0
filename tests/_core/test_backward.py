"""The reverse walk: right numbers for any graph, each step on the device of its forward op."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorvar as tv
from tensorvar import errors
from tensorvar._core import backward, executor, op_registry, tape_entries
from tensorvar._core.op_registry import ArraySpec, OpDef
from tests.support import examples, numeric_gradient


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


def place(tensor: Any) -> str:
    return str(tensor.device.rpartition('device:')[2])


# Random graphs

UNARY: list[Callable[[Any], Any]] = [
    tv.sin,
    tv.tanh,
    tv.square,
    tv.sigmoid,
    lambda x: tv.exp(x * 0.25),
    lambda x: -x,
    lambda x: x * 0.5 + 1.0,
    lambda x: tv.transpose(x),
    lambda x: tv.reduce_mean(x, axis=0, keepdims=True) + x,
    lambda x: tv.concat([x[1:], x[:1] * 2.0], axis=0),
    lambda x: tv.gather(x, [1, 0, 1, 2])[:3],
    lambda x: tv.reshape(tv.reshape(x, [9]), [3, 3]),
]
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / (y * y + 1.0),
    lambda x, y: tv.matmul(x, y) * 0.3,
    lambda x, y: x * tv.reduce_sum(y, axis=1),
    lambda x, y: tv.where(tv.constant([True, False, True]), x, y),
]
# Which op, and the two earlier values it takes, counted from the last.
steps = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 5), st.integers(0, 5)),
    min_size=1,
    max_size=9,
)


def graph(program: list[tuple[int, int, int]]) -> Callable[..., Any]:
    """The function that a list of steps stands for."""

    def function(*inputs: Any) -> Any:
        values = list(inputs)
        for op, first, second in program:
            x, y = values[-1 - first % len(values)], values[-1 - second % len(values)]
            values.append(UNARY[op](x) if op < len(UNARY) else BINARY[op - len(UNARY)](x, y))
        return values[-1] + 0.1 * values[-2]

    return function


def inputs(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(7)
    return [generator.uniform(-1.0, 1.0, (3, 3)) for _ in range(count)]


@given(steps, st.sampled_from([tv.constant, tv.Variable]))
def test_random_graphs_have_the_numeric_gradient(program: Any, make: Any) -> None:
    numeric_gradient.check(graph(program), *inputs(2), order=1, make=make)


@given(steps)
@examples.share(0.2)
def test_random_graphs_have_the_numeric_second_derivative(program: Any) -> None:
    numeric_gradient.check(graph(program[:5]), *inputs(1), order=2)


@given(steps, st.lists(st.sampled_from(['CPU:0', 'GPU:0', 'GPU:1', None]), min_size=3, max_size=3))
@examples.share(0.7)
def test_gradients_do_not_depend_on_the_devices(
    simulated_gpus: list[str], program: Any, devices: list[Any]
) -> None:
    body = graph(program)

    def differentiate(spread: list[Any]) -> list[Any]:
        arrays = inputs(2)
        with tv.device(spread[0]):
            x = tv.constant(arrays[0])
        with tv.device(spread[1]):
            v = tv.Variable(arrays[1])
        with tv.GradientTape() as tape:
            tape.watch(x)
            with tv.device(spread[2]):
                half = x * v
            y = body(half, v)
        found = tape.gradient(y, [x, v], unconnected_gradients='zero')
        return [tv.convert_to_tensor(gradient).numpy() for gradient in found]

    for here, there in zip(differentiate(devices), differentiate(['CPU:0'] * 3), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-12, atol=1e-12)


# Devices


def test_backward_ops_run_where_their_forward_op_ran(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0], name='v')
    with tv.GradientTape() as tape:
        with tv.device('GPU:0'):
            first = tv.sin(v)
        with tv.device('GPU:1'):
            second = first * first
        with tv.device('CPU:0'):
            loss = tv.reduce_sum(second)
    with tv.debugging.record_placement() as log:
        gradient = tape.gradient(loss, v)
    assert {record.reason for record in log.records} == {'gradient'}
    devices = [record.device for record in log.records]
    order = [device for i, device in enumerate(devices) if i == 0 or devices[i - 1] != device]
    assert order == ['CPU:0', 'GPU:1', 'GPU:0']
    # Each gradient moves once, however many ops of a gradient function take it.
    routes = [(copy.source, copy.destination) for copy in log.copies]
    assert routes == [('CPU:0', 'GPU:1'), ('GPU:1', 'GPU:0')]
    assert place(gradient) == 'GPU:0'
    np.testing.assert_allclose(
        gradient.numpy(), 2 * np.sin([1.0, 2.0]) * np.cos([1.0, 2.0]), rtol=1e-6
    )


def test_a_gradient_flows_back_to_its_variable(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0])
    for _ in range(2):
        with tv.device('GPU:0'), tv.GradientTape() as tape:
            loss = tv.reduce_sum(v * v)
        v.assign_sub(tape.gradient(loss, v) * 0.25)
    assert place(v) == 'CPU:0'
    assert value(v) == [0.25, 0.5]


def test_a_variable_used_on_two_devices(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0])
    with tv.GradientTape() as tape:
        with tv.device('GPU:0'):
            first = v * 2.0
        with tv.device('GPU:1'):
            second = v * 3.0
    assert value(tape.gradient([first, second], v)) == [5.0, 5.0]


def test_a_scope_at_gradient_wins(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        x = tv.constant([1.0, 2.0])
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = x * x
    with tv.device('CPU:0'), tv.debugging.record_placement() as log:
        gradient = tape.gradient(y, x)
    assert {record.reason for record in log.records} == {'explicit'}
    assert place(gradient) == 'CPU:0'


def test_the_direct_path_keeps_the_device_of_the_forward_op(simulated_gpus: list[str]) -> None:
    """The gradient arrives from GPU:1 where the forward op ran on GPU:0."""

    def differentiate() -> Any:
        with tv.device('GPU:0'):
            x = tv.constant([1.0, 2.0])
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = -x
            with tv.device('GPU:1'):
                z = tv.sin(y)
        return tape.gradient(z, x)

    direct = differentiate()
    with tv.debugging.record_placement():
        full = differentiate()
    assert place(direct) == place(full) == 'GPU:0'


def test_output_gradients_are_brought_to_the_target(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    with tv.debugging.record_placement() as log:
        gradient = tape.gradient(y, x, output_gradients=np.float32(2.0))
    assert place(gradient) == 'GPU:0'
    assert {record.device for record in log.records} == {'GPU:0'}


# Parts


def test_ops_without_a_wanted_input_are_not_differentiated() -> None:
    """The gradient function sees which inputs matter, and runs for no other op."""
    seen: list[tuple[bool, ...]] = []

    def gradient(context: Any, arriving: Any) -> tuple[Any, ...]:
        seen.append(context.needs)
        assert isinstance(context.inputs, tuple)
        assert isinstance(context.outputs, tuple)
        return arriving, arriving

    op = OpDef('Probe', lambda x, y: x, lambda xp, x, y: x + y, gradient, inputs='T T')
    x, y = tv.constant(1.0), tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        executor.run(op, y, y)
        z = executor.run(op, x, y)
        executor.run(op, z, y)
    assert value(tape.gradient(z, x)) == 1.0
    assert seen == [(True, False)]


def test_a_gradient_function_that_forgets_an_input() -> None:
    op = OpDef('Short', lambda x, y: x, lambda xp, x, y: x + y, lambda c, g: (g,), inputs='T T')
    x = tv.constant(1.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = executor.run(op, x, x)
    with pytest.raises(errors.InternalError, match=r'\[Short\] the gradient gave 1 values for 2'):
        tape.gradient(y, x)


def test_an_op_with_an_unused_result_gets_zeros() -> None:
    x = tv.constant([3.0, 1.0, 2.0, 4.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        first, _ = tv.split(x, 2)
        y = tv.reduce_sum(first * first)
    assert value(tape.gradient(y, x)) == [6.0, 2.0, 0.0, 0.0]


def test_ids_of_dead_values_do_not_matter() -> None:
    """Values die during the walk, and new ones take their addresses."""
    x = tv.constant(np.linspace(0.1, 0.9, 7))
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(200):
            y = tv.sin(y) + 0.01 * x
    with tv.GradientTape(persistent=True) as kept:
        kept.watch(x)
        z = x
        for _ in range(200):
            z = tv.sin(z) + 0.01 * x
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), kept.gradient(z, x).numpy())


def test_only_floats_and_complex_numbers_have_derivatives() -> None:
    yes = [tv.float16, tv.bfloat16, tv.float32, tv.float64, tv.complex64, tv.complex128]
    no = [tv.int32, tv.uint8, tv.bool]
    assert all(backward.is_differentiable(tv.zeros([1], dtype)) for dtype in yes)
    assert not any(backward.is_differentiable(tv.zeros([1], dtype)) for dtype in no)
    assert not backward.is_differentiable(tv.constant('a'))


def test_half_precision_gradients_keep_the_dtype(device: str) -> None:
    for dtype in (tv.float16, tv.bfloat16, tv.float64):
        with tv.device(device):
            x = tv.constant([0.5, 2.0], dtype)
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = tv.reduce_sum(x * x * 2.0)
        gradient = tape.gradient(y, x)
        assert gradient.dtype is dtype
        assert gradient.numpy().astype(float).tolist() == [2.0, 8.0]


def test_entries_that_never_run_are_not_registered() -> None:
    for op in (tape_entries.WATCH, tape_entries.ASSIGN, tape_entries.LOOK):
        assert op.name not in op_registry.OPS
        assert op.gradient is op_registry.NOT_DIFFERENTIABLE
        spec = ArraySpec((), np.dtype(np.float32))
        assert op.infer(spec) is spec
