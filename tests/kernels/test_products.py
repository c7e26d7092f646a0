"""Products of matrices on a simulated GPU: who makes them, and that the CPU agrees."""

import itertools
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import matmul
from tests.support import emulated_kernels, fake_cublas, numeric_gradient

Target = emulated_kernels.EmulatedTarget

FORMS = ('none', 'transpose', 'adjoint', 'conjugate')
F16, BF16, F32, F64 = np.float16, ml_dtypes.bfloat16, np.float32, np.float64
TOLERANCE = {F16: 2e-3, BF16: 2e-2, F32: 1e-5, np.complex64: 1e-5}


@pytest.fixture
def gpu(kernel_target: Target, simulated_gpus: list[str]) -> Target:
    """What GPU:0, the default device, launches with."""
    return kernel_target


Measure = Callable[..., None]


def values(dtype: Any, *shape: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).uniform(-2, 2, (2, *shape))
    if np.dtype(dtype).kind == 'c':
        return (drawn[0] + 1j * drawn[1]).astype(dtype)
    if np.dtype(dtype).kind in 'iu':
        return (drawn[0] * 50).astype(dtype)
    return drawn[0].astype(dtype)


def stored(array: np.ndarray, form: str) -> np.ndarray:
    """The array whose form ``form`` is ``array``."""
    array = array.conj() if form in ('adjoint', 'conjugate') else array
    turned = np.swapaxes(array, -1, -2) if form in ('adjoint', 'transpose') else array
    return np.ascontiguousarray(turned)


def check(a: np.ndarray, b: np.ndarray, form_a: str = 'none', form_b: str = 'none') -> None:
    found = matmul.multiply(stored(a, form_a), stored(b, form_b), form_a, form_b)
    assert found.device.endswith('GPU:0')
    assert found.numpy().dtype == a.dtype
    if a.dtype.kind in 'iu':
        np.testing.assert_array_equal(found.numpy(), a @ b)
        return
    wide = np.complex128 if a.dtype.kind == 'c' else np.float64
    expected = a.astype(wide) @ b.astype(wide)
    scale = np.abs(a).astype(F64) @ np.abs(b).astype(F64)
    error = np.abs(found.numpy().astype(wide) - expected)
    assert (error <= TOLERANCE.get(a.dtype.type, 1e-12) * scale).all()


# Who multiplies.


@pytest.mark.parametrize('dtype', [F32, np.complex64])
@pytest.mark.parametrize('form_a', FORMS)
def test_forms_by_our_kernels(gpu: Target, measured: Measure, dtype: Any, form_a: str) -> None:
    measured('simt')
    for form_b in FORMS:
        check(values(dtype, 5, 7), values(dtype, 7, 6, seed=1), form_a, form_b)
    assert gpu.count('matmul_simt') == 4
    assert not gpu.cublas.called


@pytest.mark.parametrize('dtype', [F16, BF16, F32, F64, np.complex64, np.complex128])
@pytest.mark.parametrize('form_a', FORMS)
def test_forms_by_cublas(gpu: Target, measured: Measure, dtype: Any, form_a: str) -> None:
    for form_b in FORMS:
        check(values(dtype, 5, 7), values(dtype, 7, 6, seed=1), form_a, form_b)
    assert not gpu.launched
    turned = int(form_a in ('transpose', 'adjoint'))
    assert [call.turned for call in gpu.cublas.called] == [
        (0, turned), (1, turned), (1, turned), (0, turned),
    ]  # fmt: skip
    assert {call.sizes for call in gpu.cublas.called} == {(6, 5, 7)}


@pytest.mark.parametrize('family', ['mma', 'gemv'])
def test_the_fastest_is_taken(gpu: Target, measured: Measure, family: str) -> None:
    measured(family)
    check(values(F16, 4, 9), values(F16, 9, 12, seed=1), 'none', 'transpose')
    assert gpu.count(family) == 1
    assert not gpu.cublas.called


@pytest.mark.parametrize(('dtype', 'precision'), [(BF16, 'ieee'), (F32, 'tf32')])
def test_hoppers_kernels_are_taken(
    gpu: Target, measured: Measure, dtype: Any, precision: Any
) -> None:
    measured('sm90')
    a, b = values(dtype, 72, 64), values(dtype, 64, 40, seed=1)
    found = tv.matmul(a, b, precision=precision).numpy().astype(F64)
    assert gpu.count('matmul_sm90') == 1, gpu.launched
    assert not gpu.cublas.called
    assert np.abs(found - a.astype(F64) @ b.astype(F64)).max() < 0.3


