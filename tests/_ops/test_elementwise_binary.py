"""Sums, products, extremes."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import elementwise_binary as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

CASES = [
    (ops.add, np.add, rules.NUMBERS),
    (ops.subtract, np.subtract, rules.NUMBERS),
    (ops.multiply, np.multiply, rules.NUMBERS),
    (ops.maximum, np.maximum, rules.REAL),
    (ops.minimum, np.minimum, rules.REAL),
    (
        ops.squared_difference,
        lambda x, y: (x - y) * np.conj(x - y),
        [*rules.FLOATS, *rules.COMPLEX, np.int32, np.int64],
    ),
    (ops.multiply_no_nan, np.multiply, rules.FLOATS + rules.COMPLEX),
]
SHAPES = [
    ((), ()),
    ((3,), ()),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((0, 3), (1,)),
    ((4, 1, 2), (3, 1)),
]


@pytest.mark.parametrize(('body', 'reference', 'dtypes'), CASES, ids=rules.name_of)
def test_values_equal_numpy_for_every_dtype(device, body, reference, dtypes):
    for dtype in dtypes:
        x = device_parity.sample(dtype, (2, 3), seed=1)
        y = device_parity.sample(dtype, (2, 3), seed=2)
        rules.check(device, body, reference, x, y)


@pytest.mark.parametrize('shapes', SHAPES, ids=str)
def test_inputs_broadcast(device, shapes):
    x, y = (device_parity.sample(np.float32, shape, seed=len(shape)) for shape in shapes)
    for body, reference, _ in CASES:
        rules.check(device, body, reference, x, y)
        rules.check(device, body, reference, y, x)


@pytest.mark.parametrize('body', [case[0] for case in CASES])
def test_refusals_name_op_shapes_and_dtypes(body):
    with pytest.raises(errors.InvalidArgumentError, match=r'Incompatible shapes: \[2\] vs. \[3\]'):
        body(tv.zeros([2]), tv.zeros([3]))
    with pytest.raises(errors.InvalidTypeError, match='expected to be a float32 tensor but is a f'):
        body(tv.zeros([2]), tv.zeros([2], 'float64'))
    with pytest.raises(errors.InvalidTypeError, match='has dtype bool; allowed are'):
        body(tv.constant([True]), tv.constant([False]))


def test_host_values_take_the_dtype_of_the_tensor():
    x = tv.constant([1, 2], 'int16')
    assert ops.add(x, 1).dtype == tv.int16
    assert ops.multiply(np.array([3.0, 4.0]), x).numpy().tolist() == [3, 8]
    with pytest.raises(errors.InvalidTypeError, match='cannot hold without damage'):
        ops.add(x, 1.5)


def test_integers_wrap_around(device):
    with tv.device(device):
        assert ops.add(tv.constant([127], 'int8'), 1).numpy()[0] == -128
        assert ops.subtract(tv.constant([1], 'uint8'), 2).numpy()[0] == 255


def test_nan_wins_in_extremes():
    x, y = tv.constant([np.nan, 1.0]), tv.constant([1.0, np.nan])
    for body in (ops.maximum, ops.minimum):
        assert np.isnan(body(x, y).numpy()).all()


def test_multiply_no_nan_gives_zero_where_the_second_is_zero(device):
    with tv.device(device):
        result = ops.multiply_no_nan(tv.constant([np.nan, np.inf, 2.0]), tv.constant([0, 0, 3.0]))
    assert result.numpy().tolist() == [0, 0, 6]


def test_strings_are_joined():
    result = ops.add(tv.constant(['a', 'b']), tv.constant(['x', 'y']))
    assert result.numpy().tolist() == [b'ax', b'by']


def test_scalar_mul():
    assert ops.scalar_mul(2, tv.constant([1.5])).numpy().tolist() == [3]
    with pytest.raises(errors.InvalidArgumentError, match='scalar has rank 1'):
        ops.scalar_mul(tv.constant([1.0, 2.0]), tv.constant([1.5, 2.0]))


# add_n


def test_add_n_equals_a_sum(device):
    for dtype in rules.NUMBERS:
        for count in (1, 2, 4):
            arrays = [device_parity.sample(dtype, (2, 3), seed=seed) for seed in range(count)]
            rules.check(device, lambda *x: ops.add_n(x), lambda *x: sum(x[1:], x[0]), *arrays)


def test_add_n_refusals():
    with pytest.raises(errors.InvalidArgumentError, match='at least one tensor'):
        ops.add_n([])
    with pytest.raises(errors.InvalidArgumentError, match=r'#1 has shape \[\]'):
        ops.add_n([tv.constant([1.0]), tv.constant(1.0)])
    with pytest.raises(errors.InvalidTypeError, match='expected to be a float32 tensor'):
        ops.add_n([tv.constant([1.0]), tv.constant([1])])


# Gradients

WITH_GRADIENT = [ops.add, ops.subtract, ops.multiply, ops.squared_difference, ops.multiply_no_nan]


@pytest.mark.parametrize('body', WITH_GRADIENT)
@pytest.mark.parametrize('dtype', [np.float64, np.complex128], ids=rules.name_of)
def test_gradients(body, dtype):
    x = device_parity.sample(dtype, (2, 1), seed=1, low=0.5)
    y = device_parity.sample(dtype, (3,), seed=2, low=0.5)
    numeric_gradient.check(body, x, y)


@pytest.mark.parametrize('body', [ops.maximum, ops.minimum])
def test_gradients_of_extremes(body):
    numeric_gradient.check(body, np.array([[1.0], [2.0]]), np.array([0.5, 1.5, 3.0]))


@pytest.mark.parametrize('body', [ops.maximum, ops.minimum])
def test_equal_values_send_the_gradient_to_the_first_input(body):
    x, y = tv.constant([1.0]), tv.constant([1.0])
    with tv.GradientTape() as tape:
        tape.watch([x, y])
        z = body(x, y)
    assert [g.numpy()[0] for g in tape.gradient(z, [x, y])] == [1, 0]


def test_gradient_of_add_n():
    x = np.array([1.0, 2.0])
    numeric_gradient.check(lambda *values: ops.add_n(values), x, x + 1, x - 3)


def test_only_the_gradients_asked_for_are_computed():
    x, y = tv.constant([1.0, 2.0]), tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        z = x * y
    assert tape.gradient(z, x).numpy().tolist() == [3, 3]


def test_add_n_gives_a_single_value_of_any_dtype_back():
    assert ops.add_n([tv.constant(['a', 'b'])]).numpy().tolist() == [b'a', b'b']
    assert ops.add_n([tv.constant(True)]).numpy()
    with pytest.raises(errors.InvalidTypeError, match='2 inputs of dtype bool'):
        ops.add_n([tv.constant(True), tv.constant(True)])


def test_single_strings_are_joined(device):
    with tv.device(device, fallback='silent'):
        assert (tv.constant('a') + tv.constant('b')).numpy() == b'ab'
        assert (tv.constant(['a', 'bc']) + 'd').numpy().tolist() == [b'ad', b'bcd']


def test_scalar_mul_of_indexed_slices():
    slices = tv.IndexedSlices(tv.constant([1.0, 2.0]), tv.constant([4, 0]))
    product = ops.scalar_mul(3.0, slices)
    assert product.values.numpy().tolist() == [3.0, 6.0]
    assert product.indices.numpy().tolist() == [4, 0]
    assert product.dense_shape is None
