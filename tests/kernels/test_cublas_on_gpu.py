"""cuBLAS on a card, called as the library calls it."""

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorvar._core import kernels
from tensorvar._cuda import cublas, matmul_batch

pytestmark = pytest.mark.gpu

F16, F32, F64, BF16 = np.float16, np.float32, np.float64, ml_dtypes.bfloat16
TYPES = [
    (F32, F32, 'ieee', 1e-5), (F32, F32, 'tf32', 1e-3), (F64, F64, 'ieee', 1e-12),
    (F16, F16, 'ieee', 2e-3), (F16, F32, 'ieee', 1e-5), (BF16, BF16, 'ieee', 1e-2),
    (BF16, F32, 'ieee', 1e-5), (np.complex64, np.complex64, 'ieee', 1e-5),
    (np.complex128, np.complex128, 'ieee', 1e-12),
]  # fmt: skip


@pytest.fixture
def hardware(card: Any) -> kernels.Hardware:
    made: kernels.Hardware = card.call(kernels.equip_card, card)
    return made


@pytest.fixture
def library(card: Any, hardware: kernels.Hardware) -> cublas.CublasMatmul:
    found = card.call(hardware.load_cublas)
    assert found is not None, 'cuBLAS cannot be loaded where CuPy can'
    return found


@pytest.mark.parametrize(('dtype', 'result', 'precision', 'tolerance'), TYPES)
@pytest.mark.parametrize('size', [(5, 7, 6), (128, 64, 96), (257, 129, 1000)])
def test_every_layout(
    card: Any,
    hardware: kernels.Hardware,
    library: cublas.CublasMatmul,
    dtype: Any,
    result: Any,
    precision: Any,
    tolerance: float,
    size: tuple[int, int, int],
) -> None:
    pointer = hardware.target.pointer
    random = np.random.default_rng(0)
    m, n, k = size
    for turn_a, turn_b, batch in itertools.product((False, True), (False, True), ((), (3,))):
        a = random.uniform(-1, 1, (*batch, *((k, m) if turn_a else (m, k)))).astype(dtype)
        b = random.uniform(-1, 1, (*batch, *((n, k) if turn_b else (k, n)))).astype(dtype)
        arrays = [card.from_host(each) for each in (a, b)]
        out = card.from_host(np.full((*batch, m, n), np.nan, result))
        pieces = matmul_batch.arrange(
            *arrays, out, transpose_a=turn_a, transpose_b=turn_b, precision=precision
        )
        [piece] = pieces or ()
        addresses = pointer(arrays[0]), pointer(arrays[1]), pointer(out)
        problem = piece.at(addresses)
        assert library.supports(problem)
        card.call(library.multiply, library.prepare(problem), *addresses)
        wide = np.complex128 if a.dtype.kind == 'c' else F64
        left = a.swapaxes(-1, -2) if turn_a else a
        right = b.swapaxes(-1, -2) if turn_b else b
        exact = left.astype(wide) @ right.astype(wide)
        error = np.linalg.norm(card.to_host(out).astype(wide) - exact) / np.linalg.norm(exact)
        assert error <= tolerance, (turn_a, turn_b, batch)
