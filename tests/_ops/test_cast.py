"""Conversions between element types."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import cast as ops
from tests._ops import rules
from tests.support import device_parity, numeric_gradient

DTYPES = [*rules.NUMBERS, np.bool_]


def converted(array, target):
    if target == np.bool_:
        return array != 0
    if array.dtype.kind == 'c' and target.kind != 'c':
        array = array.real
    return array.astype(target)


@pytest.mark.parametrize('source', DTYPES, ids=rules.name_of)
def test_every_pair_of_types(device, source):
    x = device_parity.sample(source, (2, 3), low=0.0)
    for target in map(np.dtype, DTYPES):
        rules.check(
            device,
            lambda x, target=target: ops.cast(x, target),
            lambda _, target=target: converted(x, target),
            x,
            dtype=target,
        )


def test_the_same_dtype_gives_the_tensor_itself():
    x = tv.constant([1.0])
    assert ops.cast(x, 'float32') is x
    v = tv.Variable([1.0])
    kept = ops.cast(v, tv.float32)
    v.assign([2.0])
    assert kept.numpy().tolist() == [1]


def test_host_values_are_converted_first():
    assert ops.cast(2.7, tv.int32).numpy() == 2
    assert ops.cast([1, 2], tv.float32).numpy().tolist() == [1, 2]


def test_fractions_go_and_integers_wrap():
    assert ops.cast(tv.constant([1.7, -1.7]), 'int32').numpy().tolist() == [1, -1]
    assert ops.cast(tv.constant([300, -5]), 'uint8').numpy().tolist() == [44, 251]


def test_every_value_but_zero_is_true():
    assert ops.cast(tv.constant([0.5, 0, np.nan]), 'bool').numpy().tolist() == [True, False, True]
    assert ops.cast(tv.constant([0j, 1j]), 'bool').numpy().tolist() == [False, True]


def test_refusals():
    with pytest.raises(errors.UnimplementedError, match='Cast string to float32 is not supported'):
        ops.cast(tv.constant(['1']), 'float32')
    with pytest.raises(errors.UnimplementedError, match='Cast float32 to string is not supported'):
        ops.cast(tv.constant([1.0]), 'string')
    with pytest.raises(TypeError, match='int3'):
        ops.cast(tv.constant([1.0]), 'int3')


@pytest.mark.parametrize(
    ('source', 'target'),
    [
        (np.float64, 'complex128'),
        (np.complex128, 'float64'),
        (np.float64, 'float64'),
    ],
    ids=str,
)
def test_gradients(source, target):
    x = device_parity.sample(source, (2, 2))
    numeric_gradient.check(lambda x: ops.cast(x * x, target), x)


def test_gradients_have_the_dtype_of_the_source():
    x = tv.constant([1.0, 2.0], 'float16')
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ops.cast(x, 'float64') * 3.0
        z = ops.cast(ops.cast(x, 'int32'), 'float32')
    assert tape.gradient(y, x).dtype == tv.float16
    assert tape.gradient(y, x).numpy().tolist() == [3, 3]
    assert tape.gradient(z, x) is None
