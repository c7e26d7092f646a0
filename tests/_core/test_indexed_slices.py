"""``IndexedSlices``: what they are, and where gradients of gathers give them."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


def slices(device: str | None = None, **options: Any) -> tv.IndexedSlices:
    """Rows 1 and 1 of an array of three rows."""
    with tv.device(device):
        values, indices = tv.constant([[1.0, 2.0], [10.0, 20.0]]), tv.constant([1, 1])
    return tv.IndexedSlices(values, indices, **{'dense_shape': [3, 2], **options})


def table(device: str | None = None) -> tv.Variable:
    with tv.device(device):
        return tv.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


# The class


def test_attributes(device: str) -> None:
    rows = slices(device)
    assert value(rows.values) == [[1.0, 2.0], [10.0, 20.0]]
    assert value(rows.indices) == [1, 1]
    assert value(rows.dense_shape) == [3, 2]
    assert rows.shape == tv.TensorShape([3, 2])
    assert rows.dtype is tv.float32
    assert rows.device.endswith(device)
    assert not hasattr(rows, 'name')
    assert repr(rows).startswith('IndexedSlices(indices=')


def test_equal_rows_add_up(device: str) -> None:
    dense = tv.convert_to_tensor(slices(device))
    assert value(dense) == [[0.0, 0.0], [11.0, 22.0], [0.0, 0.0]]
    assert dense.device.endswith(device)


def test_operators_take_them_as_dense() -> None:
    ones = tv.ones([3, 2])
    assert value(ones + slices()) == value(tv.add(slices(), ones)) == [[1, 1], [12, 23], [1, 1]]
    with pytest.raises(TypeError):
        slices() * 2.0


def test_negation_stays_sparse() -> None:
    negative = -slices()
    assert isinstance(negative, tv.IndexedSlices)
    assert value(negative.values) == [[-1.0, -2.0], [-10.0, -20.0]]


def test_without_a_dense_shape() -> None:
    rows = slices(dense_shape=None)
    assert rows.dense_shape is None
    assert rows.shape.rank is None
    with pytest.raises(ValueError, match='without dense_shape'):
        tv.convert_to_tensor(rows)


def test_host_values() -> None:
    rows = tv.IndexedSlices(np.ones((1, 2), np.float32), [0], tv.constant([2, 2]))
    assert value(tv.convert_to_tensor(rows)) == [[1.0, 1.0], [0.0, 0.0]]


def test_variables_are_assigned_by_them(device: str) -> None:
    v = table(device)
    v.assign_sub(slices())
    assert value(v) == [[1.0, 2.0], [-8.0, -18.0], [5.0, 6.0]]


# Gradients


PICKS = {
    'gather': (lambda x: tv.gather(x, [0, 2, 0]), [0, 2, 0]),
    'gather_nd': (lambda x: tv.gather_nd(x, [[2]]), [2]),
}


@pytest.mark.parametrize('pick', PICKS)
def test_picking_rows_of_a_variable_gives_slices(device: str, pick: str) -> None:
    function, rows = PICKS[pick]
    v = table(device)
    with tv.GradientTape() as tape:
        y = function(v) * 2.0
    gradient = tape.gradient(y, v)
    assert isinstance(gradient, tv.IndexedSlices)
    assert gradient.shape == v.shape
    dense = np.zeros((3, 2), np.float32)
    np.add.at(dense, rows, 2.0)
    assert value(tv.convert_to_tensor(gradient)) == dense.tolist()
    assert gradient.device.endswith(device)


def test_sparse_read_gives_slices() -> None:
    v = table()
    with tv.GradientTape() as tape:
        y = v.sparse_read([0, 2])
    assert isinstance(tape.gradient(y, v), tv.IndexedSlices)


def test_picking_rows_of_a_watched_tensor_gives_slices() -> None:
    x = tv.constant([[1.0], [2.0]])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.gather(x, [1])
    assert isinstance(tape.gradient(y, x), tv.IndexedSlices)


def test_other_picks_give_dense_gradients() -> None:
    v = table()
    with tv.GradientTape(persistent=True) as tape:
        columns = tv.gather(v, [0, 1, 0], axis=1)
        row = v[0]
        intermediate = tv.gather(v * 1.0, [0])
    assert value(tape.gradient(columns, v)) == [[2.0, 1.0]] * 3
    assert value(tape.gradient(row, v)) == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    assert value(tape.gradient(intermediate, v)) == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_two_gathers_stay_slices(device: str) -> None:
    v = table(device)
    with tv.GradientTape() as tape:
        y = tv.reduce_sum(tv.gather(v, [0, 2, 0])) + tv.reduce_sum(tv.gather(v, [1]) * 3.0)
    gradient = tape.gradient(y, v)
    assert isinstance(gradient, tv.IndexedSlices)
    assert gradient.indices.shape == (4,)
    assert value(tv.convert_to_tensor(gradient)) == [[2.0, 2.0], [3.0, 3.0], [1.0, 1.0]]


def test_a_gather_and_a_dense_use_give_a_dense_gradient(device: str) -> None:
    v = table(device)
    with tv.GradientTape() as tape:
        y = tv.reduce_sum(tv.gather(v, [0, 2, 0])) + tv.reduce_sum(v * 2.0)
    assert value(tape.gradient(y, v)) == [[4.0, 4.0], [2.0, 2.0], [3.0, 3.0]]


def test_gathered_where_the_variable_lives(simulated_gpus: list[str]) -> None:
    v = table('CPU:0')
    with tv.device('GPU:0'), tv.GradientTape() as tape:
        y = tv.gather(v, [0, 2]) * 2.0
    assert y.device.endswith('GPU:0')
    gradient = tape.gradient(y, v)
    # The gather ran on the CPU; its gradient is brought back there.
    assert gradient.device.endswith('CPU:0')
    v.assign_sub(gradient)
    assert value(v) == [[-1.0, 0.0], [3.0, 4.0], [3.0, 4.0]]


def test_second_order_through_a_gather() -> None:
    v = table()
    with tv.GradientTape() as outer:
        with tv.GradientTape() as inner:
            y = tv.reduce_sum(tv.gather(v, [0, 0, 1]) ** 3.0)
        first = inner.gradient(y, v)
        total = tv.reduce_sum(tv.convert_to_tensor(first))
    second = tv.convert_to_tensor(outer.gradient(total, v))
    assert value(second) == [[12.0, 24.0], [18.0, 24.0], [0.0, 0.0]]


def test_indices_out_of_range_are_refused() -> None:
    rows = tv.IndexedSlices(tv.ones([1, 2]), tv.constant([7]), [3, 2])
    with pytest.raises(errors.InvalidArgumentError):
        tv.convert_to_tensor(rows)


def test_the_dtype_of_a_dense_shape_stays() -> None:
    wide = tv.constant([3, 2], tv.int64)
    for made in (slices(dense_shape=wide), -slices(dense_shape=wide)):
        assert made.dense_shape is not None
        assert made.dense_shape.dtype is tv.int64
    assert slices().dense_shape.dtype is tv.int32
    v = table()
    with tv.GradientTape() as tape:
        y = tv.gather_nd(v, tv.constant([[0], [1]], tv.int64))
    assert tape.gradient(y, v).dense_shape.dtype is tv.int64
