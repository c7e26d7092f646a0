"""Loops and choices in a function are one step of its plan."""

import gc
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

ROWS = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
Program = Callable[[Any, Any], Any]


def matrix() -> Any:
    return tv.Variable([[0.5, 0.1], [-0.2, 0.3]])


def loop(condition: Any, body: Any, *first: Any) -> Any:
    return tv.while_loop(condition, body, first)


def nested(x: Any, w: Any) -> Any:
    def outer(i: Any, y: Any) -> Any:
        return i + 1, loop(lambda j, z: j < i, lambda j, z: (j + 1, tv.tanh(z @ w)), i * 0, y)[1]

    return loop(lambda i, y: i < 3, outer, tv.constant(0), x)[1]


def branching_loop(x: Any, w: Any) -> Any:
    def body(i: Any, y: Any) -> Any:
        return i + 1, tv.cond(i % 2 == 0, lambda: tv.sin(y), lambda: y @ w)

    return loop(lambda i, y: i < 5, body, tv.constant(0), x)


PROGRAMS: dict[str, Program] = {
    'value-dependent loop': lambda x, w: loop(
        lambda y: tv.reduce_sum(tv.abs(y)) > 0.5, lambda y: (tv.tanh(y) @ w,), x
    ),
    'no step': lambda x, w: loop(lambda y: tv.reduce_sum(y) > 1e9, lambda y: (y @ w,), x),
    'map_fn': lambda x, w: tv.map_fn(lambda row: tv.linalg.matvec(w, row) * row[0], x),
    'map_fn with a signature': lambda x, w: tv.map_fn(
        lambda row: {'sum': tv.reduce_sum(row), 'twice': row * 2.0},
        x,
        fn_output_signature={'sum': tv.float32, 'twice': tv.TensorSpec([2])},
    ),
    'scan': lambda x, w: tv.scan(lambda a, row: tv.linalg.matvec(w, a) + row, x),
    'scan back': lambda x, w: tv.scan(lambda a, row: tv.tanh(a) + row, x, reverse=True),
    'scan of two': lambda x, w: tv.scan(
        lambda a, row: (a[0] + row, a[1] * row[0]), x, (tv.zeros([2]), tv.constant(1.0))
    ),
    'foldl': lambda x, w: tv.foldl(lambda a, row: tv.tanh(a) + row, x),
    'foldr': lambda x, w: tv.foldr(lambda a, row: tv.linalg.matvec(w, a) + row, x, tv.ones([2])),
    'vectorized_map': lambda x, w: tv.vectorized_map(lambda row: row * row[1], x),
    'cond': lambda x, w: tv.cond(tv.reduce_sum(x) > 0, lambda: x @ w * 2.0, lambda: tv.exp(x @ w)),
    'a loop in a loop': nested,
    'a choice in a loop': branching_loop,
}
INPUTS = [ROWS, -ROWS, ROWS * 0.25, ROWS * 3.0]


def values_of(structure: Any) -> list[Any]:
    return [
        None if part is None else tv.convert_to_tensor(part).numpy()
        for part in tv.nest.flatten(structure)
    ]


def bits(structure: Any) -> list[Any]:
    return [None if value is None else value.tobytes() for value in values_of(structure)]


def total(structure: Any) -> Any:
    parts = [part for part in tv.nest.flatten(structure) if part.dtype is tv.float32]
    return tv.add_n([tv.reduce_sum(part * part * part) for part in parts])


def close(given: Any, wanted: Any) -> None:
    for one, other in zip(values_of(given), values_of(wanted), strict=True):
        if other is None:
            # A step of a plan gives zeros where no step was made.
            assert one is None or not one.any()
        else:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def is_one_step(function: Any) -> bool:
    # Steps of the function itself are indented less than those of its loops.
    steps = re.findall(
        r'(?m)^ {6}s.*= p\d+_\(\[.*# (?:While|If) on', function.pretty_printed_plan()
    )
    return len(steps) == 1 and function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize('name', PROGRAMS)
def test_values_have_the_bits_of_an_eager_run(name: str) -> None:
    w = matrix()
    function = tv.function(lambda x: PROGRAMS[name](x, w))
    for rows in INPUTS:
        x = tv.constant(rows)
        assert bits(function(x)) == bits(PROGRAMS[name](x, w))
    assert is_one_step(function)


