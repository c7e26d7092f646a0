"""Numeric gradients in float64 of every differentiable op of the registry.

Each op has one row: a call of its record at a point where it is smooth. What the ops have
in common, such as broadcasting, zeros and ties, is for the tests of the ops themselves.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OPS
from tensorvar._ops.random_seed import FixedStream
from tests.support import numeric_gradient
from tests.support.gradient_rows import ROWS, array, run

DIFFERENTIABLE = sorted(op.name for op in OPS.values() if op.gradient is not NOT_DIFFERENTIABLE)


ELSEWHERE = {
    # Their derivative keeps the quantile, not the random bits: see the last test.
    'RandomGamma': 'implicit derivative',
    'StatelessRandomGammaV3': 'implicit derivative',
}


def bound(name: str, still: tuple[int, ...]) -> tuple[Callable[..., Any], list[np.ndarray]]:
    """The op as a function of the inputs that are differentiated, and these inputs."""
    call = ROWS[name]
    moving = [
        place
        for place, value in enumerate(call.inputs)
        if value.dtype in (np.float64, np.complex128) and place not in still
    ]

    def function(*tensors: Any) -> list[Any]:
        inputs: list[Any] = [tv.constant(value) for value in call.inputs]
        for place, tensor in zip(moving, tensors, strict=True):
            inputs[place] = tensor
        given = tuple(inputs) if call.prepare is None else call.prepare(*inputs)
        results = run(name, *given, **call.attributes)
        each = results if isinstance(results, tuple) else (results,)
        return [one for one in each if one.dtype in (tv.float64, tv.complex128)]

    assert moving
    return function, [call.inputs[place] for place in moving]


def test_every_differentiable_op_has_a_row() -> None:
    assert sorted([*ROWS, *ELSEWHERE]) == DIFFERENTIABLE


@pytest.mark.parametrize('name', ROWS)
def test_first_order(name: str) -> None:
    function, inputs = bound(name, ROWS[name].still)
    numeric_gradient.check(function, *inputs, order=1)


@pytest.mark.parametrize('name', ROWS)
def test_second_order(name: str) -> None:
    function, inputs = bound(name, ROWS[name].still + ROWS[name].still_twice)

    def squared(*tensors: Any) -> list[Any]:
        # Makes the gradient of a linear op depend on what it gets.
        return [result * result for result in function(*tensors)]

    numeric_gradient.check(squared, *inputs, order=2)


@pytest.mark.parametrize('name', ELSEWHERE)
def test_gamma_draws_move_with_their_quantile(name: str) -> None:
    alpha, step = array(0.6, 1.0, 2.5), numeric_gradient.STEP
    tensor = tv.constant(alpha)
    with tv.GradientTape() as tape:
        tape.watch(tensor)
        drawn = run(name, tensor, shape=(3,), stream=FixedStream((1, 2)))
    slope = tape.gradient(drawn, tensor).numpy()
    above = tv.math.igamma(alpha + step, drawn.numpy() + step * slope).numpy()
    below = tv.math.igamma(alpha - step, drawn.numpy() - step * slope).numpy()
    np.testing.assert_allclose((above - below) / (2 * step), 0, atol=numeric_gradient.ABSOLUTE)
    assert np.all(slope > 0)
