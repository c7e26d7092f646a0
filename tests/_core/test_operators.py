"""The operators of tensors and variables, with every kind of other operand."""

import operator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


def make(kind: str, value: Any, dtype: Any = None) -> Any:
    return tv.Variable(value, dtype=dtype) if kind == 'variable' else tv.constant(value, dtype)


kinds = pytest.mark.parametrize('kind', ['tensor', 'variable'])


@kinds
@pytest.mark.parametrize('apply', BINARY, ids=lambda each: each.__name__)
def test_binary_operators_and_their_reflections(device: str, kind: str, apply: Any) -> None:
    x, y = np.array([1.0, -2.0, 3.5], np.float32), np.array([2.0, 3.0, 0.5], np.float32)
    with tv.device(device):
        a, b = make(kind, x), make(kind, y)
    results = [(apply(a, b), apply(x, y)), (apply(a, 2), apply(x, np.float32(2)))]
    if apply is not operator.pow:
        results.append((apply(2, a), apply(np.float32(2), x)))
    for result, expected in results:
        assert isinstance(result, tv.Tensor)
        assert result.device.endswith(device)
        assert result.dtype == expected.dtype
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)


@kinds
def test_other_operators(device: str, kind: str) -> None:
    with tv.device(device):
        m = make(kind, [[1.0, 2.0], [3.0, 4.0]])
        i, b = make(kind, [1, 2, 7]), make(kind, [True, False])
    assert (m @ m).numpy().tolist() == [[7.0, 10.0], [15.0, 22.0]]
    assert ([[1.0, 0.0], [0.0, 1.0]] @ m).numpy().tolist() == m.numpy().tolist()
    assert (-i).numpy().tolist() == [-1, -2, -7]
    assert abs(-i).numpy().tolist() == [1, 2, 7]
    assert (i & 3).numpy().tolist() == [1, 2, 3]
    assert (8 | i).numpy().tolist() == [9, 10, 15]
    assert (i ^ 1).numpy().tolist() == [0, 3, 6]
    assert (~i).numpy().tolist() == [-2, -3, -8]
    assert (b & True).numpy().tolist() == [True, False]
    assert (b | True).numpy().tolist() == [True, True]
    assert (True ^ b).numpy().tolist() == [False, True]
    assert (~b).numpy().tolist() == [False, True]
    assert pow(i, 2).numpy().tolist() == [1, 4, 49]


@kinds
@pytest.mark.parametrize(
    'other',
    [
        2, 2.5, True, [1, 2, 3], (1.0, 2.0, 3.0), range(3), np.float64(2.5), np.int64(2),
        np.array([1.5, 2.5, 3.5]), np.array([1, 2, 3]), np.array([True, False, True]),
    ],
    ids=repr,
)  # fmt: skip
def test_the_dtype_of_the_value_wins_over_host_data(device: str, kind: str, other: Any) -> None:
    with tv.device(device):
        a = make(kind, [1.0, 2.0, 3.0])
    expected = np.array([1.0, 2.0, 3.0], np.float32) + np.asarray(other, np.float32)
    for result in (a + other, other + a):
        assert isinstance(result, tv.Tensor)
        assert result.dtype is tv.float32
        np.testing.assert_array_equal(result.numpy(), expected)


@kinds
def test_arrays_on_the_left_give_way(device: str, kind: str) -> None:
    with tv.device(device):
        a = make(kind, [1.0, 2.0])
    array = np.array([3.0, 4.0])
    assert isinstance(array * a, tv.Tensor)
    assert isinstance(array < a, tv.Tensor)
    assert isinstance(array - a, tv.Tensor)
    array += a
    assert isinstance(array, tv.Tensor)
    assert array.numpy().tolist() == [4.0, 6.0]


@kinds
@pytest.mark.parametrize('dtype', [tv.float64, tv.float16, tv.int32, tv.int64, tv.bool])
def test_no_promotion_between_tensors(device: str, kind: str, dtype: tv.DType) -> None:
    with tv.device(device):
        a, b = make(kind, [1.0, 2.0]), make(kind, [1, 1], dtype)
    what = "variable 'Variable:0'" if kind == 'variable' else 'a tensor'
    text = (
        rf'^\[AddV2\] input #1 \(zero-based, \w+\) was expected to be a float32 tensor but is a '
        rf'{dtype.name} tensor: .*{what} of shape .*{dtype.name}, on {device}.* beside .*{what} '
        rf'of shape .*float32.*tv\.cast one of them'
    )
    with pytest.raises(tv.errors.InvalidArgumentError, match=text):
        a + b


