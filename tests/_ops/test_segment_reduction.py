"""segment_sum, segment_mean and kin."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import _segment_rows
from tensorvar._ops import segment_reduction as ops
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

IDS = [0, 0, 2, 2, 2, 4]
REDUCTIONS: dict[str, Any] = {
    'sum': (np.sum, 0, rules.NUMBERS),
    'mean': (np.mean, 0, [*rules.FLOATS, *rules.COMPLEX]),
    'prod': (np.prod, 1, rules.NUMBERS),
    'max': (np.max, 0, rules.REAL),
    'min': (np.min, 0, rules.REAL),
}
CASES = [(name, dtype) for name, (_, _, allowed) in REDUCTIONS.items() for dtype in allowed]


def reference(name: str, data: np.ndarray, ids: Any) -> np.ndarray:
    reduce, empty, _ = REDUCTIONS[name]
    ids = np.asarray(ids)
    result = np.full((max(ids) + 1, *data.shape[1:]), empty, data.dtype)
    for segment in set(ids.tolist()):
        result[segment] = reduce(data[ids == segment], axis=0).astype(data.dtype)
    return result


@pytest.mark.parametrize(('name', 'dtype'), CASES, ids=rules.name_of)
def test_dtypes(device: str, name: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: getattr(ops, f'segment_{name}')(x, IDS),
        lambda x: reference(name, x, IDS),
        device_parity.sample(dtype, (6, 2)),
        looser=3,
    )


def test_means_of_integers_round_towards_zero(device: str) -> None:
    with tv.device(device):
        for dtype in rules.SIGNED:
            data = tv.constant(np.array([1, 2, -1, -2, 7], dtype))
            assert ops.segment_mean(data, [0, 0, 1, 1, 3]).numpy().tolist() == [1, -1, 0, 7]
        data = tv.constant(np.array([1, 2], np.uint8))
        assert ops.segment_mean(data, [0, 0]).numpy().tolist() == [1]


def test_half_precision_rounds_once(device: str) -> None:
    with tv.device(device):
        data = tv.constant(np.ones(1000, ml_dtypes.bfloat16))
        assert ops.segment_sum(data, [0] * 1000).numpy().tolist() == [1000]


def test_sizes_of_zero_and_infinities() -> None:
    none = tv.zeros([0], tv.int32)
    assert ops.segment_sum(tv.zeros([0, 3]), none).shape == (0, 3)
    assert ops.segment_max(tv.zeros([2, 0]), [0, 1]).shape == (2, 0)
    assert ops.segment_max([-np.inf], [1]).numpy().tolist() == [0, -np.inf]
    assert np.isnan(ops.segment_min([np.nan, 1.0], [0, 0]).numpy()).all()


def test_products_of_long_runs() -> None:
    values = np.linspace(0.9, 1.1, 37)
    rows = np.repeat([3, 0, 1], [20, 1, 16])
    found = _segment_rows.multiply_rows(np, 4, rows, values[:, None])[:, 0]
    expected = [values[20], values[21:].prod(), 1.0, values[:20].prod()]
    np.testing.assert_allclose(found, expected)


def test_bad_arguments(device: str) -> None:
    with tv.device(device):
        data = tv.ones([3])
        for ids in ([0, 2, 1], [1, 0, 0]):
            for given in (ids, tv.constant(ids)):
                with pytest.raises(tv.errors.InvalidArgumentError, match='not increasing'):
                    ops.segment_sum(data, given)
        with pytest.raises(tv.errors.InvalidArgumentError, match='out of range'):
            ops.segment_max(data, [-1, 0, 1])
        with pytest.raises(tv.errors.InvalidArgumentError, match='same size'):
            ops.segment_prod(data, [0, 1])
        with pytest.raises(tv.errors.InvalidArgumentError, match='vector'):
            ops.segment_mean(data, [[0, 1, 1]])
        with pytest.raises(tv.errors.InvalidArgumentError, match='SegmentMin'):
            ops.segment_min(tv.constant(1.0), 0)
        with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
            ops.segment_sum(data, [0.0, 1.0, 1.0])


@pytest.mark.parametrize('name', REDUCTIONS)
def test_gradients(name: str) -> None:
    function = getattr(ops, f'segment_{name}')
    numeric_gradient.check(lambda x: function(x, IDS) ** 2, samples.float64(6, 2))


def test_gradients_of_complex_values() -> None:
    for function in (ops.segment_sum, ops.segment_mean, ops.segment_prod):
        numeric_gradient.check(lambda x, f=function: f(x, IDS), samples.complex128(6))


def test_gradients_of_products_with_zeros() -> None:
    data = np.array([0.0, 2.0, 3.0, 0.0, 0.0, 5.0])
    numeric_gradient.check(lambda x: ops.segment_prod(x, [0, 0, 0, 1, 1, 1]), data, order=1)


def test_ties_share_the_gradient() -> None:
    data = tv.constant([2.0, 2.0, 1.0])
    with tv.GradientTape() as tape:
        tape.watch(data)
        result = ops.segment_max(data, [0, 0, 0])
    assert tape.gradient(result, data).numpy().tolist() == [0.5, 0.5, 0.0]
