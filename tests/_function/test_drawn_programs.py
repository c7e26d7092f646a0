"""Random programs of variables, ops, tapes and branches: eager and plan, bit for bit."""

from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

import tensorvar as tv

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
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    tv.add, tv.subtract, tv.multiply, tv.maximum, tv.minimum, tv.matmul, tv.divide,
    lambda x, y: tv.where(x > y, x, y),
]  # fmt: skip

places = st.integers(0, 30)
instructions = st.one_of(
    st.tuples(st.just('unary'), st.sampled_from(range(len(UNARY))), places),
    st.tuples(st.just('binary'), st.sampled_from(range(len(BINARY))), places, places),
    st.tuples(st.just('read'), st.integers(0, 1)),
    st.tuples(st.sampled_from(['assign', 'add', 'sub']), st.integers(0, 1), places),
    st.tuples(st.just('part'), st.integers(0, 1), places),
    st.tuples(st.just('branch'), places, st.integers(1, 3)),
    st.tuples(st.just('gradient'), st.integers(0, 1), places),
    st.tuples(st.just('pick'), places, places),
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
    else:
        rows = tv.cast(tv.abs(square(value(arguments[0]))[0]), tv.int32) % SIDE
        values.append(tv.gather(square(value(arguments[1])), rows))
    return 0


def bits(structure: Any) -> Any:
    return [(part.numpy().tobytes(), part.shape.as_list()) for part in tv.nest.flatten(structure)]


@hypothesis.given(
    program=st.lists(instructions, min_size=1, max_size=14), seed=st.integers(0, 2**16)
)
@hypothesis.settings(max_examples=150)
def test_a_plan_gives_the_bits_of_the_eager_run(program: list[Any], seed: int) -> None:
    draw = np.random.default_rng(seed)
    starts = [draw.normal(size=(SIDE, SIDE)).astype(np.float32) for _ in range(2)]
    calls = [
        tuple(tv.constant(draw.normal(size=(SIDE, SIDE)).astype(np.float32)) for _ in range(2))
        for _ in range(5)
    ]
    eager, planned = ([tv.Variable(start) for start in starts] for _ in range(2))
    function = tv.function(lambda *inputs: run(program, planned, inputs))
    kept = []
    for inputs in calls:
        wanted = bits(run(program, eager, inputs))
        given = function(*inputs)
        assert bits(given) == wanted
        assert bits(planned) == bits(eager)
        kept.append((given, wanted))
    for given, wanted in kept:
        assert bits(given) == wanted
