"""What the compiler makes of kernels for each architecture, without a GPU."""

import pathlib
import re
import shutil
import subprocess
import sysconfig
from typing import NamedTuple

import pytest

from tensorvar._cuda import nvrtc, source

CHIPS = ('sm_75', 'sm_80', 'sm_86', 'sm_89', 'sm_90a', 'sm_100a', 'sm_120')
SHARED_BYTES = 48 * 1024


def disassembler() -> str | None:
    wheel = pathlib.Path(sysconfig.get_path('purelib'), 'nvidia', 'cu13', 'bin', 'nvdisasm')
    return str(wheel) if wheel.is_file() else shutil.which('nvdisasm')


class Built(NamedTuple):
    """Kernels of one chip: their reports and their instructions, by name."""

    log: str
    reports: dict[str, nvrtc.Report]
    instructions: dict[str, str]


def build(file: str, exports: list[source.Export], chip: str, folder: pathlib.Path) -> Built:
    text = source.render(file, exports)
    compiled = nvrtc.compiler().compile(text, chip, name=file)
    reports = {report.name: report for report in nvrtc.reports(compiled.log)}
    assert set(reports) == {export.name for export in exports}
    tool = disassembler()
    if tool is None:
        pytest.skip('nvdisasm is not installed; see: make kernels')
    cubin = folder / f'{file}.{chip}.cubin'
    cubin.write_bytes(compiled.cubin)
    listing = subprocess.run([tool, cubin], capture_output=True, text=True, check=True).stdout
    parts = re.split(r'^\s*\.section\s+\.text\.([^\s,]+),.*$', listing, flags=re.MULTILINE)
    instructions = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert set(instructions) == set(reports)
    return Built(compiled.log, reports, instructions)


class Loop(NamedTuple):
    """A loop of a kernel.

    Attributes:
        vector_loads: loads of 16 bytes.
        ahead: those before the first instruction that reads what one of them has loaded.
        branches: jumps, the one back among them.
    """

    vector_loads: int
    ahead: int
    branches: int


_INSTRUCTION = re.compile(r'^\s*(?:(\.L_x_\d+):|/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\d\s+)?(.*?)\s*;)')
_BACK = re.compile(r'\bBRA\b.*\((\.L_x_\d+)\)')
_VECTOR_LOAD = re.compile(r'LDG\.E\S*\.128\S*\s+R(\d+),(.*)')
_REGISTER = re.compile(r'\bR(\d+)\b')


def busiest_loop(built: Built, name: str) -> Loop:
    """The loop of a kernel with the most vector loads, as short as it is."""
    places: dict[str, int] = {}
    instructions: list[str] = []
    bodies: list[list[str]] = []
    for line in built.instructions[name].splitlines():
        found = _INSTRUCTION.match(line)
        if found is None:
            continue
        if found[1]:
            places[found[1]] = len(instructions)
            continue
        instructions.append(found[2])
        back = _BACK.search(found[2])
        if back and back[1] in places:
            bodies.append(instructions[places[back[1]] :])
    return max(map(_loop, bodies), key=lambda loop: (loop.vector_loads, -loop.branches))


def _loop(body: list[str]) -> Loop:
    loaded: set[int] = set()
    loads = ahead = 0
    used = False
    for text in body:
        vector = _VECTOR_LOAD.match(text)
        read = vector[2] if vector else text
        used |= any(int(number) in loaded for number in _REGISTER.findall(read))
        if vector:
            loads += 1
            ahead += not used
            first = int(vector[1])
            loaded.update(range(first, first + 4))
    return Loop(loads, ahead, sum('BRA' in text for text in body))


def vector_moves(built: Built, name: str) -> tuple[int, int]:
    """How many loads and stores of 16 bytes a kernel has."""
    text = built.instructions[name]
    loads, stores = (
        len(re.findall(rf'\b{kind}\.E(?:\.\w+)*?\.128\b', text)) for kind in ('LDG', 'STG')
    )
    return loads, stores


def check(built: Built, name: str, registers: int, *, divides: bool = False) -> None:
    """Asserts that a kernel keeps to its registers, flushes no denormals, and waits for nobody.

    Args:
        built: the kernels of a chip.
        name: of the kernel.
        registers: at most, per thread.
        divides: whether it divides or takes roots, which flushes on the way to a right result.
    """
    report = built.reports[name]
    assert report.stack == report.spill_stores == report.spill_loads == 0, report
    assert report.registers <= registers, report
    assert report.shared <= SHARED_BYTES, report
    assert not re.search(r'\b(?:STL|LDL)\b', built.instructions[name]), f'{name}: local memory'
    flushed = re.search(r'\bF(?:ADD|MUL|FMA)\.FTZ', built.instructions[name])
    assert divides or not flushed, f'{name}: denormals are flushed'
    # One in a loop would cost more than the rest of it. No kernel hands data to another block.
    waits = re.search(r'\bMEMBAR\.\w+\.(?:GPU|SYS)\b', built.instructions[name])
    assert not waits, f'{name}: a fence for the whole card'
