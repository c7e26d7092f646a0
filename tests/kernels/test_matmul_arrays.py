"""Products of arrays by our kernels alone, run on the CPU, against NumPy."""

from typing import Any

import numpy as np
import pytest

from tensorvar._cuda import host_emulation, matmul
from tests.support import matmul_cases


@pytest.fixture
def kernels(host: host_emulation.HostTarget) -> matmul.MatmulKernels:
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels')
    return matmul.MatmulKernels(host)


def product(
    kernels: matmul.MatmulKernels, a: np.ndarray, b: np.ndarray, result: Any, **options: Any
) -> tuple[np.ndarray, str]:
    """The product and who made it."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.full((*batch, a.shape[-2], b.shape[-1]), 77, result)
    choice = kernels.multiply(a, b, out, allocate=matmul_cases.workspace, **options)
    return out, choice.family


def test_integers_wrap(kernels: matmul.MatmulKernels) -> None:
    generator = np.random.default_rng(0)
    a = matmul_cases.values(np.dtype('i4'), (2, 3, 17, 20), generator)
    b = matmul_cases.values(np.dtype('i4'), (3, 20, 33), generator)
    out, family = product(kernels, a, b, 'i4')
    assert family == 'simt'
    assert np.array_equal(out, a @ b)
    # A view: every second row, and a part of the columns.
    out, _ = product(kernels, a[:, :, ::2, 3:9], b[:, 5:11], 'i4')
    assert np.array_equal(out, a[:, :, ::2, 3:9] @ b[:, 5:11])


def test_small_float_products_with_an_epilogue(kernels: matmul.MatmulKernels) -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.uniform(-1, 1, shape).astype('f4') for shape in ((4, 10, 12), (12, 33)))
    bias = generator.uniform(-1, 1, 33).astype('f4')
    out, family = product(kernels, a, b, 'f4', bias=bias, activation='relu')
    assert family == 'simt'
    expected = np.maximum(a.astype('f8') @ b.astype('f8') + bias, 0)
    assert np.allclose(out, expected, atol=1e-6)
    out, family = product(kernels, a[0, :3], b, 'f4', bias=bias, activation='relu')
    assert family == 'gemv'
    assert np.allclose(out, expected[0, :3], atol=1e-6)


def test_sums_of_no_terms(kernels: matmul.MatmulKernels) -> None:
    out, family = product(kernels, np.zeros((9, 0), 'f4'), np.zeros((0, 10), 'f4'), 'f4')
    assert family == 'simt'
    assert not out.any()


def test_what_is_left_to_cublas_is_not_touched(kernels: matmul.MatmulKernels) -> None:
    a = np.ones((9, 9), 'f4')
    out, family = product(kernels, a, a, 'f4')
    assert family == 'cublas'
    assert (out == 77).all()
