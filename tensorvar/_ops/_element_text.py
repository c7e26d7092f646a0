"""The text of tensors in TensorFlow's ``tf.print``: elements, dimensions, dots."""

from typing import Any, Final

import numpy as np

from tensorvar import dtypes
from tensorvar._core.array_value import ArrayValue

SHOWN: Final = 3
"""How many elements are shown at both ends of a dimension."""

# The digits that a number of this type surely keeps, and those that surely name it.
_DIGITS = {4: (6, 9), 8: (15, 17)}
_ESCAPES = {'\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', "'": "\\'", '\\': '\\\\'}


def alone(value: ArrayValue) -> str | None:
    """A single string, as it is; None for any other value."""
    if value.dtype is not dtypes.string or value._spec().shape:
        return None
    item: Any = _host(value)[()]
    return _decoded(item)


def of(value: ArrayValue, limit: int) -> str:
    """The text of a tensor or variable.

    Args:
        value: the tensor or variable.
        limit: how many elements are shown at both ends of a dimension; -1 for all.
    """
    host = _host(value)
    limit = host.size if limit < 0 else min(limit, host.size)
    return _dimension(host, 0, host.ndim, limit)


def _host(value: ArrayValue) -> np.ndarray[Any, Any]:
    return value._to_host('print', explicit=True)


def _dimension(part: Any, depth: int, rank: int, limit: int) -> str:
    if depth == rank:
        return _element(part[()] if isinstance(part, np.ndarray) else part)
    count = len(part)
    shown = list(range(min(limit, count)))
    ends = list(range(max(limit, count - limit), count))
    gap = _gap(depth, rank)
    text = gap.join(_dimension(part[i], depth + 1, rank, limit) for i in shown)
    if count > 2 * limit:
        text += f'{gap}...'
    text += ''.join(gap + _dimension(part[i], depth + 1, rank, limit) for i in ends)
    return f'[{text}]'


def _gap(depth: int, rank: int) -> str:
    """What stands between two parts of a dimension."""
    inner = rank - depth - 1
    return '\n' * inner + ' ' * (depth + 1) if inner else ' '


def _element(item: Any) -> str:
    if isinstance(item, bytes | str):
        return f'"{_escaped(_decoded(item))}"'
    if isinstance(item, bool | np.bool_):
        return str(int(item))
    if isinstance(item, np.complexfloating):
        return f'({_number(item.real)},{_number(item.imag)})'
    if isinstance(item, np.integer):
        return str(item)
    return _number(item)


def _number(item: Any) -> str:
    """The shorter of two decimal forms if that names the number, else the longer one."""
    kind = np.float64 if isinstance(item, np.float64) else np.float32
    number = kind(item)
    short, long = (f'{float(number):.{digits}g}' for digits in _DIGITS[number.itemsize])
    return short if kind(short) == number or np.isnan(number) else long


def _decoded(item: bytes | str) -> str:
    return item.decode(errors='backslashreplace') if isinstance(item, bytes) else item


def _escaped(text: str) -> str:
    return ''.join(_ESCAPES.get(letter, letter) for letter in text)
