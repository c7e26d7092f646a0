"""gather_nd and scatter_nd."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

INDICES = [
    [0, 1], [[0], [1], [0]], [[0, 2], [1, 1]], [[[0, 2, 1]], [[1, 0, 0]]],
    np.zeros((2, 0), np.int32), np.zeros((0, 2), np.int32),
]  # fmt: skip


def pick(x: np.ndarray, indices: Any) -> np.ndarray:
    indices = np.asarray(indices)
    return x[tuple(np.moveaxis(indices, -1, 0))] if indices.shape[-1] else np.stack([x, x])


@pytest.mark.parametrize('indices', INDICES, ids=str)
def test_gather_nd(device: str, indices: Any) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    rules.check(device, lambda x: tv.gather_nd(x, indices), lambda x: pick(x, indices), array)


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (4, 3))
    rules.check(
        device,
        lambda x: [
            tv.gather_nd(x, [[3, 0], [1, 1]]),
            tv.scatter_nd([[5], [1], [0], [2]], x, [6, 3]),
        ],
        lambda x: [x[[3, 1], [0, 1]], np.stack([x[2], x[1], x[3], 0 * x[0], 0 * x[0], x[0]])],
        array,
    )


def test_batch_dims(device: str) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    indices = np.array([[[0], [1]], [[2], [1]]])
    rules.check(
        device,
        lambda x: tv.gather_nd(x, indices, batch_dims=1),
        lambda x: np.stack([x[0][[0, 1]], x[1][[2, 1]]]),
        array,
    )
    rules.check(
        device,
        lambda x: tv.gather_nd(x, [[0, 3], [2, 1]], 1),
        lambda x: np.stack([x[0, 0, 3], x[1, 2, 1]]),
        array,
    )


def test_scatter_nd_adds_up(device: str) -> None:
    updates = np.ones((300,), ml_dtypes.bfloat16)
    indices = np.array([[0, 1]] * 299 + [[1, 0]])
    rules.check(
        device,
        lambda x: tv.scatter_nd(indices, x, tv.constant([2, 2])),
        lambda x: np.array([[0, 299], [1, 0]]),
        updates,
    )


def test_scatter_nd_of_booleans() -> None:
    assert tv.scatter_nd([[0], [0]], [True, True], [2]).numpy().tolist() == [True, False]


def test_scatter_nd_joins_texts(device: str) -> None:
    with tv.device(device):
        joined = tv.scatter_nd([[0], [1], [0]], [['x', 'a'], ['y', ''], ['z', 'b']], [3, 2])
        nothing = tv.scatter_nd(tv.zeros([0, 1], tv.int32), tv.constant([], tv.string), [2])
    assert joined.numpy().tolist() == [[b'xz', b'ab'], [b'y', b''], [b'', b'']]
    assert nothing.numpy().tolist() == [b'', b'']


@pytest.mark.usefixtures('values_checked')
def test_indices_out_of_range(device: str) -> None:
    with tv.device(device):
        table, updates = tv.Variable(tv.zeros([2, 2])), tv.ones([2])
        for indices in ([[0, 0], [0, 2]], [[0, 1], [-1, 0]]):
            for given in (indices, tv.constant(indices)):
                with pytest.raises(
                    IndexError, match=r'indices\[1\].*(does not index|is not a place)'
                ):
                    tv.gather_nd(table, given)
                with pytest.raises(IndexError, match=r'indices\[1\]'):
                    tv.scatter_nd(given, updates, [2, 2])


@pytest.mark.parametrize(
    'indices', [[[0, 1, 0]], 0, [[0.0]], [[], []], np.array([[0]], np.uint8)], ids=str
)
def test_bad_gather_nd(indices: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[GatherNd\]'):
        tv.gather_nd(tv.zeros([2, 2]), indices)


def test_bad_batch_dims() -> None:
    for indices, batch_dims in (([[0]], 1), ([[0], [1]], 2), ([[0], [1]], -1)):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[GatherNd\]'):
            tv.gather_nd(tv.zeros([2, 2]), indices, batch_dims)


@pytest.mark.parametrize(
    ('indices', 'updates', 'shape'),
    [
        ([[0], [1]], [1.0, 2.0, 3.0], [3]),
        ([[0, 0, 0]], [1.0], [3, 3]),
        ([0], [1.0], [3]),
        ([[0]], [1.0], [[3]]),
    ],
    ids=str,
)
def test_bad_scatter_nd(indices: Any, updates: Any, shape: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[ScatterNd\]'):
        tv.scatter_nd(indices, updates, shape)


def test_bad_indices_policy() -> None:
    assert tv.gather_nd([1], [0], bad_indices_policy='ERROR').numpy() == 1
    with pytest.raises(tv.errors.InvalidArgumentError, match='bad_indices_policy'):
        tv.gather_nd([1], [0], bad_indices_policy='IGNORE')


def test_kinds_of_gradient() -> None:
    variable = tv.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tv.GradientTape(persistent=True) as tape:
        rows, elements = tv.gather_nd(variable, [[1], [1]]), tv.gather_nd(variable, [[1, 0]] * 3)
    sparse = tape.gradient(rows, variable)
    assert isinstance(sparse, tv.IndexedSlices)
    assert tv.convert_to_tensor(sparse).numpy().tolist() == [[0, 0], [2, 2]]
    assert tape.gradient(elements, variable).numpy().tolist() == [[0, 0], [3, 0]]


@pytest.mark.parametrize('indices', INDICES, ids=str)
def test_gradient_of_gather_nd(indices: Any) -> None:
    numeric_gradient.check(lambda x: tv.gather_nd(x, indices) ** 2, samples.float64(2, 3, 4))


def test_gradients_with_batches_and_of_scatter_nd() -> None:
    values = samples.float64(2, 3, 2)
    indices = [[[0], [0]], [[2], [1]]]
    numeric_gradient.check(lambda x: tv.gather_nd(x, indices, 1) ** 2, values)
    numeric_gradient.check(lambda x: tv.scatter_nd([[1], [1]], x**2, [3, 3, 2]), values)
