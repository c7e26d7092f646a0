"""Cases of products on tensor cores: chosen so that every pair of settings occurs, or drawn.

Whatever lies between the rows of a factor is NaN, and what lies between and around the
results is looked at afterwards, so reading and writing beside a matrix shows.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from tensorvar._cuda import host_emulation, matmul_mma, matmul_problem, mma_tiles, source
from tests.support import kernel_cases
from tests.support.kernel_reference import BFLOAT16

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
LAYOUTS = ('nn', 'nt', 'tn', 'tt')
TILES = ((64, 64), (128, 64), (64, 128), (128, 128), (256, 128), (128, 256))
BATCHES = ('one', 'several', 'shared a', 'shared b')
EPILOGUES = ('none', 'bias', 'relu', 'gelu', 'bias relu', 'bias gelu')
# The distance between rows: as small as can be, or the next multiple of some bytes.
PITCHES = ('dense', 'odd', '4 bytes', '8 bytes', '16 bytes')
OFFSETS = (0, 0, 0, 1)


class Case(NamedTuple):
    """One case.

    Attributes:
        size: m, n and k.
        types: of ``TYPES``.
        layout: of both factors, ``'t'`` where it is stored transposed.
        tile: rows and columns of the results that a block has.
        batch: one of ``BATCHES``.
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
    SIZES, TYPES, LAYOUTS, TILES, BATCHES, EPILOGUES, PITCHES, OFFSETS, (False, True),
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
    missing = {pair for case in pool for pair in _pairs(case)}
    found = []
    while missing:
        sample = [pool[i] for i in generator.integers(0, len(pool), 80)]
        best = max(sample, key=lambda case: len(missing.intersection(_pairs(case))))
        if not missing.intersection(_pairs(best)):
            best = next(case for case in pool if missing.intersection(_pairs(case)))
        missing.difference_update(_pairs(best))
        found.append(best)
    return found


def _pairs(case: Case) -> set[tuple[Any, ...]]:
    return {(i, j, case[i], case[j]) for i, j in itertools.combinations(range(len(case)), 2)}


def dtype_named(name: str) -> np.dtype[Any]:
    return BFLOAT16 if name == 'bfloat16' else np.dtype(name)


class Operand(NamedTuple):
    """Matrices of a batch as NumPy sees them, all the memory they lie in, and where."""

    values: np.ndarray
    memory: np.ndarray
    matrices: matmul_problem.Matrices


class Operands(NamedTuple):
    """What a case multiplies."""

    problem: matmul_problem.Problem
    a: Operand
    b: Operand
    c: Operand
    bias: np.ndarray | None


def operands(case: Case, generator: np.random.Generator) -> Operands:
    """Makes the arrays of a case."""
    m, n, k = case.size
    dtype, result = dtype_named(case.types[0]), dtype_named(case.types[1])
    batch = 1 if case.batch == 'one' else 2
    counts = (1 if case.batch == f'shared {name}' else batch for name in 'ab')
    a, b = (
        _factor(case, count, extents, layout == 't', dtype, generator)
        for count, extents, layout in zip(counts, ((m, k), (k, n)), case.layout, strict=True)
    )
    c = _matrices(case, batch, (m, n), result)
    bias = _values(result, (n,), generator) if 'bias' in case.epilogue else None
    problem = matmul_problem.Problem(
        batch, m, n, k, a.matrices, b.matrices, c.matrices, dtype, result, 'tf32',
        None if bias is None else bias.ctypes.data, case.activation,
    )  # fmt: skip
    return Operands(problem, a, b, c, bias)


def _factor(
    case: Case,
    count: int,
    extents: tuple[int, int],
    transposed: bool,
    dtype: np.dtype[Any],
    generator: np.random.Generator,
) -> Operand:
    stored = _matrices(case, count, extents[::-1] if transposed else extents, dtype)
    if dtype.kind != 'i':
        stored.memory.view(dtype)[...] = np.nan
    stored.values[...] = _values(dtype, stored.values.shape, generator)
    values = stored.values.swapaxes(1, 2) if transposed else stored.values
    several = stored.matrices.stride if count > 1 else 0
    return Operand(
        values, stored.memory, stored.matrices._replace(stride=several, transposed=transposed)
    )


