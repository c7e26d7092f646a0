"""Branches and loops: TensorFlow's results, structures and errors, and gradients."""

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import control_flow

Point = namedtuple('Point', ['x', 'y'])


def true():
    return tv.constant(True)


def false():
    return tv.constant(False)


def one():
    return 1


def two():
    return 2


# cond


@pytest.mark.parametrize('pred', [True, 1, 3.5, 'text', np.True_])
def test_cond_reads_its_condition_as_python_does(pred) -> None:
    assert control_flow.cond(pred, one, two) == 1


def test_cond_on_every_device(device: str) -> None:
    with tv.device(device):
        x = tv.constant([3.0])
        assert control_flow.cond(x > 5.0, one, two) == 2
        assert control_flow.cond(tv.Variable(True), one, two) == 1


@pytest.mark.parametrize('result', [None, [1], (1,), [[1]], {'a': 1}, Point(1, [2])])
def test_cond_gives_back_what_the_branch_gives(result) -> None:
    assert control_flow.cond(True, lambda: result, two) is result


def test_cond_runs_one_branch_only() -> None:
    control_flow.cond(False, lambda: pytest.fail('the wrong branch'), two)


def test_cond_refuses() -> None:
    with pytest.raises(TypeError, match=r"^\[cond\] 'true_fn' must be callable; got 1;"):
        control_flow.cond(True, 1, two)
    with pytest.raises(ValueError, match='ambiguous'):
        control_flow.cond(tv.constant([True, False]), one, two)


# case


def test_case_takes_the_first_that_holds() -> None:
    pairs = [(false(), one), (true(), two), (true(), one)]
    assert control_flow.case(pairs, default=lambda: 9) == 2
    assert control_flow.case(tuple(pairs)) == 2
    assert control_flow.case([(false(), one)], default=lambda: 9) == 9


def test_case_unpacks_single_results_unless_strict() -> None:
    pairs = [(true(), lambda: [5]), (false(), one)]
    assert control_flow.case(pairs) == 5
    assert control_flow.case(pairs, strict=True) == [5]
    assert control_flow.case([(false(), one)], default=lambda: (7,)) == 7
    # Nothing is chosen, so TensorFlow unpacks nothing.
    assert control_flow.case([(true(), lambda: [5])]) == [5]


def test_case_without_default_needs_one_that_holds() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='None of the 2 conditions'):
        control_flow.case([(false(), one), (false(), two)])


def test_case_exclusive() -> None:
    pairs = [(true(), one), (true(), two)]
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'conditions \[0, 1\] hold'):
        control_flow.case(pairs, default=one, exclusive=True)
    # As in TensorFlow, the last condition stands for the default then.
    assert control_flow.case(pairs, exclusive=True) == 1


def test_case_takes_ordered_dicts_only_if_order_counts() -> None:
    with pytest.raises(ValueError, match='a dict was given'):
        control_flow.case({1: one})
    with pytest.raises(TypeError, match='must be a Tensor of type bool'):
        control_flow.case(OrderedDict({1: one}))


@pytest.mark.parametrize(
    ('pairs', 'error'),
    [
        (5, TypeError),
        ([], ValueError),
        (lambda: [[true(), one]], TypeError),
        (lambda: [(true(), one, two)], TypeError),
        ([(True, one)], TypeError),
        (lambda: [(tv.Variable(True), one)], TypeError),
        (lambda: [(tv.constant(1), one)], TypeError),
        (lambda: [(true(), 1)], TypeError),
    ],
)
def test_case_refuses(pairs, error) -> None:
    with pytest.raises(error, match=r'^\[case\] '):
        control_flow.case(pairs() if callable(pairs) else pairs, default=one)


def test_case_refuses_a_default_that_is_no_function() -> None:
    with pytest.raises(TypeError, match="'default' must be callable"):
        control_flow.case([(true(), one)], default=3)


# switch_case


@pytest.mark.parametrize(('index', 'result'), [(0, 1), (1, 2), (9, 2), (-1, 2)])
def test_switch_case(index: int, result: int) -> None:
    assert control_flow.switch_case(tv.constant(index), [one, two]) == result
    assert control_flow.switch_case(tv.constant(index, tv.int64), {1: two, 0: one}) == result
    assert control_flow.switch_case(tv.constant(index), [(1, two), (0, one)]) == result


def test_switch_case_default() -> None:
    assert control_flow.switch_case(tv.constant(5), [one, two], default=lambda: 7) == 7
    assert control_flow.switch_case(tv.constant(-3), [one, two], default=lambda: 7) == 7


