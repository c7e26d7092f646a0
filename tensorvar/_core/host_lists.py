"""Nested Python lists into NumPy arrays of a known dtype.

Python numbers of one list share a dtype: float32 if a float is among them, else int32
or int64; bools may stand among numbers, but not first. NumPy data in a list keeps its
dtype, and Python numbers beside it follow.
"""

import itertools
from collections import UserList, deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import lossless
from tensorvar._core.lossless import NumpyArray, NumpyDType

_FLOAT32 = dtypes.float32.numpy
_FLOAT64 = dtypes.float64.numpy
_INT64 = dtypes.int64.numpy
_COMPLEX128 = dtypes.complex128.numpy
_STRING = dtypes.string.numpy
_TEXT = frozenset({str, bytes})
_NUMBERS = frozenset({bool, int, float, complex})
_FLOATS = {float}
_INTEGERS = {int}
_SEQUENCES = frozenset({list, tuple, range})
LISTS = (list, tuple, range, deque, UserList)
"""What counts as a list, at every level."""
_INT32 = dtypes.int32.numpy
_WIDE_INTEGERS = frozenset({_INT32, _INT64})
_SMALL = 65504
"""Up to here every integer and every float only rounds in float32."""
_EXACT = 2**53
"""Up to here every integer is a float64."""


def from_sequence(value: Sequence[Any], dtype: NumpyDType | None, op: str) -> NumpyArray:
    """The array of a nested list: of ``dtype`` if possible without a second pass.

    Args:
        value: one of ``LISTS``; without tensors inside.
        dtype: the canonical dtype that the caller converts to, or None for the natural one.
        op: who asks, for the error text.

    Raises:
        InvalidArgumentError: the list is ragged, of mixed types, or holds other things.
    """
    leaves, kinds = _flatten(value)
    quick = _dtype_that_rounds_at_most(leaves, kinds, dtype)
    if quick is not None:
        return _rectangular(value, op, quick)
    array = _rectangular(value, op)
    if array.size == 0:
        return np.zeros(array.shape, _FLOAT32)
    if kinds <= _TEXT:
        return text_array(leaves, array.shape, op)
    if not kinds <= _NUMBERS:
        return _with_numpy_data(array.shape, leaves, kinds, dtype, op)
    if dtype is None:
        dtype = _natural_dtype(leaves, kinds, op)
    if _is_exact(array, kinds):
        return lossless.convert(array, dtype, op)
    return _joined(array.shape, [np.array(leaf, object) for leaf in leaves], dtype, op)


def text_array(leaves: Sequence[Any], shape: tuple[int, ...], op: str) -> NumpyArray:
    """An object array of bytes.

    Args:
        leaves: the elements in reading order, str or bytes.
        shape: of the result.
        op: who asks, for the error text.

    Raises:
        InvalidTypeError: something else is among them.
    """
    result = np.empty(len(leaves), dtype=_STRING)
    for position, leaf in enumerate(leaves):
        text = leaf.encode() if isinstance(leaf, str) else leaf
        if not isinstance(text, bytes):
            raise errors.InvalidTypeError(
                f'[{op}] a {type(leaf).__name__} ({leaf!r:.60}) was given among strings or '
                f'objects; allowed are str and bytes, of one kind in one list',
                op,
            )
        result[position] = text
    return result.reshape(shape)


def _flatten(value: Sequence[Any]) -> tuple[list[Any], set[type]]:
    """The leaves of a nested list and their types, level by level, as long as that is right."""
    leaves = list(value)
    kinds = set(map(type, leaves))
    while kinds and kinds <= _SEQUENCES:
        leaves = list(itertools.chain.from_iterable(leaves))
        kinds = set(map(type, leaves))
    if not kinds <= _NUMBERS:
        leaves = list(_leaves(value))
        kinds = set(map(type, leaves))
    return leaves, kinds


def _dtype_that_rounds_at_most(
    leaves: list[Any], kinds: set[type], dtype: NumpyDType | None
) -> NumpyDType | None:
    """The dtype for Python floats, or integers, that all surely fit; None asks to look closer."""
    if kinds == _FLOATS:
        if dtype is None:
            dtype = _FLOAT32
    elif kinds != _INTEGERS:
        return None
    low, high = min(leaves), max(leaves)
    if -_SMALL <= low and high <= _SMALL:
        # Nan among them is either the first, and fails the comparisons, or is passed over.
        if dtype is None:
            return _INT32
        if dtype is _FLOAT32 or dtype is _FLOAT64:
            return dtype
        return dtype if kinds == _INTEGERS and dtype in _WIDE_INTEGERS else None
    return None


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, LISTS):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _rectangular(value: Any, op: str, dtype: NumpyDType | None = None) -> NumpyArray:
    try:
        array: NumpyArray = np.array(value, dtype, order='C')
    except (ValueError, OverflowError, TypeError) as error:
        raise errors.InvalidArgumentError(
            f'[{op}] a list that is not rectangular was given ({error}); all parts of one '
            f'level need one shape; pad the short ones',
            op,
        ) from error
    return array


