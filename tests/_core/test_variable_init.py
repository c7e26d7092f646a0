"""How variables are made: every argument of the constructor, and what it refuses."""

import enum
import tracemalloc
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


@pytest.mark.parametrize(
    ('value', 'dtype', 'shape'),
    [
        (1, 'int32', ()),
        (1.0, 'float32', ()),
        (True, 'bool', ()),
        (1j, 'complex128', ()),
        ('a', 'string', ()),
        (b'x', 'string', ()),
        ([], 'float32', (0,)),
        ([1, 2.5], 'float32', (2,)),
        ([1, True], 'int32', (2,)),
        (range(3), 'int32', (3,)),
        (2**40, 'int64', ()),
        (np.float64(1.5), 'float64', ()),
        (np.float16(1.5), 'float16', ()),
        (np.array([1, 2]), 'int64', (2,)),
        (np.zeros((0, 3)), 'float64', (0, 3)),
        (((1, 2), [3, 4]), 'int32', (2, 2)),
    ],
)
def test_natural_dtype_and_shape(device: str, value: Any, dtype: str, shape: Any) -> None:
    with tv.device(device):
        v = tv.Variable(value)
    assert v.dtype == dtype
    assert v.shape == shape
    expected = value.encode() if isinstance(value, str) else value
    np.testing.assert_array_equal(v.numpy(), np.asarray(expected))


class Label(enum.IntEnum):
    CAT = 3


def test_an_integer_enumeration_is_a_number(device: str) -> None:
    with tv.device(device):
        v = tv.Variable(Label.CAT)
    assert v.dtype == tv.int32
    assert v.numpy() == 3


def test_from_tensor_variable_and_callable(device: str) -> None:
    with tv.device(device):
        tensor = tv.constant([1.0, 2.0])
        source = tv.Variable(tensor)
        copied = tv.Variable(source)
        called = tv.Variable(lambda: [1.0, 2.0])
        nested = tv.Variable(lambda: tv.Variable(3.0))
        packed = tv.Variable([source[0], 5.0])
    source.assign([8.0, 9.0])
    assert tensor.numpy().tolist() == [1.0, 2.0]
    assert copied.numpy().tolist() == [1.0, 2.0]
    assert called.numpy().tolist() == [1.0, 2.0]
    assert nested.numpy() == 3.0
    assert packed.numpy().tolist() == [1.0, 5.0]
    assert packed.device.endswith(device)


def test_an_error_of_the_callable_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        tv.Variable(lambda: 1 / 0)


@pytest.mark.parametrize('size', [2, 65_536, 1 << 19])
def test_the_value_is_copied(device: str, size: int) -> None:
    given = np.ones(size, np.float32)
    with tv.device(device):
        v, tensor, total = tv.Variable(given), tv.constant(given), tv.identity(given) + given
    given[:] = 7.0
    assert (v.numpy() == 1.0).all()
    assert (tensor.numpy() == 1.0).all()
    assert (total.numpy() == 2.0).all()
    v.assign(given)
    given[:] = 8.0
    v.assign_add(tensor)
    assert (v.numpy() == 8.0).all()


@pytest.mark.parametrize('make', [tv.constant, tv.Variable, tv.identity])
def test_the_value_is_copied_once_on_the_cpu(make: Any, fresh_devices: None) -> None:
    given = np.ones(1 << 20, np.float32)
    with tv.device('CPU:0'):
        make(given[:2])
        tracemalloc.start()
        try:
            made = make(given)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert made.numpy()[0] == 1.0
    assert given.nbytes <= peak < 1.5 * given.nbytes


@pytest.mark.parametrize(
    'array',
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(2, 6)[:, ::2],
        np.arange(6, dtype='>i4').reshape(2, 3),
        np.arange(6, dtype='>f8').reshape(3, 2).T,
    ],
    ids=['fortran', 'strided', 'big endian', 'transposed big endian'],
)
def test_layout_and_byte_order_are_made_native(device: str, array: np.ndarray) -> None:
    with tv.device(device):
        v = tv.Variable(array)
    host = v.numpy()
    np.testing.assert_array_equal(host, array)
    assert host.flags.c_contiguous
    assert host.dtype.isnative


def test_lives_on_the_device_of_the_scope(simulated_gpus: list[str]) -> None:
    assert tv.Variable(1.0).device.endswith('GPU:0')  # the default device
    with tv.device('GPU:1'):
        assert tv.Variable(1.0).device.endswith('GPU:1')
    with tv.device('CPU:0'):
        moved = tv.Variable(tv.Variable(1.0))
    assert moved.device.endswith('CPU:0')


