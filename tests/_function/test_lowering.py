"""The calls of a plan give the same bits as the forward of the op."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import executor
from tensorvar._core.op_registry import OPS
from tensorvar._function import lowering

AWKWARD = [0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 3.0, 1e-40, 1e30, -7.25, 0.5]
ATTRIBUTES: dict[str, list[dict[str, Any]]] = {
    'MatMul': [
        {'form_a': 'none', 'form_b': 'none', 'output_type': None},
        {'form_a': 'transpose', 'form_b': 'none', 'output_type': None},
        {'form_a': 'none', 'form_b': 'adjoint', 'output_type': None},
    ],
    'Mean': [{'axis': None, 'keepdims': False}, {'axis': (0,), 'keepdims': False}],
    'BatchMatMulV2': [{'form_a': 'none', 'form_b': 'transpose', 'output_type': None}],
    'Sum': [
        {'axis': axis, 'keepdims': keepdims}
        for axis in (None, (0,), (1,), (0, 1), ())
        for keepdims in (False, True)
    ],
}


def inputs_of(name: str, dtype: str) -> list[list[np.ndarray]]:
    values = np.array(AWKWARD).astype(dtype)
    if name == 'Pow' and dtype == 'int32':
        # Integers have no negative powers.
        values = np.abs(values) % 7
    if name in ('MatMul', 'BatchMatMulV2'):
        square = np.random.default_rng(1).normal(size=(6, 6)).astype(dtype)
        return [[square, square[::-1].copy()]]
    if len(OPS[name].letters) == 1:
        return [[values.reshape(3, 4)], [values[2:3].reshape(())], [values[:4].copy()]]
    pairs = [[values.reshape(3, 4), values[::-1].copy().reshape(3, 4)]]
    if name != 'ReluGrad':
        pairs += [[values.reshape(3, 4), values[:4].copy()], [values[2].reshape(()), values[:4]]]
    return pairs


@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int32'])
@pytest.mark.parametrize('name', lowering.LOWERINGS)
@np.errstate(all='ignore')
def test_lowered_ops_give_the_bits_of_their_forward(name: str, dtype: str) -> None:
    op = OPS[name]
    if np.dtype(dtype) not in op.allowed:
        pytest.skip('the op does not take this dtype')
    for arrays in inputs_of(name, dtype):
        for attributes in ATTRIBUTES.get(name, [{}]):
            if name == 'Sum' and len(attributes['axis'] or ()) > arrays[0].ndim:
                continue
            if (name == 'Sum' and arrays[0].ndim < 2) or (name == 'Mean' and not arrays[0].ndim):
                continue

            def body(*tensors: Any, keywords: Any = attributes) -> Any:
                y = executor.run(op, *tensors, **keywords)
                # The first is fresh, the second goes into a buffer, then into its own input.
                z = executor.run(op, *tensors, **keywords)
                return y, tv.reshape(z, [-1])[:0], z + z

            tensors = [tv.constant(array) for array in arrays]
            function = tv.function(body)
            wanted = body(*tensors)
            for _ in range(3):
                for given, expected in zip(function(*tensors), wanted, strict=True):
                    assert given.numpy().tobytes() == expected.numpy().tobytes()
                    assert (given.shape, given.dtype) == (expected.shape, expected.dtype)


def test_values_that_die_are_overwritten_in_place() -> None:
    def body(x: Any, y: Any) -> Any:
        slope = tv.nn.relu(x * y)
        with tv.GradientTape() as tape:
            tape.watch(x)
            z = tv.reduce_sum(tv.nn.relu(tv.nn.relu(x * y) * x - y) * slope)
        return tape.gradient(z, x), tv.transpose(slope) + tv.transpose(tv.square(slope))

    function = tv.function(body)
    draw = np.random.default_rng(0)
    for _ in range(4):
        x, y = (tv.constant(draw.normal(size=(8, 8)).astype(np.float32)) for _ in range(2))
        for given, wanted in zip(function(x, y), body(x, y), strict=True):
            assert given.numpy().tobytes() == wanted.numpy().tobytes()
    text = function.pretty_printed_plan()
    assert text.count('in place in b') + text.count(' again') > text.count('is kept between')


def test_equal_ops_share_one_result() -> None:
    v = tv.Variable([1.0, 2.0])

    def body(x: Any) -> Any:
        first = tv.exp(x * 0.25 + v)
        second = tv.identity(tv.exp(x * 0.25 + v))
        third = tv.reshape(tv.exp(x * 0.25 + v), [2])
        v.assign_add(x)
        return first * second, third, tv.exp(x * 0.25 + v)

    function = tv.function(body)
    x = tv.constant([0.5, 0.25])
    start = v.numpy()
    wanted = [[part.numpy().tolist() for part in body(x)] for _ in range(3)]
    v.assign(start)
    assert [[part.numpy().tolist() for part in function(x)] for _ in range(3)] == wanted
    lines = function.pretty_printed_plan().splitlines()
    assert sum('# Exp on' in line and '(' in line for line in lines) == 2


def test_products_with_one_number_are_one_call() -> None:
    variables = [tv.Variable(np.ones(shape, np.float32)) for shape in ((2, 3), (3,), ())]

    def body(x: Any) -> Any:
        a = x @ variables[0]
        b = tv.square(variables[1]) * a[0]
        total = tv.reduce_sum(b * a, axis=0)
        seen = tv.reshape(b, [3, 1]) * 2.0
        shown = tv.reshape(total, [1, 3])
        variables[0].assign_sub(0.1 * (a * a))
        variables[1].assign_sub(0.1 * (b + total))
        variables[2].assign_sub(0.1 * (tv.reduce_sum(total) * 0.1))
        return seen, 0.1 * b, shown * 0.1, [variable.value() for variable in variables]

    function = tv.function(body)
    inputs = [tv.constant([[n, 0.5], [1.0, -n]], tv.float32) for n in range(4)]
    start = [variable.numpy() for variable in variables]
    wanted = [[part.numpy() for part in tv.nest.flatten(body(x))] for x in inputs]
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    given = [[part.numpy() for part in tv.nest.flatten(function(x))] for x in inputs]
    for one, other in zip(given, wanted, strict=True):
        assert [part.tobytes() for part in one] == [part.tobytes() for part in other]

    @tv.function
    def train(x: Any) -> None:
        with tv.GradientTape() as tape:
            loss = tv.reduce_mean(tv.square(tv.nn.relu(x @ variables[0]) + variables[1]))
        slopes = tape.gradient(loss, variables[:2])
        for variable, slope in zip(variables, slopes, strict=False):
            variable.assign_sub(0.1 * slope)

    train(inputs[0])
    assert sum('b0, b0)' in line for line in train.pretty_printed_plan().splitlines()) == 1


@pytest.mark.parametrize('dtype', ['int32', 'int64'])
def test_a_cross_entropy_and_its_slope(dtype: str) -> None:
    def body(logits: Any, labels: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(logits)
            losses = tv.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tv.reduce_mean(losses)
        return losses, loss, tape.gradient(loss, logits)

    function = tv.function(body)
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(5, 12)).astype(np.float32) * 9
    logits[1] = AWKWARD
    for labels in ([0, 1, 2, 3, 4], [11, 11, 0, 5, 2], [7, 9, 3, 0, 11]):
        given = function(tv.constant(logits), tv.constant(labels, dtype))
        wanted = body(tv.constant(logits), tv.constant(labels, dtype))
        for one, other in zip(given, wanted, strict=True):
            assert np.array_equal(one.numpy(), other.numpy(), equal_nan=True)
    for wrong in (-1, 12):
        with pytest.raises(tv.errors.InvalidArgumentError, match='outside the valid range'):
            function(tv.constant(logits), tv.constant([0, 1, wrong, 3, 4], dtype))