@pytest.mark.parametrize(
    ('index', 'branches', 'error'),
    [
        (1, [one, two], TypeError),
        (np.int32(1), [one, two], TypeError),
        (lambda: tv.constant(1.0), [one, two], TypeError),
        (lambda: tv.Variable(1), [one, two], TypeError),
        (lambda: tv.constant([1, 2]), [one, two], ValueError),
        (lambda: tv.constant(1), [], ValueError),
        (lambda: tv.constant(1), None, ValueError),
        (lambda: tv.constant(1), 5, TypeError),
        (lambda: tv.constant(1), [1, 2], TypeError),
        (lambda: tv.constant(1), [(0, 3)], TypeError),
        (lambda: tv.constant(1), {'a': one, 2: two}, TypeError),
        (lambda: tv.constant(1), {1: one, 2: two}, ValueError),
        (lambda: tv.constant(1), [(1, one), (1, two)], ValueError),
    ],
)
def test_switch_case_refuses(index, branches, error) -> None:
    with pytest.raises(error, match=r'^\['):
        control_flow.switch_case(index() if callable(index) else index, branches)


# while_loop


def test_while_loop_keeps_the_structure() -> None:
    i, (a, b) = control_flow.while_loop(
        lambda i, pair: i < 3,
        lambda i, pair: (i + 1, (pair[0] + 1, pair[1] * 2)),
        (tv.constant(0), (tv.constant(1), tv.constant(2.0))),
    )
    assert [int(i), int(a), float(b)] == [3, 4, 16.0]
    [point] = control_flow.while_loop(
        lambda p: p.x < 3, lambda p: [Point(p.x + 1, p.y)], [Point(tv.constant(0), 5)]
    )
    assert isinstance(point, Point)
    assert int(point.x) == 3


@pytest.mark.parametrize('most', [None, 9])
@pytest.mark.parametrize('make', [list, tuple])
@pytest.mark.parametrize('start', [0, [0]])
def test_the_only_variable_of_a_while_loop_may_stand_alone(
    start: Any, make: Any, most: Any
) -> None:
    def count() -> Any:
        first = make([tv.constant(start)])
        return tv.while_loop(
            lambda i: tv.reduce_sum(i) < 3, lambda i: i + 1, first, maximum_iterations=most
        )

    for function in (count, tv.function(count)):
        (last,) = result = function()
        assert type(result) is make
        assert last.numpy().tolist() == (tv.constant(start) + 3).numpy().tolist()


def test_while_loop_gives_tensors_of_python_numbers() -> None:
    [i] = control_flow.while_loop(lambda i: i < 0, lambda i: [i + 1], [0])
    assert i.dtype is tv.int32
    assert int(i) == 0


@pytest.mark.parametrize(('most', 'result'), [(None, 9), (2, 2), (0, 0), (-3, 0), (99, 9)])
def test_while_loop_maximum_iterations(most, result: int) -> None:
    [i] = control_flow.while_loop(
        lambda i: i < 9, lambda i: [i + 1], [tv.constant(0)], maximum_iterations=most
    )
    assert int(i) == result


def test_while_loop_values_may_grow(device: str) -> None:
    with tv.device(device):
        [x] = control_flow.while_loop(
            lambda x: tv.size(x) < 4,
            lambda x: [tv.concat([x, x], 0)],
            [tv.constant([1])],
            shape_invariants=[tv.TensorShape([None])],
        )
        assert x.numpy().tolist() == [1, 1, 1, 1]
        assert x.device.endswith(tv.DeviceSpec.from_string(device).to_string()[-5:])


@pytest.mark.parametrize(
    ('cond', 'body', 'values', 'error'),
    [
        (1, lambda i: i, [1], TypeError),
        (lambda i: True, 1, [1], TypeError),
        (lambda: True, lambda: 1, [], ValueError),
        (lambda i: i < 3, lambda i: (i + 1, i), [0], ValueError),
        (lambda i, a: i < 3, lambda i, a: (i + 1, [a[0]]), (0, (1,)), TypeError),
        (lambda i: i < 3, lambda i: None, [0], TypeError),
    ],
)
def test_while_loop_refuses(cond, body, values, error) -> None:
    with pytest.raises(error):
        control_flow.while_loop(cond, body, values)


def test_while_loop_refuses_another_maximum() -> None:
    with pytest.raises(ValueError, match='must be a scalar'):
        control_flow.while_loop(lambda i: i < 3, lambda i: [i], [0], maximum_iterations=[2])


# Gradients


def differentiate(function, x: float) -> float:
    x = tv.constant(x)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return float(tape.gradient(y, x))


def test_gradients_pass_through() -> None:
    assert differentiate(
        lambda x: control_flow.cond(x > 1.0, lambda: x * x, lambda: x * 3), 2.0
    ) == pytest.approx(4.0)
    assert differentiate(
        lambda x: control_flow.case([(x > 1.0, lambda: x * x)], default=lambda: x), 2.0
    ) == pytest.approx(4.0)
    assert differentiate(
        lambda x: control_flow.switch_case(tv.constant(1), [lambda: x, lambda: x * 5]), 2.0
    ) == pytest.approx(5.0)
    assert differentiate(
        lambda x: control_flow.while_loop(
            lambda i, a: i < 3, lambda i, a: (i + 1, a * x), (tv.constant(0), x)
        )[1],
        2.0,
    ) == pytest.approx(32.0)
