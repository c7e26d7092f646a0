"""Tables of scatters: every op and dtype, in sorted order, by instructions and in bulk."""

import itertools

import numpy as np

from tensorvar._cuda import scatter_plan
from tests.support import kernel_reference, kernel_rows
from tests.support.kernel_rows import DUPLICATES, INDEX_DTYPES, OPS, Case

SUMS = ('scatter_add', 'scatter_sub')
# Rows that are read in vectors, and rows that are not.
WIDTHS = ((16, 32, 48), (1, 3, 17))


def _sorted_cases() -> list[Case]:
    cases = []
    for which, op in enumerate(OPS):
        for number, dtype in enumerate(kernel_rows.allowed(op)):
            index = INDEX_DTYPES[number // 2 % 2]
            for kind, width in zip(DUPLICATES, WIDTHS[(which + number) % 2], strict=True):
                cases.append(Case(op, dtype, 50, width, 40, kind, index, outside=kind == 'few'))
    return cases


def _atomic_cases() -> list[Case]:
    cases = []
    for op in OPS:
        for number, dtype in enumerate(kernel_rows.allowed(op)):
            if not scatter_plan.has_atomic(op, dtype, 'host'):
                continue
            index = INDEX_DTYPES[number % 2]
            for kind, width in itertools.product(DUPLICATES, (2, 16)):
                cases.append(
                    Case(op, dtype, 50, width, 40, kind, index, False, outside=kind == 'few')
                )
    return cases


def _sizes() -> list[Case]:
    float16, float32, int8 = (np.dtype(name) for name in ('f2', 'f4', 'i1'))
    cases = []
    for height, width in itertools.product((1, 7, 1000, 100_000), (1, 3, 64, 128, 1000)):
        dtype = int8 if height * width > 1_000_000 else float32
        for kind in DUPLICATES:
            count = min(200 if width < 1000 else 70, height if kind == 'none' else 200)
            for ordered in (True,) if dtype == int8 else (True, False):
                cases.append(
                    Case('scatter_add', dtype, height, width, count, kind, ordered=ordered)
                )
    cases += [
        Case('scatter_update', float16, height, width, 150, 'few')
        for height, width in itertools.product((1, 7, 1000), (1, 3, 64, 128, 1000))
    ]
    return cases


def _in_pieces() -> list[Case]:
    cases = []
    for op, name in (
        ('scatter_add', 'f4'), ('scatter_sub', 'f8'), ('scatter_add', 'f2'),
        ('scatter_sub', 'bf'), ('scatter_add', 'c8'), ('scatter_add', '?'),
        ('scatter_sub', '?'), ('scatter_min', 'f4'), ('scatter_max', 'i2'),
        ('scatter_mul', 'i4'), ('scatter_add', 'i1'), ('scatter_mul', 'f4'),
        ('scatter_div', 'i4'), ('scatter_update', 'f4'),
    ):  # fmt: skip
        dtype = kernel_reference.BFLOAT16 if name == 'bf' else np.dtype(name)
        widths = (16, 1) if op in SUMS and dtype.itemsize == 4 else (3,)
        cases += [Case(op, dtype, 9, width, 3000, outside=True) for width in widths]
    return cases


def _at_addresses() -> list[Case]:
    return [
        Case('scatter_add', np.dtype(name), 20, width, 50, ordered=ordered, offset=offset)
        for name, width in (('float32', 8), ('float16', 16), ('complex64', 4))
        for offset in range(0, 8, 2 if name == 'float16' else 1)
        for ordered in (True, False)
    ]


SORTED, ATOMIC, SIZES, PIECES = _sorted_cases(), _atomic_cases(), _sizes(), _in_pieces()
ADDRESSES = _at_addresses()
SHARED = [
    case._replace(updates=updates)
    for case in (SORTED + ATOMIC)[::9]
    for updates in ('row', 'value')
]

BULK_FLOATS = (np.dtype('f2'), kernel_reference.BFLOAT16, np.dtype('f4'), np.dtype('f8'))
BULK = [
    Case(op, dtype, 30, width, 77, kind, index, ordered=False, outside=kind == 'few')
    for (op, index), dtype in itertools.product(
        zip(('scatter_add', 'scatter_sub'), INDEX_DTYPES, strict=True), BULK_FLOATS
    )
    for width in (8, 64, 136, 1032)
    for kind in ('few', 'all')
]
BULK += [case._replace(updates='row') for case in BULK[::7]]
BULK.append(Case('scatter_add', np.dtype('c8'), 30, 6, 77, ordered=False))
