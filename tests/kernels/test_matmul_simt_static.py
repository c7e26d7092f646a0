"""What the compiler makes of the general products for each chip, without a GPU."""

import pathlib
import re
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar._cuda import (
    gemv,
    matmul_problem,
    matmul_simt,
    matmul_types,
    nvrtc,
    simt_tiles,
    source,
    splitk_reduce,
)
from tests.support import kernel_reference, kernel_static, matmul_cases

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)

REGISTERS = 65_536
FMA = {'float32': r'FFMA2?', 'float16': r'FFMA2?', 'float64': 'DFMA', 'int8': 'IMAD'}


class Row(NamedTuple):
    """A product that is looked at.

    Attributes:
        dtype: of the factors and the results.
        layout: of both factors.
        tile: number of the tile.
        pitch: elements that rows are longer than a multiple of 16 bytes.
        activation: of the results.
    """

    dtype: str
    layout: str
    tile: int = 0
    pitch: int = 0
    activation: matmul_problem.Activation = 'none'


ROWS = (
    Row('float32', 'nn'),
    Row('float32', 'tn', pitch=1),
    Row('float32', 'nt', tile=1, activation='gelu'),
    Row('float64', 'nn'),
    Row('complex128', 'nn'),
    Row('float16', 'nn'),
    Row('int8', 'nt', tile=4),
)


def problem(row: Row, m: int = 4096, n: int = 4096) -> matmul_problem.Problem:
    dtype = kernel_reference.dtype_named(row.dtype)
    a, b = (matmul_problem.Matrices(0, 4096 + row.pitch, 0, each == 't') for each in row.layout)
    c = matmul_problem.Matrices(0, 4096)
    return matmul_problem.Problem(1, m, n, 4096, a, b, c, dtype, dtype, activation=row.activation)


def asked_for(row: Row, chip: str) -> source.Export:
    recorder = matmul_cases.Recorder(chip, 132)
    case = matmul_cases.Case((1, 1, 1), tile=row.tile)
    kernels = matmul_cases.simt(recorder, case)
    assert kernels.supports(problem(row))
    kernels.multiply(problem(row))
    [export] = recorder.exports
    return export


