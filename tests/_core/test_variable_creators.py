"""``variable_creator_scope``: who is asked, with what, in which order."""

import pytest

import tensorvar as tv
from tensorvar._core.variable_creators import variable_creator_scope

ARGUMENTS = [
    'aggregation', 'caching_device', 'constraint', 'dtype',
    'experimental_enable_variable_lifting', 'import_scope', 'initial_value', 'name', 'shape',
    'synchronization', 'trainable', 'validate_shape', 'variable_def',
]  # fmt: skip


def test_a_creator_sees_every_argument() -> None:
    seen = []

    def creator(next_creator, **kwargs):
        seen.append(kwargs)
        return next_creator(**kwargs)

    with variable_creator_scope(creator) as entered:
        variable = tv.Variable(1.0, False, name='w', dtype=tv.float64)
    assert entered is None
    assert sorted(seen[0]) == ARGUMENTS
    assert seen[0]['trainable'] is False
    assert seen[0]['validate_shape'] is True
    assert seen[0]['aggregation'] is tv.VariableAggregation.NONE
    assert (variable.name, variable.dtype, variable.trainable) == ('w:0', tv.float64, False)
    tv.Variable(1.0)
    assert len(seen) == 1


def renamed(prefix: str):
    def creator(next_creator, **kwargs):
        return next_creator(**{**kwargs, 'name': prefix + kwargs['name']})

    return creator


def test_the_innermost_comes_first() -> None:
    with variable_creator_scope(renamed('a_')), variable_creator_scope(renamed('b_')):
        assert tv.Variable(1.0, name='q').name == 'a_b_q:0'


def test_what_a_creator_gives_is_what_the_caller_gets() -> None:
    with variable_creator_scope(lambda next_creator, **kwargs: 'something else'):
        assert tv.Variable(1.0) == 'something else'


def test_a_creator_may_leave_arguments_out() -> None:
    with variable_creator_scope(lambda make, **kwargs: make(initial_value=5.0)):
        assert tv.Variable(1.0, name='w').name == 'Variable:0'


def test_errors_pass_through() -> None:
    def creator(next_creator, **kwargs):
        return next_creator(**kwargs, unknown=1)

    with variable_creator_scope(creator), pytest.raises(TypeError, match="keyword 'unknown'"):
        tv.Variable(1.0)
    with variable_creator_scope(3), pytest.raises(TypeError):
        tv.Variable(1.0)


def test_own_arguments_reach_the_variable() -> None:
    with variable_creator_scope(lambda make, **kwargs: make(**kwargs)):
        variable = tv.Variable(
            -1.0, constraint=lambda value: tv.maximum(value, 0.0), enforce_constraint=True
        )
    variable.assign(-2.0)
    assert float(variable) == 0.0


class Special(tv.Variable):
    """A class of a user."""


def test_derived_classes_are_made_without_creators() -> None:
    with variable_creator_scope(lambda make, **kwargs: pytest.fail('asked')):
        assert isinstance(Special(1.0), Special)
