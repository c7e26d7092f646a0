"""Products of matrices by each kind of kernel, and by cuBLAS."""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.on_gpu_steps.families.machine import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT8,
    INT32,
    Machine,
    SkipCheckError,
    close,
    equal,
    expect,
)
from tensorvar._cuda import (
    gemv,
    matmul_batch,
    matmul_mma,
    matmul_problem,
    matmul_simt,
    matmul_sm90,
    sm90_tiles,
)

COMPLEX64 = np.dtype(np.complex64)
LAYOUTS = ('NN', 'NT', 'TN', 'TT')
_TOLERANCES = {FLOAT16: 2e-3, BFLOAT16: 1e-2, FLOAT32: 1e-5, COMPLEX64: 1e-5, FLOAT64: 1e-12}
_TF32_TOLERANCE = 1e-3
_HOPPER = ('sm_90a', 'host')


class Product(NamedTuple):
    """What is multiplied: sizes m, n and k, layout, and the dtypes of factors and results."""

    size: tuple[int, int, int]
    dtype: np.dtype[Any]
    result: np.dtype[Any]
    layout: str = 'NN'
    precision: matmul_problem.Precision = 'ieee'
    batch: tuple[int, ...] = ()

    def __str__(self) -> str:
        sizes = ' x '.join(map(str, (*self.batch, *self.size)))
        tf32 = ' as tf32' if self.precision == 'tf32' else ''
        return f'{self.dtype}{tf32} to {self.result} {self.layout} {sizes}'


def check_simt(machine: Machine) -> None:
    """Without tensor cores: every layout of float32, and other dtypes."""
    family = matmul_simt.SimtMatmul(machine.kernels.matmul.target)
    for layout in LAYOUTS:
        _check(machine, family, Product((65, 70, 100), FLOAT32, FLOAT32, layout))
    for dtype in (FLOAT64, INT32, BFLOAT16, COMPLEX64):
        _check(machine, family, Product((33, 40, 50), dtype, dtype))
    _check(machine, family, Product((33, 40, 50), FLOAT32, FLOAT32, batch=(3,)))


def check_gemv(machine: Machine) -> None:
    """Few rows or columns."""
    family = gemv.GemvMatmul(machine.kernels.matmul.target)
    for size in ((1, 300, 77), (300, 1, 77), (5, 128, 512)):
        for dtype in (FLOAT32, BFLOAT16):
            for layout in ('NN', 'NT'):
                _check(machine, family, Product(size, dtype, dtype, layout))


def check_split_k(machine: Machine) -> None:
    """Sums in parts, which another kernel adds up."""
    target = machine.kernels.matmul.target
    for family in (matmul_simt.SimtMatmul(target), matmul_mma.MmaMatmul(target)):
        dtype = FLOAT32 if isinstance(family, matmul_simt.SimtMatmul) else FLOAT16
        _check(machine, family, Product((20, 24, 9000), dtype, FLOAT32), split=True)


def check_mma(machine: Machine) -> None:
    """By the tensor cores of every chip: ``mma.sync``."""
    family = matmul_mma.MmaMatmul(machine.kernels.matmul.target)
    products = [
        Product((65, 70, 104), dtype, result, layout, precision)
        for dtype, result, precision in (
            (FLOAT16, FLOAT16, 'ieee'), (BFLOAT16, FLOAT32, 'ieee'), (FLOAT32, FLOAT32, 'tf32'),
            (INT8, INT32, 'ieee'),
        )
        for layout in ('NN', 'TN')
    ]  # fmt: skip
    done = [_check(machine, family, each, may_lack=True) for each in products]
    expect(any(done), f'{machine.chip} multiplies none of these')


def check_sm90(machine: Machine) -> None:
    """By Hopper's tensor cores and copy engine: one block for each tile."""
    for tile, dtype, result, layouts in (
        (sm90_tiles.Tile(64, 64), BFLOAT16, BFLOAT16, LAYOUTS),
        (sm90_tiles.Tile(128, 128), FLOAT16, FLOAT32, ('NN', 'TT')),
        (sm90_tiles.Tile(128, 256), BFLOAT16, BFLOAT16, ('NN',)),
    ):
        family = _sm90(machine, tile)
        for layout in layouts:
            _check(machine, family, Product((200, 264, 136), dtype, result, layout))


def check_sm90_cluster(machine: Machine) -> None:
    """Two blocks that share a tile of B."""
    for tile in (each for each in sm90_tiles.TILES if each.cluster == 2):
        for layout in LAYOUTS:
            product = Product((520, 264, 200), BFLOAT16, BFLOAT16, layout)
            _check(machine, _sm90(machine, tile), product)


def check_sm90_split_k(machine: Machine) -> None:
    """Sums in parts on Hopper's tensor cores."""
    family = _sm90(machine)
    for layout in ('NN', 'NT'):
        _check(machine, family, Product((128, 128, 4096), BFLOAT16, FLOAT32, layout), split=True)


