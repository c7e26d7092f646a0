"""Values out of range on a card that is not waited for: left out, and reported later."""

from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import index_reports
from tensorvar._core.op_registry import OPS

VALUES = np.array([[1.0], [2.0], [4.0]], np.float32)
IDS = np.array([0, 5, -1])
WORDS = {
    'UnsortedSegmentProd': r'segment_ids\[1\], used at .* is not in \[-1, 2\)',
    'ReverseSequence': r'seq_lengths\[1\], used at .* is not in \[0, 4\)',
    'UnravelIndex': r'indices\[1\], used at .* is not in \[0, 6\)',
    'ConfusionMatrix': r'labels\[2\], used at .* is not in \[0, 3\)',
}


def lazy_card() -> ModuleType:
    """NumPy, as a module of which nobody knows that its arrays can be looked at."""
    module = ModuleType('cupy')
    vars(module).update(vars(np))
    return module


@pytest.fixture
def kernels() -> Iterator[Any]:
    words = np.zeros(index_reports.WORDS, np.uint64)
    reports = index_reports.IndexReports('GPU:0', words, words, lambda: None, lambda: False)
    yield SimpleNamespace(xp=lazy_card(), reports=reports)
    reports.look()


def run(kernels: Any, name: str, *arrays: Any, **attributes: Any) -> Any:
    kernel = OPS[name].kernel
    assert kernel is not None
    return kernel(kernels, *arrays, **attributes).tolist()


@pytest.mark.parametrize(
    ('name', 'arrays', 'attributes', 'left'),
    [
        ('UnsortedSegmentProd', (VALUES, IDS), {'num_segments': 2}, [[1], [1]]),
        (
            'ReverseSequence',
            (np.arange(1, 7).reshape(2, 3), np.array([2, 4])),
            {'seq_axis': 1, 'batch_axis': 0},
            [[2, 1, 3], [0, 6, 5]],
        ),
        (
            'ReverseSequence',
            (np.arange(1, 10).reshape(3, 3), np.array([3, 5, 0])),
            {'seq_axis': 1, 'batch_axis': 0},
            [[3, 2, 1], [0, 0, 6], [7, 8, 9]],
        ),
        ('UnravelIndex', (np.array([1, 9, 5]),), {'dims': (2, 3)}, [[0, 1, 1], [1, 0, 2]]),
        (
            'ConfusionMatrix',
            (np.array([0, 2, 3]), np.array([1, 1, 1]), np.array(1)),
            {'num_classes': 3},
            [[0, 1, 0], [0, 0, 0], [0, 1, 0]],
        ),
    ],
)
def test_bad_values_are_left_out_and_reported(
    kernels: Any, name: str, arrays: Any, attributes: Any, left: Any
) -> None:
    assert run(kernels, name, *arrays, **attributes) == left
    with pytest.raises(tv.errors.InvalidIndexError, match=rf'^\[{name}\] {WORDS[name]}'):
        kernels.reports.look()


def test_good_values_and_none_are_not_reported(kernels: Any) -> None:
    run(kernels, 'UnsortedSegmentMax', VALUES, np.array([1, 0, -7]), num_segments=2)
    run(kernels, 'UnravelIndex', np.zeros((0,), np.int32), dims=(2,))
    run(kernels, 'ReverseSequence', VALUES, np.array([0, 1, 1]), seq_axis=1, batch_axis=0)


def test_gathers_read_zeros_and_scatters_leave_out() -> None:
    xp, bad = lazy_card(), np.array([1, 3, -1])
    gathered = OPS['GatherV2'].forward(xp, VALUES, bad, axis=0, batch_dims=0)
    assert gathered.tolist() == [[2], [0], [0]]
    picked = OPS['GatherNd'].forward(xp, VALUES, bad[:, None], batch_dims=0)
    assert picked.tolist() == [[2], [0], [0]]
    total = OPS['UnsortedSegmentSum'].forward(xp, VALUES, bad, num_segments=2)
    assert total.tolist() == [[0], [1]]
    put = OPS['ScatterNd'].forward(xp, bad[:, None], VALUES, shape=(3, 1), batch_dims=0)
    assert put.tolist() == [[0], [1], [0]]


def test_labels_that_are_no_class_give_nan() -> None:
    xp, logits = lazy_card(), np.zeros((3, 2), np.float32)
    name = 'SparseSoftmaxCrossEntropyWithLogits'
    loss = OPS[name].forward(xp, logits, np.array([1, 2, -1]))
    assert np.isnan(loss).tolist() == [False, True, True]
    slope = OPS['SparseSoftmaxCrossEntropyBackprop'].forward(xp, logits, np.array([1, 2, -1]))
    assert np.isnan(slope).tolist() == [[False] * 2, [True] * 2, [True] * 2]


@pytest.mark.parametrize('adjoint', [False, True])
@pytest.mark.parametrize('shape', [(3, 3), (2, 4, 3, 3), (2, 0, 0), (0, 3, 3)])
def test_inverses(shape: tuple[int, ...], adjoint: bool) -> None:
    matrices = np.random.default_rng(0).normal(size=(*shape, 2)).view(np.complex128)[..., 0]
    result = OPS['MatrixInverse'].forward(lazy_card(), matrices, adjoint=adjoint)
    expected = np.linalg.inv(matrices)
    if adjoint:
        expected = expected.conj().swapaxes(-1, -2)
    np.testing.assert_allclose(result, expected, rtol=1e-10)
