"""Programs whose plans do products with what follows them at once: eager and plan agree."""

from collections.abc import Callable
from typing import Any, NamedTuple

import hypothesis
import ml_dtypes
import numpy as np
import pytest
from hypothesis import strategies as st

import tensorvar as tv
from tests.support import emulated_kernels, examples
from tests.support.layers import bits, check, dense, fused, layer, values

Target = emulated_kernels.EmulatedTarget

BF16, F32 = ml_dtypes.bfloat16, np.float32


@pytest.fixture
def simt(kernel_target: Target, simulated_gpus: list[str], measured: Callable[..., None]) -> Target:
    """What GPU:0, the default device, launches with: kernels of ours multiply."""
    measured('simt')
    return kernel_target


def mlp(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
    with tv.GradientTape() as tape:
        logits = tv.nn.relu(x @ w1 + b1) @ w2 + b2
        loss = tv.reduce_mean(tv.square(logits - y))
    variables = w1, b1, w2, b2
    for variable, slope in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(0.1 * slope)
    return loss


@pytest.mark.parametrize('dtype', [F32, BF16])
def test_a_training_step(simt: Target, dtype: Any) -> None:
    def weights() -> list[Any]:
        shapes = (20, 16), (16,), (16, 5), (5,)
        return [tv.Variable(values(dtype, *each, seed=i) / 4) for i, each in enumerate(shapes)]

    x, y = tv.constant(values(dtype, 12, 20)), tv.constant(values(dtype, 12, 5))
    eager, traced = weights(), weights()
    function = tv.function(mlp)
    for _ in range(4):
        assert bits(function(*traced, x, y)) == bits(mlp(*eager, x, y))
    assert bits(traced) == bits(eager)
    titles = fused(function)
    # The gradient of relu takes its result, so that nobody needs the sum.
    assert titles[:2] == ['MatMul_AddV2_Relu', 'MatMul_AddV2']
    # Two products forward and three back, in each of eight steps.
    assert simt.count('matmul_simt') == 40, simt.launched
    assert simt.count('matmul_simt', 'relu') == 3, simt.launched


def test_loops_and_branches(simt: Target) -> None:
    w, b = tv.constant(values(F32, 6, 6) / 4), tv.constant(values(F32, 6))

    def program(x: Any) -> Any:
        state = tv.while_loop(
            lambda i, h: i < 3, lambda i, h: (i + 1, tv.nn.relu(h @ w + b)), (tv.constant(0), x)
        )[1]
        if tv.reduce_sum(state) > 0:
            return tv.nn.relu(state @ w + b)
        return state

    check(program, tv.constant(values(F32, 4, 6) + 3))
    assert simt.count('matmul_simt_relu') > 3, simt.launched


def test_a_tape_around_the_function(simt: Target) -> None:
    traced = tv.function(dense)
    arguments = layer()
    slopes = []
    for function in (dense, traced, traced):
        with tv.GradientTape() as tape:
            tape.watch(arguments)
            result = function(*arguments)
        slopes.append(bits(tape.gradient(result, arguments)))
    assert slopes[0] == slopes[1] == slopes[2]


def test_recorders_see_each_op(simt: Target) -> None:
    traced = tv.function(dense)
    arguments = layer()
    for _ in range(3):
        traced(*arguments)
    launched = simt.count('relu')
    with tv.debugging.record_placement() as log:
        found = traced(*arguments)
    assert [record.op for record in log.records] == ['MatMul', 'AddV2', 'Relu']
    assert simt.count('relu') == launched
    assert bits(found) == bits(dense(*arguments))


def test_a_caught_error_is_that_of_the_product(simt: Target) -> None:
    def program(x: Any, w: Any, b: Any) -> Any:
        before = tv.abs(b)
        try:
            product = tv.matmul(x, w)
        except tv.errors.ResourceExhaustedError:
            return before + 1.0
        return tv.nn.relu(product + before)

    function = tv.function(program)
    x, w, b = layer(size=(400, 300, 20))
    for _ in range(3):
        assert bits(function(x, w, b)) == bits(program(x, w, b))
    assert fused(function) == ['MatMul_AddV2_Relu']
    in_use = tv.config.get_memory_info('GPU:0')['current']
    tv.config.set_memory_limit('GPU:0', in_use + 100_000)
    assert bits(function(x, w, b)) == bits(tv.abs(b) + 1.0)


def test_no_re_run_gets_values_that_are_let_go_of(simt: Target) -> None:
    def program(x: Any, w: Any, b: Any, host: Any) -> Any:
        y = tv.abs(x)
        product = tv.matmul(y, w)
        # The copy is the last event for which values are kept; the product is done after it.
        row = b + host
        try:
            return tv.nn.relu(product + row)
        except tv.errors.ResourceExhaustedError:
            return row

    function = tv.function(program)
    x, w, b = layer(size=(400, 300, 200))
    with tv.device('CPU:0'):
        host = tv.ones(b.shape)
    for _ in range(3):
        assert bits(function(x, w, b, host)) == bits(program(x, w, b, host))
    assert fused(function) == ['MatMul_AddV2_Relu']
    limit = tv.config.get_memory_info('GPU:0')['current'] + 400_000
    tv.config.set_memory_limit('GPU:0', limit)
    with pytest.raises(tv.errors.ResourceExhaustedError):
        program(x, w, b, host)
    with pytest.raises(tv.errors.ResourceExhaustedError):
        function(x, w, b, host)


def test_an_error_before_a_write_leaves_the_variable(simt: Target) -> None:
    x, w, b = layer(size=(12, 12, 12))
    v = tv.Variable(x)
    function = tv.function(lambda: v.assign(tv.nn.relu(v @ w + b)))
    function()
    function()
    for after in range(4):
        before, wanted = v.numpy(), tv.nn.relu(v @ w + b).numpy()
        with tv.testing.fail('GPU:0', 'allocate', after=after):
            try:
                function()
            except tv.errors.ResourceExhaustedError:
                wanted = before
        np.testing.assert_array_equal(v.numpy(), wanted)


# Drawn programs.


class Layer(NamedTuple):
    """A layer of a drawn program.

    Attributes:
        width: its results.
        bias: how it is added.
        activation: after that.
        keeps: which values the program returns, besides the last one.
        turned: whether the weights are stored transposed.
    """

    width: int
    bias: str
    activation: str
    keeps: str
    turned: bool


BIASES: dict[str, Callable[[Any, Any], Any]] = {
    'none': lambda p, b: p,
    'add': lambda p, b: p + b,
    'before': lambda p, b: b + p,
    'bias_add': tv.nn.bias_add,
    'twice': lambda p, b: p + b + b,
    'row': lambda p, b: p + b[None],
}
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    'none': tv.identity, 'relu': tv.nn.relu, 'relu6': tv.nn.relu6, 'abs': tv.abs,
    'both': lambda x: tv.nn.relu(x) - x,
}  # fmt: skip