def _values(
    dtype: np.dtype[Any], shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    if dtype.kind == 'i':
        limit = 128 if dtype.itemsize == 1 else 1 << 20
        return generator.integers(-limit, limit, shape).astype(dtype)
    return generator.uniform(-1, 1, shape).astype(dtype)


def _matrices(case: Case, count: int, extents: tuple[int, int], dtype: np.dtype[Any]) -> Operand:
    rows, columns = extents
    pitch = columns
    if case.pitch == 'odd':
        pitch += 1 + columns % 2
    elif case.pitch != 'dense':
        unit = max(1, int(case.pitch.split()[0]) // dtype.itemsize)
        pitch += -columns % unit
    pitch = max(pitch, 1)
    stride = rows * pitch
    offset = case.offset * dtype.itemsize
    memory = kernel_cases.memory_at(count * stride * dtype.itemsize, offset)
    inside = memory[64 : memory.size - 64].view(dtype)
    values = inside.reshape(count, rows, pitch)[:, :, :columns]
    address = inside.ctypes.data if inside.size else memory.ctypes.data + 64
    return Operand(values, memory, matmul_problem.Matrices(address, pitch, stride))


def wrapper(
    target: host_emulation.HostTarget | kernel_cases.Recorder, case: Case
) -> matmul_mma.MmaMatmul:
    """The wrapper with the tile of the case alone, so that none is chosen.

    It is said to be slow, so that sums are split where they can be.
    """
    return matmul_mma.MmaMatmul(target, (mma_tiles.Tile(*case.tile, 0.01),))


class Chip(kernel_cases.Recorder):
    """A chip of some kind that runs nothing."""

    def __init__(self, name: str, multiprocessors: int = 100) -> None:
        super().__init__(multiprocessors)
        self.name = name


def exports_of(cases: Sequence[Case], chip: str = 'host') -> list[source.Export]:
    """The kernels that cases need, found without building any."""
    recorder = Chip(chip, _MULTIPROCESSORS)
    generator = np.random.default_rng(0)
    for case in cases:
        made = operands(case, generator)
        scratch = 16 if case.split else 0
        wrapper(recorder, case).multiply(made.problem, scratch)
    return recorder.exports


_MULTIPROCESSORS = 16
"""Many for an emulation, so that products are split."""


def target(*arguments: Any, **options: Any) -> host_emulation.HostTarget:
    """An emulated device with room for splits."""
    return host_emulation.HostTarget(*arguments, multiprocessors=_MULTIPROCESSORS, **options)


def run(kernels: matmul_mma.MmaMatmul, case: Case, generator: np.random.Generator) -> np.ndarray:
    """Runs a case, compares it with NumPy and gives the results."""
    made = operands(case, generator)
    assert kernels.supports(made.problem), case
    scratch = _workspace(kernels.workspace(made.problem)) if case.split else None
    before = made.c.memory.copy()
    kernels.multiply(made.problem, scratch.ctypes.data if scratch is not None else 0)
    actual = made.c.values.copy()
    check(case, actual, made)
    made.c.values[...] = 0
    _like(made.c, before)[...] = 0
    assert np.array_equal(made.c.memory, before), f'{case}: it wrote beside the results'
    return actual


def _like(operand: Operand, memory: np.ndarray) -> np.ndarray:
    """The values of an operand in a copy of its memory."""
    start = operand.matrices.address - operand.memory.ctypes.data
    values = operand.values
    return np.ndarray(values.shape, values.dtype, memory, start, values.strides)


def _workspace(nbytes: int) -> np.ndarray | None:
    if not nbytes:
        return None
    memory = np.full(nbytes + 16, 0xCD, np.uint8)
    start = -memory.ctypes.data % 16
    return memory[start : start + nbytes]


def check(case: Case, actual: np.ndarray, made: Operands) -> None:
    """Asserts that results are those of float64."""
    tolerance = case.types[2]
    if case.types[0] == 'float32':
        _compare(case, actual, _expected(case, made.a.values, made.b.values, made), TF32_TOLERANCE)
        rounded = (tf32(made.a.values), tf32(made.b.values))
        _compare(case, actual, _expected(case, *rounded, made), tolerance)
    else:
        _compare(case, actual, _expected(case, made.a.values, made.b.values, made), tolerance)


def _expected(case: Case, a: np.ndarray, b: np.ndarray, made: Operands) -> np.ndarray:
    wide = np.int64 if made.problem.dtype.kind == 'i' else np.float64
    # Not by BLAS, whose threads wait for each other where there are few cores.
    total = np.einsum('bmk,bkn->bmn', a.astype(wide), b.astype(wide))
    if made.bias is not None:
        total = total + made.bias.astype(wide)
    if case.activation == 'relu':
        return np.maximum(total, 0)
    if case.activation == 'gelu':
        return np.asarray(0.5 * total * (1 + special.erf(total / np.sqrt(2))))
    return total


def _compare(case: Case, actual: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    wrong, size = (
        np.sqrt(np.square(each, dtype=np.float64).sum())
        for each in (actual.astype(expected.dtype) - expected, expected)
    )
    assert wrong <= tolerance * size, f'{case}: relative error {wrong / max(size, 1e-300):.2e}'


def tf32(values: np.ndarray) -> np.ndarray:
    """Rounded to 10 bits of mantissa, halves away from zero."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)
