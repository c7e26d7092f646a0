"""Cases of the assign family: chosen so that every pair of settings occurs, or at random."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import errors
from tensorvar._cuda import arguments, assign, assign_plan, element_types, launch, source
from tests.support import kernel_reference as reference
from tests.support import pairwise

SIZES = (0, 1, 3, 4, 5, 15, 16, 17, 255, 257, 1023, 4097, 2**20 + 1)
OPS = tuple(assign_plan.OPS)
LAYOUTS = (
    'dense', 'scalar', 'single', 'row', 'column', 'middle', 'strided', 'reversed', 'transposed',
    'many_dimensions', 'itself', 'overlapping',
)  # fmt: skip
OFFSETS = tuple(range(16))
SOURCE_OFFSETS = (0, 1, 2, 4, 8, 12)
_MOST_STRIDED = 5_000


class Case(NamedTuple):
    """One case: what is assigned to what, and where it lies in memory.

    Attributes:
        op: a key of ``assign_plan.OPS``.
        destination: its dtype.
        source: its dtype.
        layout: one of ``LAYOUTS``.
        size: elements of the destination, about.
        offset: bytes of the destination's address past a multiple of 64.
        source_offset: the same of the source.
    """

    op: str
    destination: np.dtype[Any]
    source: np.dtype[Any]
    layout: str
    size: int
    offset: int
    source_offset: int

    def is_allowed(self) -> bool:
        """Whether the dtypes go together in this op and this layout."""
        if self.layout in ('itself', 'overlapping') and self.destination != self.source:
            return False
        try:
            if self.op == 'assign':
                return element_types.can_store(self.destination, self.source)
            element_types.compute_type(self.op, self.destination, self.source)
        except errors.InvalidTypeError:
            return False
        return self.destination in assign_plan._ALLOWED[self.op]

    def __str__(self) -> str:
        return (
            f'{self.op} {self.destination.name} <- {self.source.name} {self.layout} '
            f'size {self.size} at +{self.offset}, +{self.source_offset}'
        )


_SETTINGS: tuple[Sequence[Any], ...] = (
    OPS, reference.DTYPES, reference.DTYPES, LAYOUTS, SIZES, OFFSETS, SOURCE_OFFSETS,
)  # fmt: skip


def random_cases(count: int, seed: int) -> list[Case]:
    """Allowed cases drawn at random."""
    generator = np.random.default_rng(seed)
    found: list[Case] = []
    while len(found) < count:
        case = _draw(generator)
        if case.is_allowed():
            found.append(case)
    return found


def pairwise_cases(seed: int) -> list[Case]:
    """Allowed cases in which every pair of settings that is allowed at all occurs."""
    generator = np.random.default_rng(seed)
    pool = random_cases(6_000, seed)
    return pairwise.cover(pool, generator)


def _draw(generator: np.random.Generator) -> Case:
    picked = [settings[generator.integers(len(settings))] for settings in _SETTINGS]
    if picked[3] in ('itself', 'overlapping'):
        picked[2] = picked[1]
    # Addresses that no kernel reads by vectors are one case of sixteen and not most.
    for position, dtype in ((5, picked[1]), (6, picked[2])):
        if generator.random() < 0.85:
            picked[position] -= picked[position] % min(dtype.itemsize, 16)
    return Case(*picked)


class Operands(NamedTuple):
    """Arrays of a case; ``memory`` is all that the destination could spoil."""

    destination: np.ndarray
    source: Any
    memory: np.ndarray


def memory_at(nbytes: int, offset: int) -> np.ndarray:
    """Bytes whose address is ``offset`` past a multiple of 64, with 64 on either side."""
    memory = np.full(nbytes + 256, 0xCD, np.uint8)
    start = 64 - memory.ctypes.data % 64 + 64 + offset
    return memory[start - 64 : start + nbytes + 64]


def _array(values: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    memory = memory_at(values.nbytes, offset)
    array = memory[64 : 64 + values.nbytes].view(values.dtype)
    array[...] = values
    return array, memory


def operands(case: Case, generator: np.random.Generator) -> Operands:
    """Makes the arrays of a case."""
    size = case.size if case.layout in ('dense', 'scalar', 'single', 'row', 'itself') else min(
        case.size, _MOST_STRIDED
    )  # fmt: skip
    shape, step, source_shape = _shapes(case.layout, size)
    room = math.prod(shape) * step + (8 if case.layout == 'overlapping' else 0)
    flat, memory = _array(reference.values(case.destination, room, generator), case.offset)
    destination = flat[: math.prod(shape) * step : step].reshape(shape)
    if case.layout == 'itself':
        return Operands(destination, destination, memory)
    if case.layout == 'overlapping':
        return Operands(flat[: room - 8], flat[8:][: room - 8], memory)
    drawn = reference.values(case.source, math.prod(source_shape), generator)
    if case.layout == 'scalar':
        return Operands(destination, drawn[0], memory)
    source, _ = _array(drawn, case.source_offset)
    source = source.reshape(source_shape)
    if case.layout == 'reversed':
        return Operands(destination[::-1], source[:, ::-1], memory)
    if case.layout == 'transposed':
        return Operands(destination, source.swapaxes(-1, -2), memory)
    return Operands(destination, source, memory)


def _shapes(layout: str, size: int) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """Shape and step of the destination, shape of the source."""
    side = math.isqrt(size)
    if layout == 'row':
        inner = 16 * max(1, side // 16) if size % 2 else max(1, side)
        return (size // inner, inner), 1, (inner,)
    if layout == 'column':
        return (side, side), 1, (side, 1)
    if layout == 'middle':
        third = round(size ** (1 / 3))
        return (third, third, third), 1, (third, 1, third)
    if layout == 'strided':
        return (side, side), 3, (side, side)
    if layout == 'reversed':
        return (side, side), 1, (side, side)
    if layout == 'transposed':
        return (2, side // 2, side), 1, (2, side, side // 2)
    if layout == 'many_dimensions':
        two = (2, 3) * 4 if size > 1023 else (1, 2) * 4
        return two, 1, tuple(1 if i % 2 else extent for i, extent in enumerate(two))
    if layout in ('scalar', 'single'):
        return (size,), 1, (1,)
    return (size,), 1, (size,)


def run(kernels: assign.AssignKernels, case: Case, generator: np.random.Generator) -> None:
    """Runs a case and compares it with NumPy."""
    destination, source, memory = operands(case, generator)
    expected_memory = memory.copy()
    expected = reference.assigned(case.op, destination, np.array(source))
    kernels.assign(case.op, destination, source)
    reference.assert_same(destination.copy(), expected, str(case), products=case.op == 'assign_mul')
    destination[...] = 0
    untouched = _without(expected_memory, memory, destination)
    assert np.array_equal(memory, untouched), f'{case}: it wrote beside the destination'


def _without(before: np.ndarray, memory: np.ndarray, destination: np.ndarray) -> np.ndarray:
    """The bytes before, with those of the destination set to 0 as they are now."""
    start = destination.ctypes.data - memory.ctypes.data
    same = np.ndarray(destination.shape, destination.dtype, before, start, destination.strides)
    same[...] = 0
    return before


class Recorder:
    """A target that runs nothing and notes which kernels it is asked for."""

    name = 'host'

    def __init__(self, multiprocessors: int) -> None:
        self.multiprocessors = multiprocessors
        self.exports: list[source.Export] = []

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        self.exports.append(export)
        return self

    def bind(self, grid: launch.Grid) -> launch.Launch:
        return lambda stream, *values: None

    def pointer(self, array: np.ndarray) -> int:
        return int(array.ctypes.data)

    def stream(self) -> int:
        return 0


def exports_of(cases: Sequence[Case]) -> list[source.Export]:
    """The kernels that cases need, found without building any."""
    recorder = Recorder(2)
    kernels = assign.AssignKernels(recorder)
    generator = np.random.default_rng(0)
    for case in cases:
        destination, operand, _ = operands(case, generator)
        kernels.assign(case.op, destination, operand)
    return recorder.exports
