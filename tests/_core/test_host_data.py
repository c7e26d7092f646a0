"""Conversion of host data keeps every value, or refuses and says where."""

import math
import pickle
from collections import UserList, deque
from fractions import Fraction
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tensorvar import dtypes, errors
from tensorvar._core import host_data, lossless

NUMERIC = [dtype for dtype in dtypes.ALL if dtype is not dtypes.string]
PLAIN = [dtype for dtype in NUMERIC if dtype is not dtypes.bfloat16]
EDGES = [
    0, 1, -1, 2, 127, 128, -128, -129, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, -(2**31), 2**32,
    2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 65_504, 65_520, 2**127, 2**128,
]  # fmt: skip
NUMBERS = st.one_of(
    st.sampled_from(EDGES),
    st.integers(-(2**70), 2**70),
    st.floats(width=64),
    st.booleans(),
)


@st.composite
def arrays(draw: Any) -> np.ndarray:
    """Arrays of every dtype and small shapes, with edge values."""
    dtype = draw(st.sampled_from(NUMERIC))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    source = np.dtype(np.float32) if dtype is dtypes.bfloat16 else dtype.numpy
    array = draw(hnp.arrays(source, shape))
    if dtype.is_integer and draw(st.booleans()):
        array = (array % 3).astype(source)
    with np.errstate(all='ignore'):
        return array.astype(dtype.numpy)


def exact(value: Any) -> Any:
    """A number that compares without rounding; nan and infinities as text."""
    value = value.item() if hasattr(value, 'item') else value
    if isinstance(value, complex):
        return exact(value.real), exact(value.imag)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return Fraction(value)


def parts(value: Any) -> tuple[Any, Any]:
    found = exact(value)
    return found if isinstance(found, tuple) else (found, Fraction(0))


def survives(before: Any, after: Any, source: dtypes.DType, target: dtypes.DType) -> bool:
    """The rule of the module, element by element and in exact arithmetic."""
    (real, imaginary), (new_real, new_imaginary) = parts(before), parts(after)
    if not target.is_complex and imaginary != 0:
        return False
    if target.is_floating or target.is_complex:
        pairs = [(real, new_real), (imaginary, new_imaginary)]
        return all(isinstance(new, Fraction) == isinstance(old, Fraction) for old, new in pairs)
    return bool(real == new_real)


def loosely(array: np.ndarray, dtype: Any) -> np.ndarray:
    with np.errstate(all='ignore'):
        source = array.real if array.dtype.kind == 'c' and dtype.kind != 'c' else array
        return source.astype(dtype)


@hypothesis.given(arrays(), st.sampled_from(NUMERIC))
def test_converts_exactly_what_survives(array: np.ndarray, target: dtypes.DType) -> None:
    source = dtypes.from_numpy(array.dtype)
    expected = loosely(array, target.numpy)
    fits = [
        survives(before, after, source, target)
        for before, after in zip(array.reshape(-1), expected.reshape(-1), strict=True)
    ]
    if all(fits):
        result = host_data.to_array(array, target.numpy, 'test')
        assert result.dtype is target.numpy
        assert result.flags.c_contiguous
        assert not np.shares_memory(result, array)
        np.testing.assert_array_equal(result, expected)
        return
    with pytest.raises(errors.InvalidTypeError, match=r'^\[test\] ') as caught:
        host_data.to_array(array, target.numpy, 'test')
    first = np.unravel_index(fits.index(False), array.shape)
    if array.shape:
        assert f'element {[int(i) for i in first]} is' in str(caught.value)
    assert f'{target.name} cannot hold' in str(caught.value)


@hypothesis.given(NUMBERS, st.sampled_from(NUMERIC))
def test_python_numbers_convert_exactly_when_they_survive(
    value: float | int, target: dtypes.DType
) -> None:
    try:
        result = host_data.to_array(value, target.numpy, 'test')
    except errors.InvalidTypeError:
        assert not fits_exactly(value, target)
        return
    assert result.shape == ()
    assert result.dtype is target.numpy
    assert fits_exactly(value, target)
    if target.is_integer or target.is_bool:
        assert exact(result) == exact(value)


