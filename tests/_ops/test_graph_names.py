"""Names that steer graphs in TensorFlow, in eager code."""

import time

import pytest

import tensorvar as tv
from tensorvar._ops import graph_names


def test_eager_answers() -> None:
    x = tv.constant(1)
    assert graph_names.executing_eagerly() is True
    assert graph_names.inside_function() is False
    assert graph_names.is_symbolic_tensor(x) is False
    assert graph_names.group(x, x, name='x') is None
    assert graph_names.no_op('x') is None
    assert graph_names.AggregationMethod.EXPERIMENTAL_TREE == 1


def test_answers_while_a_function_is_traced() -> None:
    answers = []

    def body(x: object) -> None:
        answers.append((
            graph_names.executing_eagerly(),
            graph_names.inside_function(),
            graph_names.is_symbolic_tensor(x),
        ))  # fmt: skip

    function = tv.function(body)
    function(tv.constant(1))
    function.get_concrete_function(tv.TensorSpec([2]))
    tv.config.run_functions_eagerly(True)
    function(tv.constant(1))
    tv.config.run_functions_eagerly(False)
    assert answers == [(False, True, False), (False, True, True), (True, False, False)]


def test_tuple_gives_its_tensors_back() -> None:
    tensors = [tv.constant(1), None]
    assert graph_names.tuple(tensors, control_inputs=[tv.constant(2)]) is tensors


def test_timestamp() -> None:
    stamp = graph_names.timestamp()
    assert stamp.dtype is tv.float64
    assert abs(float(stamp) - time.time()) < 60


def test_static_values() -> None:
    assert graph_names.get_static_value(tv.constant([1, 2])).tolist() == [1, 2]
    assert graph_names.get_static_value(3) == 3
    assert graph_names.get_static_value(tv.Variable(3)) is None


def test_control_dependencies() -> None:
    called = []
    with graph_names.control_dependencies([tv.constant(1), lambda: called.append(1)]) as entered:
        assert called == [1]
    assert entered is None
    with graph_names.control_dependencies(None):
        pass
    for wrong in (tv.constant(1), lambda: 1):
        with pytest.raises(TypeError):
            graph_names.control_dependencies(wrong)


def test_init_scope_pauses_tapes_and_keeps_the_rest(device: str) -> None:
    with tv.device(device), tv.name_scope('a'):
        x = tv.constant(2.0)
        with tv.GradientTape() as tape:
            tape.watch(x)
            with graph_names.init_scope() as entered:
                y = x * x
                variable = tv.Variable(1.0, name='w')
            z = x * x
    assert entered is None
    assert variable.name == 'a/w:0'
    assert variable.device == x.device
    assert tape.gradient([y, z], x).numpy() == 4.0


def test_current_name_scope() -> None:
    assert graph_names.get_current_name_scope() == ''
    with tv.name_scope('a'), tv.name_scope('b'):
        assert graph_names.get_current_name_scope() == 'a/b'


def test_differentiation_needs_a_tape() -> None:
    x = tv.constant(1.0)
    for function in (graph_names.gradients, graph_names.hessians):
        with pytest.raises(RuntimeError, match=r'use tv\.GradientTape'):
            function(x, x)


def test_no_gradient() -> None:
    assert graph_names.no_gradient('AnotherOp') is None
    assert graph_names.no_gradient('Floor') is None
    with pytest.raises(KeyError, match='has a gradient'):
        graph_names.no_gradient('MatMul')
    with pytest.raises(TypeError, match='must be a string'):
        graph_names.no_gradient(3)
