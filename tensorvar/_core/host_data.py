"""Host data into NumPy arrays of a known dtype, without damage.

Python numbers, nested lists, strings and NumPy arrays become own, C-ordered arrays
with a canonical dtype. A dtype asked for is reached only by conversions that keep the
value (see ``lossless``), on the host, before any copy to a device.
"""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import host_blocks, host_pieces
from tensorvar._core import host_lists, lossless
from tensorvar._core.lossless import NumpyArray, NumpyDType


def to_array(value: Any, dtype: NumpyDType | None, op: str) -> NumpyArray:
    """An own host array of ``value``.

    Args:
        value: a Python or NumPy scalar, an array, or a nested list or tuple of them.
        dtype: a canonical dtype, or None for the natural one: bool, int32 (int64 if
            needed), float32, complex128, string; NumPy data keeps its dtype.
        op: who asks, for the error text.

    Returns:
        A C-ordered array with a canonical dtype that shares no memory with ``value``.

    Raises:
        InvalidArgumentError: ragged lists, mixed types, unsupported objects, or a value
            that ``dtype`` cannot hold.
    """
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        if dtype is not None and dtype.kind == 'O':
            return lossless.convert(np.array(value), dtype, op)
        return lossless.number(value, dtype, op)
    if kind is list:
        array = host_lists.from_sequence(value, dtype, op)
    else:
        array = _natural_array(value, dtype, op)
    if dtype is None or array.dtype is dtype:
        return array
    if array.size == 0:
        # An empty list says nothing about its dtype.
        return np.zeros(array.shape, dtype)
    return lossless.convert(array, dtype, op)


def _natural_array(value: Any, dtype: NumpyDType | None, op: str) -> NumpyArray:
    if isinstance(value, np.ndarray):
        return _canonical_copy(value, op)
    if isinstance(value, np.generic):
        return _canonical_copy(np.asarray(value), op)
    if isinstance(value, str | bytes):
        return host_lists.text_array([value], (), op)
    if isinstance(value, int):
        return lossless.number(int(value), dtype, op)
    if isinstance(value, float | complex):
        return np.array(value)
    if isinstance(value, host_lists.LISTS):
        return host_lists.from_sequence(value, dtype, op)
    if value is None:
        raise errors.InvalidArgumentError(
            f'[{op}] None was given; None values are not supported; give a number, a list, '
            f'an array or a tensor',
            op,
        )
    if hasattr(value, '__array__') and not isinstance(value, type):
        return _canonical_copy(np.asarray(value), op)
    raise errors.InvalidTypeError(
        f'[{op}] a value of unsupported type {type(value).__name__} was given ({value!r:.80}); '
        f'allowed are numbers, strings, nested lists, NumPy arrays, tensors and variables',
        op,
    )


def _canonical_copy(array: NumpyArray, op: str) -> NumpyArray:
    """A native, C-ordered copy; text becomes an object array of bytes."""
    if array.dtype.kind in 'SUO':
        return host_lists.text_array(array.reshape(-1).tolist(), array.shape, op)
    try:
        dtype = dtypes.canonical(array.dtype)
    except TypeError as error:
        raise errors.InvalidTypeError(
            f'[{op}] a NumPy array of dtype {array.dtype} was given; {error}', op
        ) from error
    if array.nbytes >= host_pieces.LARGE and array.dtype == dtype:
        own: NumpyArray = host_blocks.empty(array.shape, dtype)
        host_pieces.copy_into(own, array)
        return own
    # ``np.array`` would keep the dtype object of an unpickled array, which is another one.
    return array.astype(dtype, order='C', subok=False, copy=True)
