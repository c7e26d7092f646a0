"""``assign``, ``assign_add``, ``assign_sub``: what they take, return and refuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

METHODS = ['assign', 'assign_add', 'assign_sub']
methods = pytest.mark.parametrize('method', METHODS)


def variable(value: Any = (1.0, 2.0, 3.0), **keywords: Any) -> tv.Variable:
    return tv.Variable(value, **{'name': 'v', **keywords})


def expected(method: str, before: Any, value: Any, dtype: Any = np.float32) -> list[Any]:
    before, value = np.asarray(before, dtype), np.asarray(value).astype(dtype)
    change = {'assign': value, 'assign_add': before + value, 'assign_sub': before - value}
    return change[method].tolist()


@methods
def test_returns_the_variable(device: str, method: str) -> None:
    with tv.device(device):
        v = variable()
    write = getattr(v, method)
    assert write([4.0, 5.0, 6.0]) is v
    assert write([1.0, 1.0, 1.0], use_locking=True, name='x') is v
    assert write([1.0, 1.0, 1.0], read_value=False) is None


def test_results_chain(device: str) -> None:
    with tv.device(device):
        v = variable()
    v.assign([0.0, 0.0, 0.0]).assign_add([1.0, 2.0, 3.0]).assign_sub([1.0, 1.0, 1.0])
    assert v.numpy().tolist() == [0.0, 1.0, 2.0]
    v.assign(value=[1.0, 1.0, 1.0])
    v.assign_add(delta=[1.0, 1.0, 1.0])
    assert v.numpy().tolist() == [2.0, 2.0, 2.0]


@methods
@pytest.mark.parametrize(
    'value',
    [
        [4, 5, 6],
        [True, False, True],
        (4.0, 5.0, 6.0),
        range(3),
        [1, 2.5, True],
        np.array([1.5, 2.5, 3.5]),
        np.array([1, 2, 3]),
        np.array([True, False, True]),
        np.array([1 + 0j, 2, 3]),
        np.arange(6.0)[::2],
        [np.float64(1.5), 2, np.float32(3)],
        [np.inf, -np.inf, 0.0],
    ],
    ids=repr,
)
def test_host_values_take_the_variables_dtype(device: str, method: str, value: Any) -> None:
    with tv.device(device):
        v = variable()
    getattr(v, method)(value)
    assert v.dtype is tv.float32
    assert v.numpy().tolist() == expected(method, [1.0, 2.0, 3.0], np.real(np.asarray(value)))


@methods
def test_tensors_and_variables(device: str, method: str) -> None:
    with tv.device(device):
        v, other, one = variable(), variable([4.0, 5.0, 6.0]), tv.constant(1.0)
    before = v.numpy()
    getattr(v, method)(other)
    assert v.numpy().tolist() == expected(method, before, other.numpy())
    getattr(v.assign(before), method)(other.value())
    assert v.numpy().tolist() == expected(method, before, other.numpy())
    getattr(v.assign(before), method)([one, 2, other[0]])
    assert v.numpy().tolist() == expected(method, before, [1.0, 2.0, 4.0])
    assert other.numpy().tolist() == [4.0, 5.0, 6.0]


@methods
def test_the_variable_itself(device: str, method: str) -> None:
    with tv.device(device):
        v = variable()
    getattr(v, method)(v)
    assert v.numpy().tolist() == expected(method, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    getattr(v.assign([1.0, 2.0, 3.0]), method)(v[::-1])
    assert v.numpy().tolist() == expected(method, [1.0, 2.0, 3.0], [3.0, 2.0, 1.0])
    getattr(v.assign([1.0, 2.0, 3.0]), method)(v + 1.0)
    assert v.numpy().tolist() == expected(method, [1.0, 2.0, 3.0], [2.0, 3.0, 4.0])


def test_later_changes_of_the_source_do_not_show(device: str) -> None:
    given = np.ones(3, np.float32)
    with tv.device(device):
        v, source = variable(), variable()
    v.assign(given)
    given[:] = 9.0
    assert v.numpy().tolist() == [1.0, 1.0, 1.0]
    v.assign(source)
    source.assign([7.0, 7.0, 7.0])
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]
    tensor = source.value()
    v.assign(tensor)
    v.assign_add([1.0, 1.0, 1.0])
    assert tensor.numpy().tolist() == [7.0, 7.0, 7.0]


def test_from_another_device(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        v = variable()
    with tv.device('GPU:1'):
        other = variable([4.0, 5.0, 6.0])
        v.assign(other)
        v.assign_add(tv.constant([1.0, 1.0, 1.0]))
        v.assign_sub(np.array([0.5, 0.5, 0.5]))
    assert v.device.endswith('GPU:0')
    assert v.numpy().tolist() == [4.5, 5.5, 6.5]


# What is refused, with nothing changed

Case = tuple[str, Callable[[], Any], str]


def refused(v: tv.Variable, write: Callable[[], Any], text: str) -> str:
    """Runs a write that fails; gives its text."""
    before, version = v.numpy(), v.version
    with pytest.raises(tv.errors.InvalidArgumentError, match=text) as caught:
        write()
    assert isinstance(caught.value, ValueError)
    np.testing.assert_array_equal(v.numpy(), before)
    assert v.version == version
    assert repr(v.name) in str(caught.value), 'the text names the variable'
    return str(caught.value)


@pytest.mark.parametrize('value', [[1.0, 2.0], 1.0, [1.0], [[1.0, 2.0, 3.0]], []], ids=repr)
def test_assign_of_another_shape(device: str, value: Any) -> None:
    with tv.device(device):
        v, tensor = variable(), tv.constant(value)
    shape = str(list(tensor.shape)).replace('[', r'\[').replace(']', r'\]')
    text = (
        rf"^\[AssignVariableOp\] Cannot assign value to variable 'v:0': Shape mismatch. The "
        rf'variable has shape \(3,\), the value {shape}'
    )
    refused(v, lambda: v.assign(value), text)
    refused(v, lambda: v.assign(tensor), text)


@pytest.mark.parametrize('method', ['assign_add', 'assign_sub'])
@pytest.mark.parametrize('value', [1.0, [1.0], [[1.0, 2.0, 3.0]], [1.0, 2.0]], ids=repr)
def test_a_delta_of_another_shape(device: str, method: str, value: Any) -> None:
    with tv.device(device):
        v, tensor = variable(), tv.constant(value)
    name = {'assign_add': 'AssignAddVariableOp', 'assign_sub': 'AssignSubVariableOp'}[method]
    text = rf'^\[{name}\] Cannot update variable with shape \[3\] using a Tensor with shape \['
    refused(v, lambda: getattr(v, method)(value), text)
    refused(v, lambda: getattr(v, method)(tensor), text)


@methods
@pytest.mark.parametrize('dtype', [tv.float64, tv.float16, tv.bfloat16, tv.int32, tv.complex64])
def test_a_tensor_of_another_dtype(device: str, method: str, dtype: tv.DType) -> None:
    with tv.device(device):
        v = variable()
        tensor = tv.constant([1, 2, 3], dtype)
        other = variable([1, 2, 3], dtype=dtype, name='other')
    text = rf'expected to be a float32 tensor but is a {dtype.name} tensor'
    refused(v, lambda: getattr(v, method)(tensor), text)
    assert "'other:0'" in refused(v, lambda: getattr(v, method)(other), text)


@methods
@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ([1.5, 2, 3], r'element \[0\] is 1.5, which int32 cannot hold'),
        (np.array([1, 2.7, 3.9]), r'element \[1\] is 2.7, which int32'),
        ([2**40, 0, 0], rf'element \[0\] is {2**40}, which int32'),
        (np.array([0, 0, 2**31]), rf'element \[2\] is {2**31}, which int32'),
        (np.array([0, np.nan, 0]), r'element \[1\] is nan, which int32'),
        ([0, 1j, 0], r'element \[1\] is 1j, which int32'),
        ('x', 'text and numbers do not convert'),
        (['x', 'y', 'z'], 'text and numbers do not convert'),
        ([[1], [2, 3]], 'not rectangular'),
        ([1, None, 2], 'mixed or unsupported types'),
        ({'a': 1}, 'unsupported type dict'),
        ((x for x in (1, 2, 3)), 'unsupported type generator'),
        (None, 'None values are not supported'),
    ],
)
def test_a_value_that_does_not_fit_the_dtype(
    device: str, method: str, value: Any, text: str
) -> None:
    with tv.device(device):
        v = variable([1, 2, 3])
    refused(v, lambda: getattr(v, method)(value), text)


@methods
@pytest.mark.parametrize('value', [1e300, np.float64(1e300), 2**200, 1 + 1j])
def test_a_number_that_float32_cannot_hold(device: str, method: str, value: Any) -> None:
    with tv.device(device):
        v = variable(1.0)
    refused(v, lambda: getattr(v, method)(value), 'which float32 cannot hold')


@pytest.mark.parametrize('method', ['assign_add', 'assign_sub'])
@pytest.mark.parametrize('value', [True, 'a'])
def test_no_arithmetic_on_bools_and_strings(method: str, value: Any) -> None:
    v = variable(value)
    refused(v, lambda: getattr(v, method)(value), r'\(variable\) has dtype (bool|string)')
    assert v.assign(value) is v


@methods
def test_unknown_and_missing_arguments(method: str) -> None:
    v = variable()
    with pytest.raises(TypeError, match='validate_shape'):
        getattr(v, method)([1.0, 2.0, 3.0], validate_shape=False)
    with pytest.raises(TypeError, match='missing 1 required'):
        getattr(v, method)()
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


def test_a_refused_copy_changes_nothing(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        v = variable()
    with tv.device('GPU:1'):
        tensor = tv.constant([4.0, 5.0, 6.0])
    with tv.transfer_guard('disallow', device_to_device='disallow'):
        v.assign(np.array([7.0, 8.0, 9.0]))  # host data is given on purpose
        with pytest.raises(tv.errors.TransferError, match=r"'v:0'|GPU:1"):
            v.assign(tensor)
    assert v.numpy().tolist() == [7.0, 8.0, 9.0]


# update


def test_update(device: str) -> None:
    with tv.device(device):
        v = variable()
    assert v.update(lambda value: value * 2.0) is v
    assert v.numpy().tolist() == [2.0, 4.0, 6.0]
    v.update(lambda value: [1, 2, 3])
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


def test_update_that_fails_changes_nothing(device: str) -> None:
    with tv.device(device):
        v = variable()
    with pytest.raises(ZeroDivisionError):
        v.update(lambda value: 1 / 0)
    refused(v, lambda: v.update(lambda value: value[:2]), 'Shape mismatch')
    refused(v, lambda: v.update(lambda value: tv.cast(value, tv.int32)), 'int32 tensor')