def most_registers(export: source.Export) -> int:
    """What the blocks that are to fit on a multiprocessor leave to each thread."""
    resident = int(export.arguments[4])
    tile = simt_tiles.Tile(*map(int, export.arguments[5:12]), resident, 1.0)
    return min(255, REGISTERS // (resident * tile.threads))


def rows_for(chip: str) -> list[Row]:
    """The first, and two others in turn: all of them on all chips would take minutes."""
    turn = 2 * kernel_static.CHIPS.index(chip)
    others = ROWS[1:]
    return [ROWS[0], *(others[(turn + i) % len(others)] for i in range(2))]


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_matmul(chip: str, tmp_path: pathlib.Path) -> None:
    wanted = {row: asked_for(row, chip) for row in rows_for(chip)}
    built = kernel_static.build('matmul_simt.cu', sorted(set(wanted.values())), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for row, export in wanted.items():
        name = export.name
        divides = row.activation == 'gelu'
        kernel_static.check(built, name, most_registers(export), divides=divides)
        check_instructions(built, row, name)
    inner_loop_loads_ahead(built.instructions[wanted[ROWS[0]].name], chip)


def check_instructions(built: kernel_static.Built, row: Row, name: str) -> None:
    text = built.instructions[name]
    assert len(re.findall(rf'\b{FMA.get(row.dtype, "DFMA")}\b', text)) >= 256, name
    assert len(re.findall(r'\bLDS\.(?:U\.)?128\b', text)) >= 16, name
    loads, stores = kernel_static.vector_moves(built, name)
    assert stores or row.dtype in ('float16', 'int8'), name
    staged = name.endswith('staged')
    assert ('LDGSTS' in text) != staged, name
    if '_vectors_' in name and row.layout == 'nn':
        assert loads if staged else re.search(r'\bLDGSTS\.E\.(?:\w+\.)*128\b', text), name


def inner_loop_loads_ahead(text: str, chip: str) -> None:
    """Nothing but products and loads from shared memory, which are spread among them."""
    products = [each.start() for each in re.finditer(r'\bFFMA2?\b', text)]
    loop = text[products[0] : products[-1]]
    assert len(re.findall(r'\bLDS\.(?:U\.)?128\b', loop)) >= 12
    assert len(re.findall(r'\bMOV\b', loop)) <= 16
    assert not re.search(r'\b(?:BAR|MUFU|F2I|I2F)\b', loop)
    if chip == 'sm_100a':
        # It has an instruction for two products at once.
        assert not re.search(r'\bFFMA\b', text)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_every_matmul(chip: str, tmp_path: pathlib.Path) -> None:
    """No tile of any type, in any layout, spills."""
    wanted = set()
    for dtype, _ in matmul_cases.SIMT_TYPES:
        tiles = simt_tiles.BY_ITEMSIZE[
            matmul_types.sum_type(kernel_reference.dtype_named(dtype)).itemsize
        ]
        for tile in range(len(tiles)):
            for layout in matmul_cases.LAYOUTS:
                for pitch in (0, 1):
                    wanted.add(asked_for(Row(dtype, layout, tile, pitch), chip))
    built = kernel_static.build('matmul_simt.cu', sorted(wanted), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export in wanted:
        kernel_static.check(built, export.name, most_registers(export))


def thin_exports(dtypes: tuple[str, ...]) -> list[source.Export]:
    """Kernels for 1 and for 8 rows, B lying either way."""
    recorder = matmul_cases.Recorder('sm_90a', 132)
    kernels = gemv.GemvMatmul(recorder)
    for dtype in dtypes:
        for layout in ('nn', 'nt'):
            for thin in (1, 8):
                kernels.multiply(problem(Row(dtype, layout), m=thin))
    return recorder.exports


def check_thin(chip: str, dtypes: tuple[str, ...], folder: pathlib.Path) -> None:
    exports = thin_exports(dtypes)
    built = kernel_static.build('gemv.cu', sorted(set(exports)), chip, folder)
    assert nvrtc.complaints(built.log) == []
    for export in exports:
        kernel_static.check(built, export.name, 128)
        loads, _ = kernel_static.vector_moves(built, export.name)
        assert loads >= 4, f'{export.name}: {loads} vector loads'


THIN = ('float32', 'float16', 'float64')


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_gemv(chip: str, tmp_path: pathlib.Path) -> None:
    check_thin(chip, (THIN[kernel_static.CHIPS.index(chip) % len(THIN)],), tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_every_gemv(chip: str, tmp_path: pathlib.Path) -> None:
    check_thin(chip, THIN, tmp_path)


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_reduction(chip: str, tmp_path: pathlib.Path) -> None:
    names = (
        ('float32', 'float32', 'none'), ('float32', 'float16', 'gelu'),
        ('float64', 'float64', 'none'), ('complex128', 'complex128', 'none'),
    )  # fmt: skip
    exports = [
        splitk_reduce._export(np.dtype(total), np.dtype(result), activation, True)  # type: ignore[arg-type]
        for total, result, activation in names
    ]
    built = kernel_static.build('splitk_reduce.cu', exports, chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export in exports:
        kernel_static.check(built, export.name, 64, divides='gelu' in export.name)
        loads, _ = kernel_static.vector_moves(built, export.name)
        assert loads >= 2, f'{export.name}: {loads} vector loads'


def test_shared_memory_is_what_a_chip_has() -> None:
    limits = {'sm_75': 64, 'sm_80': 163, 'sm_86': 99, 'sm_90a': 227, 'sm_100a': 227, 'sm_120': 99}
    for chip, kibibytes in limits.items():
        for itemsize, tiles in simt_tiles.BY_ITEMSIZE.items():
            for tile in tiles:
                stages = 3 if chip in matmul_simt._LARGE_SHARED else 2
                assert tile.shared(stages, itemsize) <= kibibytes * 1024
