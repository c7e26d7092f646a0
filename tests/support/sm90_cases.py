"""Cases of products on Hopper's tensor cores.

Between the rows of the factors there is NaN, between and around those of the results a
pattern that must stay: reading and writing beside a matrix shows.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from tensorvar._cuda import matmul_problem, matmul_sm90, sm90_tiles, source
from tests.support import kernel_cases, matmul_cases
from tests.support.kernel_reference import BFLOAT16, dtype_named, tf32

UNIT = 16
_POISON = 0xCD
# Of the results, which are rounded, and of their terms, which are added in float32.
_ROUNDING = {np.dtype(np.float16): 5e-4, BFLOAT16: 4e-3, np.dtype(np.float32): 1e-7}
ADDING = 3e-7
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    'none': lambda x: x,
    'relu': lambda x: np.maximum(x, 0),
    'gelu': lambda x: x * special.ndtr(x),
}
BATCHES = {
    # Matrices of A, B and C.
    'one': (1, 1, 1),
    'several': (3, 3, 3),
    'shared a': (1, 2, 2),
    'shared b': (2, 1, 2),
}
SIZES = (
    (128, 128, 64), (200, 136, 200), (72, 264, 8), (256, 256, 256), (1, 1, 1), (65, 67, 69),
    (129, 257, 130), (300, 72, 40),
)  # fmt: skip


class Kind(NamedTuple):
    """What a kernel is made for.

    Attributes:
        dtype: of the factors; float32 is multiplied as tf32.
        result: of the results.
        layout: of both factors, ``'t'`` where it is stored transposed.
        tile: of a block.
        activation: of the results.
    """

    dtype: str
    result: str
    layout: str
    tile: sm90_tiles.Tile
    activation: str = 'none'


class Case(NamedTuple):
    """One product.

    Attributes:
        kind: of kernel.
        size: m, n and k.
        batch: a key of ``BATCHES``.
        bias: whether there is one.
        gap: bytes between the rows more than there must be.
    """

    kind: Kind
    size: tuple[int, int, int]
    batch: str = 'one'
    bias: bool = False
    gap: int = 0


class Operand:
    """Matrices in memory, with what surrounds them.

    Attributes:
        memory: all bytes.
        matrices: the elements alone, as they are stored.
        pitch: elements from row to row.
        stride: elements from matrix to matrix.
    """

    def __init__(
        self,
        count: int,
        rows: int,
        columns: int,
        dtype: np.dtype,
        gap: int,
        place: Callable[[int], np.ndarray],
    ) -> None:
        nbytes = columns * dtype.itemsize
        pitch = nbytes + -nbytes % UNIT + gap
        stride = rows * pitch + gap
        # Nothing follows the last element.
        self.memory = place((count - 1) * stride + (rows - 1) * pitch + nbytes)
        self.pitch, self.stride = pitch // dtype.itemsize, stride // dtype.itemsize
        strides = (stride, pitch, dtype.itemsize)
        self.matrices = np.ndarray((count, rows, columns), dtype, self.memory, 0, strides)

    def described(self, transposed: bool) -> matmul_problem.Matrices:
        stride = self.stride if len(self.matrices) > 1 else 0
        return matmul_problem.Matrices(self.memory.ctypes.data, self.pitch, stride, transposed)


def aligned(nbytes: int) -> np.ndarray:
    """Bytes at a multiple of 16 that is not one of 32."""
    memory = np.empty(nbytes + 2 * UNIT, np.uint8)
    start = (UNIT - memory.ctypes.data) % (2 * UNIT)
    return memory[start : start + nbytes]


class Product:
    """A case with its operands.

    Attributes:
        case: which.
        factors: A and B as they are stored.
        bias: added to each row if the case has one.
        results: C.
        problem: with the addresses of these.
        expected: the results, in float64.

    Args:
        case: which.
        generator: of the factors.
        place: gives memory.
    """

    def __init__(
        self,
        case: Case,
        generator: np.random.Generator,
        place: Callable[[int], np.ndarray] = aligned,
    ) -> None:
        m, n, k = case.size
        kind = case.kind
        dtype, result = dtype_named(kind.dtype), dtype_named(kind.result)
        self.case = case
        counts = BATCHES[case.batch]
        self._transposed = tuple(letter == 't' for letter in kind.layout)
        self.factors = []
        for count, shape, transposed in zip(
            counts[:2], ((m, k), (k, n)), self._transposed, strict=True
        ):
            stored = shape[::-1] if transposed else shape
            operand = Operand(count, *stored, dtype, case.gap, place)
            operand.memory[...] = 0xFF  # NaN in every type
            operand.matrices[...] = generator.standard_normal(operand.matrices.shape)
            self.factors.append(operand)
        self.results = Operand(counts[2], m, n, result, case.gap, place)
        self.bias = place(n * result.itemsize).view(result)
        self.bias[...] = generator.standard_normal(n)
        self.problem = matmul_problem.Problem(
            counts[2], m, n, k,
            self.factors[0].described(self._transposed[0]),
            self.factors[1].described(self._transposed[1]),
            self.results.described(False),
            dtype, result,
            'tf32' if dtype == np.float32 else 'ieee',
            self.bias.ctypes.data if case.bias else None,
            kind.activation,
        )  # fmt: skip
        self._workspace: np.ndarray | None = None
        self._place = place
        self.expected, self._sizes = self._expected()

    def run(self, kernels: matmul_sm90.Sm90Matmul) -> None:
        """Multiplies into memory that holds a pattern."""
        assert kernels.supports(self.problem), self.case
        self.poison()
        self._workspace = None
        address = 0
        nbytes = kernels.workspace(self.problem)
        if nbytes:
            self._workspace = self._place(nbytes)
            self._workspace[...] = 0xFF
            address = self._workspace.ctypes.data
        kernels.multiply(self.problem, address)

    def poison(self) -> None:
        """Fills the memory of the results with what must not be left or must stay."""
        self.results.memory[...] = _POISON

    def check(self, what: str, *, adding: float = ADDING) -> None:
        """Compares with float64; looks at what must not have been written.

        Args:
            what: of the run, for the message.
            adding: the error of the sums, in parts of the sizes of their terms.
        """
        actual = self.results.matrices.astype(np.float64)
        result = self.results.matrices.dtype
        # Without BLAS, whose threads wait for each other when tests run side by side.
        wrong, size, terms = (
            np.sqrt(np.square(each).sum())
            for each in (actual - self.expected, self.expected, self._sizes)
        )
        allowed = _ROUNDING[result] * size + adding * terms
        assert wrong <= allowed, f'{what} {self.case}: error {wrong / size:.1e}'
        self.results.matrices.view(np.dtype(f'u{result.itemsize}'))[...] = int.from_bytes(
            bytes([_POISON] * result.itemsize)
        )
        assert (self.results.memory == _POISON).all(), f'{what} {self.case}: wrote beside C'

    def _expected(self) -> tuple[np.ndarray, np.ndarray]:
        """The results, and the sums of the sizes of their terms."""
        a, b = (
            (operand.matrices.swapaxes(1, 2) if transposed else operand.matrices)
            for operand, transposed in zip(self.factors, self._transposed, strict=True)
        )
        if self.problem.precision == 'tf32':
            a, b = tf32(a), tf32(b)
        a, b = a.astype(np.float64), b.astype(np.float64)
        sums, sizes = a @ b, np.abs(a) @ np.abs(b)
        result = self.results.matrices.dtype
        if self.case.bias:
            sums = matmul_cases.rounded(sums, result) + self.bias.astype(np.float64)
            sizes = sizes + np.abs(self.bias.astype(np.float64))
        activation = self.case.kind.activation
        if activation != 'none':
            sums = matmul_cases.rounded(sums, result)
        return ACTIVATIONS[activation](sums), sizes


def kernels_for(target: Any, kind: Kind) -> matmul_sm90.Sm90Matmul:
    """The family, with nothing to choose."""
    return matmul_sm90.Sm90Matmul(target, (kind.tile,))


def exports_of(kinds: Iterable[Kind]) -> list[source.Export]:
    """The kernels that kinds need, found without building any; tf32 also has B rounded."""
    recorder = kernel_cases.Recorder(132)
    for kind in kinds:
        product = Product(Case(kind, (1, 1, 1)), np.random.default_rng(0))
        kernels_for(recorder, kind).prepare(product.problem, split=kind.dtype == 'float32')
    return recorder.exports


def all_kinds() -> list[Kind]:
    """Every kernel there is."""
    types = (
        ('float16', 'float16'), ('float16', 'float32'), ('bfloat16', 'bfloat16'),
        ('bfloat16', 'float32'), ('float32', 'float32'),
    )  # fmt: skip
    return [
        Kind(*pair, layout, tile, activation)
        for pair, layout, tile, activation in itertools.product(
            types, ('nn', 'nt', 'tn', 'tt'), sm90_tiles.TILES, ACTIVATIONS
        )
    ]


def random_cases(count: int, seed: int) -> list[Case]:
    """Cases drawn at random."""
    generator = np.random.default_rng(seed)
    kinds = all_kinds()
    return [
        Case(
            kinds[generator.integers(len(kinds))],
            SIZES[generator.integers(len(SIZES))]
            if generator.random() < 0.5
            else tuple(int(size) for size in generator.integers(1, (400, 400, 300))),
            str(generator.choice(tuple(BATCHES))),
            bool(generator.integers(2)),
            int(generator.choice((0, 16, 48))),
        )
        for _ in range(count)
    ]