layers = st.builds(
    Layer,
    width=st.sampled_from([1, 3, 8]),
    bias=st.sampled_from(sorted(BIASES)),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    keeps=st.sampled_from(['nothing', 'nothing', 'product', 'sum']),
    turned=st.booleans(),
)


def drawn_program(drawn: list[Layer]) -> Callable[..., Any]:
    def program(x: Any, weights: list[Any], biases: list[Any]) -> Any:
        kept = []
        with tv.GradientTape() as tape:
            for each, w, b in zip(drawn, weights, biases, strict=True):
                product = tv.matmul(x, w, transpose_b=each.turned)
                total = BIASES[each.bias](product, b)
                x = ACTIVATIONS[each.activation](total) * 0.25
                kept += {'product': [product], 'sum': [total]}.get(each.keeps, [])
            loss = tv.reduce_sum(x)
        slopes = tape.gradient(loss, biases)
        for b, slope in zip(biases, slopes, strict=True):
            if slope is not None:
                b.assign_sub(0.5 * slope)
        return x, kept

    return program


@pytest.mark.usefixtures('simt')
@examples.share(1 / 3)
@hypothesis.given(
    drawn=st.lists(layers, min_size=1, max_size=3),
    dtype=st.sampled_from([F32, BF16]),
    rows=st.sampled_from([1, 5]),
    seed=st.integers(0, 99),
)
def test_drawn_programs(drawn: list[Layer], dtype: Any, rows: int, seed: int) -> None:
    widths = [4, *(each.width for each in drawn)]
    weights = [
        tv.constant(values(dtype, *((n, k) if each.turned else (k, n)), seed=seed + i))
        for i, (k, n, each) in enumerate(zip(widths[:-1], widths[1:], drawn, strict=True))
    ]

    def biases() -> list[Any]:
        return [tv.Variable(values(dtype, n, seed=seed - i)) for i, n in enumerate(widths[1:])]

    program = drawn_program(drawn)
    function = tv.function(program)
    eager, traced = biases(), biases()
    for turn in range(3):
        x = tv.constant(values(dtype, rows, 4, seed=turn))
        assert bits(function(x, weights, traced)) == bits(program(x, weights, eager))
        assert bits(traced) == bits(eager)