@pytest.mark.parametrize('dtype', [np.int8, np.int32, np.uint16, np.int64])
def test_integers_are_ours_and_wrap(gpu: Target, measured: Measure, dtype: Any) -> None:
    check(values(dtype, 5, 30), values(dtype, 30, 6, seed=1))
    assert sum(gpu.launched.values()) == 1
    assert not gpu.cublas.called


def test_sums_of_no_terms_and_no_results(gpu: Target, measured: Measure) -> None:
    check(np.zeros((3, 0), F32), np.zeros((0, 4), F32))
    check(np.zeros((2, 3, 0), np.complex64), np.zeros((0, 4), np.complex64))
    assert sum(gpu.launched.values()) == 2
    check(np.zeros((0, 3), F32), np.zeros((3, 4), F32))
    check(np.zeros((0, 2, 3), F32), np.zeros((3, 4), F32))
    assert sum(gpu.launched.values()) == 2
    assert not gpu.cublas.called


BATCHES = [
    ((4, 3), (3, 5)),
    ((2, 4, 3), (3, 5)),
    ((4, 3), (2, 3, 5)),
    ((2, 4, 3), (2, 3, 5)),
    ((6, 1, 4, 3), (1, 2, 3, 5)),
    ((2, 3, 4, 3), (3, 3, 5)),
    ((1, 4, 3), (2, 1, 3, 5)),
]


@pytest.mark.parametrize(('shape_a', 'shape_b'), BATCHES)
@pytest.mark.parametrize('family', ['simt', 'cublas'])
def test_batches_broadcast(
    gpu: Target, measured: Measure, shape_a: Any, shape_b: Any, family: str
) -> None:
    if family == 'simt':
        measured('simt')
    for form_a, form_b in itertools.product(('none', 'transpose'), repeat=2):
        check(values(F32, *shape_a), values(F32, *shape_b, seed=1), form_a, form_b)
    assert bool(gpu.launched) == (family == 'simt')
    assert bool(gpu.cublas.called) == (family == 'cublas')


def test_a_batch_with_one_second_factor_is_one_product(gpu: Target, measured: Measure) -> None:
    check(values(F32, 5, 4, 3), values(F32, 3, 2, seed=1))
    [call] = gpu.cublas.called
    assert (call.batch, call.sizes) == (1, (2, 20, 3))


def test_many_small_pieces_are_copied_first(gpu: Target, measured: Measure) -> None:
    # Neither factor can be walked along the whole batch, and 70 launches are too many.
    check(values(F32, 70, 1, 2, 3), values(F32, 1, 71, 3, 2, seed=1))
    [call] = gpu.cublas.called
    assert call.batch == 70 * 71


def test_views_are_read_where_they_lie(gpu: Target, measured: Measure) -> None:
    a, b = values(F32, 8, 9), values(F32, 9, 8, seed=1)
    left, right = tv.constant(a)[1:5, 2:8], tv.transpose(tv.constant(b.T))[2:8]
    before = tv.config.get_memory_info('GPU:0')['current']
    found = left @ right
    assert tv.config.get_memory_info('GPU:0')['current'] - before == 512
    np.testing.assert_allclose(found.numpy(), a[1:5, 2:8] @ b[2:8], rtol=1e-5, atol=1e-5)
    # No stored row of these is dense: they are copied.
    found = tv.constant(a)[:, ::2] @ tv.constant(b)[:5, ::3]
    np.testing.assert_allclose(found.numpy(), a[:, ::2] @ b[:5, ::3], rtol=1e-5, atol=1e-5)
    assert len(gpu.cublas.called) == 2


# Precision.


def test_tf32_is_asked_for_and_float32_is_not_rounded_in_silence(
    gpu: Target, measured: Measure
) -> None:
    a, b = values(F32, 16, 16), values(F32, 16, 16, seed=1)
    exact = tv.matmul(a, b)
    rounded = tv.matmul(a, b, precision='tf32')
    assert [call.compute for call in gpu.cublas.called] == [
        fake_cublas.IN_FLOAT32, fake_cublas.IN_TF32,
    ]  # fmt: skip
    np.testing.assert_allclose(exact.numpy(), a @ b, rtol=1e-5, atol=1e-5)
    assert 1e-6 < np.abs(rounded.numpy() - a @ b).max() < 1e-2


