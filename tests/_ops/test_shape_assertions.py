"""Checks of ranks and shapes."""

import pytest

import tensorvar as tv
from tensorvar import debugging


def test_ranks_that_fit() -> None:
    x = tv.constant([[1]])
    debugging.assert_rank(x, 2)
    debugging.assert_rank([[1]], tv.constant(2))
    debugging.assert_rank(tv.Variable([1]), 1)
    debugging.assert_rank_at_least(x, 1)
    debugging.assert_rank_at_least(x, -1)
    debugging.assert_rank_in(x, [1, tv.constant(2)])
    debugging.assert_scalar(1)
    debugging.assert_scalar(tv.Variable(1))


@pytest.mark.parametrize(
    ('check', 'text'),
    [
        (lambda x: debugging.assert_rank(x, 1, 'mm'), r'mm\.  Tensor must have rank 1\.'),
        (lambda x: debugging.assert_rank(x, -1), 'rank -1'),
        (lambda x: debugging.assert_rank_at_least(x, 3), 'rank at least 3'),
        (lambda x: debugging.assert_rank_in(x, (0, 1)), r'rank in \(0, 1\)'),
        (lambda x: debugging.assert_rank_in(x, ()), r'rank in \(\)'),
        (lambda x: debugging.assert_rank(x, [2]), 'Rank must be a scalar'),
        (lambda x: debugging.assert_rank(x, None), 'None'),
        (debugging.assert_scalar, r'saw shape: \(1, 1\)'),
    ],
)
def test_ranks_that_do_not_fit(check, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check(tv.constant([[1]]))


@pytest.mark.parametrize('rank', [1.0, tv.int64])
def test_ranks_are_int32(rank) -> None:
    with pytest.raises(TypeError, match='must be of type int32'):
        debugging.assert_rank([1], rank if isinstance(rank, float) else tv.constant(1, rank))
    with pytest.raises(TypeError):
        debugging.assert_rank_in([1], 3)


ROW = [[1, 2]]
FIT = [
    [(ROW, ('N', 'M'))],
    [(ROW, ('N', 'M')), ([1, 2], ('M',))],
    [(ROW, (1, 2))],
    [(ROW, '1M')],
    [(ROW, (None, '.'))],
    [(ROW, None)],
    [(ROW, (..., 2))],
    [(ROW, '*N'), ([1, 2], 'N')],
    [([1, 2], tv.TensorShape([2]))],
    [(1, ())],
    [(1, (1,))],
    [([1], ())],
    [],
]


@pytest.mark.parametrize('shapes', FIT, ids=repr)
def test_shapes_that_fit(shapes) -> None:
    assert debugging.assert_shapes(shapes) is None


def test_shapes_in_a_dict() -> None:
    debugging.assert_shapes({1: ()})


@pytest.mark.parametrize(
    ('shapes', 'text'),
    [
        ([(ROW, ('N', 'M')), ([1, 2, 3], ('M',))], r'Specified by Tensor .* dimension 1\.'),
        ([(ROW, (1, 3))], r'Specified explicitly\. .* dimension 1 must have size 3\.'),
        ([(ROW, ('N', 'N'))], 'dimension 1 must have size 1'),
        ([(ROW, (1,))], r'rank in \(0, 1\)'),
        ([(ROW, (1, 2, 3))], 'rank 3'),
        ([([1, 2], (..., 1, 2))], 'rank at least 2'),
        ([(ROW, (2, ...))], 'only allowed as the first entry'),
        ([([1, 2], ())], 'must have size 1'),
        ([(1, ('N',)), ([1, 2], ('N',))], 'must have size 1'),
        ([([1, 2], 5)], 'must be an iterable'),
    ],
)
def test_shapes_that_do_not_fit(shapes, text: str) -> None:
    with pytest.raises(ValueError, match=rf'^\[assert_shapes\] mm\.  .*{text}'):
        debugging.assert_shapes(shapes, message='mm')
