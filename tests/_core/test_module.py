"""``Module`` finds variables and submodules."""

import types
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


class Dense(tv.Module):
    """A layer that makes its variables on the first call, as TensorFlow's examples do."""

    def __init__(self, width: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.width = width
        self.w = None

    @tv.Module.with_name_scope
    def __call__(self, x: Any) -> Any:
        """Multiplies and adds."""
        if self.w is None:
            self.w = tv.Variable(tv.ones([x.shape[-1], self.width]), name='w')
            self.b = tv.Variable(tv.zeros([self.width]), name='b', trainable=False)
        return x @ self.w + self.b


def names(variables: Any) -> list[str]:
    return [v.name for v in variables]


def test_variables_made_in_the_modules_name_scope(device: str) -> None:
    layer = Dense(3)
    assert layer.variables == ()
    with tv.device(device), tv.name_scope('caller'):
        assert layer(tv.ones([1, 2])).numpy().tolist() == [[2.0, 2.0, 2.0]]
    assert names(layer.variables) == ['dense/b:0', 'dense/w:0']
    assert names(layer.trainable_variables) == ['dense/w:0']
    assert names(layer.non_trainable_variables) == ['dense/b:0']
    assert all(v.device.endswith(device) for v in layer.variables)
    assert Dense.__call__.__doc__ == 'Multiplies and adds.'


def test_the_name_scope_is_that_of_the_construction() -> None:
    with tv.name_scope('model'):
        layer = Dense(2, name='first')
    assert layer.name == 'first'
    assert layer.name_scope.name == 'model/first/'
    with tv.name_scope('elsewhere'):
        layer(tv.ones([1, 2]))
    assert names(layer.variables) == ['model/first/b:0', 'model/first/w:0']


@pytest.mark.parametrize(
    ('kind', 'name'),
    [
        ('MyDense', 'my_dense'),
        ('MyDense2D', 'my_dense2_d'),
        ('HTTPServer', 'http_server'),
        ('x', 'x'),
    ],
)
def test_default_names(kind: str, name: str) -> None:
    assert types.new_class(kind, (tv.Module,))().name == name


@pytest.mark.parametrize('name', ['1a', 'a b', 'a/b', '', 'a-b'])
def test_a_name_is_an_identifier(name: str) -> None:
    with pytest.raises(ValueError, match='is not a valid module name'):
        tv.Module(name=name)


def test_lists_tuples_and_dicts_are_searched() -> None:
    module, child = tv.Module(), tv.Module()
    child.inner = tv.Variable(1.0, name='inner')
    module.z = tv.Variable(1.0, name='z')
    module.parts = [tv.Variable(1.0, name='p0'), (tv.Variable(1.0, name='p1'), [child])]
    module.by_key = {'b': tv.Variable(1.0, name='b'), 'a': {'c': tv.Variable(1.0, name='c')}}
    module.numbers = {10: tv.Variable(1.0, name='ten'), 9: tv.Variable(1.0, name='nine')}
    module.mixed = {'s': tv.Variable(1.0, name='s'), (1,): tv.Variable(1.0, name='tuple')}
    module.other = [np.ones(2), 'text', None, {1, 2}, module.z]
    expected = ['c', 'b', 's', 'tuple', 'nine', 'ten', 'z', 'p0', 'p1', 'inner']
    assert names(module.variables) == [f'{each}:0' for each in expected]
    assert module.submodules == (child,)


def test_a_submodule_is_walked_after_the_own_attributes() -> None:
    module = tv.Module()
    module.a = tv.Module()
    module.a.deep = tv.Module()
    module.a.deep.v = tv.Variable(1.0, name='deep')
    module.a.v = tv.Variable(1.0, name='middle')
    module.b = tv.Variable(1.0, name='top')
    assert names(module.variables) == ['top:0', 'middle:0', 'deep:0']
    assert module.submodules == (module.a, module.a.deep)


def test_cycles_and_shared_parts_count_once() -> None:
    module = tv.Module()
    module.child = tv.Module()
    module.child.parent = module
    module.child.v = module.v = tv.Variable(1.0, name='shared')
    module.again = [module.v, module.v, module.child]
    assert names(module.variables) == ['shared:0']
    assert module.submodules == (module.child,)


def test_a_variable_that_was_replaced_by_a_tensor_is_gone() -> None:
    module = tv.Module()
    module.v = tv.Variable(1.0)
    module.v = module.v + 1.0
    assert isinstance(module.v, tv.Tensor)
    assert module.variables == ()
