"""Dtypes as the kernels name them; which may be stored as which."""

import numpy as np
import pytest

from tensorvar import dtypes, errors
from tensorvar._cuda import element_types

EVERY = sorted(dtypes.ANY - {dtypes.string.numpy}, key=str)


@pytest.mark.parametrize('dtype', EVERY, ids=str)
def test_every_dtype_has_a_type_of_its_size(dtype: np.dtype) -> None:
    found = element_types.element_type('op', dtype)
    assert found.size == found.alignment == dtype.itemsize
    assert element_types.bits(dtype).size == dtype.itemsize


def test_names_are_unique() -> None:
    found = [element_types.element_type('op', dtype) for dtype in EVERY]
    assert len({each.short for each in found}) == len({each.code for each in found}) == len(EVERY)


def test_strings_have_none() -> None:
    with pytest.raises(errors.InvalidTypeError, match=r'\[op\] an array of object'):
        element_types.element_type('op', dtypes.string.numpy)


@pytest.mark.parametrize(
    ('destination', 'source', 'computed'),
    [
        ('float16', 'float16', 'float32'), ('bfloat16', 'bfloat16', 'float32'),
        ('bfloat16', 'float16', 'float32'), ('float16', 'float64', 'float64'),
        ('float32', 'int32', 'float64'), ('float32', 'int8', 'float32'),
        ('int32', 'int64', 'int64'), ('int8', 'bool', 'int8'), ('bool', 'bool', 'bool'),
        ('complex64', 'bfloat16', 'complex64'), ('complex64', 'int64', 'complex128'),
    ],
)  # fmt: skip
def test_what_is_computed_with(destination: str, source: str, computed: str) -> None:
    given = [dtypes.as_dtype(name).numpy for name in (destination, source)]
    assert element_types.compute_type('op', *given) == dtypes.as_dtype(computed).numpy


@pytest.mark.parametrize(
    ('destination', 'source'),
    [('int32', 'float32'), ('float32', 'complex64'), ('bool', 'int8'), ('uint8', 'int8'),
     ('int64', 'uint64')],
)  # fmt: skip
def test_results_that_the_destination_cannot_hold(destination: str, source: str) -> None:
    given = [np.dtype(name) for name in (destination, source)]
    with pytest.raises(errors.InvalidTypeError, match=rf'a destination of {destination} and'):
        element_types.compute_type('op', *given)


def test_what_may_be_stored_is_what_numpy_calls_same_kind() -> None:
    plain = [dtype for dtype in EVERY if dtype != dtypes.bfloat16.numpy]
    for destination in plain:
        for source in plain:
            same_kind = np.can_cast(source, destination, 'same_kind')
            assert element_types.can_store(destination, source) == same_kind