def test_tf32_by_our_kernels(gpu: Target, measured: Measure) -> None:
    measured('mma', 'simt')
    a, b = values(F32, 16, 16), values(F32, 16, 16, seed=1)
    rounded = tv.matmul(a, b, precision='tf32')
    assert gpu.count('mma') == 1
    assert 1e-6 < np.abs(rounded.numpy() - a @ b).max() < 1e-2
    np.testing.assert_allclose(tv.matmul(a, b).numpy(), a @ b, rtol=1e-5, atol=1e-5)
    assert gpu.count('simt') == 1


@pytest.mark.parametrize('precision', ['ieee', 'tf32'])
def test_gradients_have_the_precision_of_the_product(
    gpu: Target, measured: Measure, precision: Any
) -> None:
    a, b = tv.constant(values(F32, 4, 5)), tv.constant(values(F32, 2, 5, 3, seed=1))
    with tv.GradientTape() as tape:
        tape.watch([a, b])
        product = tv.matmul(a, b, precision=precision)
    tape.gradient(product, [a, b])
    computes = {call.compute for call in gpu.cublas.called}
    assert computes == {fake_cublas.IN_TF32 if precision == 'tf32' else fake_cublas.IN_FLOAT32}
    assert len(gpu.cublas.called) >= 3


def test_sums_of_16_bit_floats_are_float32_whatever_multiplies(
    gpu: Target, measured: Measure
) -> None:
    ones = np.ones((3, 1000), BF16)
    for rows in (2, 3):
        found = tv.matmul(ones[:rows], ones, transpose_b=True)
        assert (found.numpy() == 1000).all()
        measured('mma')
    assert gpu.count('mma') == 1
    [call] = gpu.cublas.called
    assert (call.types, call.compute) == ((14, 14, 14), fake_cublas.IN_FLOAT32)
    assert ('math mode', 16) in gpu.cublas.set


@pytest.mark.parametrize(('dtype', 'wide'), [(F16, F32), (BF16, F32), (np.int8, np.int32)])
def test_wider_results(gpu: Target, measured: Measure, dtype: Any, wide: Any) -> None:
    a, b = values(dtype, 5, 40), values(dtype, 40, 6, seed=1)
    found = tv.matmul(a, b, output_type=wide).numpy()
    assert found.dtype == wide
    np.testing.assert_allclose(found, a.astype(wide) @ b.astype(wide), rtol=1e-4, atol=1e-4)
    # cuBLAS has no integers, but sums of 16-bit floats that are not rounded.
    assert sum(gpu.launched.values()) == (dtype is np.int8)
    assert len(gpu.cublas.called) == (dtype is not np.int8)


def test_wider_results_without_cublas(gpu: Target, measured: Measure) -> None:
    gpu.cublas = None
    a, b = values(BF16, 5, 40), values(BF16, 40, 6, seed=1)
    found = tv.matmul(a, b, output_type=F32).numpy()
    assert found.dtype == F32
    np.testing.assert_allclose(found, a.astype(F32) @ b.astype(F32), rtol=1e-4, atol=1e-4)


# Gradients.


@pytest.mark.parametrize('family', ['simt', 'cublas'])
@pytest.mark.parametrize(('form_a', 'form_b'), [('none', 'adjoint'), ('conjugate', 'transpose')])
def test_gradients(gpu: Target, measured: Measure, family: str, form_a: str, form_b: str) -> None:
    if family == 'simt':
        measured('simt')
    a = stored(values(np.complex128, 2, 3), form_a)
    b = stored(values(np.complex128, 2, 3, 2, seed=1), form_b)
    numeric_gradient.check(lambda x, y: matmul.multiply(x, y, form_a, form_b), a, b)
    assert bool(gpu.count('simt')) == (family == 'simt')
    assert bool(gpu.cublas.called) == (family == 'cublas')


# Plans.


@pytest.mark.parametrize('family', ['simt', 'cublas'])
def test_a_replayed_function(gpu: Target, measured: Measure, family: str) -> None:
    if family == 'simt':
        measured('simt')
    w = tv.Variable(values(F32, 3, 4))

    @tv.function
    def step(x: tv.Tensor) -> tv.Tensor:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.square(x @ w))
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    host = values(F32, 3, 4)
    x = values(F32, 5, 3, seed=1)
    for _ in range(4):
        product = x @ host
        np.testing.assert_allclose(step(tv.constant(x)).numpy(), (product**2).sum(), rtol=1e-4)
        host = host - 0.1 * (x.T @ (2 * product))
    np.testing.assert_allclose(w.numpy(), host, rtol=1e-4)
    assert gpu.count('simt') == (8 if family == 'simt' else 0)
    assert len(gpu.cublas.called) == (8 if family == 'cublas' else 0)


