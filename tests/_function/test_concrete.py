"""``get_concrete_function`` infers, and runs nothing until it is called."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def test_it_infers_shapes_and_changes_nothing() -> None:
    v = tv.Variable([[1.0, 2.0], [3.0, 4.0]])

    @tv.function
    def step(x: Any, factor: float) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(x @ v, axis=1) * factor
        v.assign_sub(tape.gradient(loss, v))
        return {'loss': loss, 'draw': tv.random.normal([3])}

    concrete = step.get_concrete_function(tv.TensorSpec([3, 2]), 2.0)
    assert v.version == 0
    assert concrete.structured_outputs['loss'] == tv.TensorSpec([3])
    assert concrete.structured_outputs['draw'] == tv.TensorSpec([3])
    assert concrete(np.ones((3, 2), np.float32))['loss'].shape == [3]
    assert concrete(x=tv.ones([3, 2]))['loss'].shape == [3]
    assert v.version == 2
    for wrong in (tv.ones([2, 2]), tv.ones([3, 2], tv.int32)):
        with pytest.raises(TypeError, match='Binding inputs'):
            concrete(wrong)
    with pytest.raises(TypeError, match='Binding inputs'):
        concrete()


def test_a_dimension_left_open_takes_every_length() -> None:
    v = tv.Variable([1.0, 2.0])
    scaled = tv.function(lambda x: (x * v, tv.reduce_sum(x, axis=0)))
    concrete = scaled.get_concrete_function(tv.TensorSpec([None, 2]))
    assert concrete.structured_outputs == (tv.TensorSpec([None, 2]), tv.TensorSpec([2]))
    for rows in (1, 3, 1):
        assert concrete(np.ones((rows, 2), np.float32))[0].shape == [rows, 2]
    assert scaled.experimental_get_tracing_count() == 2


def test_of_an_example_and_of_the_input_signature() -> None:
    double = tv.function(lambda x: x * 2.0)
    assert double.get_concrete_function(tv.zeros([2])).structured_outputs == tv.TensorSpec([2])
    spec = tv.TensorSpec([None], tv.float64)
    signed = tv.function(lambda x: x * 2.0, input_signature=[spec])
    concrete = signed.get_concrete_function()
    assert concrete.structured_outputs == spec
    assert concrete([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]


def test_looks_and_new_variables_are_refused() -> None:
    look = tv.function(lambda x: x if x > 0 else -x)
    with pytest.raises(tv.errors.OperatorNotAllowedInGraphError):
        look.get_concrete_function(tv.TensorSpec([]))
    make = tv.function(lambda x: tv.Variable(1.0) + x)
    with pytest.raises(tv.errors.FailedPreconditionError, match='makes a variable'):
        make.get_concrete_function(tv.TensorSpec([]))
