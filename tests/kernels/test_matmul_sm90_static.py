"""What the compiler makes of kernels/matmul_sm90.cu for Hopper, without a GPU."""

import pathlib
import re

import pytest

from tensorvar._cuda import nvrtc, sm90_tiles, source
from tests.support import kernel_static, sm90_cases
from tests.support.sm90_cases import Kind

CHIP = 'sm_90a'
Tile = sm90_tiles.Tile
# What three warpgroups have at entry; two may have all.
REGISTERS = {128: 168, 64: 255}
KINDS = (
    Kind('bfloat16', 'bfloat16', 'nn', Tile(128, 256, 2)),
    Kind('bfloat16', 'float32', 'tt', Tile(128, 256)),
    Kind('float16', 'float16', 'tn', Tile(128, 128, 2), 'relu'),
    Kind('float16', 'float16', 'nt', Tile(64, 64)),
    Kind('bfloat16', 'bfloat16', 'nt', Tile(128, 192)),
    Kind('float32', 'float32', 'nn', Tile(128, 256, 2)),
    Kind('float32', 'float32', 'tn', Tile(64, 256)),
)

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)


def count(text: str, mnemonic: str) -> int:
    return len(re.findall(rf'\b{mnemonic}\b', text))


def look_at(kinds: tuple[Kind, ...], folder: pathlib.Path) -> None:
    names = {kind: sm90_cases.exports_of([kind])[0] for kind in kinds}
    built = kernel_static.build('matmul_sm90.cu', list(names.values()), CHIP, folder)
    # C7508: setmaxnreg is ignored; C7510 and C7517: products wait for each other.
    assert nvrtc.complaints(built.log) == []
    for kind, export in names.items():
        kernel_static.check(built, export.name, REGISTERS[kind.tile.rows])
        check_instructions(kind, built.instructions[export.name])
        if kind.tile.rows == 128:
            assert built.reports[export.name].registers == REGISTERS[128]


def check_instructions(kind: Kind, text: str) -> None:
    tile = kind.tile
    # One slab of 128 bytes is four products, in one loop that is not copied.
    assert count(text, 'HGMMA') == 4
    width = f'64x{tile.columns}x{8 if kind.dtype == "float32" else 16}'
    assert count(text, rf'HGMMA\.{width}\.F32(?:\.\w+)?') == 4
    across = 0 if kind.dtype == 'float32' or kind.layout[1] == 't' else 1
    share = tile.columns // tile.cluster // 64 if across else 1
    box = 32 if kind.dtype == 'float32' else 64
    of_a = tile.rows // box if kind.layout[0] == 't' else 1
    assert count(text, r'UTMALDG\.3D') == of_a + share
    assert count(text, r'UTMALDG\.3D\.MULTICAST') == (share if tile.cluster > 1 else 0)
    assert count(text, r'USETMAXREG\.\w+\.CTAPOOL') == (2 if tile.rows == 128 else 0)
    piece = 32 if kind.result == 'float32' else 64
    assert count(text, 'UTMASTG') == tile.columns // piece
    staged = 0 if kind.result == 'float32' else tile.columns // 16
    assert count(text, 'STSM') == staged
    assert count(text, 'UCGABAR_ARV') == (1 if tile.cluster > 1 else 0)


def test_kernels(tmp_path: pathlib.Path) -> None:
    look_at(KINDS, tmp_path)


def test_gelu_takes_no_local_memory(tmp_path: pathlib.Path) -> None:
    kind = Kind('bfloat16', 'bfloat16', 'nn', Tile(128, 256), 'gelu')
    [export] = sm90_cases.exports_of([kind])
    built = kernel_static.build('matmul_sm90.cu', [export], CHIP, tmp_path)
    assert nvrtc.complaints(built.log) == []
    kernel_static.check(built, export.name, REGISTERS[128])


def test_rounding(tmp_path: pathlib.Path) -> None:
    found = [
        sm90_cases.exports_of([Kind('float32', 'float32', layout, Tile(64, 64))])[1]
        for layout in ('nn', 'nt')
    ]
    built = kernel_static.build('round_tf32.cu', found, CHIP, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export in found:
        kernel_static.check(built, export.name, 48)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_every_kernel(tmp_path: pathlib.Path) -> None:
    kinds = [
        kind
        for kind in sm90_cases.all_kinds()
        if kind.activation != 'gelu' and not (kind.dtype == 'float32' and kind.layout.endswith('t'))
    ]
    for first in range(0, len(kinds), 20):
        look_at(tuple(kinds[first : first + 20]), tmp_path)


def test_a_kernel_without_a_cap_is_told_of(tmp_path: pathlib.Path) -> None:
    """The check above would see a lost ``setmaxnreg``."""
    [export] = sm90_cases.exports_of([Kind('bfloat16', 'bfloat16', 'nn', Tile(128, 64))])
    text = source.render('matmul_sm90.cu', [export])
    assert '__launch_bounds__(threads, blocks)' in text
    text = text.replace('__launch_bounds__(threads, blocks)', '')
    compiled = nvrtc.compiler().compile(text, CHIP)
    assert any('C7508' in line for line in nvrtc.complaints(compiled.log))