def test_strings_live_on_the_cpu(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        v = tv.Variable(['a', b'b'])
    assert v.device.endswith('CPU:0')
    assert v.numpy().tolist() == [b'a', b'b']


# dtype


@pytest.mark.parametrize('dtype', [tv.float64, 'float64', np.float64, np.dtype('>f8')])
def test_dtype_spellings(dtype: Any) -> None:
    assert tv.Variable(1, dtype=dtype).dtype is tv.float64


def test_pythons_float_means_float32() -> None:
    assert tv.Variable(1, dtype=float).dtype is tv.float32


def test_unknown_dtype() -> None:
    with pytest.raises(TypeError, match="Cannot convert the argument 'nope'"):
        tv.Variable(1, dtype='nope')


@pytest.mark.parametrize(
    'value', [1.5, [1.5], np.array([1.5]), [[1, 2], [3, 4.5]], 2**40, np.int64(2**40), 1j]
)
def test_a_value_that_the_dtype_damages_is_refused(value: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'int32 cannot hold') as caught:
        tv.Variable(value, dtype=tv.int32)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)


def test_the_text_names_index_and_value() -> None:
    with pytest.raises(ValueError, match=r'\[Variable\] element \[1, 0\] is 2\.5, which int32'):
        tv.Variable([[1.0, 2.0], [2.5, 3.5]], dtype=tv.int32)


def test_whole_floats_fit_integers() -> None:
    assert tv.Variable([1.0, 2.0], dtype=tv.int32).numpy().tolist() == [1, 2]


def test_dtype_of_a_tensor_is_not_converted(device: str) -> None:
    with tv.device(device):
        tensor, variable = tv.constant(1.0), tv.Variable(1.0, name='source')
    with pytest.raises(ValueError, match=f'requested dtype float64 for a tensor .* on {device}'):
        tv.Variable(tensor, dtype=tv.float64)
    with pytest.raises(ValueError, match="float64 for the variable 'source:0'"):
        tv.Variable(variable, dtype=tv.float64)


# Values that are none


@pytest.mark.parametrize('arguments', [(), (None,)])
def test_a_value_must_be_given(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"`initial_value` of 'w:0' must be specified"):
        tv.Variable(*arguments, name='w')


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (2**70, 'out of range'),
        ([2**63], 'out of range'),
        ([[1, 2], [3]], 'not rectangular'),
        ([[1, 2], 3], 'not rectangular'),
        ([1, 'a'], r'mixed or unsupported types was given \(int, str\)'),
        ([True, 1], r'mixed or unsupported types was given \(bool, int\)'),
        ([1, None], r'\(NoneType, int\)'),
        (object(), 'unsupported type object'),
        ({'a': 1}, 'unsupported type dict'),
        ({1, 2}, 'unsupported type set'),
        ((x for x in [1]), 'unsupported type generator'),
        (np.datetime64('2020'), 'dtype datetime64'),
        (np.array([1, None], dtype=object), 'among strings or objects'),
    ],
)
def test_values_that_are_no_arrays(value: Any, text: str) -> None:
    with pytest.raises(ValueError, match=rf'^\[Variable\].*{text}'):
        tv.Variable(value)


# shape


def test_static_shape(device: str) -> None:
    with tv.device(device):
        assert tv.Variable([1.0, 2.0], shape=[2]).shape == [2]
        assert tv.Variable(1.0, shape=()).shape == ()
        partly = tv.Variable([[1, 2], [3, 4]], shape=[None, 2])
    assert partly.shape.as_list() == [None, 2]
    partly.assign([[5, 6]])
    assert partly.numpy().tolist() == [[5, 6]]
    assert partly.shape.as_list() == [None, 2]
    with pytest.raises(ValueError, match=r"variable 'Variable:0': Shape mismatch.*\(None, 2\)"):
        partly.assign([1, 2])
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'shape \[1, 2\] using .* \[3, 2\]'):
        partly.assign_add([[1, 2], [3, 4], [5, 6]])
    assert partly.numpy().tolist() == [[5, 6]]


def test_unknown_shape_stays_unknown(device: str) -> None:
    with tv.device(device):
        v = tv.Variable([1.0, 2.0], shape=tv.TensorShape(None))
    v.assign([[3.0]])
    assert v.shape.rank is None
    assert v.read_value().shape == (1, 1)
    v.assign(4.0)
    assert v.value().shape == ()
    assert v.numpy() == 4.0


