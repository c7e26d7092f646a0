"""``variable[key].assign(value)`` and the indexing that leads there."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv

START = np.arange(12.0, dtype=np.float32).reshape(3, 4)
KEYS = [
    0, -1, (1, 2), (-1, -1), slice(0, 2), slice(None), slice(None, None, -1), slice(None, None, 2),
    slice(2, 0, -1), slice(1, 1), slice(5, None), Ellipsis, None, (Ellipsis, 0), (slice(None), 1),
    (slice(None), slice(3, 0, -2)), (None, 0), (0, None, slice(1, 3)), (), (Ellipsis, None),
    np.int64(1), np.array(2),
]  # fmt: skip


def variable(value: Any = START) -> tv.Variable:
    return tv.Variable(value, name='v')


@pytest.mark.parametrize('key', KEYS, ids=repr)
def test_a_part_is_read_and_written_like_numpys(device: str, key: Any) -> None:
    with tv.device(device):
        v = variable()
    expected = START.copy()
    part = v[key]
    assert isinstance(part, tv.Tensor)
    np.testing.assert_array_equal(part.numpy(), expected[key])
    for value in (9.0, np.full(part.shape, 7), tv.fill(part.shape, 5.0)):
        assert v[key].assign(value) is v
        expected[key] = value.numpy() if isinstance(value, tv.Tensor) else value
        np.testing.assert_array_equal(v.numpy(), expected)
    np.testing.assert_array_equal(part.numpy(), START[key])


def test_tensors_as_indices(device: str) -> None:
    with tv.device(device):
        v = variable()
        one, two = tv.constant(1), tv.Variable(2, dtype=tv.int64)
        v[one].assign(0.0)
        v[0, one:two].assign([50.0])
        part = v[two]
        two.assign(0)
        part.assign(-1.0)
    expected = START.copy()
    expected[1], expected[0, 1:2], expected[2] = 0.0, 50.0, -1.0
    np.testing.assert_array_equal(v.numpy(), expected)


def test_values_broadcast(device: str) -> None:
    with tv.device(device):
        v = variable()
    v[0].assign([[1, 2, 3, 4]])
    v[:, 1].assign(np.float64(5))
    v[1:].assign([9.0, 8.0, 7.0, 6.0])
    v[0, 0].assign([True])
    assert v.numpy().tolist() == [[1, 5, 3, 4], [9, 8, 7, 6], [9, 8, 7, 6]]


def test_a_part_may_come_from_the_variable_itself(device: str) -> None:
    with tv.device(device):
        v = variable([1.0, 2.0, 3.0, 4.0])
    v[1:].assign(v[:-1])
    assert v.numpy().tolist() == [1.0, 1.0, 2.0, 3.0]
    v[:].assign(v[::-1])
    assert v.numpy().tolist() == [3.0, 2.0, 1.0, 1.0]


def test_arguments(device: str) -> None:
    with tv.device(device):
        v = variable()
    assert v[0].assign(1.0, use_locking=True, name='x') is v
    assert v[0].assign(1.0, read_value=False) is None
    v[0].assign(2.0).assign_add(tv.ones([3, 4]))
    assert v.numpy()[0].tolist() == [3.0, 3.0, 3.0, 3.0]


def test_masks_are_read_only(device: str) -> None:
    with tv.device(device):
        v = variable([1.0, 2.0, 3.0])
        assert v[tv.constant([True, False, True])].numpy().tolist() == [1.0, 3.0]
        assert v[v > 1.0].numpy().tolist() == [2.0, 3.0]
        assert v[np.array([False, True, False])].numpy().tolist() == [2.0]
        assert not hasattr(v[v > 1.0], 'assign')


def test_the_part_runs_where_the_variable_lives(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        v = variable()
    with tv.device('GPU:1'):
        part = v[0]
        assert part.device.endswith('GPU:1')
        part.assign(tv.constant([1.0, 1.0, 1.0, 1.0]))
    assert v.device.endswith('GPU:0')
    assert v.numpy()[0].tolist() == [1.0, 1.0, 1.0, 1.0]


# What is refused


def unchanged(v: tv.Variable) -> None:
    np.testing.assert_array_equal(v.numpy(), START)
    assert v.version == 0


@pytest.mark.parametrize(
    ('key', 'kind', 'text'),
    [
        (3, IndexError, r'slice index 3 of dimension 0 out of bounds; allowed is \[-3, 3\)'),
        ((0, -5), IndexError, 'slice index -5 of dimension 1 out of bounds'),
        ((0, 0, 0), IndexError, r'input has only 2 dims \(shape \[3, 4\]\)'),
        ([0, 1, 2], IndexError, 'input has only 2 dims'),
        (1.0, TypeError, 'Only integers, slices'),
        ('a', TypeError, "Only integers, slices.*got 'a'"),
        (np.array([0, 2]), TypeError, 'use tv.gather'),
        (slice(None, None, 0), ValueError, r'strides\[0\] must be non-zero'),
        ((Ellipsis, Ellipsis), ValueError, 'Multiple ellipses'),
        (slice(0.5, None), TypeError, 'Only integers, slices'),
    ],
)
def test_bad_keys(device: str, key: Any, kind: type[Exception], text: str) -> None:
    with tv.device(device):
        v = variable()
    with pytest.raises(kind, match=rf'^\[StridedSlice\] .*{text}') as caught:
        v[key].assign(1.0)
    assert isinstance(caught.value, tv.errors.InvalidArgumentError)
    unchanged(v)


def test_a_scalar_has_no_parts(device: str) -> None:
    with tv.device(device):
        v = variable(1.0)
    with pytest.raises(tv.errors.InvalidArgumentError, match='input has only 0 dims'):
        v[0]
    v[...].assign(2.0)
    assert v.numpy() == 2.0


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        ([1.0, 2.0], r'a value of shape \[2\] was given for a slice of shape \[4\]'),
        ([[1.0, 2.0, 3.0, 4.0]] * 2, r'shape \[2, 4\] was given'),
        ('x', 'text and numbers do not convert'),
        (1e300, 'the value is 1e.300, which float32 cannot hold'),
        (None, 'None values'),
        ([[1], [2, 3]], 'not rectangular'),
    ],
)
def test_bad_values(device: str, value: Any, text: str) -> None:
    with tv.device(device):
        v = variable()
    with pytest.raises(
        tv.errors.InvalidArgumentError, match=rf'^\[ResourceStridedSliceAssign\] .*{text}'
    ) as caught:
        v[0].assign(value)
    assert "'v:0' of shape (3, 4), float32" in str(caught.value)
    unchanged(v)


def test_a_tensor_of_another_dtype(device: str) -> None:
    with tv.device(device):
        v, integers = variable(), tv.constant([1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"expected to be a float32 tensor.*int32.*'v:0'"):
        v[0].assign(integers)
    unchanged(v)


def test_another_shape_since_it_was_indexed(device: str) -> None:
    with tv.device(device):
        v = tv.Variable([1.0, 2.0, 3.0], shape=[None], name='v')
    part = v[2]
    v.assign([4.0])
    with pytest.raises(ValueError, match=r'has shape \[1\], and had \[3\] when it was indexed'):
        part.assign(9.0)
    assert v.numpy().tolist() == [4.0]


def test_no_item_assignment_and_no_assign_add() -> None:
    v = variable()
    with pytest.raises(TypeError, match=r'item assignment; use variable\[\.\.\.\]\.assign'):
        v[0] = 9.0
    with pytest.raises(AttributeError):
        v[0].assign_add(1.0)
    with pytest.raises(AttributeError, match='only variables, and parts of them'):
        v[0][0].assign(1.0)
    with pytest.raises(TypeError, match='validate_shape'):
        v[0].assign(1.0, validate_shape=False)
    unchanged(v)
