"""Checks of dtypes and of Python types."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import shape_assertions


def assert_type(
    tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None
) -> None:
    """Raises unless a value has a given dtype.

    Args:
        tensor: a tensor, or what converts to one.
        tf_type: the dtype.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Raises:
        TypeError: the dtype differs.
    """
    wanted = dtypes.as_dtype(tf_type)
    given = conversion.convert_to_tensor(tensor).dtype
    if given is not wanted:
        raise errors.InvalidTypeError(
            f'[assert_type] {shape_assertions.prefix(message)}tensor must be of type '
            f'{wanted.name}; got {given.name}; use tv.cast',
            'assert_type',
        )


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises unless a value holds integers.

    Args:
        x: a tensor, or what converts to one.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Raises:
        TypeError: it holds something else.
    """
    dtype = conversion.convert_to_tensor(x).dtype
    if not dtype.is_integer:
        raise errors.InvalidTypeError(
            f'[assert_integer] {shape_assertions.prefix(message)}Expected "x" to be integer '
            f'type.  Found: tensor of dtype {dtype.name}; use tv.cast',
            'assert_integer',
        )


def assert_proper_iterable(values: Any) -> None:
    """Raises if a value is a tensor, an array or a string, or cannot be iterated.

    Those can be iterated, but a function that wants several values does not mean them.

    Args:
        values: any value.

    Raises:
        TypeError: it is one of those.
    """
    kind = type(values).__name__
    if isinstance(values, Tensor | np.ndarray | str | bytes):
        raise errors.InvalidTypeError(
            f'[assert_proper_iterable] Expected argument "values" to be a "proper" iterable.  '
            f'Found: {kind}; give a list of values',
            'assert_proper_iterable',
        )
    if not hasattr(values, '__iter__'):
        raise errors.InvalidTypeError(
            f'[assert_proper_iterable] Expected argument "values" to be iterable.  Found: {kind}; '
            f'give a list of values',
            'assert_proper_iterable',
        )


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> dtypes.DType:
    """Raises unless values have one dtype, and that is a float.

    Args:
        tensors: tensors and variables; None among them is passed over.
        dtype: the dtype they shall have; None means that of the first.

    Returns:
        The dtype; float32 if neither is given.

    Raises:
        ValueError: the dtypes differ, or are no floats.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    for tensor in tensors or ():
        if tensor is None:
            continue
        wanted = wanted or tensor.dtype
        if tensor.dtype is not wanted:
            raise errors.InvalidArgumentError(
                f'[assert_same_float_dtype] {tensor._describe()} was given; it must be of the '
                f'same type ({wanted.name}) as the others; use tv.cast',
                'assert_same_float_dtype',
            )
    if wanted is None:
        return dtypes.float32
    if not wanted.is_floating:
        raise errors.InvalidArgumentError(
            f'[assert_same_float_dtype] Expected floating point type, got {wanted.name}; '
            f'use tv.cast',
            'assert_same_float_dtype',
        )
    return wanted


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether a value is a tensor of numbers; a variable is not.

    Args:
        tensor: any value.
    """
    return isinstance(tensor, Tensor) and tensor.dtype.numpy in dtypes.NUMERIC
