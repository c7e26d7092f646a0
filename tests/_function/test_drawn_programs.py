"""Random programs of variables, ops, tapes and branches: eager and plan, bit for bit."""

import contextlib
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

import tensorvar as tv
from tests.support import examples

SIDE = 3
Values = list[Any]

UNARY: list[Callable[[Any], Any]] = [
    tv.tanh, tv.exp, tv.nn.relu, tv.square, tv.negative, tv.transpose, tv.abs, tv.identity,
    lambda x: tv.reduce_sum(x, axis=0),
    lambda x: tv.reduce_sum(x, axis=1, keepdims=True),
    lambda x: tv.reduce_mean(x),
    lambda x: tv.reshape(x, [-1]),
    lambda x: x[1:],
    lambda x: tv.cumsum(x),
    lambda x: tv.zeros_like(x) + 2.0,
    lambda x: x * 0.5,
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    tv.add, tv.subtract, tv.multiply, tv.maximum, tv.minimum, tv.matmul, tv.divide,
    lambda x, y: tv.where(x > y, x, y),
]  # fmt: skip

PARTS = ('loop', 'choice', 'rows')

places = st.integers(0, 30)
instructions = st.one_of(
    st.tuples(st.just('unary'), st.sampled_from(range(len(UNARY))), places),
    st.tuples(st.just('binary'), st.sampled_from(range(len(BINARY))), places, places),
    st.tuples(st.just('read'), st.integers(0, 1)),
    st.tuples(st.sampled_from(['assign', 'add', 'sub', 'scaled']), st.integers(0, 1), places),
    st.tuples(st.just('part'), st.integers(0, 1), places),
    st.tuples(st.just('branch'), places, st.integers(1, 3)),
    st.tuples(st.just('gradient'), st.integers(0, 1), places),
    st.tuples(st.just('pick'), places, places),
    st.tuples(st.just('loop'), places, places),
    st.tuples(st.just('choice'), places, places),
    st.tuples(st.just('rows'), places),
)


def square(value: Any) -> Any:
    """A 3 by 3 matrix made of any value, tame enough for more steps."""
    shape = value.shape.as_list()
    if shape != [SIDE, SIDE]:
        value = tv.zeros([SIDE, SIDE]) + tv.reduce_sum(value)
    return tv.clip_by_value(value, -8.0, 8.0)


def run(program: list[Any], variables: list[Any], inputs: tuple[Any, ...]) -> Any:
    values: Values = list(inputs)
    with tv.GradientTape(persistent=True) as tape:
        skip = 0
        for kind, *arguments in program:
            if skip:
                skip -= 1
                continue
            skip = step(kind, arguments, values, variables, tape)
    return values[len(inputs) :], [variable.value() for variable in variables]


def step(kind: str, arguments: Any, values: Values, variables: list[Any], tape: Any) -> int:
    def value(place: int) -> Any:
        return values[place % len(values)]

    if kind == 'unary':
        values.append(UNARY[arguments[0]](square(value(arguments[1]))))
    elif kind == 'binary':
        left, right = (square(value(place)) for place in arguments[1:])
        values.append(BINARY[arguments[0]](left, right))
    elif kind == 'read':
        values.append(variables[arguments[0]].value())
    elif kind == 'scaled':
        variables[arguments[0]].assign_sub(0.5 * square(value(arguments[1])))
    elif kind in ('assign', 'add', 'sub'):
        method = {'assign': 'assign', 'add': 'assign_add', 'sub': 'assign_sub'}[kind]
        getattr(variables[arguments[0]], method)(square(value(arguments[1])))
    elif kind == 'part':
        variables[arguments[0]][0].assign(square(value(arguments[1]))[1])
    elif kind == 'branch':
        return arguments[1] if tv.reduce_sum(square(value(arguments[0]))) > 0.5 else 0
    elif kind == 'gradient':
        variable = variables[arguments[0]]
        with tape.stop_recording():
            slope = tape.gradient(value(arguments[1]), variable)
        if slope is not None:
            values.append(tv.convert_to_tensor(slope))
    elif kind == 'loop':
        values.append(loop(square(value(arguments[0])), square(value(arguments[1]))))
    elif kind == 'choice':
        x, y = (square(value(place)) for place in arguments)
        holds = tv.reduce_sum(x) > 0.5
        values.append(tv.cond(holds, lambda: tv.tanh(x) * y, lambda: y - x * 0.5))
    elif kind == 'rows':
        values.append(tv.map_fn(lambda row: tv.cumsum(row) * 0.5, square(value(arguments[0]))))
    else:
        rows = tv.cast(tv.abs(square(value(arguments[0]))[0]), tv.int32) % SIDE
        values.append(tv.gather(square(value(arguments[1])), rows))
    return 0


