"""Products of arrays by our kernels alone, run on the CPU, against NumPy."""

import itertools
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorvar._cuda import (
    fused,
    fused_ops,
    host_emulation,
    matmul,
    matmul_sm90,
    sm90_tiles,
)
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


BF16 = np.dtype(ml_dtypes.bfloat16)
EPILOGUES = list(itertools.product((False, True), ('none', 'relu', 'gelu')))[1:]
# Who multiplies, factors and results; float32 is tf32 on tensor cores.
CASES = [
    ('gemv', 'f4', 'f4'), ('gemv', 'f2', 'f2'), ('gemv', BF16, 'f4'),
    ('simt', 'f4', 'f4'), ('simt', 'f8', 'f8'), ('simt', BF16, BF16),
    ('mma', 'f4', 'f4'), ('mma', 'f2', 'f2'), ('mma', BF16, 'f4'),
    ('sm90', 'f4', 'f4'), ('sm90', 'f2', 'f2'), ('sm90', BF16, 'f4'),
]  # fmt: skip
SIZES = {'gemv': (33, 3, 21), 'simt': (20, 33, 17), 'mma': (20, 40, 24), 'sm90': (72, 40, 64)}
# Sums that are dealt out to several blocks.
SPLIT = {'simt': (16, 24, 520), 'mma': (16, 24, 1024), 'sm90': (16, 24, 2048)}


def one_by_one(
    kernels: matmul.MatmulKernels, out: np.ndarray, bias: np.ndarray | None, activation: str
) -> np.ndarray:
    """What ops make of a product."""
    out = out if bias is None else out + bias
    if activation != 'gelu':
        return np.maximum(out, 0) if activation == 'relu' else out
    given = {'approximate': False}
    step = fused_ops.step('Gelu', (0,), [out.dtype], given, out.dtype)
    assert step is not None
    result = np.empty_like(out)
    formula = fused_ops.Formula((out.dtype,), (step,), (1,))
    fused.FusedKernels(kernels.target).prepare(formula)([result], [out])
    return result


@pytest.mark.parametrize(('family', 'dtype', 'result'), CASES)
def test_an_epilogue_has_the_bits_of_ops_one_by_one(
    kernels: matmul.MatmulKernels,
    measured: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    dtype: Any,
    result: Any,
) -> None:
    measured(family)
    monkeypatch.setattr(kernels.target, 'multiprocessors', 16)
    # The smallest takes the least time here.
    kernels.families['sm90'] = matmul_sm90.Sm90Matmul(kernels.target, sm90_tiles.TILES[:1])
    generator = np.random.default_rng(0)
    tf32 = dtype == 'f4' and family in ('mma', 'sm90')
    precision = 'tf32' if tf32 else 'ieee'
    for m, n, k in filter(None, (SIZES[family], SPLIT.get(family))):
        a, b, row = (
            generator.uniform(-1, 1, shape).astype(kind)
            for shape, kind in (((m, k), dtype), ((k, n), dtype), (n, result))
        )
        plain, made = product(kernels, a, b, result, precision=precision)
        assert made == family
        # What adds up the sums of splits is the same for all epilogues.
        for has_bias, activation in EPILOGUES if k < 100 else EPILOGUES[-1:]:
            bias = row if has_bias else None
            options = {'bias': bias, 'activation': activation, 'precision': precision}
            found, made = product(kernels, a, b, result, **options)
            assert made == family
            expected = one_by_one(kernels, plain, bias, activation)
            np.testing.assert_array_equal(found.view('u1'), expected.view('u1'))


def test_sums_of_no_terms(kernels: matmul.MatmulKernels) -> None:
    out, family = product(kernels, np.zeros((9, 0), 'f4'), np.zeros((0, 10), 'f4'), 'f4')
    assert family == 'simt'
    assert not out.any()


def test_what_is_left_to_cublas_is_not_touched(kernels: matmul.MatmulKernels) -> None:
    a = np.ones((9, 9), 'f4')
    out, family = product(kernels, a, a, 'f4')
    assert family == 'cublas'
    assert (out == 77).all()
