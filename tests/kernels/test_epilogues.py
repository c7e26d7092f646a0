"""Products in plans with what is done to them: one kernel, and the results of an eager run."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tests.support import emulated_kernels, tolerances
from tests.support.layers import bits, check, dense, fused, layer, values

Target = emulated_kernels.EmulatedTarget
Measure = Callable[..., None]

F16, BF16, F32, F64 = np.float16, ml_dtypes.bfloat16, np.float32, np.float64


@pytest.fixture
def gpu(kernel_target: Target, simulated_gpus: list[str]) -> Target:
    """What GPU:0, the default device, launches with."""
    return kernel_target


@pytest.fixture
def simt(gpu: Target, measured: Measure) -> Target:
    """The same, where a kernel of ours multiplies."""
    measured('simt')
    return gpu


# What is found.


def test_a_layer_is_one_launch(simt: Target) -> None:
    traced = check(dense, *layer())
    assert simt.count('matmul_simt_relu') == 2, simt.launched
    # The first was eager, the second the trace.
    assert simt.count('matmul_simt_none') == 2, simt.launched
    assert fused(traced) == ['MatMul_AddV2_Relu']
    assert not simt.count('fused_')


FORMS: dict[str, tuple[Callable[..., Any], str]] = {
    'the bias first': (lambda x, w, b: tv.nn.relu(b + x @ w), 'MatMul_AddV2_Relu'),
    'bias_add': (lambda x, w, b: tv.nn.relu(tv.nn.bias_add(x @ w, b)), 'MatMul_BiasAdd_Relu'),
    'channels first': (
        lambda x, w, b: tv.nn.bias_add(x @ w, b, data_format='NC'), 'MatMul_BiasAdd',
    ),
    'no activation': (lambda x, w, b: x @ w + b, 'MatMul_AddV2'),
    'no bias': (lambda x, w, b: tv.nn.relu(x @ w), 'MatMul_Relu'),
    'another activation': (lambda x, w, b: tv.nn.elu(x @ w + b), 'MatMul_AddV2'),
    'the bias after the activation': (lambda x, w, b: tv.nn.relu(x @ w) + b, 'MatMul_Relu'),
    'two biases': (lambda x, w, b: x @ w + b + b, 'MatMul_AddV2'),
    'a bias that is computed': (lambda x, w, b: tv.nn.relu(x @ w + (b * 2.0)), 'MatMul_AddV2_Relu'),
    'a bias computed after the product': (
        lambda x, w, b: (lambda product: tv.nn.relu(product + tv.abs(b)))(x @ w),
        'MatMul_AddV2_Relu',
    ),
    'a constant bias': (lambda x, w, b: tv.nn.relu(x @ w + np.ones(7, F32)), 'MatMul_AddV2_Relu'),
    'the result twice': (
        lambda x, w, b: (lambda h: (h, tv.reduce_sum(h, axis=0)))(tv.nn.relu(x @ w + b)),
        'MatMul_AddV2_Relu',
    ),
    'the sum is returned': (
        lambda x, w, b: (lambda s: (s, tv.nn.relu(s)))(x @ w + b), 'MatMul_AddV2',
    ),
    'the same layer twice': (
        lambda x, w, b: tv.nn.relu(x @ w + b) - tv.reduce_mean(tv.nn.relu(x @ w + b)),
        'MatMul_AddV2_Relu',
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', FORMS)
def test_forms(simt: Target, name: str) -> None:
    function, title = FORMS[name]
    traced = check(function, *layer())
    assert fused(traced) == [title]
    simt.launched.clear()
    traced(*layer())
    assert simt.count('matmul_simt') == 1, simt.launched


OTHERS: dict[str, Callable[..., Any]] = {
    'the product is returned': lambda x, w, b: (lambda p: (p, p + b))(x @ w),
    'the product is used elsewhere': (
        lambda x, w, b: (lambda p: (tv.reduce_sum(p), tv.nn.relu(p + b)))(x @ w)
    ),
    'the product twice': lambda x, w, b: (lambda p: tv.abs(p + p))(x @ w),
    'the product is looked at': (lambda x, w, b: (lambda p: p + b if p[0, 0] > -1e9 else p)(x @ w)),
    'a column': lambda x, w, b: tv.abs(x @ w + x[:, :1]),
    'a matrix': lambda x, w, b: tv.abs(x @ w + x[:, :7]),
    'a matrix of one row': lambda x, w, b: tv.abs(x @ w + w[:1]),
    'a number': lambda x, w, b: tv.abs(x @ w + 1.0),
    'a wider sum': lambda x, w, b: tv.abs(x @ w[:, :1] + b),
    'a difference': lambda x, w, b: tv.abs(x @ w - b),
    'a batch': lambda x, w, b: tv.nn.relu(x[None] @ w[None] + b),
    'integers': lambda x, w, b: tv.nn.relu(
        tv.cast(x * 9.0, tv.int32) @ tv.cast(w * 9.0, tv.int32) + tv.cast(b * 9.0, tv.int32)
    ),
    'nothing follows': lambda x, w, b: x @ w,
}


@pytest.mark.parametrize('name', OTHERS)
def test_what_is_left_alone(simt: Target, name: str) -> None:
    traced = check(OTHERS[name], *layer())
    assert not [title for title in fused(traced) if 'MatMul' in title]


def test_a_write_in_between(simt: Target) -> None:
    def program(v: Any, x: Any, w: Any, b: Any) -> Any:
        product = x @ w
        v.assign_add(b)
        return product + v

    x, w, b = layer()
    eager, traced = tv.Variable(b), tv.Variable(b)
    function = tv.function(program)
    for _ in range(3):
        assert bits(function(traced, x, w, b)) == bits(program(eager, x, w, b))
    assert fused(function) == []


def test_a_chain_goes_on_around_it(simt: Target) -> None:
    def program(x: Any, w: Any, b: Any) -> Any:
        scaled = x * 2.0
        h = dense(x, w, b)
        return h, tv.maximum(scaled, x), tv.abs(h) - 1.0

    titles = fused(check(program, *layer()))
    assert titles == ['MatMul_AddV2_Relu', 'Mul_Maximum', 'Abs_Sub']


def test_the_row_is_on_another_device(simt: Target) -> None:
    x, w, b = layer()
    with tv.device('GPU:1'):
        far = tv.identity(b)

    def program(x: Any, w: Any, b: Any) -> Any:
        product = x @ w
        with tv.device('GPU:1'):
            return product + b

    assert fused(check(program, x, w, far)) == []
    # Brought there, it is a row as any other.
    assert fused(check(dense, x, w, far)) == ['MatMul_AddV2_Relu']


def test_what_cublas_multiplies_is_left_to_a_chain(gpu: Target, measured: Measure) -> None:
    traced = check(dense, *layer())
    assert fused(traced) == ['AddV2_Relu']
    assert not gpu.count('matmul')
    assert len(gpu.cublas.called) == 4


def test_without_kernels(simulated_gpus: list[str]) -> None:
    assert fused(check(dense, *layer())) == []


# Results.

TYPES = [
    ('simt', F32), ('simt', F64), ('simt', BF16), ('gemv', F32), ('mma', BF16), ('sm90', F16)
]  # fmt: skip


@pytest.mark.parametrize(('family', 'dtype'), TYPES)
def test_dtypes(gpu: Target, measured: Measure, family: str, dtype: Any) -> None:
    measured(family)
    size = (72, 24, 64) if family == 'sm90' else (20, 5 if family == 'gemv' else 24, 40)
    assert fused(check(dense, *layer(dtype, size))) == ['MatMul_AddV2_Relu']
    assert gpu.count(family, 'relu') == 2, gpu.launched


@pytest.mark.parametrize('dtype', [F16, BF16])
def test_wider_results(simt: Target, dtype: Any) -> None:
    x, w, b = layer(dtype)
    b = tv.cast(b, tv.float32)
    traced = check(lambda x, w, b: tv.matmul(x, w, output_type=tv.float32) + b, x, w, b)
    assert fused(traced) == ['MatMul_AddV2']


@pytest.mark.parametrize('transpose_a', [False, True])
@pytest.mark.parametrize('transpose_b', [False, True])
def test_transposed_factors(simt: Target, transpose_a: bool, transpose_b: bool) -> None:
    x, w, b = layer()
    x, w = (
        tv.transpose(each) + 0.0 if turned else each
        for each, turned in ((x, transpose_a), (w, transpose_b))
    )
    traced = check(
        lambda x, w, b: (
            tv.matmul(x, w, transpose_a=transpose_a, adjoint_b=transpose_b) + b
        ),
        x, w, b,
    )  # fmt: skip
    assert fused(traced) == ['MatMul_AddV2']


def test_gelu(simt: Target) -> None:
    def program(x: Any, w: Any, b: Any) -> Any:
        return tv.nn.gelu(x @ w + b)

    expected = program(*layer()).numpy()
    traced = tv.function(program)
    for _ in range(3):
        # The eager one is SciPy's here.
        tolerances.assert_close(traced(*layer()).numpy(), expected)
    assert fused(traced) == ['MatMul_AddV2_Gelu']
    assert simt.count('matmul_simt_gelu') == 2, simt.launched
    approximate = tv.function(lambda x, w, b: tv.nn.gelu(x @ w + b, approximate=True))
    approximate(*layer())
    assert fused(approximate) == ['MatMul_AddV2']


def test_precision(gpu: Target, measured: Measure) -> None:
    measured('mma', 'simt')
    for precision, family in (('tf32', 'mma'), ('ieee', 'simt')):
        traced = check(
            lambda x, w, b, precision=precision: tv.nn.relu(
                tv.matmul(x, w, precision=precision) + b
            ),
            *layer(),
        )
        assert fused(traced) == ['MatMul_AddV2_Relu']
        assert gpu.count(family, 'relu') == 2, gpu.launched


@pytest.mark.parametrize('terms', [0, 1200])
def test_sums_of_no_terms_and_of_many(simt: Target, terms: int) -> None:
    simt.multiprocessors = 16
    traced = check(dense, *layer(size=(12, 8, terms)))
    assert fused(traced) == ['MatMul_AddV2_Relu']
    assert simt.count('splitk_reduce_relu') == (2 if terms else 0), simt.launched


def test_special_values(simt: Target) -> None:
    x, w, b = (np.array(each.numpy()) for each in layer())
    x[0, 0], x[1, 1], b[2], b[3] = np.nan, np.inf, -np.inf, np.nan
    x[2] = 0
    b[4] = -0.0
    function = tv.function(dense)
    arguments = [tv.constant(each) for each in (x, w, b)]
    with np.errstate(invalid='ignore'):
        expected = dense(*arguments).numpy()
        for _ in range(3):
            # All but the bits of NaN.
            np.testing.assert_array_equal(function(*arguments).numpy(), expected)


def test_no_results(simt: Target) -> None:
    assert fused(check(dense, *layer(size=(0, 7, 20)))) == []
    assert fused(check(dense, *layer(size=(12, 0, 20)))) == []


# Arrays that lie otherwise than the plan expects.


def test_factors_that_lie_oddly(simt: Target) -> None:
    traced = tv.function(dense)
    x, w, b = layer()
    wide = tv.constant(values(F32, 12, 40))
    for _ in range(3):
        assert bits(traced(x, w, b)) == bits(dense(x, w, b))
    # No stored row is dense, so that copies are multiplied.
    odd, launched = wide[:, ::2], simt.count('matmul', 'relu')
    assert bits(traced(odd, w, b)) == bits(dense(odd, w, b))
    assert simt.count('matmul', 'relu') == launched
    assert traced.experimental_get_tracing_count() == 1


def test_a_bias_that_lies_oddly(simt: Target) -> None:
    traced = tv.function(dense)
    x, w, b = layer()
    odd = tv.constant(values(F32, 14))[::2]
    for bias in (b, odd, b, odd, odd[:7]):
        assert bits(traced(x, w, bias)) == bits(dense(x, w, bias))


def test_without_the_kernel_the_ops_run(simt: Target) -> None:
    simt.missing = 'simt_relu'
    assert fused(check(dense, *layer())) == ['AddV2_Relu']
    assert simt.count('simt_none') == 4, simt.launched
    # cuBLAS does no sums of no terms, so that nobody else does them.
    assert fused(check(dense, *layer(size=(12, 7, 0)))) == ['AddV2_Relu']
    assert simt.count('simt_none') == 8, simt.launched


def test_a_kernel_that_is_missing_later(simt: Target) -> None:
    traced = tv.function(dense)
    x, w, b = layer()
    traced(x, w, b)
    assert fused(traced) == ['MatMul_AddV2_Relu']
    simt.missing = 'simt_relu'
    # Other kernels read factors from here.
    odd = tv.constant(values(F32, 12 * 20 + 1))[1:]
    assert bits(traced(tv.reshape(odd, [12, 20]), w, b)) == bits(
        dense(tv.reshape(odd, [12, 20]), w, b)
    )
