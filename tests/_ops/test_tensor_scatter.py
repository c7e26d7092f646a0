"""tensor_scatter_nd_update, add, sub, min, max."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

FUNCTIONS = {
    name: getattr(tv, f'tensor_scatter_nd_{name}')
    for name in ('update', 'add', 'sub', 'min', 'max')
}
STEPS = {
    'update': lambda old, new: new,
    'add': lambda old, new: old + new,
    'sub': lambda old, new: old - new,
    'min': np.minimum,
    'max': np.maximum,
}


def reference(name: str, tensor: np.ndarray, indices: Any, updates: np.ndarray) -> np.ndarray:
    result, indices = tensor.copy(), np.asarray(indices)
    for place in np.ndindex(indices.shape[:-1]):
        key = tuple(indices[place])
        result[key] = STEPS[name](result[key], updates[place])
    return result


def dtypes_of(name: str) -> list[Any]:
    return {'update': [*rules.NUMBERS, np.bool_], 'add': rules.NUMBERS, 'sub': rules.NUMBERS}.get(
        name, rules.REAL
    )


@pytest.mark.parametrize(
    ('name', 'dtype'),
    [(name, dtype) for name in FUNCTIONS for dtype in dtypes_of(name)],
    ids=lambda value: value if isinstance(value, str) else rules.name_of(value),
)
def test_dtypes(device: str, name: str, dtype: Any) -> None:
    tensor = device_parity.sample(dtype, (4, 3))
    updates = device_parity.sample(dtype, (3, 3), seed=1)
    indices = [[2], [0], [2]]
    rules.check(
        device,
        lambda x, y: FUNCTIONS[name](x, indices, y),
        lambda x, y: reference(name, x, indices, y),
        tensor,
        updates,
    )


@pytest.mark.parametrize('name', FUNCTIONS)
def test_tuples(device: str, name: str) -> None:
    tensor = device_parity.sample(np.float32, (2, 3, 2))
    for indices, shape in (
        ([[[0, 2]], [[1, 1]], [[0, 2]]], (3, 1, 2)),
        ([[0, 2, 1], [1, 0, 0]], (2,)),
        (np.zeros((0, 2), np.int32), (0, 2)),
    ):
        rules.check(
            device,
            lambda x, y, indices=indices: FUNCTIONS[name](x, indices, y),
            lambda x, y, indices=indices: reference(name, x, indices, y),
            tensor,
            device_parity.sample(np.float32, shape, seed=1),
        )


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize('name', FUNCTIONS)
def test_bad_arguments(device: str, name: str) -> None:
    function = FUNCTIONS[name]
    with tv.device(device):
        tensor = tv.constant([1.0, 2.0, 3.0])
        for indices in ([[5]], [[-1]], tv.constant([[5]])):
            with pytest.raises(IndexError, match='does not index|is not a place'):
                function(tensor, indices, [7.0])
        for updates in ([7.0, 8.0], tv.constant(7.0), tv.constant([7])):
            with pytest.raises(tv.errors.InvalidArgumentError):
                function(tensor, [[0]], updates)
        assert tensor.numpy().tolist() == [1, 2, 3]


@pytest.mark.parametrize('name', FUNCTIONS)
def test_gradient(name: str) -> None:
    tensor, updates = samples.float64(4, 2), samples.float64(2, 2, seed=1) * 0.9
    numeric_gradient.check(lambda x, y: FUNCTIONS[name](x**2, [[3], [0]], y**3), tensor, updates)


@pytest.mark.parametrize('name', ['add', 'sub', 'min', 'max'])
def test_gradient_with_duplicates(name: str) -> None:
    tensor, updates = samples.float64(4), samples.float64(3, seed=1) * 0.9
    numeric_gradient.check(
        lambda x, y: FUNCTIONS[name](x, [[3], [0], [3]], y) ** 2, tensor, updates
    )


def test_ties_share_the_gradient() -> None:
    tensor, updates = tv.constant([1.0, 2.0]), tv.constant([1.0, 1.0])
    with tv.GradientTape() as tape:
        tape.watch([tensor, updates])
        result = tv.tensor_scatter_nd_max(tensor, [[0], [0]], updates)
    of_tensor, of_updates = tape.gradient(result, [tensor, updates])
    np.testing.assert_allclose(of_tensor.numpy(), [1 / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(of_updates.numpy(), [1 / 3, 1 / 3], rtol=1e-6)
