"""What the compiler makes of the products on tensor cores, for each chip, without a GPU."""

import pathlib
import re
from typing import NamedTuple

import pytest

from tensorvar._cuda import matmul_mma, matmul_problem, mma_tiles, nvrtc, source
from tests.support import kernel_reference, kernel_static, matmul_cases

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)

# Bytes that a block may have.
SHARED = {
    'sm_75': 64, 'sm_80': 163, 'sm_86': 99, 'sm_89': 99, 'sm_90a': 227, 'sm_100a': 227,
    'sm_120': 99,
}  # fmt: skip
OLD = ('sm_75',)
LARGE = ('sm_80', 'sm_90a', 'sm_100a')
ALIKE = ('sm_86', 'sm_89', 'sm_120')


class Row(NamedTuple):
    """A kernel that is looked at, and what it may take.

    Attributes:
        types: of factors and results.
        layout: of both factors.
        tile: rows and columns.
        activation: of the results.
        pitch: elements that rows are longer than a multiple of 16 bytes.
        registers: at most, per thread.
        has: instructions that must be there.
        chips: that it is compiled for.
    """

    types: tuple[str, str]
    layout: str
    tile: tuple[int, int]
    activation: matmul_problem.Activation
    pitch: int
    registers: int
    has: tuple[str, ...]
    chips: tuple[str, ...]


HALF, FLOAT, DOUBLE, INT8 = r'HMMA\.16816\.F32', r'HMMA\.1688\.F32\.TF32', 'DMMA', 'IMMA'
ROWS, COLUMNS, COPY = r'LDSM\.16\.M88\.4', r'LDSM\.16\.MT88\.4', r'LDGSTS\.\S*\.128'
TABLE = (
    Row(('float16', 'float32'), 'nn', (128, 128), 'none', 0, 250,
        (HALF, ROWS, COLUMNS, COPY), LARGE + ALIKE),
    Row(('bfloat16', 'bfloat16'), 'tt', (256, 128), 'gelu', 0, 255,
        (r'HMMA\.16816\.F32\.BF16', ROWS, COLUMNS, COPY), LARGE + ALIKE),
    Row(('float16', 'float16'), 'tn', (128, 64), 'relu', 0, 168, (HALF, COLUMNS, COPY), LARGE),
    Row(('float16', 'float16'), 'nt', (64, 64), 'none', 0, 104, (HALF, ROWS, COPY), LARGE),
    Row(('float16', 'float16'), 'nn', (128, 64), 'none', 1, 208, (HALF, ROWS, COLUMNS), LARGE),
    Row(('float32', 'float32'), 'nn', (128, 128), 'none', 0, 255, (FLOAT, ROWS, 'LDS', COPY),
        LARGE + ALIKE),
    Row(('float32', 'float32'), 'tt', (64, 128), 'gelu', 1, 200, (FLOAT, ROWS, 'LDS', 'LDGSTS'),
        LARGE),
    # Small copies, which once spilled.
    Row(('float32', 'float32'), 'tn', (64, 128), 'none', 2, 208, (FLOAT, 'LDS', 'LDGSTS'), LARGE),
    Row(('int8', 'int32'), 'tt', (64, 64), 'none', 4, 120, (INT8, COLUMNS, ROWS), LARGE),
    Row(('int8', 'int32'), 'nn', (128, 128), 'none', 0, 255, (INT8, ROWS, COLUMNS, COPY), LARGE),
    Row(('float64', 'float64'), 'nt', (64, 64), 'none', 0, 168, (DOUBLE, 'LDS', COPY), LARGE),
    Row(('float16', 'float16'), 'nn', (128, 64), 'gelu', 0, 208,
        (r'HMMA\.1688\.F32', ROWS, COLUMNS, r'LDG\.E\S*\.128'), OLD),
    Row(('float16', 'float16'), 'tt', (64, 64), 'none', 1, 136,
        (r'HMMA\.1688\.F32', ROWS, COLUMNS), OLD),
    Row(('int8', 'int32'), 'nt', (128, 64), 'none', 0, 255, (INT8, ROWS), OLD),
)  # fmt: skip


def problem(row: Row) -> matmul_problem.Problem:
    dtype, result = (kernel_reference.dtype_named(name) for name in row.types)
    a, b = (matmul_problem.Matrices(0, 4096 + row.pitch, 0, each == 't') for each in row.layout)
    c = matmul_problem.Matrices(0, 4096)
    return matmul_problem.Problem(
        1, 4096, 4096, 4096, a, b, c, dtype, result, 'tf32', None, row.activation
    )


def asked_for(row: Row, chip: str) -> source.Export:
    recorder = matmul_cases.Recorder(chip)
    kernels = matmul_mma.MmaMatmul(recorder, (mma_tiles.Tile(*row.tile, 1.0),))
    assert kernels.supports(problem(row))
    kernels.prepare(problem(row), split=False)
    [export] = recorder.exports
    return export


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_kernels(chip: str, tmp_path: pathlib.Path) -> None:
    wanted = {row: asked_for(row, chip) for row in TABLE if chip in row.chips}
    built = kernel_static.build('matmul_mma.cu', sorted(set(wanted.values())), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for row, export in wanted.items():
        # What erf is made of flushes on the way to a right result.
        kernel_static.check(built, export.name, row.registers, divides=row.activation == 'gelu')
        text = built.instructions[export.name]
        for instruction in row.has:
            assert re.search(rf'\b{instruction}', text), f'{export.name} has no {instruction}'
        loads, stores = kernel_static.vector_moves(built, export.name)
        assert stores, f'{export.name}: {loads} vector loads, no vector stores'


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_shared_memory_is_what_a_chip_has(chip: str) -> None:
    for row in TABLE:
        if chip not in row.chips:
            continue
        stages = int(asked_for(row, chip).arguments[4])
        sums = 8 if row.types[0] == 'float64' else 4
        assert mma_tiles.Tile(*row.tile, 1.0).shared(stages, sums) <= SHARED[chip] * 1024


def test_fragments_of_one_mma_are_neighbours(tmp_path: pathlib.Path) -> None:
    """Nothing is moved from register to register for a product of 16-bit floats."""
    export = asked_for(TABLE[0], 'sm_80')
    built = kernel_static.build('matmul_mma.cu', [export], 'sm_80', tmp_path)
    loop = built.instructions[export.name].split('LDGDEPBAR')[-1].split('BRA')[0]
    products = len(re.findall(r'\bHMMA\b', loop))
    assert products >= 24
    assert len(re.findall(r'\bMOV\b', loop)) <= 2