@pytest.mark.parametrize('where', ['inside', 'outside', 'both'])
@pytest.mark.parametrize('name', PROGRAMS)
def test_gradients(name: str, where: str) -> None:
    w = matrix()

    def slopes(x: Any, body: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(x)
            loss = total(body(x))
        return tape.gradient(loss, [x, w])

    def second(x: Any, body: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(x)
            slope = body(x)[0]
            loss = tv.reduce_sum(slope * slope)
        return tape.gradient(loss, [x, w])

    def program(x: Any) -> Any:
        return PROGRAMS[name](x, w)

    def first(x: Any) -> Any:
        return slopes(x, program)

    function = tv.function(program if where == 'outside' else first)
    for rows in INPUTS[:3]:
        x = tv.constant(rows)
        if where == 'inside':
            close(function(x), first(x))
        elif where == 'outside':
            close(slopes(x, function), first(x))
        else:
            close(second(x, function), second(x, first))
    # A gradient of a gradient is noted step by step, so that each number of steps has a path.
    assert where == 'both' or function.experimental_get_tracing_count() == 1


def test_many_steps_are_one_step() -> None:
    v = tv.Variable([0.5, 0.25])
    decay = tv.constant(0.999)

    def body(n: Any) -> Any:
        with tv.GradientTape() as tape:
            _, y = loop(
                lambda i, y: i < n, lambda i, y: (i + 1, y * decay + v), tv.constant(0), v * 1.0
            )
        return y, tape.gradient(y, v)

    function = tv.function(body)
    for n in (3, 10_000, 7):
        given, wanted = function(tv.constant(n)), body(tv.constant(n))
        assert bits(given[0]) == bits(wanted[0])
        close(given[1], wanted[1])
    assert function.experimental_get_tracing_count() == 1


def test_a_gradient_of_a_gradient_inside() -> None:
    @tv.function
    def curvature(x: Any) -> Any:
        with tv.GradientTape() as outer:
            outer.watch(x)
            with tv.GradientTape() as inner:
                inner.watch(x)
                (y,) = loop(lambda y: y < 100.0, lambda y: (y * x,), x)
            slope = inner.gradient(y, x)
        return slope, outer.gradient(slope, x)

    # The last power of 3 below 300 is 5, that of 5 is 3, that of 20 is 2.
    for value, power in ((3.0, 5), (5.0, 3), (20.0, 2), (3.0, 5)):
        slope, second = curvature(tv.constant(value))
        assert float(slope) == power * value ** (power - 1)
        assert float(second) == power * (power - 1) * value ** (power - 2)


def test_a_loop_that_writes_variables() -> None:
    def make() -> tuple[Any, Any]:
        count, sums = tv.Variable(0.0), tv.Variable([0.0, 0.0])

        def body(x: Any) -> Any:
            def step(i: Any) -> Any:
                count.assign_add(1.0)
                sums.assign_add(x * count)
                return (i + 1,)

            loop(lambda i: i < 4, step, tv.constant(0))
            tv.cond(x[0] > 0, lambda: sums.assign(sums * 2.0), lambda: sums.assign_sub(x))
            return sums, count

        return body, [count, sums]

    eager, planned = make(), make()
    function = tv.function(planned[0])
    for row in ([1.0, 2.0], [-1.0, 2.0], [3.0, 4.0]):
        x = tv.constant(row)
        assert bits(function(x)) == bits(eager[0](x))
        assert bits(planned[1]) == bits(eager[1])
    assert function.experimental_get_tracing_count() == 1


def test_an_error_in_a_loop_that_writes_is_not_run_again() -> None:
    v = tv.Variable(0.0)
    table = tv.constant([1.0, 2.0, 3.0])

    @tv.function
    def body(n: Any) -> Any:
        def step(i: Any) -> Any:
            v.assign_add(tv.gather(table, i))
            return (i + 1,)

        return loop(lambda i: i < n, step, tv.constant(0))

    body(tv.constant(2))
    assert float(v) == 3.0
    with pytest.raises(tv.errors.InvalidArgumentError, match='indices = 3'):
        body(tv.constant(5))
    assert float(v) == 9.0
    body(tv.constant(1))
    assert float(v) == 10.0


def test_an_error_in_a_loop_is_worded_as_an_eager_one() -> None:
    table = tv.constant([1.0, 2.0, 3.0])

    def body(n: Any) -> Any:
        return loop(lambda i: i < n, lambda i: (i + tv.cast(tv.gather(table, i), tv.int32),), n * 0)

    function = tv.function(body)
    assert bits(function(tv.constant(3))) == bits(body(tv.constant(3)))
    for call in (function, body):
        with pytest.raises(tv.errors.InvalidArgumentError, match='indices = 3'):
            call(tv.constant(9))


FALLBACKS: dict[str, Callable[[Any], Any]] = {
    'a look': lambda x: loop(lambda i: i < 3, lambda i: (i + (1 if i < 9 else 2),), tv.constant(0)),
    'a shape that grows': lambda x: loop(
        lambda y: y.shape[0] < 20, lambda y: (tv.concat([y, y], 0),), x
    ),
    'Python numbers': lambda x: loop(lambda i, y: i < 3, lambda i, y: (i + 1, y[i] + x), 0, x),
    'draws': lambda x: loop(
        lambda y: tv.reduce_sum(y) < 3.0, lambda y: (y + tv.random.uniform([5, 2]),), x * 0.0
    ),
    'unlike branches': lambda x: tv.cond(tv.reduce_sum(x) > 0, lambda: x, lambda: x[0]),
    'no rows': lambda x: tv.map_fn(lambda row: row * 2.0, x[:0]),
}


@pytest.mark.parametrize('name', FALLBACKS)
def test_what_no_step_can_do_is_traced_as_it_runs(name: str) -> None:
    function = tv.function(FALLBACKS[name])
    for rows in (ROWS, ROWS * 2.0, -ROWS):
        x = tv.constant(rows)
        tv.random.set_seed(5)
        wanted = bits(FALLBACKS[name](x))
        tv.random.set_seed(5)
        assert bits(function(x)) == wanted
    tv.random.set_seed(None)


def test_loops_and_choices_on_other_devices(simulated_gpus: Any) -> None:
    with tv.device('GPU:1'):
        w = matrix()
        inputs = [tv.constant(rows) for rows in INPUTS]
    for name in ('value-dependent loop', 'scan', 'cond', 'a choice in a loop'):
        program = PROGRAMS[name]

        def slopes(x: Any, program: Program = program) -> Any:
            with tv.GradientTape() as tape:
                tape.watch(x)
                result = program(x, w)
                loss = total(result)
            return result, tape.gradient(loss, [x, w])

        function = tv.function(slopes)
        for x in inputs:
            given, wanted = function(x), slopes(x)
            assert bits(given[0]) == bits(wanted[0])
            close(given[1], wanted[1])
            assert all(part.device.endswith('GPU:1') for part in given[1])


def test_loops_and_choices_keep_no_variable_alive() -> None:
    holder = [matrix(), tv.Variable(0.0)]

    @tv.function
    def slopes(x: Any) -> Any:
        def body(i: Any, y: Any) -> Any:
            return i + 1, tv.cond(i > 1, lambda: tv.tanh(y @ holder[0]), lambda: y * 0.5)

        with tv.GradientTape() as tape:
            y = loop(lambda i, y: i < 3, body, tv.constant(0), x)[1]
        loop(lambda z: z < 3.0, lambda z: (holder[1].assign_add(1.0) * 0.0 + z + 1.0,), x[0, 0])
        return tape.gradient(y, holder[0])

    for rows in INPUTS:
        slopes(tv.constant(rows))
    address = holder[0]._array.ctypes.data
    holder[0].assign_add(tv.ones([2, 2]))
    # Nothing of the plan holds the value, so it is written in place.
    assert holder[0]._array.ctypes.data == address
    gone = [weakref.ref(variable) for variable in holder]
    holder.clear()
    gc.collect()
    assert [each() for each in gone] == [None, None]
    holder += [matrix(), tv.Variable(0.0)]
    assert slopes(tv.constant(ROWS)).shape == [2, 2]


def test_records_of_a_loop() -> None:
    w = matrix()
    function = tv.function(lambda x: PROGRAMS['scan'](x, w) * 2.0)
    for _ in range(3):
        with tv.debugging.record_placement() as log:
            function(tv.constant(ROWS))
        ops = [record.op for record in log.records]
        assert ops.count('While') == 1
        assert ops[-1] == 'Mul'


def test_shapes_of_a_loop_are_inferred() -> None:
    w = matrix()
    for name, program in PROGRAMS.items():
        function = tv.function(lambda x, program=program: program(x, w))
        concrete = function.get_concrete_function(tv.TensorSpec([5, 2]))
        given = tv.nest.flatten(function(tv.constant(ROWS)))
        specs = tv.nest.flatten(concrete.structured_outputs)
        assert [spec.shape for spec in specs] == [part.shape for part in given], name


@pytest.mark.parametrize('use', [lambda x: x * 2.0, lambda x: x], ids=['by an op', 'as a result'])
def test_a_value_that_leaves_its_loop_by_other_ways(use: Any) -> None:
    def body(x: Any) -> Any:
        left: list[Any] = []

        def step(i: Any, y: Any) -> Any:
            left.append(y * 2.0)
            return i + 1, y + 1.0

        last = tv.while_loop(lambda i, y: i < 3, step, (0, x))[1]
        return last, use(left[-1])

    function = tv.function(body)
    for _ in range(2):
        with pytest.raises(ValueError, match='out of scope'):
            function(tv.constant(1.0))
