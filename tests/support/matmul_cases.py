"""Cases of products of every type: chosen so that every pair of settings occurs, or drawn.

Whatever lies between the rows of a factor is NaN or a large number, and what lies between
and around the results is looked at afterwards, so reading and writing beside a matrix shows.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from tensorvar._cuda import gemv, host_emulation, matmul_problem, matmul_simt, simt_tiles, source
from tests.support import kernel_cases, kernel_reference, pairwise

SIZES = (
    (1, 1, 1), (3, 5, 7), (17, 33, 65), (127, 129, 131), (128, 128, 64), (200, 136, 200),
    (1, 300, 77), (300, 1, 77), (33, 40, 0), (0, 5, 7), (20, 24, 700),
)  # fmt: skip
THIN_SIZES = (
    (1, 1, 1), (3, 500, 7), (1, 300, 77), (300, 1, 77), (2, 128, 512), (130, 4, 64),
    (8, 136, 200), (136, 7, 4100), (5, 40, 0), (0, 5, 7), (4, 3, 9000), (1, 16, 4352),
)  # fmt: skip
# Factors and results.
SIMT_TYPES = (
    ('float32', 'float32'), ('float64', 'float64'), ('float16', 'float16'),
    ('bfloat16', 'bfloat16'), ('float16', 'float32'), ('int8', 'int8'), ('int8', 'int32'),
    ('uint16', 'uint16'), ('int32', 'int32'), ('uint64', 'uint64'), ('complex64', 'complex64'),
    ('complex128', 'complex128'),
)  # fmt: skip
THIN_TYPES = (
    ('float32', 'float32'), ('float64', 'float64'), ('float16', 'float16'),
    ('bfloat16', 'bfloat16'), ('bfloat16', 'float32'),
)  # fmt: skip
# Relative, against float64.
TOLERANCES = {
    'float16': 2e-3, 'bfloat16': 1e-2, 'float32': 1e-5, 'complex64': 1e-5, 'float64': 1e-13,
    'complex128': 1e-13,
}  # fmt: skip
# That of float32, as in the op.
GELU_ROOT = float(np.float32(np.sqrt(0.5)))
LAYOUTS = ('nn', 'nt', 'tn', 'tt')
BATCHES = ('one', 'several', 'shared a', 'shared b')
EPILOGUES = ('none', 'bias', 'relu', 'bias gelu')
# The distance between rows: as small as can be, more, or a multiple of 16 bytes.
PITCHES = ('dense', 'odd', '16 bytes')
OFFSETS = (0, 0, 0, 1)
# Copies beside the arithmetic in three stages and in two, and through registers.
CHIPS = ('host', 'sm_86', 'sm_75')
# Types and chip, layout and chip, layout and tile, chip and tile: what makes a kernel.
KERNELS = ((1, 8), (2, 8), (2, 9), (8, 9))
MOST_TILES = max(map(len, simt_tiles.BY_ITEMSIZE.values()))


class Case(NamedTuple):
    """One case.

    Attributes:
        size: m, n and k.
        types: dtypes of the factors and of the results.
        layout: of both factors, ``'t'`` where it is stored transposed.
        batch: one of ``BATCHES``.
        epilogue: one of ``EPILOGUES``.
        pitch: one of ``PITCHES``.
        offset: elements that the addresses are past a multiple of 64 bytes.
        split: whether there is a workspace.
        chip: whose kernels are used.
        tile: number of the tile.
    """

    size: tuple[int, int, int]
    types: tuple[str, str] = ('float32', 'float32')
    layout: str = 'nn'
    batch: str = 'one'
    epilogue: str = 'none'
    pitch: str = 'dense'
    offset: int = 0
    split: bool = False
    chip: str = 'host'
    tile: int = 0

    @property
    def activation(self) -> matmul_problem.Activation:
        for name in ('relu', 'gelu'):
            if name in self.epilogue:
                return name
        return 'none'

    def is_allowed(self) -> bool:
        """Whether there is such a kernel."""
        return self.activation == 'none' or 'float' in self.types[0]


_COMMON: tuple[Sequence[Any], ...] = (
    LAYOUTS, BATCHES, EPILOGUES, PITCHES, OFFSETS, (False, True),
)  # fmt: skip
SIMT: tuple[Sequence[Any], ...] = (SIZES, SIMT_TYPES, *_COMMON, CHIPS, range(MOST_TILES))
THIN: tuple[Sequence[Any], ...] = (THIN_SIZES, THIN_TYPES, *_COMMON)


def draw(
    settings: Sequence[Sequence[Any]],
    generator: np.random.Generator,
    size: Callable[[np.random.Generator], tuple[int, int, int]] | None = None,
) -> Case:
    """An allowed case."""
    while True:
        case = Case(*(each[generator.integers(len(each))] for each in settings))
        if size is not None:
            case = case._replace(size=size(generator))
        if case.is_allowed():
            return case


def pairwise_cases(
    settings: Sequence[Sequence[Any]], seed: int, fields: pairwise.Pairs | None = None
) -> list[Case]:
    """Cases in which every pair of settings occurs that is allowed at all.

    Args:
        settings: what to draw from.
        seed: of the draw.
        fields: pairs of positions in a case that matter; all for None.
    """
    generator = np.random.default_rng(seed)
    pool = [draw(settings, generator) for _ in range(4000)]
    return pairwise.cover(pool, generator, fields)


class Operand(NamedTuple):
    """Matrices of a batch as they are stored, all the memory they lie in, and where."""

    stored: np.ndarray
    memory: np.ndarray
    matrices: matmul_problem.Matrices

    @property
    def values(self) -> np.ndarray:
        """The matrices that are multiplied."""
        return self.stored.swapaxes(1, 2) if self.matrices.transposed else self.stored


class Operands(NamedTuple):
    """What a case multiplies."""

    problem: matmul_problem.Problem
    a: Operand
    b: Operand
    c: Operand
    bias: np.ndarray | None


Place = Callable[[int, int], tuple[np.ndarray, int]]
"""Gives memory for so many bytes, so far past a multiple of 64, and where they begin."""


_MARGIN = 4096


def surrounded(nbytes: int, offset: int) -> tuple[np.ndarray, int]:
    """Room enough around for a planted bug to do no harm."""
    memory = np.full(nbytes + 2 * _MARGIN + 64, 0xCD, np.uint8)
    return memory, _MARGIN + -memory.ctypes.data % 64 + offset


def operands(case: Any, generator: np.random.Generator, place: Place = surrounded) -> Operands:
    """Makes the arrays of a case, which is one of this module or of ``mma_cases``."""
    m, n, k = case.size
    dtype, result = map(kernel_reference.dtype_named, case.types[:2])
    batch = 1 if case.batch == 'one' else 2
    factors = []
    for name, extents, layout in zip('ab', ((m, k), (k, n)), case.layout, strict=True):
        count = 1 if case.batch == f'shared {name}' else batch
        turned = layout == 't'
        made = _matrices(case, count, extents[::-1] if turned else extents, dtype, place)
        if dtype.kind not in 'iu':
            made.memory[: made.memory.size // 16 * 16].view(np.uint16)[...] = 0xFFFF
        made.stored[...] = values(dtype, made.stored.shape, generator)
        stride = made.matrices.stride if count > 1 else 0
        factors.append(
            made._replace(matrices=made.matrices._replace(stride=stride, transposed=turned))
        )
    c = _matrices(case, batch, (m, n), result, place)
    bias = None
    if 'bias' in case.epilogue:
        memory, start = place(n * result.itemsize, case.offset * result.itemsize)
        bias = memory[start : start + n * result.itemsize].view(result)
        bias[...] = values(result, (n,), generator)
    problem = matmul_problem.Problem(
        batch, m, n, k, factors[0].matrices, factors[1].matrices, c.matrices, dtype, result,
        bias=None if bias is None else bias.ctypes.data, activation=case.activation,
    )  # fmt: skip
    return Operands(problem, *factors, c, bias)


def values(
    dtype: np.dtype[Any], shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """Floats between -1 and 1, integers of all sizes."""
    if dtype.kind in 'iu':
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    found = generator.uniform(-1, 1, shape)
    if dtype.kind == 'c':
        found = found + 1j * generator.uniform(-1, 1, shape)
    return found.astype(dtype)


def _matrices(
    case: Any, count: int, extents: tuple[int, int], dtype: np.dtype[Any], place: Place
) -> Operand:
    rows, columns = extents
    pitch = columns
    if case.pitch == 'odd':
        pitch += 1 + columns % 2
    elif case.pitch != 'dense':
        pitch += -columns % max(1, int(case.pitch.split()[0]) // dtype.itemsize)
    pitch = max(pitch, 1)
    # The last row ends where its last element does.
    elements = max(0, (count * rows - 1) * pitch + columns) if columns else 0
    memory, start = place(elements * dtype.itemsize, case.offset * dtype.itemsize)
    strides = tuple(each * dtype.itemsize for each in (rows * pitch, pitch, 1))
    stored = np.ndarray((count, rows, columns), dtype, memory, start, strides)
    address = memory.ctypes.data + start
    return Operand(stored, memory, matmul_problem.Matrices(address, pitch, rows * pitch))


def simt(target: Any, case: Case) -> matmul_simt.SimtMatmul:
    """The wrapper with the tile of the case alone, so that none is chosen."""
    tiles = {
        itemsize: (each[case.tile % len(each)],)
        for itemsize, each in simt_tiles.BY_ITEMSIZE.items()
    }
    return matmul_simt.SimtMatmul(target, tiles)


def thin(target: Any, case: Case) -> gemv.GemvMatmul:
    """The wrapper for few rows or columns."""
    del case
    return gemv.GemvMatmul(target)


Wrapper = Callable[[Any, Case], Any]
_MULTIPROCESSORS = 16
"""Many for an emulation, so that products are split."""


class Recorder(kernel_cases.Recorder):
    """A chip that runs nothing and notes which kernels it is asked for."""

    def __init__(self, name: str, multiprocessors: int = _MULTIPROCESSORS) -> None:
        super().__init__(multiprocessors)
        self.name = name


def exports_of(wrapper: Wrapper, cases: Iterable[Case]) -> list[source.Export]:
    """The kernels that cases need, found without building any."""
    recorder = Recorder('host')
    generator = np.random.default_rng(0)
    for case in cases:
        recorder.name = case.chip
        made = operands(case, generator)
        wrapper(recorder, case).multiply(made.problem, 16 if case.split else 0)
    return recorder.exports


def target(*arguments: Any, **options: Any) -> host_emulation.HostTarget:
    """An emulated device with room for splits."""
    return host_emulation.HostTarget(*arguments, multiprocessors=_MULTIPROCESSORS, **options)


def run(
    device: host_emulation.HostTarget, wrapper: Wrapper, case: Case, generator: np.random.Generator
) -> None:
    """Runs a case and compares it with NumPy."""
    device.name = case.chip
    made = operands(case, generator)
    multiply(wrapper(device, case), case, made)
    check(case, made)


def multiply(kernels: Any, case: Any, made: Operands) -> None:
    """Runs a case, and fails where it writes beside the results."""
    assert kernels.supports(made.problem), case
    scratch = workspace(kernels.workspace(made.problem) if case.split else 0)
    made.c.stored[...] = 77
    before = made.c.memory.copy()
    kernels.multiply(made.problem, scratch.ctypes.data if scratch.size else 0)
    results = made.c.stored.copy()
    made.c.stored[...] = 77
    assert np.array_equal(made.c.memory, before), f'{case}: it wrote beside the results'
    made.c.stored[...] = results


def run_all(
    target: host_emulation.HostTarget,
    wrapper: Wrapper,
    cases: Sequence[Case],
    seed: int = 0,
    orders: int = 1,
) -> None:
    """Each case in so many orders of threads, in turn."""
    target.prepare(exports_of(wrapper, cases))
    generator = np.random.default_rng(seed)
    taken = itertools.cycle(('forward', 'reverse', 'random'))
    for case in cases:
        for target.order in itertools.islice(taken, orders):
            run(target, wrapper, case, generator)


def workspace(nbytes: int) -> np.ndarray:
    """Bytes at a multiple of 16."""
    memory = np.full(nbytes + 16, 0xCD, np.uint8)
    start = -memory.ctypes.data % 16
    return memory[start : start + nbytes]


def check(case: Case, made: Operands) -> None:
    """Asserts that results are those of exact arithmetic, as far as the type goes."""
    expected = exact(case, made, made.a.values, made.b.values)
    compare(case, made, expected, TOLERANCES.get(case.types[1], 0))


def exact(case: Any, made: Operands, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The results of a case for such factors, in the widest type.

    What is rounded before the next step is that here, too, where the types are short.
    """
    wide = {'i': np.int64, 'u': np.uint64, 'c': np.complex128}.get(
        made.problem.dtype.kind, np.float64
    )
    # Not by BLAS, whose threads wait for each other where there are few cores.
    total = np.einsum('bmk,bkn->bmn', a.astype(wide), b.astype(wide))
    result = made.problem.result
    if made.bias is not None:
        total = rounded(total, result) + made.bias.astype(wide)
    if case.activation == 'relu':
        return np.maximum(rounded(total, result), 0)
    if case.activation == 'gelu':
        total = rounded(total, result)
        return np.asarray(0.5 * total * (1 + special.erf(total * GELU_ROOT)))
    return np.asarray(total)


def rounded(total: np.ndarray, result: np.dtype[Any]) -> np.ndarray:
    """What a result of a short type is before something is done to it; else the sum itself."""
    return total.astype(result).astype(total.dtype) if result.itemsize == 2 else total


def compare(case: Any, made: Operands, expected: np.ndarray, tolerance: float) -> None:
    """Asserts that the results are these: integers to the bit, others relatively."""
    actual = made.c.stored
    if actual.dtype.kind in 'iu':
        wrong = np.count_nonzero(actual != expected.astype(actual.dtype))
        assert not wrong, f'{case}: {wrong} of {actual.size} differ'
        return
    error, size = (
        np.sqrt(np.square(np.abs(each)).sum())
        for each in (actual.astype(expected.dtype) - expected, expected)
    )
    assert error <= tolerance * size, f'{case}: relative error {error / max(size, 1e-300):.2e}'