@pytest.mark.parametrize('shape', [[3], 3, [2, 1], ()])
def test_a_shape_that_does_not_fit(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"initial value's shape \[2\] is not compatible"):
        tv.Variable([1.0, 2.0], shape=shape)


def test_validate_shape_changes_nothing() -> None:
    v = tv.Variable([1.0, 2.0], validate_shape=False)
    with pytest.raises(ValueError, match='Shape mismatch'):
        v.assign([1.0])


# The other arguments


@pytest.mark.parametrize(
    ('keyword', 'hint'),
    [
        ('trainble', r"did you mean 'trainable'\?"),
        ('Dtype', r"did you mean 'dtype'\?"),
        ('device', r"with tv.device\('GPU:0'\)"),
        ('zzz', 'allowed are initial_value, trainable'),
    ],
)
def test_unknown_keyword(keyword: str, hint: str) -> None:
    with pytest.raises(TypeError, match=rf"unexpected keyword '{keyword}'; .*{hint}"):
        tv.Variable(1.0, **{keyword: 1})


def test_trainable() -> None:
    assert tv.Variable(1).trainable is True
    assert tv.Variable('a').trainable is True
    assert tv.Variable(1.0, trainable=None).trainable is True
    assert tv.Variable(1.0, trainable=False).trainable is False
    assert tv.Variable(1.0, trainable='x').trainable == 'x'


def test_arguments_in_tensorflows_order() -> None:
    v = tv.Variable([1], False, True, None, 'w', None, tv.float64)
    assert (v.trainable, v.name, v.dtype) == (False, 'w:0', tv.float64)


def test_synchronization_and_aggregation() -> None:
    v = tv.Variable(1.0)
    assert v.synchronization is tv.VariableSynchronization.AUTO
    assert v.aggregation is tv.VariableAggregation.NONE
    v = tv.Variable(1.0, synchronization=None, aggregation=None)
    assert v.synchronization is tv.VariableSynchronization.AUTO
    assert v.aggregation is tv.VariableAggregation.NONE
    on_read = tv.VariableSynchronization.ON_READ
    v = tv.Variable(1.0, synchronization=on_read, aggregation=1)
    assert (v.synchronization, v.aggregation) == (on_read, tv.VariableAggregation.SUM)
    assert v.trainable is False
    assert tv.Variable(1.0, synchronization=on_read, trainable=True).trainable is True
    with pytest.raises(ValueError, match="Invalid variable synchronization mode: 'x'"):
        tv.Variable(1.0, synchronization='x')
    with pytest.raises(ValueError, match="Invalid variable aggregation mode: 'x'"):
        tv.Variable(1.0, aggregation='x')


def test_caching_device_is_checked() -> None:
    assert tv.Variable(1.0, caching_device='CPU:0').numpy() == 1.0
    with pytest.raises(ValueError, match="'garbage' is no device name"):
        tv.Variable(1.0, caching_device='garbage')


def test_graph_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match='belong to graphs'):
        tv.Variable(1.0, variable_def='x')


@pytest.mark.parametrize(
    ('given', 'name'),
    [
        (None, 'Variable:0'),
        ('', ':0'),
        ('a b', 'a b:0'),
        ('w:0', 'w:0:0'),
        ('a/b', 'a/b:0'),
        ('a/', 'a:0'),
        ('/a', '/a:0'),
    ],
)
def test_names(given: str | None, name: str) -> None:
    assert tv.Variable(1.0, name=given).name == name
    assert tv.Variable(1.0, name=given).name == name, 'names are not made unique'


def test_a_name_is_a_string() -> None:
    with pytest.raises(ValueError, match='name for name_scope must be a string; got 5'):
        tv.Variable(1.0, name=5)


def test_a_constraint_is_a_callable() -> None:
    with pytest.raises(ValueError, match=r'constraint=5.*must be None or a callable'):
        tv.Variable(1.0, constraint=5)


def test_nothing_is_kept_of_a_variable_that_could_not_be_made(simulated_gpus: list[str]) -> None:
    before = tv.config.get_memory_info('GPU:0')['current']
    with tv.device('GPU:0'), pytest.raises(ValueError, match='not compatible'):
        tv.Variable([1.0, 2.0], shape=[3], name='half_made')
    assert tv.config.get_memory_info('GPU:0')['current'] == before
    assert 'half_made:0' not in [row.name for row in tv.debugging.live_variables()]
