"""Every registered op has a gradient, or says on purpose that it has none."""

import inspect

import pytest

import tensorvar as tv
from tensorvar import dtypes
from tensorvar._core import op_registry

OPS = sorted(op_registry.OPS)


def test_importing_the_package_registers_its_ops() -> None:
    assert {'AddV2', 'MatMul', 'ReadVariableOp', 'AssignVariableOp'} <= set(OPS)
    assert tv.Variable is not None


@pytest.mark.parametrize('name', OPS)
def test_op_has_a_gradient_or_the_mark(name: str) -> None:
    op = op_registry.OPS[name]
    assert op.name == name
    assert op.gradient is op_registry.NOT_DIFFERENTIABLE or callable(op.gradient)


@pytest.mark.parametrize('name', OPS)
def test_gradient_takes_the_context_and_the_output_gradients(name: str) -> None:
    op = op_registry.OPS[name]
    if op.gradient is op_registry.NOT_DIFFERENTIABLE:
        return
    parameters = inspect.signature(op.gradient).parameters.values()
    positional = [each for each in parameters if each.kind is not each.KEYWORD_ONLY]
    variadic = any(each.kind is each.VAR_POSITIONAL for each in positional)
    assert variadic or len(positional) >= 2, f'{name}: gradient{inspect.signature(op.gradient)}'


@pytest.mark.parametrize('name', OPS)
def test_record_is_consistent(name: str) -> None:
    op = op_registry.OPS[name]
    assert callable(op.infer)
    assert callable(op.forward)
    assert set(op.dtypes) <= set(op.letters), 'dtypes for a letter that no input has'
    for allowed in op.dtypes.values():
        assert allowed <= dtypes.ANY
