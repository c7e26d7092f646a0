"""Each way in which a tensor's value reaches Python, and the limits of branching."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

LOOKS: dict[str, Callable[[Any], Any]] = {
    'bool': bool,
    'int': int,
    'float': float,
    'complex': complex,
    'item': lambda x: x.item(),
    'numpy': lambda x: float(x.numpy()),
    'asarray': lambda x: float(np.asarray(x)),
    'format': lambda x: len(f'{x}'),
    'str': lambda x: len(str(x)),
    'repr': lambda x: len(repr(x)),
    'iteration': lambda x: next(bool(part) for part in tv.reshape(x, [1])),
    'list': lambda x: [0.0] if x in [tv.constant(1.0)] else [2.0],
    'switch_case': lambda x: tv.switch_case(tv.cast(x > 0, tv.int32), [lambda: 1.0, lambda: 2.0]),
}


@pytest.mark.parametrize('kind', LOOKS)
def test_a_look_at_one_element_is_a_branch_point(kind: str) -> None:
    def look(x: Any) -> Any:
        return x * 2.0, LOOKS[kind](x)

    function = tv.function(look)
    for number in (1.0, 2.0, 1.0, 0.0, 2.0, 0.0):
        expected = look(tv.constant(number))
        given = function(tv.constant(number))
        assert float(given[0]) == float(expected[0])
        assert np.array_equal(np.asarray(given[1]), np.asarray(expected[1]))
    # One run for each of the three values, or for each answer.
    assert function.experimental_get_tracing_count() in (2, 3)


def test_an_index_is_a_look() -> None:
    @tv.function
    def pick(n: Any) -> Any:
        return tv.constant([10, 20, 30][operator.index(n)])

    assert [int(pick(tv.constant(n))) for n in (0, 2, 1, 2, 0)] == [10, 30, 20, 30, 10]
    assert pick.experimental_get_tracing_count() == 3


def test_a_look_at_a_variable_sees_what_it_holds_then() -> None:
    v = tv.Variable(0.0)

    @tv.function
    def step() -> Any:
        v.assign_add(1.0)
        if v > 2.0:
            v.assign(0.0)
        return v

    assert [float(step()) for _ in range(7)] == [1, 2, 0, 1, 2, 0, 1]
    assert step.experimental_get_tracing_count() == 2


def test_zeros_of_both_signs_differ_and_nan_equals_itself() -> None:
    @tv.function
    def sign(x: Any) -> Any:
        return tv.constant(str(float(x)))

    given = [sign(tv.constant(x)).numpy() for x in (0.0, -0.0, float('nan'), float('nan'), -0.0)]
    assert given == [b'0.0', b'-0.0', b'nan', b'nan', b'-0.0']
    assert sign.experimental_get_tracing_count() == 3


def test_text_is_looked_at_as_text() -> None:
    @tv.function
    def length(text: Any) -> Any:
        return tv.constant(len(text.numpy()))

    texts = ['a', 'bc', 'a', 'def']
    assert [int(length(tv.constant(text))) for text in texts] == [1, 2, 1, 3]


def test_a_shape_that_the_data_decides_is_a_branch_point() -> None:
    @tv.function
    def positive(x: Any) -> Any:
        chosen = tv.boolean_mask(x, x > 0)
        return chosen * float(chosen.shape[0])

    for row in ([1.0, -1.0], [1.0, 2.0], [3.0, -1.0], [-1.0, -1.0], [4.0, 5.0]):
        wanted = positive.python_function(tv.constant(row)).numpy()
        assert np.array_equal(positive(tv.constant(row)).numpy(), wanted)
    assert positive.experimental_get_tracing_count() == 3


def test_constants_may_be_looked_at() -> None:
    rate = tv.constant([1.0, 2.0])

    @tv.function
    def scaled(x: Any) -> Any:
        return x * float(rate.numpy().sum())

    assert [float(scaled(tv.constant(n))) for n in (1.0, 2.0)] == [3.0, 6.0]
    assert scaled.experimental_get_tracing_count() == 1


LARGE: dict[str, Callable[[Any], Any]] = {
    'numpy': lambda x: x.numpy().sum(),
    'asarray': lambda x: np.asarray(x).sum(),
    'print': lambda x: float(len(str(x))),
    'dlpack': lambda x: np.from_dlpack(x).sum(),
    'deepcopy': lambda x: x.__deepcopy__({}),
}


@pytest.mark.parametrize('kind', LARGE)
def test_a_look_at_more_makes_the_function_eager_with_one_warning(kind: str) -> None:
    @tv.function
    def total(x: Any) -> Any:
        return LARGE[kind](x)

    with pytest.warns(UserWarning, match=r'runs eagerly.*test_looks\.py:\d+'):
        total(tv.constant([1.0, 2.0]))
    for row in ([3.0, 4.0], [5.0, 6.0]):
        wanted = np.asarray(LARGE[kind](tv.constant(row)))
        assert np.array_equal(total(tv.constant(row)).numpy(), wanted)
    assert 'runs eagerly' in total.pretty_printed_plan()


def test_more_than_eight_outcomes_at_one_look_make_it_eager() -> None:
    @tv.function
    def double(n: Any) -> Any:
        return tv.constant(int(n) * 2)

    assert [int(double(tv.constant(n))) for n in range(8)] == [0, 2, 4, 6, 8, 10, 12, 14]
    with pytest.warns(UserWarning, match='more than 8 outcomes'):
        assert int(double(tv.constant(8))) == 16
    assert int(double(tv.constant(9))) == 18
    assert double.experimental_get_tracing_count() == 9


def test_more_than_32_paths_make_it_eager() -> None:
    @tv.function
    def bits(x: Any) -> Any:
        return tv.constant(sum(2**place for place in range(6) if x[place] > 0))

    def row(n: int) -> Any:
        return tv.constant([n >> place & 1 for place in range(6)])

    assert [int(bits(row(n))) for n in range(32)] == list(range(32))
    with pytest.warns(UserWarning, match='more than 32 paths'):
        assert int(bits(row(32))) == 32
    assert int(bits(row(63))) == 63


def test_a_prefix_runs_again_but_its_ops_do_not() -> None:
    v = tv.Variable(0.0)
    seen = []

    @tv.function
    def step(x: Any) -> Any:
        seen.append('before')
        v.assign_add(x)
        before = v.value()
        if x > 0:
            v.assign_add(10.0)
        else:
            v.assign_add(100.0)
        return before, v

    assert [float(part) for part in step(tv.constant(1.0))] == [1.0, 11.0]
    assert [float(part) for part in step(tv.constant(-1.0))] == [10.0, 110.0]
    assert seen == ['before', 'before']
    assert [float(part) for part in step(tv.constant(-2.0))] == [108.0, 208.0]
    assert seen == ['before', 'before']


def test_a_prefix_that_differs_and_wrote_nothing_runs_eagerly() -> None:
    factor = [1.0]

    @tv.function
    def scaled(x: Any) -> Any:
        y = x * factor[0]
        return y + 1.0 if x > 0 else y - 1.0

    assert float(scaled(tv.constant(2.0))) == 3.0
    factor[0] = 5.0
    with pytest.warns(UserWarning, match='did not do the same'):
        assert float(scaled(tv.constant(-2.0))) == -11.0
    assert float(scaled(tv.constant(2.0))) == 11.0


def test_a_prefix_that_differs_and_wrote_raises_with_both_lines() -> None:
    v = tv.Variable(0.0)
    steps = [v.assign_add, v.assign_sub]

    @tv.function
    def change(x: Any) -> Any:
        v.assign_add(x * x)
        steps[0](x)
        v.assign_add(x * x)
        return v + 1.0 if x > 0 else v

    assert float(change(tv.constant(1.0))) == 4.0
    steps.reverse()
    with (
        pytest.raises(tv.errors.FailedPreconditionError, match=r':\d+, then .*:\d+'),
        pytest.warns(UserWarning, match='did not do the same'),
    ):
        change(tv.constant(-1.0))
    # What came before the look was done once, by the plan; nothing after it.
    assert float(v) == 4.0
    assert float(change(tv.constant(-1.0))) == 7.0


def test_a_function_that_ends_before_its_prefix_does_is_noticed() -> None:
    stop = [False]

    @tv.function
    def scaled(x: Any) -> Any:
        if stop[0]:
            return x
        return x * 2.0 if x > 0 else x * 3.0

    assert float(scaled(tv.constant(1.0))) == 2.0
    stop[0] = True
    with pytest.warns(UserWarning, match='did not do the same'):
        assert float(scaled(tv.constant(-1.0))) == -1.0


def test_guards_see_each_look_once(simulated_gpus: Any) -> None:
    def body(x: Any) -> Any:
        y = x * 2.0
        return y if y > 0.0 else y * 3.0

    function = tv.function(body)
    for number in (1.0, 1.0, -1.0, -1.0):
        with tv.device('GPU:0'):
            x = tv.constant(number)
        used, copies = [], []
        for each in (function, body):
            guard = tv.transfer_guard('allow', budget='1KiB')
            with guard, tv.debugging.record_placement() as log:
                each(x)
            used.append(guard.used)
            copies.append([(copy.op, copy.where, copy.explicit) for copy in log.copies])
        assert used[0] == used[1] == 1
        assert copies[0] == copies[1]
    for number in (1.0, -1.0):
        with tv.device('GPU:0'):
            x = tv.constant(number)
        with tv.transfer_guard('disallow'), pytest.raises(tv.errors.TransferError) as wanted:
            body(x)
        with tv.transfer_guard('disallow'), pytest.raises(tv.errors.TransferError) as given:
            function(x)
        assert str(given.value).split(';')[0] == str(wanted.value).split(';')[0]


def test_a_look_that_the_program_asks_for_is_never_refused(simulated_gpus: Any) -> None:
    function = tv.function(lambda x: x * 2.0 if x.numpy() > 0.0 else x * 3.0)
    for number, wanted in ((1.0, 2.0), (1.0, 2.0), (-1.0, -3.0), (-1.0, -3.0)):
        with tv.device('GPU:0'):
            x = tv.constant(number)
        with tv.transfer_guard('disallow'):
            assert function(x).numpy() == wanted
