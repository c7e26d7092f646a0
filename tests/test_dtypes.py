"""Element types."""

import copy
import pickle
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar import dtypes

every = pytest.mark.parametrize('dtype', dtypes.ALL, ids=lambda dtype: dtype.name)


@every
def test_names_and_numpys_types(dtype: tv.DType) -> None:
    assert tv.as_dtype(dtype.name) is dtype
    assert tv.as_dtype(dtype) is dtype
    assert tv.as_dtype(dtype.numpy) is dtype
    assert tv.as_dtype(dtype.as_datatype_enum) is dtype
    assert tv.as_dtype(dtype.as_numpy_dtype) is dtype
    assert repr(dtype) == f'tv.{dtype.name}'
    assert str(dtype) == f"<dtype: '{dtype.name}'>"
    assert dtype == dtype.name
    assert dtype == dtype.numpy
    assert dtype != 'nope'
    assert dtype is not None
    assert not dtype == None  # noqa: E711, SIM201 - the comparison itself is tested
    assert copy.deepcopy(dtype) is pickle.loads(pickle.dumps(dtype)) is dtype
    assert {dtype: 1}[tv.as_dtype(dtype.name)] == 1
    assert dtype.base_dtype is dtype
    assert dtype.is_compatible_with(dtype.name)
    assert dtype.is_numpy_compatible
    assert not dtype.is_quantized


@every
def test_one_object_per_numpy_dtype(dtype: tv.DType) -> None:
    unpickled = pickle.loads(pickle.dumps(dtype.numpy))
    assert dtypes.canonical(unpickled) is dtype.numpy
    if dtype is not tv.string and dtype is not tv.bfloat16:
        assert dtypes.canonical(dtype.numpy.newbyteorder('>')) is dtype.numpy
    assert dtypes.from_numpy(dtype.numpy) is dtype


@pytest.mark.parametrize(
    ('spelling', 'dtype'),
    [
        (float, tv.float32), (int, tv.int32), (bool, tv.bool), (complex, tv.complex128),
        (str, tv.string), (bytes, tv.string), (object, tv.string),
        ('half', tv.float16), ('double', tv.float64), ('f4', tv.float32),
        (np.dtype('>i2'), tv.int16), (np.dtype('U3'), tv.string), (np.str_, tv.string),
        (np.float32, tv.float32), (ml_dtypes.bfloat16, tv.bfloat16), (1, tv.float32),
    ],
)  # fmt: skip
def test_spellings(spelling: Any, dtype: tv.DType) -> None:
    assert tv.as_dtype(spelling) is dtype


@pytest.mark.parametrize('value', ['nope', None, 'datetime64', np.longdouble, 999, [], True, 1.5])
def test_what_is_no_dtype(value: Any) -> None:
    with pytest.raises(TypeError, match=r'^\[dtype\] Cannot convert the argument'):
        tv.as_dtype(value)


def test_comparison_with_numpy_and_names() -> None:
    assert tv.float32 == 'float32'
    assert tv.float32 == np.float32
    assert tv.float32 == np.dtype('float32')
    assert tv.float32 != tv.float64
    assert tv.float32 != np.float64
    assert tv.float32 in (tv.int32, tv.float32)
    assert not tv.float32.is_compatible_with(tv.float64)


def test_families() -> None:
    def named(predicate: str) -> set[str]:
        return {each.name for each in dtypes.ALL if getattr(each, predicate)}

    assert named('is_floating') == {'float16', 'bfloat16', 'float32', 'float64'}
    assert named('is_complex') == {'complex64', 'complex128'}
    assert named('is_bool') == {'bool'}
    assert named('is_unsigned') == {'uint8', 'uint16', 'uint32', 'uint64'}
    assert named('is_integer') == {'int8', 'int16', 'int32', 'int64', *named('is_unsigned')}
    assert {each.name for each in dtypes.ALL} - named('is_numeric') == {'bool', 'string'}
    assert tv.complex64.real_dtype is tv.float32
    assert tv.complex128.real_dtype is tv.float64
    assert tv.int8.real_dtype is tv.int8


def test_sizes_and_limits() -> None:
    assert (tv.float32.size, tv.bfloat16.size, tv.complex128.size, tv.bool.size) == (4, 2, 16, 1)
    assert tv.string.size == 0
    assert tv.int8.limits == (0, 127)
    assert tv.uint64.max == 2**64 - 1
    assert tv.float16.max == 65_504
    assert tv.bfloat16.min == -tv.bfloat16.max
    assert tv.bool.limits == (0, True)
    assert tv.float64.limits == (0, 1)
    for dtype in (tv.string, tv.complex64):
        with pytest.raises(TypeError, match=f'{dtype.name} has no max'):
            assert dtype.max


def test_bytes_of_arrays() -> None:
    assert dtypes.size_in_bytes((2, 3), tv.float64.numpy) == 48
    assert dtypes.size_in_bytes((), tv.int8.numpy) == 1
    assert dtypes.size_in_bytes((0, 3), tv.int8.numpy) == 0
