"""What the compiler makes of gather and scatter for each architecture, without a GPU."""

import pathlib
import re
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar._cuda import gather_plan, nvrtc, scatter_plan, source
from tests.support import kernel_reference
from tests.support.kernel_static import CHIPS, Built, build, check, vector_moves

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)
NEW = ('sm_90a', 'sm_100a', 'sm_120')


class Sum(NamedTuple):
    """A sum by atomic instructions.

    Attributes:
        dtype: of the table.
        piece: bytes in which its rows can be read.
        new: the instruction on chips from sm_90 on.
        old: on those before; empty where there is none.
    """

    dtype: str
    piece: int
    new: str
    old: str


SUMS = (
    Sum('float32', 16, 'F32x4', 'F32'),
    Sum('float32', 8, 'F32x2', 'F32'),
    Sum('float32', 4, 'F32', 'F32'),
    Sum('float64', 16, 'F64', 'F64'),
    Sum('float16', 16, 'F16x8', 'F16x2'),
    Sum('float16', 4, 'F16x2', 'F16x2'),
    Sum('bfloat16', 16, 'BF16x8', ''),
    Sum('bfloat16', 8, 'BF16x4', ''),
    Sum('bfloat16', 4, 'BF16x2', ''),
)


def no_compare_and_swap(built: Built, name: str) -> None:
    assert not re.search(r'\bATOMG?\b', built.instructions[name]), f'{name} waits for an answer'


@pytest.mark.parametrize('chip', CHIPS)
def test_sums_by_atomic_instructions(chip: str, tmp_path: pathlib.Path) -> None:
    expected: dict[source.Export, str] = {}
    for row in SUMS:
        dtype = kernel_reference.dtype_named(row.dtype)
        wanted = row.new if chip in NEW else row.old
        length = scatter_plan.atomic_length('scatter_sub', dtype, row.piece, chip)
        assert bool(length) == bool(wanted)
        if length:
            export = scatter_plan.atomic_export('scatter_sub', dtype, INT64, length)
            expected[export] = wanted
    built = build('scatter.cu', list(expected), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export, wanted in expected.items():
        check(built, export.name, 24)
        no_compare_and_swap(built, export.name)
        found = set(
            re.findall(r'\bREDG?\.E\.ADD\.(B?F\d+(?:x\d)?)', built.instructions[export.name])
        )
        assert found == {wanted}, export.name


@pytest.mark.parametrize('chip', CHIPS)
def test_integers_and_extremes_by_atomic_instructions(chip: str, tmp_path: pathlib.Path) -> None:
    expected = {
        ('scatter_add', 'int32'): (r'ADD\.STRONG',),
        ('scatter_sub', 'int64'): (r'ADD\.64',),
        ('scatter_max', 'int32'): (r'MAX\.S32',),
        ('scatter_min', 'uint64'): (r'MIN\.64',),
        ('scatter_max', 'float32'): (r'MAX\.S32', r'MIN\.STRONG'),
        ('scatter_min', 'float64'): (r'MIN\.S64', r'MAX\.64'),
    }
    exports = [scatter_plan.atomic_export(op, np.dtype(name), INT32, 1) for op, name in expected]
    built = build('scatter.cu', exports, chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export, instructions in zip(exports, expected.values(), strict=True):
        check(built, export.name, 32)
        no_compare_and_swap(built, export.name)
        for each in instructions:
            pattern = rf'\bREDG?\.E\.{each}'
            assert re.search(pattern, built.instructions[export.name]), f'{export.name}: {each}'


# Op, dtype, and registers at most. The others say the same again.
FOLDS = (
    ('scatter_add', 'float32', 80),
    ('scatter_add', 'bfloat16', 80),
    ('scatter_min', 'float64', 80),
    ('scatter_div', 'complex64', 80),
)
MORE_FOLDS = (
    ('scatter_sub', 'float64', 80),
    ('scatter_mul', 'float16', 80),
    ('scatter_add', 'int8', 120),
    ('scatter_sub', 'bool', 120),
    ('scatter_max', 'bfloat16', 80),
    ('scatter_mul', 'complex128', 80),
    ('scatter_div', 'float32', 80),
    ('scatter_div', 'float16', 80),
    ('scatter_div', 'int8', 120),
    ('scatter_div', 'int64', 80),
    ('scatter_div', 'complex128', 80),
)


@pytest.mark.parametrize('folds', [FOLDS, pytest.param(MORE_FOLDS, marks=pytest.mark.soak)])
@pytest.mark.parametrize('chip', CHIPS)
def test_sorted_order(
    chip: str, folds: tuple[tuple[str, str, int], ...], tmp_path: pathlib.Path
) -> None:
    lasts = [scatter_plan.last_export(piece, INT64) for piece in (16, 1)]
    limits = dict.fromkeys(lasts, 32)
    joins, vectors = [], [lasts[0]]
    for op, name, registers in folds:
        dtype = kernel_reference.dtype_named(name)
        length = scatter_plan.fold_length(dtype, 16)
        vectors.append(scatter_plan.fold_export(op, dtype, INT64, length))
        limits[vectors[-1]] = registers
        limits[scatter_plan.fold_export(op, dtype, INT32, 1)] = registers
        if scatter_plan.is_cut(op, dtype):
            joins.append(scatter_plan.join_export(op, dtype, INT64))
            limits[joins[-1]] = 80
    built = build('scatter_sorted.cu', list(limits), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export, registers in limits.items():
        check(built, export.name, registers, divides='div' in export.name)
    for export in vectors:
        loads, stores = vector_moves(built, export.name)
        assert min(loads, stores) >= 1, export.name
    for export in joins:
        assert 'BAR.SYNC' in built.instructions[export.name]


@pytest.mark.parametrize('chip', CHIPS)
def test_gather(chip: str, tmp_path: pathlib.Path) -> None:
    vectors = [gather_plan.rows_export(16, INT64), gather_plan.wide_export(16, INT32)]
    pieces = [gather_plan.rows_export(1, INT32), gather_plan.wide_export(4, INT64)]
    numbers = gather_plan.numbers_export(INT32)
    built = build('gather.cu', [*vectors, *pieces, numbers], chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export in (*vectors, *pieces, numbers):
        check(built, export.name, 48)
    narrow, wide = (vector_moves(built, export.name) for export in vectors)
    assert min(narrow) >= 1
    # All that a lane loads is on its way before the first piece is stored.
    assert min(wide) >= 4
    text = built.instructions[vectors[1].name]
    assert 'SHFL' in text
    assert text.rindex('LDG.E.128') < text.index('STG.E.128')