@pytest.mark.parametrize('device', ['GPU:0', 'CPU:0'])
def test_a_function_is_traced_anew_for_another_precision(
    gpu: Target, measured: Measure, device: str
) -> None:
    @tv.function
    def multiply(a: tv.Tensor, b: tv.Tensor) -> tv.Tensor:
        with tv.device('GPU:0'):
            return a @ b

    with tv.device(device):
        a, b = tv.constant(values(F32, 4, 4)), tv.constant(values(F32, 4, 4, seed=1))
    computes = []
    for enabled in (False, False, True, True, False):
        tv.config.experimental.enable_tensor_float_32_execution(enabled)
        multiply(a, b)
        computes.append(gpu.cublas.called[-1].compute)
    assert computes == [fake_cublas.IN_FLOAT32] * 2 + [fake_cublas.IN_TF32] * 2 + [
        fake_cublas.IN_FLOAT32
    ]


# What cuBLAS is told, and doing without it.


def test_cublas_is_set_up_once_and_told_again_what_only_addresses_change(
    gpu: Target, measured: Measure
) -> None:
    a, b = values(F32, 4, 4), values(F32, 4, 4, seed=1)
    for _ in range(3):
        tv.matmul(a, b)
    assert gpu.cublas.set == [('math mode', 16), ('stream', 0), ('workspace', 4 << 20)]
    assert len(set(gpu.cublas.called)) == 1
    products = tv.constant(1.0)._device.backend.kernels.products
    assert len(products._calls) == 1


@pytest.mark.parametrize('status', [None, 15])
@pytest.mark.parametrize('dtype', [F16, F32, np.complex64])
def test_without_cublas_array_code_multiplies(
    gpu: Target, measured: Measure, dtype: Any, status: int | None
) -> None:
    if status is None:
        gpu.cublas = None
    else:
        gpu.cublas.fails['cublasGemm'] = status
    for _ in range(2):
        check(values(dtype, 5, 7), values(dtype, 7, 6, seed=1), 'adjoint', 'none')
    assert not gpu.launched


def test_an_error_of_cublas(gpu: Target, measured: Measure) -> None:
    gpu.cublas.fails['cublasGemm'] = 14
    with pytest.raises(tv.errors.InternalError, match=r'\[cublas\] cublasGemm .* words \(14\)'):
        tv.matmul(values(F32, 2, 2), values(F32, 2, 2))


def test_a_kernel_that_is_missing_leaves_the_product_to_cublas(
    gpu: Target, measured: Measure
) -> None:
    measured('simt')
    gpu.missing = 'simt'
    check(values(F32, 5, 7), values(F32, 7, 6, seed=1))
    assert len(gpu.cublas.called) == 1


def test_the_cpu_asks_neither(gpu: Target, measured: Measure) -> None:
    measured('simt')
    with tv.device('CPU:0'):
        a, b = values(F32, 3, 4), values(F32, 4, 2, seed=1)
        for precision in ('ieee', 'tf32'):
            found = tv.matmul(a, b, precision=precision)  # type: ignore[arg-type]
            np.testing.assert_array_equal(found.numpy(), a @ b)
    assert not gpu.launched
    assert not gpu.cublas.called


def test_refusals_are_the_same_as_on_the_cpu(gpu: Target, measured: Measure) -> None:
    square = tv.eye(2)
    for arguments, text in (
        ((tv.zeros([2, 3]), tv.zeros([2, 3])), 'Matrix size-incompatible'),
        ((tv.zeros([2, 2, 3]), tv.zeros([3, 3, 3])), 'Incompatible shapes'),
        ((tv.zeros([3]), tv.zeros([3])), 'ndims must be >= 2'),
    ):
        with pytest.raises(tv.errors.InvalidArgumentError, match=text):
            tv.matmul(*arguments)
    with pytest.raises(tv.errors.InvalidArgumentError, match="precision 'fast' was given"):
        tv.matmul(square, square, precision='fast')  # type: ignore[arg-type]
    with pytest.raises(tv.errors.InvalidTypeError, match="'tf32' was given for float64"):
        tv.matmul(tv.eye(2, dtype=tv.float64), tv.eye(2, dtype=tv.float64), precision='tf32')