def fits_exactly(value: float | int, target: dtypes.DType) -> bool:
    if target.is_bool:
        return value in (0, 1)
    if target.is_integer:
        limits = np.iinfo(target.numpy)
        return math.isfinite(value) and value == int(value) and limits.min <= value <= limits.max
    if not math.isfinite(value):
        return True
    limit = exact(target.real_dtype.max)
    # Up to half a step beyond the largest value rounds down to it.
    bits = {'float16': 11, 'bfloat16': 8, 'float32': 24, 'float64': 53}[target.real_dtype.name]
    return abs(Fraction(value)) < limit * (1 + Fraction(1, 2 ** (bits + 1) - 2))


@hypothesis.given(
    st.lists(st.one_of(st.booleans(), st.integers(-(2**70), 2**70), st.floats()), max_size=4),
    st.sampled_from(PLAIN),
)
def test_a_list_converts_like_its_elements(values: list[Any], target: dtypes.DType) -> None:
    elements: list[np.ndarray] = []
    bad = None
    for position, value in enumerate(values):
        try:
            elements.append(host_data.to_array(value, target.numpy, 'test'))
        except errors.InvalidTypeError:
            bad = position
            break
    if bad is None:
        result = host_data.to_array(values, target.numpy, 'test')
        assert result.dtype is target.numpy
        np.testing.assert_array_equal(result, np.array(elements, target.numpy))
        return
    with pytest.raises(errors.InvalidTypeError, match=rf'element \[{bad}\] is '):
        host_data.to_array(values, target.numpy, 'test')


@hypothesis.given(arrays())
def test_numpy_data_keeps_its_dtype(array: np.ndarray) -> None:
    for given in (array, array.T, pickle.loads(pickle.dumps(array))):
        result = host_data.to_array(given, None, 'test')
        assert result.dtype is dtypes.canonical(array.dtype)
        assert result.flags.c_contiguous
        assert result.flags.owndata
        np.testing.assert_array_equal(result, given)


@pytest.mark.parametrize('dtype', PLAIN, ids=lambda dtype: dtype.name)
def test_other_byte_orders(dtype: dtypes.DType) -> None:
    array = np.array([[1, 0], [1, 1]], dtype.numpy.newbyteorder('>'))
    result = host_data.to_array(array, None, 'test')
    assert result.dtype is dtype.numpy
    assert result.tolist() == array.tolist()


@pytest.mark.parametrize(
    ('value', 'dtype'),
    [
        ([1, True], 'int32'),
        ([1.0, True], 'float32'),
        ([1, 2.5, True], 'float32'),
        ([[1], [True]], 'int32'),
        ([True, False], 'bool'),
        ([1j, 2], 'complex128'),
        ([1, 2**40], 'int64'),
        ([2**53 + 1, 1.5], 'float32'),
        ([2**70, 1.0], 'float32'),
        ([[], []], 'float32'),
        ((), 'float32'),
        ([np.float16(1), 2.0], 'float16'),
        ([np.int8(1), 2], 'int8'),
        ([1, np.float64(2)], 'float64'),
        ([1.0, np.int64(2)], 'float32'),
        ([np.array([1, 2]), [3, 4]], 'int64'),
        ([[1, 2], np.ones(2)], 'float64'),
        ([np.complex64(1), 2.0], 'complex64'),
        ([np.float32(1), 1j], 'complex128'),
        ([np.bool_(True), False], 'bool'),
        (['a', b'b'], 'string'),
        (deque([1, 2]), 'int32'),
        (deque([[1.0], [2.0]]), 'float32'),
        ([deque([1, 2]), (3, 4)], 'int32'),
        (UserList([1.5]), 'float32'),
        ([np.str_('a'), 'b'], 'string'),
        ([np.array(['a', 'b'])], 'string'),
    ],
)
def test_natural_dtype_of_lists(value: Any, dtype: str) -> None:
    result = host_data.to_array(value, None, 'test')
    assert dtypes.from_numpy(result.dtype).name == dtype
    assert result.shape == np.asarray(value).shape


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ([True, 1], 'mixed'),
        ([True, 1j], 'mixed'),
        (['a', 1], 'mixed'),
        ([1, None], 'mixed'),
        ([np.bool_(True), 2], 'mixed'),
        ([np.str_('a'), 1], 'mixed'),
        ([np.float16(1), np.array(1, dtypes.bfloat16.numpy)], 'mixed'),
        ([1, {}], 'mixed'),
        ([[], [1]], 'not rectangular'),
        ([[1, 2], 3], 'not rectangular'),
        ([np.ones(2), np.ones(3)], 'not rectangular'),
        ([2**63], 'out of range'),
        ([-(2**63) - 1, 1], 'out of range'),
        (2**63, 'out of range'),
        ([1e300], r'element \[0\] is 1e\+300, which float32'),
        (1e300, 'the value is 1e'),
        (np.zeros(1, np.longdouble), 'dtype float128'),
        (np.zeros(1, 'datetime64[s]'), 'datetime64'),
        (np.array([b'a', 3], dtype=object), r'a int \(3\)'),
        (None, 'None values are not supported'),
        (object, 'unsupported type type'),
        (bytearray(b'a'), 'unsupported type bytearray'),
    ],
)
def test_refused_without_a_dtype(value: Any, text: str) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=rf'^\[test\] .*{text}'):
        host_data.to_array(value, None, 'test')


