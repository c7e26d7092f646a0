"""Initializers: TensorFlow's values, numbers of seeds included, and its errors."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import initializers

FIXED = [
    (initializers.Zeros(), [0, 0]),
    (initializers.Ones(), [1, 1]),
    (initializers.Constant(3), [3, 3]),
    (initializers.Constant([1, 2]), [1, 2]),
    (initializers.Constant(np.array([1, 2])), [1, 2]),
]
# As TensorFlow 2.21 gives them on its CPU.
SEEDED = [
    (initializers.RandomNormal(seed=5), tv.float32, [-0.10276892, 0.057909388]),
    (initializers.RandomNormal(seed=5), tv.float64, [-0.05757315502718882, 0.014250285106811453]),
    (initializers.RandomNormal(1.0, 2.0, seed=7), tv.float32, [-0.34834552, 0.2826149]),
    (initializers.RandomUniform(seed=5), tv.float32, [-0.04381467, 0.03316691]),
    (initializers.RandomUniform(-3, 9, seed=5), tv.float32, [-2.2577605, 6.980029]),
    (initializers.RandomUniform(-3, 9, seed=5), tv.int32, [8, 7]),
]


@pytest.mark.parametrize(('initializer', 'values'), FIXED)
@pytest.mark.parametrize('dtype', [tv.float32, tv.float64, tv.int32, tv.complex64])
def test_fixed_values(device: str, initializer, values, dtype) -> None:
    with tv.device(device):
        result = initializer([2], dtype)
        variable = tv.Variable(initializer(tv.TensorShape([2, 1]), dtype=dtype.name))
    assert result.dtype is dtype
    assert result.numpy().tolist() == values
    assert variable.shape == (2, 1)


def test_the_dtype_that_is_taken_if_none_is_given() -> None:
    assert initializers.Zeros()([]).dtype is tv.float32
    assert initializers.Ones()([2]).dtype is tv.float32
    assert initializers.Constant(3)([2]).dtype is tv.int32
    assert initializers.Constant(2.5)([2]).dtype is tv.float32
    assert initializers.Constant('a')([2]).dtype is tv.string


@pytest.mark.parametrize(('initializer', 'dtype', 'values'), SEEDED)
def test_numbers_of_a_seed(device: str, initializer, dtype, values) -> None:
    with tv.device(device):
        first, second = initializer([2], dtype), initializer([2], dtype)
    np.testing.assert_allclose(first.numpy(), values, rtol=1e-6)
    assert first.numpy().tolist() == second.numpy().tolist()


def test_without_a_seed_the_global_one_counts() -> None:
    tv.random.set_seed(3)
    try:
        normal, uniform = initializers.RandomNormal()([2]), initializers.RandomUniform()([2])
        np.testing.assert_allclose(normal.numpy(), [-0.04148186, -0.09133136], rtol=1e-6)
        np.testing.assert_allclose(uniform.numpy(), [-0.030542815, -0.031371795], rtol=1e-6)
    finally:
        tv.random.set_seed(None)


ALL = [*(each for each, _ in FIXED), *(each for each, _, _ in SEEDED)]


@pytest.mark.parametrize('initializer', ALL)
def test_config(initializer) -> None:
    again = type(initializer).from_config({**initializer.get_config(), 'dtype': 'float32'})
    assert again([2], tv.float32).numpy().tolist() == initializer([2], tv.float32).numpy().tolist()


@pytest.mark.parametrize('initializer', ALL)
def test_keywords(initializer) -> None:
    with pytest.raises(TypeError, match="got 'foo'"):
        initializer([2], foo=1)
    if isinstance(initializer, initializers.Constant):
        with pytest.raises(ValueError, match="doesn't support partition"):
            initializer([2], partition_shape=[1])
    else:
        part = initializer([2], partition_shape=[1], partition_offset=[0])
        assert part.shape == (1,)


@pytest.mark.parametrize(
    ('make', 'error'),
    [
        (lambda: initializers.Zeros()([2], tv.string), ValueError),
        (lambda: initializers.Zeros()([2], None), TypeError),
        (lambda: initializers.Zeros()([-1]), ValueError),
        (lambda: initializers.RandomNormal()([2], tv.int32), ValueError),
        (lambda: initializers.RandomUniform(seed=1)([2], tv.bool), ValueError),
        (lambda: initializers.RandomUniform(seed=1)([2], tv.int32), TypeError),
        (lambda: initializers.Constant([1.0, 2.0])([3]), TypeError),
        (lambda: initializers.Constant(2.5)([2], tv.int32), TypeError),
        (lambda: initializers.Constant(None), TypeError),
        (lambda: initializers.Constant(tv.constant(3)), TypeError),
        (lambda: initializers.Zeros(3), TypeError),
    ],
)
def test_refuses(make, error) -> None:
    with pytest.raises(error):
        make()
