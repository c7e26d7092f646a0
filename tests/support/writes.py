"""Every way to write a variable, with what NumPy says comes of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tensorvar as tv

Host = np.ndarray[Any, Any]

START = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
ROWS = np.array([[10.0, 20.0], [30.0, 40.0]], np.float32)
INDICES = np.array([2, 0])


class Write(NamedTuple):
    """One way to write a variable of shape (3, 2).

    Attributes:
        name: for the test's id.
        write: does it.
        expected: the value after it, from the one before.
    """

    name: str
    write: Callable[[Any], Any]
    expected: Callable[[Host], Host]

    def __repr__(self) -> str:
        return self.name


def _rows() -> Any:
    return tv.IndexedSlices(ROWS, INDICES)


def _scatter(name: str, function: Any) -> list[Write]:
    """The forms by rows and by slices; ``function`` gives the new rows from the old."""

    def expected(value: Host) -> Host:
        result = value.copy()
        result[INDICES] = function(value[INDICES], ROWS)
        return result

    by_rows = Write(f'scatter_{name}', lambda v: getattr(v, f'scatter_{name}')(_rows()), expected)
    if name in ('mul', 'div'):
        return [by_rows]
    nd = f'scatter_nd_{name}'
    return [
        by_rows,
        Write(nd, lambda v: getattr(v, nd)(INDICES[:, None], ROWS), expected),
    ]


def _with(value: Host, key: Any, part: Any) -> Host:
    result = value.copy()
    result[key] = part
    return result


WRITES = (
    Write('assign', lambda v: v.assign(START * 7), lambda value: START * 7),
    Write('assign_tensor', lambda v: v.assign(tv.constant(START * 7)), lambda value: START * 7),
    Write('assign_add', lambda v: v.assign_add(START), lambda value: value + START),
    Write('assign_sub', lambda v: v.assign_sub(START), lambda value: value - START),
    Write('sliced_row', lambda v: v[1].assign([8.0, 9.0]), lambda x: _with(x, 1, [8, 9])),
    Write('sliced_part', lambda v: v[1:, 0].assign(5.0), lambda x: _with(x, np.s_[1:, 0], 5)),
    *_scatter('update', lambda old, new: new),
    *_scatter('add', np.add),
    *_scatter('sub', np.subtract),
    *_scatter('mul', np.multiply),
    *_scatter('div', np.true_divide),
    *_scatter('min', np.minimum),
    *_scatter('max', np.maximum),
    Write('update', lambda v: v.update(lambda x: x * 2.0), lambda value: value * 2),
)


def buffer_of(value: Any) -> int:
    """What names the memory of a value: its address, or the ndarray that simulates it."""
    array = value._array
    return int(array.ctypes.data) if isinstance(array, np.ndarray) else id(array._data)
