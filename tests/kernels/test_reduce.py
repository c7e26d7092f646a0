"""kernels/reduce.cu, run on the CPU: the norm of gradients, and whether they are finite."""

from collections.abc import Sequence

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar._cuda import host_emulation, optimizer_rules, optimizers
from tests.support import kernel_reference

ORDERS = ('forward', 'reverse', 'random')
DTYPES = ('float32', 'float64', 'float16', 'bfloat16')
Scalar = optimizers.Scalar


def poisoned(array: np.ndarray) -> np.ndarray:
    """A copy of a table; partial sums begin as NaN, so that none may be left out."""
    return array.copy() if array.dtype == np.uint64 else np.full_like(array, np.nan)


def measured(
    host: host_emulation.HostTarget,
    gradients: Sequence[np.ndarray],
    clip_norm: float | None = None,
    loss_scale: float = 1.0,
    limit: int = 4096,
) -> np.ndarray:
    """The scalars after a step of nothing with these gradients."""
    kernels = optimizers.OptimizerKernels(host, poisoned, limit)
    scalars = optimizers.initial_scalars(0.0, loss_scale)
    parameters = [np.zeros(each.shape, np.float32) for each in gradients]
    kernels.apply(
        optimizer_rules.sgd(),
        parameters,
        gradients,
        {},
        scalars,
        clip_norm=clip_norm,
        skip_non_finite=True,
    )
    return scalars


def exact_norm(gradients: Sequence[np.ndarray]) -> float:
    wide = [each.astype(np.float64) for each in gradients]
    return float(np.sqrt(sum(np.sum(each * each) for each in wide)))


@pytest.mark.parametrize('name', DTYPES)
def test_the_norm(host: host_emulation.HostTarget, name: str) -> None:
    dtype = kernel_reference.dtype_named(name)
    generator = np.random.default_rng(0)
    for sizes in ((1,), (3, 5, 259), (0, 17, 0), (40_003, 2), (1_024, 4_096), (7,) * 900):
        drawn = [generator.standard_normal(size).astype(dtype) for size in sizes]
        found = set()
        for host.order in ORDERS:
            for limit in (4096, 0):
                scalars = measured(host, drawn, limit=limit, loss_scale=2.0)
                found.add(float(scalars[Scalar.NORM]))
                assert scalars[Scalar.FINITE] == 1
        [norm] = found
        exact = exact_norm(drawn) / 2
        assert abs(norm - exact) <= (1e-14 if name == 'float64' else 3e-7) * exact


def test_addresses_that_are_not_aligned(host: host_emulation.HostTarget) -> None:
    for name in DTYPES:
        dtype = kernel_reference.dtype_named(name)
        for offset in range(1, 9):
            values = np.arange(1, 40 + offset).astype(dtype)[offset:]
            norm = measured(host, [values])[Scalar.NORM]
            assert abs(norm - exact_norm([values])) <= 1e-6 * norm


@pytest.mark.parametrize('name', DTYPES)
@pytest.mark.parametrize('bad', [np.inf, -np.inf, np.nan])
def test_one_element_that_is_not_finite(
    host: host_emulation.HostTarget, name: str, bad: float
) -> None:
    dtype = kernel_reference.dtype_named(name)
    for place in (0, 1, 7, 8, 1_023, 2_049, 2_050):
        gradients = [np.ones(3, dtype), np.ones(2_051, dtype), np.ones(5, dtype)]
        gradients[1][place] = bad
        scalars = measured(host, gradients)
        assert scalars[Scalar.FINITE] == 0, place
        assert scalars[Scalar.STEP] == 0
        assert not np.isfinite(scalars[Scalar.NORM])


def test_the_largest_and_smallest_numbers(host: host_emulation.HostTarget) -> None:
    for name in DTYPES:
        dtype = kernel_reference.dtype_named(name)
        most = np.array([ml_dtypes.finfo(dtype).max] * 9, dtype)
        assert measured(host, [most])[Scalar.FINITE] == 1
        least = np.array([ml_dtypes.finfo(dtype).smallest_subnormal] * 9, dtype)
        assert measured(host, [least])[Scalar.FINITE] == 1
    half = np.full(5_000, 65504, np.float16)
    norm = measured(host, [half])[Scalar.NORM]
    assert abs(norm - exact_norm([half])) <= 1e-6 * norm


def test_a_sum_beyond_float32_is_an_infinite_norm_of_finite_elements(
    host: host_emulation.HostTarget,
) -> None:
    """As in TensorFlow, whose norm overflows there too; a skip is for elements alone."""
    scalars = measured(host, [np.full(4, 1e30, np.float32)], clip_norm=1.0)
    assert scalars[Scalar.NORM] == np.inf
    assert scalars[Scalar.FINITE] == 1
    assert np.isnan(scalars[Scalar.CLIP_FACTOR])


@pytest.mark.parametrize('clip_norm', [0.0, 1e-3, 0.5, 3.0, 1e4, np.inf])
def test_clips_as_clip_by_global_norm_does(
    host: host_emulation.HostTarget, clip_norm: float
) -> None:
    generator = np.random.default_rng(1)
    drawn = [generator.standard_normal(size).astype(np.float32) for size in (30, 4, 1)]
    for gradients in (drawn, [each * 100 for each in drawn]):
        with tv.device('CPU:0'):
            clipped, norm = tv.clip_by_global_norm(list(map(tv.constant, gradients)), clip_norm)
        scalars = measured(host, gradients, clip_norm)
        assert abs(scalars[Scalar.NORM] - norm.numpy()) <= 1e-6 * norm.numpy()
        ours = [each * np.float32(scalars[Scalar.CLIP_FACTOR]) for each in gradients]
        if clip_norm == np.inf:
            # There it is infinity times zero; no bound is none here.
            assert scalars[Scalar.CLIP_FACTOR] == 1
            continue
        for found, wanted in zip(ours, clipped, strict=True):
            np.testing.assert_allclose(found, wanted.numpy(), rtol=5e-7)
