"""gather along axes and with batch dimensions."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (4, 3))
    rules.check(
        device,
        lambda x: [tv.gather(x, [3, 0, 0]), tv.gather(x, [[2], [1]], axis=1)],
        lambda x: [x[[3, 0, 0]], np.take(x, [[2], [1]], axis=1)],
        array,
    )


@pytest.mark.parametrize('axis', [0, 1, 2, -1, -3])
@pytest.mark.parametrize('indices', [1, [0, 1, 1], [[0], [1]], np.zeros((0,), np.int64)], ids=str)
def test_axes(device: str, axis: int, indices: Any) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4))
    rules.check(
        device,
        lambda x: tv.gather(x, indices, axis=axis),
        lambda x: np.take(x, indices, axis=axis),
        array,
    )


def batch_reference(x: np.ndarray, indices: np.ndarray, axis: int, batch_dims: int) -> np.ndarray:
    if batch_dims == 0:
        return np.take(x, indices, axis=axis)
    parts = [
        batch_reference(part, ids, axis - 1, batch_dims - 1)
        for part, ids in zip(x, indices, strict=True)
    ]
    return np.stack(parts)


@pytest.mark.parametrize(
    ('axis', 'batch_dims', 'shape'),
    [(1, 1, (2, 2)), (2, 1, (2, 5)), (3, 1, (2, 2, 2)), (2, 2, (2, 3)), (3, 2, (2, 3, 4))],
)
def test_batch_dims(device: str, axis: int, batch_dims: int, shape: tuple[int, ...]) -> None:
    array = device_parity.sample(np.float32, (2, 3, 4, 2))
    indices = np.random.default_rng(0).integers(0, array.shape[axis], shape)
    rules.check(
        device,
        lambda x: tv.gather(x, indices, axis=axis, batch_dims=batch_dims),
        lambda x: batch_reference(x, indices, axis, batch_dims),
        array,
    )


def test_defaults() -> None:
    values = tv.constant([[1, 2], [3, 4]])
    assert tv.gather(values, [1]).numpy().tolist() == [[3, 4]]
    assert tv.gather(values, [[0], [1]], batch_dims=1).numpy().tolist() == [[1], [4]]
    assert tv.gather(values, [[0], [1]], batch_dims=-1).numpy().tolist() == [[1], [4]]
    assert tv.gather([5, 6], tv.Variable([1])).numpy().tolist() == [6]


@pytest.mark.usefixtures('values_checked')
def test_indices_out_of_range(device: str) -> None:
    with tv.device(device):
        values, table = tv.Variable([1.0, 2.0, 3.0]), tv.zeros([2, 2])
        for indices in ([-1], [1, 3]):
            for given in (indices, np.array(indices), tv.constant(indices)):
                with pytest.raises(IndexError, match=r'indices\[\d\].* is not in \[0, 3\)'):
                    tv.gather(values, given)
        with pytest.raises(IndexError, match=r'indices\[1,0\] = 5 is not in \[0, 2\)'):
            tv.gather(table, [[0], [5]], batch_dims=1)
        with pytest.raises(IndexError, match='indices = 7'):
            tv.gather(table, 7, axis=1)
        with pytest.raises(IndexError):
            tv.gather(tv.zeros([0, 2]), [0])


def test_host_indices_for_another_device(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('CPU:0'):
        indices = tv.constant([0, 3])
        params = tv.zeros([3])
    with tv.device('GPU:0'), pytest.raises(IndexError, match=r'indices\[1\] = 3'):
        tv.gather(params, indices)


def test_of_a_variable_elsewhere(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('GPU:1'):
        variable = tv.Variable(np.ones((1000, 4), np.float32))
    with tv.device('GPU:0'), tv.debugging.record_placement() as log:
        rows = tv.gather(variable, [1, 2])
    assert rows.device.endswith('GPU:0')
    [record] = [r for r in log.records if getattr(r, 'op', '') == 'GatherV2']
    assert (record.device, record.reason) == ('GPU:1', 'variable')
    assert all(copy.nbytes <= 32 for copy in log.copies)


@pytest.mark.parametrize(
    ('params', 'indices', 'arguments'),
    [
        ([1.0], [1.0], {}),
        ([1.0], np.array([0], np.uint8), {}),
        ([1.0], [], {}),
        ([1.0], [0], {'axis': 1}),
        (1.0, [0], {}),
        ([[1.0]], [[0], [0]], {'batch_dims': 1}),
        ([[1.0]], [[0]], {'axis': 0, 'batch_dims': 1}),
        ([[1.0]], [[0]], {'batch_dims': 3}),
    ],
)
def test_bad_arguments(params: Any, indices: Any, arguments: dict[str, int]) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[GatherV2\]'):
        tv.gather(params, indices, **arguments)


def test_gradient_of_rows_is_sparse() -> None:
    variable = tv.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tv.GradientTape() as tape:
        rows = tv.gather(variable, [[2, 0], [2, 2]])
    gradient = tape.gradient(rows, variable)
    assert isinstance(gradient, tv.IndexedSlices)
    assert gradient.indices.numpy().tolist() == [2, 0, 2, 2]
    assert gradient.values.shape == (4, 2)
    assert tv.convert_to_tensor(gradient).numpy().tolist() == [[1, 1], [0, 0], [3, 3]]


@pytest.mark.parametrize(
    ('axis', 'batch_dims', 'indices'),
    [
        (0, 0, [1, 1, 0]),
        (0, 0, 1),
        (1, 0, [[2, 0], [2, 2]]),
        (-1, 0, [1, 1]),
        (1, 1, [[0, 0], [2, 1]]),
        (2, 1, [[0, 0], [1, 0]]),
        (2, 2, [[[0], [1], [1]], [[1], [1], [0]]]),
    ],
)
def test_gradient(axis: int, batch_dims: int, indices: Any) -> None:
    numeric_gradient.check(
        lambda x: tv.gather(x, indices, axis=axis, batch_dims=batch_dims) ** 2,
        samples.float64(2, 3, 2),
    )


def test_lists_with_tensors_inside(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('CPU:0'):
        one = tv.constant(1)
    with tv.device('GPU:0'):
        assert tv.gather([5, 6, 7], [one, 2]).numpy().tolist() == [6, 7]
        with pytest.raises(IndexError):
            tv.gather([5, 6], [one, 2])
