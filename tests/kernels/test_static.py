"""What the compiler makes of the kernels for each architecture, without a GPU.

No local memory, no more registers than the table allows, the instructions that the speed
depends on. Needs NVRTC; ``make kernels`` installs it.
"""

import pathlib
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar._cuda import arguments, assign_plan, nvrtc, source
from tests.support import kernel_reference
from tests.support.kernel_static import CHIPS, build, busiest_loop, check, vector_moves

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)


class Row(NamedTuple):
    """A kernel that is looked at: how it is asked for, and what it may take.

    Attributes:
        op: of the assign family.
        destination: its dtype.
        source: its dtype.
        layout: a key of ``SHAPES``.
        registers: at most, per thread.
        loads: 16-byte loads, at least.
        stores: 16-byte stores, at least.
    """

    op: str
    destination: str
    source: str
    layout: str
    registers: int
    loads: int
    stores: int


SHAPES = {
    'dense': ((1 << 20,), (1 << 20,), (16, 0)),
    'misaligned': ((1 << 20,), (1 << 20,), (16, 1)),
    'single': ((1 << 20,), (1,), (0, 0)),
    'row': ((1024, 1024), (1024,), (0, 0)),
    'odd_row': ((1024, 1023), (1023,), (0, 0)),
    'column': ((1024, 1024), (1024, 1), (0, 0)),
}
ROWS = (
    Row('assign', 'float32', 'float32', 'dense', 48, 2, 2),
    Row('assign', 'int8', 'int8', 'dense', 48, 2, 2),
    Row('assign', 'float16', 'float32', 'dense', 48, 4, 2),
    Row('assign', 'bfloat16', 'float32', 'dense', 48, 4, 2),
    Row('assign', 'float32', 'bfloat16', 'dense', 48, 2, 4),
    Row('assign', 'complex128', 'complex128', 'dense', 48, 2, 2),
    Row('assign_add', 'float32', 'float32', 'dense', 48, 4, 2),
    Row('assign_add', 'float64', 'float64', 'dense', 48, 4, 2),
    Row('assign_add', 'float16', 'float16', 'dense', 48, 4, 2),
    Row('assign_add', 'bfloat16', 'bfloat16', 'dense', 48, 4, 2),
    Row('assign_add', 'int8', 'int8', 'dense', 48, 4, 2),
    Row('assign_mul', 'complex64', 'complex64', 'dense', 48, 4, 2),
    Row('assign_sub', 'complex128', 'complex128', 'dense', 48, 4, 2),
    Row('assign_min', 'int64', 'int64', 'dense', 48, 4, 2),
    Row('assign_max', 'bool', 'bool', 'dense', 48, 4, 2),
    Row('assign_add', 'float32', 'float32', 'misaligned', 48, 2, 2),
    Row('assign_add', 'float32', 'int8', 'single', 40, 2, 2),
    Row('assign_add', 'float32', 'float32', 'row', 64, 4, 2),
    Row('assign_add', 'float16', 'float16', 'odd_row', 80, 2, 2),
    Row('assign_add', 'float32', 'float32', 'column', 48, 0, 0),
)


def choice(row: Row, chip: str) -> assign_plan.Choice:
    shape, source_shape, offsets = SHAPES[row.layout]
    operands = []
    for name, extents, offset in zip(
        (row.destination, row.source), (shape, source_shape), offsets, strict=True
    ):
        dtype = kernel_reference.dtype_named(name)
        strides = np.empty(extents, dtype).strides
        address = 1 << 20 | dtype.itemsize * offset
        operands.append(assign_plan.Operand(dtype, extents, strides, address))
    return assign_plan.choose(row.op, *operands, assign_plan.Chip(chip, 132))


@pytest.mark.parametrize('chip', CHIPS)
def test_assign(chip: str, tmp_path: pathlib.Path) -> None:
    chosen = {row: choice(row, chip).export for row in ROWS}
    built = build('assign.cu', sorted(set(chosen.values())), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for row, export in chosen.items():
        check(built, export.name, row.registers)
        loads, stores = vector_moves(built, export.name)
        assert loads >= row.loads, f'{export.name}: {loads} vector loads'
        assert stores >= row.stores, f'{export.name}: {stores} vector stores'
        if row.layout == 'dense':
            # Nothing is asked between the loads: the only jump is that back.
            loop = busiest_loop(built, export.name)
            assert loop.branches == 1, f'{export.name}: {loop}'
            assert loop.vector_loads == row.loads, f'{export.name}: {loop}'
            assert loop.ahead >= 2, f'{export.name}: {loop}'


def test_all_loads_are_on_their_way_on_hopper(tmp_path: pathlib.Path) -> None:
    chosen = [choice(row, 'sm_90a').export for row in ROWS if row.layout == 'dense']
    built = build('assign.cu', sorted(set(chosen)), 'sm_90a', tmp_path)
    for export in chosen:
        # With more, fewer threads than there can be would run at once.
        assert built.reports[export.name].registers <= 32, built.reports[export.name]
        loop = busiest_loop(built, export.name)
        of_bytes = export.name == 'assign_add_contiguous_i8_i8_i8'
        assert of_bytes or loop.ahead == loop.vector_loads, f'{export.name}: {loop}'


@pytest.mark.parametrize('chip', CHIPS)
def test_transposed_copy(chip: str, tmp_path: pathlib.Path) -> None:
    exports = [
        source.Export('transpose.cu', 'TV_COPY_TRANSPOSED', f'copy_{size}', (code,))
        for size, code in (('b1', 'tv::u8'), ('b4', 'tv::u32'), ('b16', 'uint4'))
    ]
    built = build('transpose.cu', exports, chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export in exports:
        check(built, export.name, 48)
        assert 'BAR.SYNC' in built.instructions[export.name]


def test_strides_by_value_take_no_local_memory(tmp_path: pathlib.Path) -> None:
    names = ('float32', 'float16', 'complex128')
    exports = [
        choice(Row('assign_add', name, name, 'column', 0, 0, 0), 'sm_90a').export for name in names
    ]
    built = build('assign.cu', exports, 'sm_90a', tmp_path)
    for export in exports:
        check(built, export.name, 56)


def test_the_compiler_knows_the_chips() -> None:
    known = nvrtc.compiler().architectures()
    assert {int(chip.strip('sm_a')) for chip in CHIPS} <= set(known)


def test_parameters_fill_what_a_chip_takes(tmp_path: pathlib.Path) -> None:
    words = arguments.MAX_BYTES // 4
    text = (
        f'struct Many {{ unsigned word[{words}]; }};\n'
        'extern "C" __global__ void many(const __grid_constant__ Many m, unsigned* r, int i)\n'
        '{ *r = m.word[i]; }\n'
    )
    smaller = text.replace(str(words), str(words - 4))
    for chip in CHIPS:
        assert nvrtc.compiler().compile(smaller, chip).cubin
