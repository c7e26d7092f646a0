"""Gathers and scatters with operands flush against forbidden pages, built with UBSan.

``python -m tests.support.rows_guard <cache folder>`` ends with 0 if all is well. A stray
access ends it by a signal, undefined behaviour by UBSan's exit, a wrong value with 1 and
the case on the standard error stream.
"""

import functools
import pathlib
import sys
from typing import Any

import numpy as np

from tensorvar._cuda import cache, host_emulation, rows
from tests.support import kernel_guard, kernel_reference, kernel_rows
from tests.support.kernel_rows import Case

_F2, _F4, _F8, _I4, _I8 = (np.dtype(name) for name in ('f2', 'f4', 'f8', 'i4', 'i8'))
_BFLOAT16 = kernel_reference.BFLOAT16
_INT32 = kernel_rows.INDEX_DTYPES[0]

CASES = (
    Case('scatter_add', _I4, 4, 5, 40, outside=True),
    Case('scatter_add', _F4, 4, 8, 40, 'all', _INT32),
    Case('scatter_sub', _F2, 6, 8, 500, outside=True),
    Case('scatter_add', _F4, 3, 1, 2500),
    Case('scatter_add', _F4, 2, 33, 1600, 'all', _INT32),
    Case('scatter_mul', _I8, 4, 3, 200, 'all'),
    Case('scatter_div', _I4, 4, 3, 40, outside=True),
    Case('scatter_update', _F4, 5, 3, 300, outside=True),
    Case('scatter_update', _F8, 5, 4, 3, 'none', _INT32),
    Case('scatter_add', _F4, 5, 4, 40, updates='row'),
    Case('scatter_add', _I8, 4, 5, 40, ordered=False, outside=True),
    Case('scatter_sub', _F4, 4, 4, 40, ordered=False, outside=True),
    Case('scatter_add', _BFLOAT16, 4, 6, 40, index=_INT32, ordered=False, outside=True),
    Case('scatter_max', _F4, 4, 3, 40, ordered=False, outside=True),
    Case('scatter_max', _F4, 9, 5, 9, 'none', ordered=False),
    Case('scatter_min', _F8, 9, 5, 9, 'none', ordered=False),
    Case('scatter_min', _F8, 4, 3, 40, ordered=False),
    Case('scatter_add', _I8, 4, 5, 40, ordered=False, updates='row'),
)
# Divided by -1, the least integer overflows.
LEAST = np.full((1, 1), np.iinfo(np.int32).min, np.int32)


def _check_scatter(target: host_emulation.HostTarget, case: Case, *, at_end: bool) -> None:
    place = functools.partial(kernel_guard.guarded, at_end=at_end)
    given = kernel_rows.operands(case, np.random.default_rng(1), any_order=True)
    expected = kernel_rows.scattered(case.op, given.table, given.indices, given.updates)

    def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        # Partial results begin where 16 divides the address.
        room = -(-shape[0] // 16) * 16 if dtype == np.uint8 else shape[0]
        return place(kernel_rows.poisoned((room, *shape[1:]), dtype))

    kernels = rows.RowKernels(target, empty)
    table, indices, updates = (place(each) for each in given[:3])
    order = None if given.order is None else place(given.order)
    error = place(np.zeros(1, np.uint64))
    kernels.scatter(case.op, table, indices, updates, error, order)
    kernel_reference.assert_same(table.copy(), expected, str(case), products=False)
    outside = (given.indices < 0) | (given.indices >= case.rows)
    assert bool(error[0]) == outside.any(), f'{case}: the errors differ'


def _check_division(target: host_emulation.HostTarget) -> None:
    table, one = LEAST.copy(), np.zeros(1, np.int64)
    kernels = rows.RowKernels(target, np.empty)
    divisor = np.full((1, 1), -1, np.int32)
    kernels.scatter('scatter_div', table, one, divisor, np.zeros(1, np.uint64), one)
    assert np.array_equal(table, LEAST), 'a division that wraps: the results differ'


def _check_gather(target: host_emulation.HostTarget, width: int, *, at_end: bool) -> None:
    place = functools.partial(kernel_guard.guarded, at_end=at_end)
    kernels = rows.RowKernels(target, np.empty)
    table = place(np.arange(4 * width, dtype=np.int16).reshape(4, width))
    numbers: Any = np.array([0, 3, -1, 3, 4, 1], np.int32)
    found = place(kernel_rows.poisoned((6, width), np.int16))
    kernels.gather(found, table, place(numbers), place(np.zeros(1, np.uint64)))
    inside = (numbers >= 0) & (numbers < 4)
    wanted = np.where(inside[:, None], table[numbers % 4], 0).astype(np.int16)
    kernel_reference.assert_same(found.copy(), wanted, f'gather {width}', products=False)
    tuples = place(np.array([[0, 1], [1, 1], [2, 0], [-1, 0], [1, 2]], np.int32))
    rows_found = place(kernel_rows.poisoned(5, np.int64))
    kernels.number_rows(rows_found, tuples, (2, 2))
    assert rows_found.tolist() == [1, 3, -1, -1, -1], 'row numbers differ'


def main(folder: str) -> int:
    """Runs the cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = host_emulation.HostTarget(kept, flags=host_emulation.SANITIZE, multiprocessors=1)
    kernel_rows.prepare(target, CASES)
    for target.order in kernel_rows.ORDERS:
        for at_end in (True, False):
            for case in CASES:
                _check_scatter(target, case, at_end=at_end)
            for width in (5, 16, 1000, 1003):
                _check_gather(target, width, at_end=at_end)
        _check_division(target)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