def loop(x: Any, y: Any) -> Any:
    """As many steps as a value says."""
    steps = tv.cast(tv.abs(x[0, 0]), tv.int32)
    start = tv.constant(0), y
    return tv.while_loop(
        lambda i, z: i < steps, lambda i, z: (i + 1, tv.tanh(z) * 0.5 + 0.25), start
    )[1]


def bits(structure: Any) -> Any:
    return [
        None if part is None else (part.numpy().tobytes(), part.shape.as_list())
        for part in tv.nest.flatten(structure)
    ]


def assert_close(given: Any, wanted: Any) -> None:
    for one, other in zip(given or (), wanted or (), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            first, second = (np.frombuffer(each[0], np.float32) for each in (one, other))
            np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)


def call(body: Any, inputs: Any, variables: list[Any], has_tape: bool, has_recorder: bool) -> Any:
    """What the body gives, what a recorder hears, and the slopes of a tape around it."""
    with contextlib.ExitStack() as scopes:
        log = tape = None
        if has_recorder:
            log = scopes.enter_context(tv.debugging.record_placement())
        if has_tape:
            tape = scopes.enter_context(tv.GradientTape(persistent=True))
            tape.watch(inputs)
        given = body(*inputs)
    slopes = None
    if tape is not None:
        targets = [part for part in tv.nest.flatten(given) if part.dtype is tv.float32]
        slopes = bits([
            each if each is None else tv.convert_to_tensor(each)
            for each in tape.gradient(targets, [*inputs, *variables])
        ])  # fmt: skip
    heard = None if log is None else [
        (record.op, record.where, record.shapes, record.nbytes, record.note, record.variable)
        for record in log.records
        if getattr(record, 'op', 'Const') != 'Const'
    ]  # fmt: skip
    return given, heard, slopes


@hypothesis.given(
    program=st.lists(instructions, min_size=1, max_size=14),
    seed=st.integers(0, 2**16),
    surroundings=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=5, max_size=5),
)
@examples.share(2.5)
def test_a_plan_gives_the_bits_of_the_eager_run(
    program: list[Any], seed: int, surroundings: list[tuple[bool, bool]]
) -> None:
    draw = np.random.default_rng(seed)
    starts = [draw.normal(size=(SIDE, SIDE)).astype(np.float32) for _ in range(2)]
    calls = [
        tuple(tv.constant(draw.normal(size=(SIDE, SIDE)).astype(np.float32)) for _ in range(2))
        for _ in range(5)
    ]
    eager, planned = ([tv.Variable(start) for start in starts] for _ in range(2))
    function = tv.function(lambda *inputs: run(program, planned, inputs))
    kept = []
    for inputs, (has_tape, has_recorder) in zip(calls, surroundings, strict=True):
        scopes = has_tape, has_recorder
        wanted = call(lambda *inputs: run(program, eager, inputs), inputs, eager, *scopes)
        given = call(function, inputs, planned, *scopes)
        values = bits(wanted[0])
        assert bits(given[0]) == values
        assert bits(planned) == bits(eager)
        if any(kind in PARTS for kind, *_ in program):
            # A loop or a choice is one step of a plan, with one record, and its gradients
            # are added up before they go to others.
            assert_close(given[2], wanted[2])
        else:
            assert given[1:] == wanted[1:]
        kept.append((given[0], values))
    for given, values in kept:
        assert bits(given) == values
