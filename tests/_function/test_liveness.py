"""What a plan keeps for a re-run: no table whose rows it goes on to change."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

ROWS, WIDTH = 50, 8
IDS = [3, 49, 3, 0]


def table(rows: int = ROWS) -> tv.Variable:
    return tv.Variable(np.random.default_rng(rows).normal(size=(rows, WIDTH)).astype(np.float32))


def address(variable: tv.Variable) -> int:
    return int(variable._array.ctypes.data)


def run(body: Callable[..., Any], *variables: tv.Variable, ids: Any) -> list[bool]:
    """Runs a step as a function beside an eager one; says what is written in place."""
    copies = [tv.Variable(variable.numpy()) for variable in variables]
    function = tv.function(lambda ids: body(*variables, ids))
    given = tv.constant(ids, tv.int32)
    for _ in range(3):
        before = [address(variable) for variable in variables]
        result, expected = function(given), body(*copies, given)
        assert result.numpy().tobytes() == expected.numpy().tobytes()
        for variable, copy in zip(variables, copies, strict=True):
            assert variable.numpy().tobytes() == copy.numpy().tobytes()
    return [address(v) == place for v, place in zip(variables, before, strict=True)]


def step(v: tv.Variable, ids: Any) -> Any:
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.nn.embedding_lookup(v, ids) ** 2)
    gradient = tape.gradient(loss, v)
    v.scatter_sub(tv.IndexedSlices(0.1 * gradient.values, gradient.indices))
    return loss


@pytest.mark.parametrize('ids', [IDS, [IDS, IDS]], ids=['row', 'matrix'])
def test_the_step_of_an_embedding_is_in_place(ids: Any) -> None:
    assert run(step, table(), ids=ids) == [True]


def test_two_tables() -> None:
    def both(first: tv.Variable, second: tv.Variable, ids: Any) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(first, ids) * tv.gather(second, ids))
        for v, gradient in zip((first, second), tape.gradient(loss, (first, second)), strict=True):
            v.scatter_sub(gradient)
        return loss

    assert run(both, table(), table(70), ids=IDS) == [True, True]


def test_rows_gathered_twice() -> None:
    def twice(v: tv.Variable, ids: Any) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(v, ids) * tv.gather(v, ids // 2))
        v.scatter_add(tape.gradient(loss, v))
        return loss

    assert run(twice, table(), ids=IDS) == [True]


def test_a_dense_gradient() -> None:
    def dense(v: tv.Variable, ids: Any) -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(v, ids))
        v.assign_sub(tv.convert_to_tensor(tape.gradient(loss, v)))
        return loss

    assert run(dense, table(), ids=IDS) == [True]


@pytest.mark.parametrize('rows', [[1, 2, -1, 0], [0, 50, 1, 1]], ids=str)
def test_an_index_out_of_range_changes_nothing(rows: list[int]) -> None:
    v = table()
    function = tv.function(lambda ids: step(v, ids))
    for _ in range(3):
        function(tv.constant(IDS))
    before, version = v.numpy(), v.version
    bad = next(row for row in rows if not 0 <= row < ROWS)
    with pytest.raises(tv.errors.InvalidArgumentError, match=rf'^\[GatherV2\].*= {bad} is not in'):
        function(tv.constant(rows))
    assert v.numpy().tobytes() == before.tobytes()
    assert v.version == version
    function(tv.constant(IDS))


@pytest.mark.parametrize('gathered', ['larger', 'other', 'columns'])
def test_rows_that_no_gather_has_checked_are_refused(gathered: str) -> None:
    small, large = table(), table(70)

    def body(ids: Any) -> Any:
        if gathered == 'larger':
            read = tv.gather(large, ids)
        elif gathered == 'other':
            read = tv.gather(small, ids // 2)
        else:
            read = tv.transpose(tv.gather(tv.reshape(small, [WIDTH, ROWS]), ids // 2, axis=1))
        total = tv.reduce_sum(read) + tv.reduce_sum(small)
        small.scatter_add(tv.IndexedSlices(tv.ones([4, WIDTH]), ids))
        return total

    function = tv.function(body)
    for _ in range(3):
        function(tv.constant(IDS))
    before, version = small.numpy(), small.version
    text = r'^\[ResourceScatterAdd\] indices\[2\] = 60 is not in \[0, 50\)'
    with pytest.raises(tv.errors.InvalidArgumentError, match=text):
        function(tv.constant([1, 2, 60, 3]))
    assert small.numpy().tobytes() == before.tobytes()
    assert small.version == version