def check_sm90_tf32(machine: Machine) -> None:
    """float32 rounded to tf32, the second factor in a pass of its own."""
    for tile in (sm90_tiles.Tile(64, 64), sm90_tiles.Tile(128, 128)):
        family = _sm90(machine, tile)
        for layout in LAYOUTS:
            product = Product((136, 72, 200), FLOAT32, FLOAT32, layout, 'tf32')
            _check(machine, family, product, split=True, must_split=False)


def check_cublas(machine: Machine) -> None:
    """Called as the library calls it, on a card that has it."""
    library = machine.run(machine.kernels._hardware.load_cublas)
    if library is None:
        raise SkipCheckError('cuBLAS cannot be loaded')
    products = [
        Product((33, 40, 50), dtype, result, layout, precision, batch)
        for dtype, result, precision in (
            (FLOAT32, FLOAT32, 'ieee'), (FLOAT32, FLOAT32, 'tf32'), (FLOAT64, FLOAT64, 'ieee'),
            (FLOAT16, FLOAT16, 'ieee'), (BFLOAT16, FLOAT32, 'ieee'),
            (COMPLEX64, COMPLEX64, 'ieee'),
        )
        for layout in LAYOUTS
        for batch in ((), (3,))
    ]  # fmt: skip
    for product in products:
        expect(_check(machine, _Cublas(library), product), f'cuBLAS does not do {product}')


class _Cublas:
    """cuBLAS as a family of kernels."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.supports = library.supports

    def workspace(self, problem: Any) -> int:
        return 0

    def multiply(self, problem: Any, workspace: int = 0) -> None:
        addresses = (each.address for each in (problem.a, problem.b, problem.c))
        self._library.multiply(self._library.prepare(problem), *addresses)


def _sm90(machine: Machine, *tiles: sm90_tiles.Tile) -> matmul_sm90.Sm90Matmul:
    if machine.chip not in _HOPPER:
        raise SkipCheckError(f'for sm_90a alone, not for {machine.chip}')
    return matmul_sm90.Sm90Matmul(machine.kernels.matmul.target, tiles or sm90_tiles.TILES)


def _check(
    machine: Machine,
    family: Any,
    product: Product,
    *,
    split: bool = False,
    must_split: bool = True,
    may_lack: bool = False,
) -> bool:
    """Multiplies and compares.

    Args:
        machine: with the card.
        family: of kernels.
        product: what is multiplied.
        split: whether there is room for the sums of parts.
        must_split: whether it is wrong to need no such room.
        may_lack: whether the chip may have no such kernel.

    Returns:
        Whether there is such a kernel.
    """
    random = np.random.default_rng(11)
    m, n, k = product.size
    hosts = [
        _draw(random, (*product.batch, *(shape[::-1] if letter == 'T' else shape)), product.dtype)
        for shape, letter in zip(((m, k), (k, n)), product.layout, strict=True)
    ]
    a, b = (machine.put(host) for host in hosts)
    out = machine.poisoned((*product.batch, m, n), product.result)
    turned = [letter == 'T' for letter in product.layout]
    pieces = matmul_batch.arrange(
        a, b, out, transpose_a=turned[0], transpose_b=turned[1], precision=product.precision
    )
    [piece] = pieces or ()
    pointer = machine.kernels.matmul.target.pointer
    problem = piece.at((pointer(a), pointer(b), pointer(out)))
    if not family.supports(problem):
        expect(may_lack, f'no kernel does {product}')
        return False
    nbytes = family.workspace(problem) if split else 0
    if split and must_split:
        expect(nbytes, f'{product} is not split')
    scratch = machine.poisoned((max(nbytes, 1),), np.dtype(np.uint8))
    address = pointer(scratch) if nbytes else 0
    machine.run(family.multiply, problem, address)
    wide: Any = {'i': np.int64, 'c': np.complex128}.get(product.dtype.kind, np.float64)
    factors = [
        host.astype(wide).swapaxes(-1, -2) if turn else host.astype(wide)
        for host, turn in zip(hosts, turned, strict=True)
    ]
    exact = factors[0] @ factors[1]
    found = machine.get(out)
    if product.dtype.kind == 'i':
        equal(found, exact.astype(product.result), str(product))
    else:
        tf32 = product.precision == 'tf32'
        tolerance = _TF32_TOLERANCE if tf32 else _TOLERANCES[product.result]
        close(found, exact, tolerance, str(product))
    return True


def _draw(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    if dtype.kind == 'i':
        return random.integers(-100, 101, shape).astype(dtype)
    drawn = random.uniform(-1, 1, shape)
    if dtype.kind == 'c':
        drawn = drawn + 1j * random.uniform(-1, 1, shape)
    return drawn.astype(dtype)
