"""``TensorShape`` as in TensorFlow, and shape arithmetic."""

import copy
import pickle
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorvar as tv
from tensorvar import _shapes

Shape = tv.TensorShape
DIMS = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=4))


@pytest.mark.parametrize(
    ('dims', 'text', 'shown'),
    [
        (None, '<unknown>', 'TensorShape(None)'),
        ([], '()', 'TensorShape([])'),
        ((3,), '(3,)', 'TensorShape([3])'),
        ([1, None], '(1, None)', 'TensorShape([1, None])'),
        (3, '(3,)', 'TensorShape([3])'),
        ([np.int64(2), True], '(2, 1)', 'TensorShape([2, 1])'),
    ],
)
def test_texts(dims: Any, text: str, shown: str) -> None:
    assert (str(Shape(dims)), repr(Shape(dims))) == (text, shown)


def test_dimensions_from_tensors(device: str) -> None:
    with tv.device(device):
        assert Shape(tv.constant([1, 2])) == [1, 2]
        assert Shape([tv.constant(2), None]).as_list() == [2, None]


@pytest.mark.parametrize(
    ('dims', 'kind', 'text'),
    [
        ([-1], ValueError, 'Dimension -1 must be >= 0'),
        ([1.5], TypeError, 'Dimension value 1.5 must be an integer'),
        (['a'], TypeError, "Dimension value 'a'"),
        ('ab', TypeError, 'not a sequence of dimensions'),
        (1.5, TypeError, 'Dimension value 1.5'),
    ],
)
def test_no_shapes(dims: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=rf'^\[TensorShape\] .*{text}'):
        Shape(dims)


def test_what_it_knows() -> None:
    known, partly, unknown = Shape([2, 3]), Shape([2, None]), Shape(None)
    assert (known.rank, known.ndims, unknown.rank) == (2, 2, None)
    assert (known.dims, partly.dims, unknown.dims) == ([2, 3], [2, None], None)
    assert known.as_list() == [2, 3]
    assert known.as_tuple() == tuple(known) == (2, 3)
    assert (known.num_elements(), partly.num_elements(), unknown.num_elements()) == (6, None, None)
    assert known.is_fully_defined()
    assert not partly.is_fully_defined()
    known.assert_is_fully_defined()
    with pytest.raises(ValueError, match='not fully defined'):
        partly.assert_is_fully_defined()
    assert bool(Shape([]))
    assert not bool(unknown)
    for attempt in (unknown.as_list, unknown.as_tuple, lambda: list(unknown), lambda: len(unknown)):
        with pytest.raises(ValueError, match=r'^\[TensorShape\]'):
            attempt()


def test_indexing() -> None:
    shape, unknown = Shape([2, None, 4]), Shape(None)
    assert (shape[0], shape[1], shape[-1]) == (2, None, 4)
    assert shape[1:].as_list() == [None, 4]
    assert shape[::2] == [2, 4]
    assert 4 in shape
    with pytest.raises(IndexError):
        shape[3]
    assert unknown[0] is None
    assert unknown[0:2].as_list() == [None, None]
    assert unknown[1:].rank is None
    assert unknown[-2:3].rank is None
    assert unknown[3:1] == []
    with pytest.raises(ValueError, match='with a step'):
        unknown[0:4:2]


def test_equality_and_hash() -> None:
    assert Shape([1, 2]) == (1, 2) == Shape([1, 2])
    assert Shape([1, None]) == [1, None]
    assert Shape([1, None]) != [1, 2]
    assert Shape(None) == Shape(None)
    assert Shape(None) != Shape([])
    assert Shape([1]) == 1
    assert Shape([1]) != 'a'
    assert len({Shape([1, 2]), Shape((1, 2)), Shape([1, None])}) == 2


def test_concatenation() -> None:
    assert Shape([1]) + [2, 3] == [1, 2, 3]
    assert [3] + Shape([1]) == [3, 1]
    assert (3,) + Shape([1]) == [3, 1]
    assert Shape([1]).concatenate(3) == [1, 3]
    assert (Shape([1]) + None).rank is None


def test_compatibility() -> None:
    shape = Shape([1, None])
    assert shape.is_compatible_with([1, 5])
    assert shape.is_compatible_with(None)
    assert not shape.is_compatible_with([2, 5])
    assert not shape.is_compatible_with([1])
    assert shape.merge_with([None, 5]) == [1, 5]
    assert Shape([1, 5]).is_subtype_of(shape)
    assert not shape.is_subtype_of([1, 5])
    assert shape.most_specific_compatible_shape([1, 3]).as_list() == [1, None]
    assert Shape([1, 3]).most_specific_compatible_shape([1, 4]).as_list() == [1, None]
    assert shape.most_specific_compatible_shape([1]).rank is None
    for attempt in (shape.merge_with, shape.assert_is_compatible_with):
        with pytest.raises(ValueError, match=r'\(1, None\) and \(3,\)'):
            attempt([3])


def test_ranks() -> None:
    shape = Shape([1, 2])
    assert shape.with_rank(2) == shape.with_rank_at_least(1) == shape.with_rank_at_most(2) == shape
    assert Shape(None).with_rank(2).as_list() == [None, None]
    shape.assert_has_rank(2)
    shape.assert_same_rank([5, 6])
    Shape(None).assert_same_rank([5, 6])
    attempts = [
        lambda: shape.with_rank(3),
        lambda: shape.with_rank_at_least(3),
        lambda: shape.with_rank_at_most(1),
        lambda: shape.assert_has_rank(3),
        lambda: shape.assert_same_rank([3]),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match=r'^\[TensorShape\] .*\(1, 2\)'):
            attempt()


@hypothesis.given(DIMS)
def test_copies(dims: Any) -> None:
    shape = Shape(dims)
    assert Shape(shape) == shape == copy.deepcopy(shape) == pickle.loads(pickle.dumps(shape))


@hypothesis.given(DIMS, DIMS)
def test_merging_agrees_with_compatibility(first: Any, second: Any) -> None:
    one, other = Shape(first), Shape(second)
    assert one.is_compatible_with(other) == other.is_compatible_with(one)
    if one.is_compatible_with(other):
        merged = one.merge_with(other)
        assert merged == other.merge_with(one)
        assert merged.is_subtype_of(one)
        assert merged.is_subtype_of(other)


def test_shapes_are_arguments() -> None:
    assert np.zeros(Shape([1, 2])).shape == (1, 2)
    assert tv.zeros(Shape([1, 2])).shape == (1, 2)


@hypothesis.given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0))
def test_broadcasting_is_numpys(shapes: Any) -> None:
    assert _shapes.broadcast_shapes('op', *shapes.input_shapes) == shapes.result_shape


def test_broadcasting_of_unknown_dimensions() -> None:
    assert _shapes.broadcast_shapes('op', (None, 3), (1,)) == (None, 3)
    assert _shapes.broadcast_shapes('op', (None,), (5,)) == (5,)
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'^\[op\] .*\[2\] vs. \[3\]'):
        _shapes.broadcast_shapes('op', (2,), (3,))


def test_axes() -> None:
    assert _shapes.normalize_axis('op', -1, 3) == 2
    assert _shapes.normalize_axes('op', None, 2) == (0, 1)
    assert _shapes.normalize_axes('op', (-1, 0), 3) == (0, 2)
    with pytest.raises(IndexError, match=r'axis 3 is out of range .* rank 3; allowed is \[-3, 3\)'):
        _shapes.normalize_axis('op', 3, 3)
    with pytest.raises(tv.errors.InvalidArgumentError, match='duplicate'):
        _shapes.normalize_axes('op', (0, -2), 2)
