"""Rows of tables, whole and in parts."""

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._ops import embedding as ops
from tests.support import numeric_gradient

TABLE = np.arange(14.0).reshape(7, 2)
PARTS = [TABLE[:3], TABLE[3:5], TABLE[5:]]


def test_rows_of_one_table_and_of_parts(device):
    ids = [[0, 3], [6, 4]]
    with tv.device(device):
        whole = ops.embedding_lookup(tv.constant(TABLE), ids)
        parts = ops.embedding_lookup([tv.constant(part) for part in PARTS], ids)
    np.testing.assert_array_equal(whole.numpy(), TABLE[ids])
    np.testing.assert_array_equal(parts.numpy(), TABLE[ids])


def test_a_tuple_is_one_table():
    np.testing.assert_array_equal(ops.embedding_lookup((TABLE, TABLE), [1]).numpy(), [TABLE])


def test_gradient_of_a_variable_is_sparse():
    table = tv.Variable(TABLE)
    with tv.GradientTape() as tape:
        rows = ops.embedding_lookup(table, [1, 1, 2])
    gradient = tape.gradient(rows, table)
    assert isinstance(gradient, tv.IndexedSlices)
    np.testing.assert_array_equal(
        tv.convert_to_tensor(gradient).numpy()[:, 0], [0, 2, 1, 0, 0, 0, 0]
    )


def test_gradients_of_both_orders():
    numeric_gradient.check(lambda t: ops.embedding_lookup(t * t, [[0, 1], [1, 1]]), TABLE)
    numeric_gradient.check(
        lambda a, b: ops.embedding_lookup([a * a, b], [0, 6, 4, 6]), TABLE[:4], TABLE[4:]
    )
    numeric_gradient.check(
        lambda t: ops.embedding_lookup(t, [0, 1, 1], max_norm=2.0), TABLE / 3 + 0.4
    )


def test_long_rows_are_scaled_down():
    rows = ops.embedding_lookup(TABLE, [0, 1, 6], max_norm=2.0).numpy()
    np.testing.assert_array_equal(rows[0], TABLE[0])
    np.testing.assert_allclose(np.linalg.norm(rows[1:], axis=1), 2)
    assert ops.embedding_lookup(TABLE, 1, max_norm=2.0).shape == (2,)
    one_number_each = ops.embedding_lookup(np.arange(5.0), [1, 4], max_norm=2.0)
    assert one_number_each.numpy().tolist() == [1, 2]


@pytest.mark.parametrize('ids', [[7], [-1], [0, 99]])
@pytest.mark.parametrize('params', [TABLE, PARTS], ids=['whole', 'parts'])
def test_ids_out_of_range(params, ids):
    with pytest.raises(errors.InvalidArgumentError, match='is not in'):
        ops.embedding_lookup(params, ids)


def test_parts_of_the_wrong_size():
    with pytest.raises(errors.InvalidArgumentError, match='is not in'):
        ops.embedding_lookup([TABLE[:2], TABLE[2:]], [3])
    with pytest.raises(errors.InvalidArgumentError, match='number of rows'):
        ops.embedding_lookup([1.0, 2.0], [0])


def test_there_has_to_be_a_table():
    with pytest.raises(ValueError, match='at least one'):
        ops.embedding_lookup([], [1])
    with pytest.raises(ValueError, match='must be specified'):
        ops.embedding_lookup(None, [1])
    with pytest.raises(errors.InvalidArgumentError):
        ops.embedding_lookup(TABLE, [1.0])
