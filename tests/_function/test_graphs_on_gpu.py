"""Chains and graphs on a real card: the results of an eager run."""

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._function import graphs
from tests.support import tolerances

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures('card')]

X = np.linspace(-1, 1, 96 * 64, dtype=np.float32).reshape(96, 64)
LABELS = np.arange(96) % 10


@pytest.fixture
def card(fresh_devices: None) -> Iterator[None]:
    yield
    gc.collect()


def weights() -> list[tv.Variable]:
    generator = np.random.default_rng(0)
    shapes = (64, 128), (128,), (128, 10), (10,)
    return [tv.Variable(generator.normal(0, 0.1, shape).astype(np.float32)) for shape in shapes]


def training_step(variables: list[Any], images: Any, labels: Any) -> Any:
    w1, b1, w2, b2 = variables
    with tv.GradientTape() as tape:
        logits = tv.nn.relu(images @ w1 + b1) @ w2 + b2
        loss = tv.reduce_mean(
            tv.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
    for variable, slope in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(0.1 * slope)
    return loss


def test_a_training_step_becomes_a_graph() -> None:
    eager, planned = weights(), weights()
    plan = tv.function(lambda images, labels: training_step(planned, images, labels))
    labels = tv.constant(LABELS)
    for turn in range(10):
        images = tv.constant(X * (1 + turn / 10))
        expected = training_step(eager, images, labels).numpy()
        tolerances.assert_close(plan(images, labels).numpy(), expected, looser=20)
    assert '# a CUDA graph\n' in plan.pretty_printed_plan()
    for one, other in zip(planned, eager, strict=True):
        tolerances.assert_close(one.numpy(), other.numpy(), looser=20)


@pytest.mark.parametrize('dtype', ['float32', 'float16', 'bfloat16', 'float64', 'int32'])
def test_arithmetic_of_a_chain_has_the_bits_of_the_ops(dtype: str) -> None:
    def chain(x: Any, y: Any) -> Any:
        return tv.maximum(x * y + x, y) - tv.where(x > y, x, -y) * x

    x, y = (tv.cast(tv.constant(values * 9), dtype) for values in (X, X[::-1].copy()))
    expected = chain(x, y).numpy()
    plan = tv.function(chain)
    for _ in range(6):
        np.testing.assert_array_equal(plan(x, y).numpy(), expected)
    assert 'fused_' in plan.pretty_printed_plan()


def test_functions_of_cudas_library() -> None:
    def smooth(x: Any) -> Any:
        return tv.tanh(x) * tv.sigmoid(x) + tv.exp(-x) * tv.math.log(tv.abs(x) + 1.0)

    expected = smooth(tv.constant(X)).numpy()
    plan = tv.function(smooth)
    for _ in range(6):
        tolerances.assert_close(plan(tv.constant(X)).numpy(), expected)


def test_results_stay_and_arguments_may_change() -> None:
    plan = tv.function(lambda x: tv.tanh(x * 2.0 + 1.0) @ tv.transpose(x) - 1.0)
    inputs = [tv.constant(X * scale) for scale in range(8)]
    results = [plan(x) for x in inputs]
    for x, result in zip(inputs, results, strict=True):
        expected = tv.tanh(x * 2.0 + 1.0) @ tv.transpose(x) - 1.0
        tolerances.assert_close(result.numpy(), expected.numpy(), looser=20)


def test_memory_of_graphs_is_given_back() -> None:
    variables = weights()
    plan = tv.function(lambda images, labels: training_step(variables, images, labels))
    arguments = tv.constant(X), tv.constant(LABELS)
    for _ in range(5):
        plan(*arguments)
    assert graphs._release('GPU:0', 1) > 0
    first = plan(*arguments).numpy()
    assert np.isfinite(first)
    del plan
    gc.collect()
    tv.config.release_memory('GPU:0')
