"""meshgrid, identity_n, guarantee_const and parallel_stack."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import meshgrid as ops
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


@pytest.mark.parametrize('indexing', ['xy', 'ij'])
@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_meshgrid(device: str, dtype: Any, indexing: str) -> None:
    axes = [device_parity.sample(dtype, (length,)) for length in (3, 2, 4)]
    for count in (1, 2, 3):
        rules.check(
            device,
            lambda *axes: ops.meshgrid(*axes, indexing=indexing),
            lambda *axes: np.meshgrid(*axes, indexing=indexing),
            *axes[:count],
        )


def test_shapes_of_meshgrid() -> None:
    assert ops.meshgrid() == []
    assert [grid.shape for grid in ops.meshgrid(1, [[4, 5], [6, 7]])] == [(4, 1)] * 2


def test_bad_meshgrid() -> None:
    with pytest.raises(ValueError, match='indexing'):
        ops.meshgrid([1], indexing='zz')
    with pytest.raises(tv.errors.InvalidArgumentError, match='dtype'):
        ops.meshgrid([1, 2], [3.0])
    with pytest.raises(TypeError, match='sparse'):
        ops.meshgrid([1], sparse=True)  # type: ignore[call-arg]


def test_identity_n() -> None:
    results = ops.identity_n([1, 2.0, [3]])
    assert [result.numpy().tolist() for result in results] == [1, 2.0, [3]]
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 1'):
        ops.identity_n([])
    with pytest.raises(TypeError):
        ops.identity_n(3)


def test_guarantee_const_stops_gradients(device: str) -> None:
    with tv.device(device):
        v = tv.Variable([1.0, 2.0])
        with tv.GradientTape() as tape:
            result = ops.guarantee_const(v)
        assert result.numpy().tolist() == [1.0, 2.0]
        assert tape.gradient(result, v) is None


def test_parallel_stack() -> None:
    assert ops.parallel_stack([[1, 2], [3, 4]]).numpy().tolist() == [[1, 2], [3, 4]]
    with pytest.raises(tv.errors.InvalidArgumentError):
        ops.parallel_stack([[1, 2], [3]])


def test_gradients() -> None:
    x = samples.float64(3)
    numeric_gradient.check(lambda x, y: [g**2 for g in ops.meshgrid(x, y)], x, x[:2])
    numeric_gradient.check(lambda x, y: [v**2 for v in ops.identity_n([x, y])], x, x[:2])