@pytest.mark.parametrize(
    ('value', 'dtype'),
    [('a', 'float32'), (['a'], 'int32'), (1, 'string'), ([1], 'string'), ([1.0, 2], 'string')],
)
def test_text_and_numbers_do_not_convert(value: Any, dtype: str) -> None:
    with pytest.raises(TypeError, match='text and numbers do not convert'):
        host_data.to_array(value, dtypes.as_dtype(dtype).numpy, 'test')


def test_big_integers_reach_uint64_and_floats() -> None:
    uint64, float32 = dtypes.uint64.numpy, dtypes.float32.numpy
    assert host_data.to_array([2**63, 2**64 - 1], uint64, 'test').tolist() == [2**63, 2**64 - 1]
    assert host_data.to_array([2**100], float32, 'test').tolist() == [2.0**100]
    with pytest.raises(TypeError, match=r'element \[1\] is -1, which uint64'):
        host_data.to_array([2**63, -1], uint64, 'test')
    with pytest.raises(TypeError, match='float64 cannot hold'):
        host_data.to_array(10**400, dtypes.float64.numpy, 'test')


def test_no_integer_passes_through_a_float() -> None:
    int64 = dtypes.int64.numpy
    assert host_data.to_array([2**53 + 1, 1.0], int64, 'test').tolist() == [2**53 + 1, 1]
    mixed = [np.int64(2**60 + 1), 1.0]
    assert host_data.to_array(mixed, int64, 'test').tolist() == [2**60 + 1, 1]


def test_an_index_inside_of_nested_arrays() -> None:
    value = [[np.array([1.0, 2.0]), [3, 4]], [[5, 6], np.array([7.0, 8.5])]]
    with pytest.raises(TypeError, match=r'element \[1, 1, 1\] is 8\.5, which int32'):
        host_data.to_array(value, dtypes.int32.numpy, 'test')


def test_objects_with_an_array() -> None:
    class Wrapped:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.array([1.5, 2.5])

    assert host_data.to_array(Wrapped(), None, 'test').tolist() == [1.5, 2.5]
    assert host_data.to_array([Wrapped()], None, 'test').tolist() == [[1.5, 2.5]]


def test_subclasses_of_ndarray_become_plain() -> None:
    assert type(host_data.to_array(np.ma.array([1, 2]), None, 'test')) is np.ndarray


def test_rounding_is_allowed_and_overflow_is_not() -> None:
    float16 = dtypes.float16.numpy
    assert lossless.number(65_519.0, float16, 'test') == 65_504
    with pytest.raises(TypeError, match='65520.0, which float16'):
        lossless.number(65_520.0, float16, 'test')
    assert host_data.to_array(1e-50, dtypes.float32.numpy, 'test') == 0.0