@pytest.mark.usefixtures('values_checked')
@kinds
def test_integers_divide_as_in_tensorflow(device: str, kind: str) -> None:
    with tv.device(device):
        i, negative = make(kind, [7, 8]), make(kind, [-7, 8])
    assert (i / 2).dtype is tv.float64
    assert (i / 2).numpy().tolist() == [3.5, 4.0]
    assert (i // 2).dtype is tv.int32
    assert (negative // 2).numpy().tolist() == [-4, 4]
    assert (negative % 3).numpy().tolist() == [2, 2]
    for apply in (operator.floordiv, operator.mod):
        with pytest.raises(tv.errors.InvalidArgumentError, match='Integer division by zero'):
            apply(i, 0)


@kinds
def test_floats_divide_by_zero(device: str, kind: str) -> None:
    with tv.device(device):
        a = make(kind, [1.0, -1.0, 0.0])
    result = (a / 0).numpy()
    assert result[:2].tolist() == [np.inf, -np.inf]
    assert np.isnan(result[2])


@kinds
@pytest.mark.parametrize(
    ('other', 'text'),
    [
        (1.5, 'the value is 1.5, which int32 cannot hold'),
        (2**40, f'the value is {2**40}, which int32'),
        (np.array([1, 2, 3.5]), r'element \[2\] is 3.5'),
        ('a', 'text and numbers do not convert'),
        (None, 'None values are not supported'),
        (object(), 'unsupported type object'),
        (1j, '1j, which int32 cannot hold'),
        ([1, [2]], 'not rectangular'),
    ],
)
def test_host_values_that_do_not_fit(device: str, kind: str, other: Any, text: str) -> None:
    with tv.device(device):
        i = make(kind, [1, 2, 3])
    with pytest.raises(tv.errors.InvalidArgumentError, match=rf'^\[AddV2\] .*{text}') as caught:
        i + other
    assert f'given together with {i._describe()}' in str(caught.value)
    with pytest.raises(ValueError, match=r'^\[AddV2\]'):
        other + i


@kinds
def test_broadcasting_and_shapes_that_do_not_fit(device: str, kind: str) -> None:
    with tv.device(device):
        a, b = make(kind, [1.0, 2.0, 3.0]), make(kind, [1.0, 2.0])
        m = make(kind, [[1.0, 2.0], [3.0, 4.0]])
    assert (a + np.ones((2, 1))).shape == (2, 3)
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'Incompatible shapes: \[3\] vs. \[2'):
        a + b
    for x, y in ((a, a), (m, 2), (m, a), (m, m[:1])):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'^\[BatchMatMulV2|^\[MatMul'):
            x @ y


@kinds
def test_comparison_with_anything(device: str, kind: str) -> None:
    with tv.device(device):
        a, b, i = make(kind, [1.0, 2.0, 3.0]), make(kind, [1.0, 2.0]), make(kind, [1, 2, 3])
    assert (a == [1.0, 5.0, 3.0]).numpy().tolist() == [True, False, True]
    assert (a == 1).numpy().tolist() == [True, False, False]
    assert not bool(a == b), 'shapes that do not fit are not equal'
    assert bool(a != b)
    for other, text in (
        (None, 'None values'),
        ('a', 'text and numbers'),
        (i, 'int32'),
        ([[1], [2, 3]], 'rect'),
    ):
        with pytest.raises(tv.errors.InvalidArgumentError, match=rf'^\[Equal\] .*{text}'):
            assert a == other


@kinds
def test_operators_that_do_not_exist(kind: str) -> None:
    a, b = make(kind, [1.0, 2.0]), make(kind, [True])
    attempts = [
        lambda: +a,
        lambda: a << 1,
        lambda: divmod(a, 2),
        lambda: round(a),
        lambda: pow(a, 2, 3),
        lambda: ~a,
        lambda: a & a,
        lambda: -b,
    ]
    for attempt in attempts:
        with pytest.raises(TypeError):
            attempt()


def test_operands_on_two_devices_follow_the_gpu(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0])
    with tv.device('GPU:1'):
        t = tv.constant([3.0, 4.0])
    assert (v + t).device.endswith('GPU:1')
    assert (v + v).device.endswith('CPU:0')
    with tv.device('GPU:0'):
        assert (v + 1.0).device.endswith('GPU:0')


@kinds
def test_the_operator_of_products_ands_bools(device: str, kind: str) -> None:
    with tv.device(device):
        truth = make(kind, [True, False, True])
        other = tv.constant([True, True, False])
        numbers = make(kind, [2.0, 1.0, 0.5])
    for product, expected in (
        (truth * other, [True, False, False]),
        (other * truth, [True, False, False]),
        (truth * numbers, [True, False, False]),
        (numbers * truth, [True, False, False]),
        (truth * 2, [True, False, True]),
        (truth * 0.0, [False] * 3),
        (True * truth, [True, False, True]),
        (truth * [1.0, 1.0, 0.0], [True, False, False]),
        (np.array([True, True, False]) * truth, [True, False, False]),
    ):
        assert product.dtype is tv.bool
        assert product.numpy().tolist() == expected
    with pytest.raises(TypeError, match='has dtype bool'):
        tv.multiply(truth, truth)
    with pytest.raises(TypeError, match='bool'):
        2 * truth
    with pytest.raises(ValueError, match='Incompatible shapes'):
        truth * [True, False]


def test_products_of_other_dtypes_are_still_refused() -> None:
    with pytest.raises(TypeError, match='expected to be a float32 tensor'):
        tv.constant([1.0]) * tv.constant([1])
    with pytest.raises(TypeError, match='string'):
        'a' * tv.constant([1.0])
