"""Cases of products on tensor cores: chosen so that every pair of settings occurs, or drawn.

Whatever lies between the rows of a factor is NaN, and what lies between and around the
results is looked at afterwards, so reading and writing beside a matrix shows.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import host_emulation, matmul_mma, matmul_problem, mma_tiles, source
from tests.support import kernel_cases, kernel_reference, matmul_cases, pairwise
from tests.support.matmul_cases import Operands

SIZES = (
    (1, 1, 1), (3, 5, 7), (17, 33, 65), (127, 129, 131), (128, 128, 64), (200, 136, 200),
    (1, 300, 77), (300, 1, 77), (33, 40, 0), (0, 5, 7), (20, 24, 1100),
)  # fmt: skip
# Factors, results, and the relative error that is allowed: that of rounding the results.
TYPES = (
    ('float16', 'float32', 1e-6),
    ('float16', 'float16', 5e-4),
    ('bfloat16', 'float32', 1e-6),
    ('bfloat16', 'bfloat16', 4e-3),
    ('float32', 'float32', 1e-6),
    ('float64', 'float64', 1e-14),
    ('int8', 'int32', 0.0),
)
# Against factors that were not rounded to tf32.
TF32_TOLERANCE = 1e-3
TILES = ((64, 64), (128, 64), (64, 128), (128, 128), (256, 128), (128, 256))
EPILOGUES = ('none', 'bias', 'relu', 'gelu', 'bias relu', 'bias gelu')
# The distance between rows: as small as can be, or the next multiple of some bytes.
PITCHES = ('dense', 'odd', '4 bytes', '8 bytes', '16 bytes')


class Case(NamedTuple):
    """One case.

    Attributes:
        size: m, n and k.
        types: of ``TYPES``.
        layout: of both factors, ``'t'`` where it is stored transposed.
        tile: rows and columns of the results that a block has.
        batch: one of ``matmul_cases.BATCHES``.
        epilogue: one of ``EPILOGUES``.
        pitch: one of ``PITCHES``.
        offset: elements that the addresses are past a multiple of 64 bytes.
        split: whether there is a workspace.
    """

    size: tuple[int, int, int]
    types: tuple[str, str, float]
    layout: str
    tile: tuple[int, int]
    batch: str
    epilogue: str
    pitch: str
    offset: int
    split: bool

    @property
    def activation(self) -> matmul_problem.Activation:
        for name in ('relu', 'gelu'):
            if name in self.epilogue:
                return name
        return 'none'

    def is_allowed(self) -> bool:
        """Whether there is such a kernel."""
        if self.types[0] == 'int8' and self.activation != 'none':
            return False
        return self.types[0] != 'float64' or self.tile == (64, 64)


_SETTINGS: tuple[Sequence[Any], ...] = (
    SIZES, TYPES, matmul_cases.LAYOUTS, TILES, matmul_cases.BATCHES, EPILOGUES, PITCHES,
    matmul_cases.OFFSETS, (False, True),
)  # fmt: skip


def draw(generator: np.random.Generator, *, any_size: bool = False) -> Case:
    """An allowed case."""
    while True:
        case = Case(*(each[generator.integers(len(each))] for each in _SETTINGS))
        if any_size:
            m, n, k = (int(extent) for extent in generator.integers(1, 150, 3))
            case = case._replace(size=(m, n, k * 8 if generator.random() < 0.1 else k))
        if case.is_allowed():
            return case


def pairwise_cases(seed: int) -> list[Case]:
    """Cases in which every pair of settings occurs that is allowed at all."""
    generator = np.random.default_rng(seed)
    pool = [draw(generator) for _ in range(4000)]
    return pairwise.cover(pool, generator)


def operands(
    case: Case,
    generator: np.random.Generator,
    place: matmul_cases.Place = matmul_cases.surrounded,
) -> Operands:
    """Makes the arrays of a case; see ``matmul_cases``."""
    made = matmul_cases.operands(case, generator, place)
    return made._replace(problem=made.problem._replace(precision='tf32'))


def wrapper(
    target: host_emulation.HostTarget | kernel_cases.Recorder, case: Case
) -> matmul_mma.MmaMatmul:
    """The wrapper with the tile of the case alone, so that none is chosen.

    It is said to be slow, so that sums are split where they can be.
    """
    return matmul_mma.MmaMatmul(target, (mma_tiles.Tile(*case.tile, 0.01),))


def exports_of(cases: Sequence[Case], chip: str = 'host') -> list[source.Export]:
    """The kernels that cases need, found without building any."""
    recorder = matmul_cases.Recorder(chip)
    generator = np.random.default_rng(0)
    for case in cases:
        made = operands(case, generator)
        scratch = 16 if case.split else 0
        wrapper(recorder, case).multiply(made.problem, scratch)
    return recorder.exports


def run(kernels: matmul_mma.MmaMatmul, case: Case, generator: np.random.Generator) -> np.ndarray:
    """Runs a case, compares it with NumPy and gives the results."""
    made = operands(case, generator)
    matmul_cases.multiply(kernels, case, made)
    check(case, made)
    return made.c.stored


def check(case: Case, made: Operands) -> None:
    """Asserts that results are those of exact arithmetic with the factors that are multiplied."""
    a, b = made.a.values, made.b.values
    if case.types[0] == 'float32':
        matmul_cases.compare(case, made, matmul_cases.exact(case, made, a, b), TF32_TOLERANCE)
        a, b = kernel_reference.tf32(a), kernel_reference.tf32(b)
    matmul_cases.compare(case, made, matmul_cases.exact(case, made, a, b), case.types[2])
