"""Functions along the first dimension: TensorFlow's results, errors and gradients."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import mapping


def three():
    return tv.constant([1.0, 2.0, 3.0])


# map_fn


def test_map_fn_on_every_device(device: str) -> None:
    with tv.device(device):
        doubled = mapping.map_fn(lambda row: row * 2, three())
        assert doubled.numpy().tolist() == [2.0, 4.0, 6.0]
        swapped = mapping.map_fn(lambda pair: (pair[1], pair[0]), (three(), -three()))
        assert [part.numpy().tolist() for part in swapped] == [[-1, -2, -3], [1, 2, 3]]


def test_map_fn_takes_variables_and_arrays() -> None:
    assert mapping.map_fn(lambda x: x + 1, tv.Variable([1.0, 2.0])).numpy().tolist() == [2, 3]
    result = mapping.map_fn(lambda x: x * 2, np.array([[1.0, 2.0]]))
    assert result.dtype is tv.float64


@pytest.mark.parametrize('signature', [tv.bool, 'bool', np.bool_, tv.TensorSpec([], tv.bool)])
def test_map_fn_signatures(signature) -> None:
    held = mapping.map_fn(lambda x: x > 1, three(), fn_output_signature=signature)
    assert held.numpy().tolist() == [False, True, True]


def test_map_fn_structure_of_the_signature() -> None:
    result = mapping.map_fn(
        lambda x: {'a': x, 'b': x > 1}, three(), dtype={'a': tv.float32, 'b': tv.bool}
    )
    assert result['b'].numpy().tolist() == [False, True, True]


def test_map_fn_converts_python_results() -> None:
    assert mapping.map_fn(lambda x: 5, three()).dtype is tv.float32


@pytest.mark.parametrize(
    ('signature', 'shape'),
    [(None, (0,)), (tv.int32, (0,)), (tv.TensorSpec([4], tv.int32), (0, 4))],
)
def test_map_fn_of_nothing(signature, shape) -> None:
    empty = tv.zeros([0, 3])
    result = mapping.map_fn(lambda x: x, empty, fn_output_signature=signature)
    assert result.shape == shape


@pytest.mark.parametrize(
    ('function', 'elems', 'signature', 'error'),
    [
        (lambda x: x > 1, three, None, tv.errors.InvalidArgumentError),
        (lambda x: x, three, tv.TensorSpec([2], tv.float32), ValueError),
        (lambda x: [x, x], three, (tv.float32, tv.float32), TypeError),
        (lambda x: x[0], lambda: (three(), three()), None, ValueError),
        (lambda x: None, three, None, ValueError),
        (lambda x: x, lambda: tv.constant(1.0), None, ValueError),
        (lambda x: x, list, None, ValueError),
        (lambda x: x, lambda: (three(), tv.constant([1.0])), None, ValueError),
        (lambda x: tv.zeros([int(x)]), three, None, ValueError),
        (5, three, None, TypeError),
    ],
)
def test_map_fn_refuses(function, elems, signature, error) -> None:
    with pytest.raises(error, match=r'^\['):
        mapping.map_fn(function, elems(), fn_output_signature=signature)


# vectorized_map


def test_vectorized_map() -> None:
    held, row = mapping.vectorized_map(lambda pair: [pair[0] > 1, 5], (three(), three()))
    assert held.numpy().tolist() == [False, True, True]
    assert row.numpy().tolist() == [5, 5, 5]
    assert mapping.vectorized_map(lambda x: None, three()) is None


def test_vectorized_map_repeats_a_single_row() -> None:
    total = mapping.vectorized_map(lambda pair: pair[0] + pair[1], (three(), tv.constant([10.0])))
    assert total.numpy().tolist() == [11.0, 12.0, 13.0]


def test_vectorized_map_of_nothing() -> None:
    held, five = mapping.vectorized_map(lambda x: [tv.reduce_sum(x) > 1, 5], tv.zeros([0, 4]))
    assert (held.shape, held.dtype) == ((0,), tv.bool)
    assert (five.shape, five.dtype) == ((0,), tv.int32)
    assert mapping.vectorized_map(lambda x: x[1:] * 2, tv.zeros([0, 4])).shape == (0, 3)


def test_vectorized_map_refuses() -> None:
    with pytest.raises(IndexError, match='not scalars'):
        mapping.vectorized_map(lambda x: x, tv.constant(1.0))
    with pytest.raises(ValueError, match='have to be equal'):
        mapping.vectorized_map(lambda x: x[0], (three(), tv.zeros([2])))


# foldl, foldr, scan


def test_folds_on_every_device(device: str) -> None:
    with tv.device(device):
        x = three()
        assert float(mapping.foldl(lambda a, e: a - e, x)) == -4.0
        assert float(mapping.foldl(lambda a, e: a - e, x, initializer=10.0)) == 4.0
        assert float(mapping.foldr(lambda a, e: a - e, x)) == 0.0
        assert mapping.scan(lambda a, e: a - e, x).numpy().tolist() == [1.0, -1.0, -4.0]
        back = mapping.scan(lambda a, e: a - e, x, initializer=10.0, reverse=True)
        assert back.numpy().tolist() == [4.0, 5.0, 7.0]


def test_scan_with_a_structure_of_its_own() -> None:
    first, second = mapping.scan(
        lambda a, _: (a[1], a[0] + a[1]), np.array([1, 0, 0, 0]), (np.array(0), np.array(1))
    )
    assert first.numpy().tolist() == [1, 1, 2, 3]
    assert second.numpy().tolist() == [1, 2, 3, 5]


def test_folds_of_nothing() -> None:
    empty = tv.zeros([0])
    assert float(mapping.foldl(lambda a, e: a + e, empty, initializer=4.0)) == 4.0
    assert mapping.scan(lambda a, e: a, empty, initializer=3.0).shape == (0,)
    assert mapping.scan(lambda a, e: a, empty, initializer=tv.zeros([2])).shape == (0, 2)


@pytest.mark.parametrize('fold', [mapping.foldl, mapping.foldr, mapping.scan])
def test_folds_refuse(fold) -> None:
    with pytest.raises(tv.errors.OutOfRangeError, match='no elements and no initializer'):
        fold(lambda a, e: a, tv.zeros([0]))
    with pytest.raises(IndexError, match='not scalars'):
        fold(lambda a, e: a, tv.constant(1.0))
    with pytest.raises(TypeError, match='tuple and list'):
        fold(lambda a, e: [a[0], a[1]], (three(), three()))
    with pytest.raises(TypeError, match='fn must be callable'):
        fold(5, three())


def test_scan_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match='Shapes of all inputs must match'):
        mapping.scan(lambda a, e: tv.zeros([2]), three())


# Gradients


@pytest.mark.parametrize(
    ('function', 'expected'),
    [
        (lambda x: mapping.map_fn(lambda e: e * e, x), [2.0, 4.0, 6.0]),
        (lambda x: mapping.vectorized_map(lambda e: e * e * x[0], x), [16.0, 4.0, 6.0]),
        (lambda x: mapping.foldl(lambda a, e: a * e, x), [6.0, 3.0, 2.0]),
        (lambda x: mapping.foldr(lambda a, e: a / e, x), [-1.5, -0.75, 0.5]),
        (lambda x: mapping.scan(lambda a, e: a * e, x), [9.0, 4.0, 2.0]),
        (
            lambda x: mapping.scan(lambda a, e: a * e, x, initializer=2.0, reverse=True),
            [12.0, 12.0, 10.0],
        ),
    ],
)
def test_gradients_pass_through(function, expected) -> None:
    x = three()
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-6)