def _natural_dtype(leaves: list[Any], kinds: set[type], op: str) -> NumpyDType:
    if kinds == {bool}:
        return dtypes.bool_.numpy
    if type(leaves[0]) is bool:
        raise _mixed(kinds, op)
    if complex in kinds:
        return _COMPLEX128
    if float in kinds:
        return _FLOAT32
    return lossless.natural_integer(int(min(leaves)), int(max(leaves)), op)


def _is_exact(array: NumpyArray, kinds: set[type]) -> bool:
    """Whether NumPy's array of Python numbers holds them as they are."""
    if array.dtype.kind == 'O' or (array.dtype is not _INT64 and kinds == {int}):
        return False
    if int not in kinds or array.dtype is _INT64:
        return True
    return bool(np.all(np.abs(array) < _EXACT))


def _with_numpy_data(
    shape: tuple[int, ...], leaves: list[Any], kinds: set[type], dtype: NumpyDType | None, op: str
) -> NumpyArray:
    parts = [np.asarray(leaf) if _is_array(leaf) else np.array(leaf, object) for leaf in leaves]
    numeric = [part.dtype for part in parts if part.dtype.kind not in 'OSU']
    others = {type(leaf) for leaf in leaves if not _is_array(leaf)}
    if not numeric and others <= _TEXT:
        texts = [text for part in parts for text in part.reshape(-1).tolist()]
        return text_array(texts, shape, op)
    if not numeric or not others <= _NUMBERS or any(part.dtype.kind in 'SU' for part in parts):
        raise _mixed(kinds, op)
    wanted = _promoted(numeric, others, kinds, op) if dtype is None else dtype
    return _joined(shape, parts, wanted, op)


def _is_array(leaf: Any) -> bool:
    return hasattr(leaf, '__array__') and not isinstance(leaf, type)


def _promoted(
    numeric: list[NumpyDType], others: set[type], kinds: set[type], op: str
) -> NumpyDType:
    """NumPy's common dtype of its data; Python numbers raise only its kind."""
    try:
        common = dtypes.canonical(np.result_type(*numeric))
    except TypeError as error:
        raise _mixed(kinds, op) from error
    if common.kind == 'b' and others - {bool}:
        raise _mixed(kinds, op)
    if complex in others and common.kind != 'c':
        return _COMPLEX128
    if float in others and common.kind in 'iu':
        return _FLOAT32
    return common


def _joined(
    shape: tuple[int, ...], parts: list[NumpyArray], dtype: NumpyDType, op: str
) -> NumpyArray:
    """The parts behind one another, each converted by itself, in ``shape``."""
    if dtype.kind == 'O':
        raise errors.InvalidTypeError(
            f'[{op}] numbers were given where string is asked for; text and numbers do not '
            f'convert into each other; format them first',
            op,
        )
    result = np.empty(sum(part.size for part in parts), dtype)
    position = 0
    for part in parts:
        flat = part.reshape(-1)
        target = slice(position, position + flat.size)
        source = _canonical(flat, dtype, op)
        damaged = None
        if source is not None:
            result[target], damaged = lossless.attempt(source, dtype)
        if source is None or (damaged is not None and damaged.any()):
            bad = 0 if damaged is None else int(np.argmax(damaged))
            index = tuple(int(i) for i in np.unravel_index(position + bad, shape))
            raise lossless.refused(op, index, flat[bad], dtype)
        position += flat.size
    return result.reshape(shape)


def _canonical(flat: NumpyArray, dtype: NumpyDType, op: str) -> NumpyArray | None:
    """NumPy data in a dtype of ours; one Python number as ``dtype``, None if it does not fit."""
    if flat.dtype.kind != 'O':
        return flat.astype(dtypes.canonical(flat.dtype), copy=False)
    value = flat[0]
    if type(value) is complex:
        return np.array([value])
    try:
        return lossless.number(value, dtype, op).reshape(1)
    except errors.InvalidTypeError:
        # The caller knows where in the list it stands, and words the error.
        return None


def _mixed(kinds: set[type], op: str) -> errors.InvalidTypeError:
    names = ', '.join(sorted(kind.__name__ for kind in kinds))
    return errors.InvalidTypeError(
        f'[{op}] a list of mixed or unsupported types was given ({names}); allowed are numbers '
        f'(a bool not first), or strings; give values of one kind',
        op,
    )
