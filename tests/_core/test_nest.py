"""Nested structures."""

import collections
import types
from typing import Any

import numpy as np
import pytest

from tensorvar._core import nest

Point = collections.namedtuple('Point', ['x', 'y'])

STRUCTURES = [
    (1, [1]),
    ([], []),
    ([1, (2, 3), [[4]]], [1, 2, 3, 4]),
    ({'b': 1, 'a': {'z': 2, 'c': 3}}, [3, 2, 1]),
    (Point(1, [2, 3]), [1, 2, 3]),
    (collections.OrderedDict([('b', 1), ('a', 2)]), [2, 1]),
    ((1, None, 'text'), [1, None, 'text']),
    ({2: 'two', 1: 'one', 10: 'ten'}, ['one', 'two', 'ten']),
]


@pytest.mark.parametrize(('structure', 'leaves'), STRUCTURES, ids=repr)
def test_flatten_and_pack(structure: Any, leaves: list[Any]) -> None:
    assert nest.flatten(structure) == leaves
    packed = nest.pack_sequence_as(structure, leaves)
    assert packed == structure
    assert type(packed) is type(structure)


def test_packing_keeps_kinds_and_the_order_of_keys() -> None:
    structure = {'b': Point(1, (2,)), 'a': [3]}
    packed = nest.map_structure(lambda leaf: leaf * 10, structure)
    assert packed == {'b': Point(10, (20,)), 'a': [30]}
    assert list(packed) == ['b', 'a']
    assert isinstance(packed['b'], Point)
    assert isinstance(packed['b'].y, tuple)


def test_defaultdicts_keep_their_default() -> None:
    structure = collections.defaultdict(list, {'b': 1, 'a': 2})
    packed = nest.map_structure(str, structure)
    assert packed == {'a': '2', 'b': '1'}
    assert packed['missing'] == []


def test_is_nested() -> None:
    assert nest.is_nested([])
    assert nest.is_nested(())
    assert nest.is_nested({})
    assert not nest.is_nested('text')
    assert not nest.is_nested(1)


@pytest.mark.parametrize('leaves', [[1], [1, 2, 3]])
def test_the_number_of_leaves_has_to_fit(leaves: list[Any]) -> None:
    with pytest.raises(ValueError, match=rf'^\[.* had 2 .* had {len(leaves)} '):
        nest.pack_sequence_as([0, (0,)], leaves)


def test_keys_without_an_order() -> None:
    with pytest.raises(TypeError, match=r'^\[nest\] .*keys that sort'):
        nest.flatten({1: 'one', 'a': 'letter'})


@pytest.mark.parametrize(
    ('structure', 'leaves'),
    [
        (range(3), [0, 1, 2]),
        ({'a': 1, 'b': 2}.values(), [1, 2]),
        (collections.deque([1, [2]]), [1, 2]),
        (types.MappingProxyType({'b': 1, 'a': 2}), [2, 1]),
    ],
    ids=repr,
)
def test_other_sequences_and_mappings(structure: Any, leaves: list[Any]) -> None:
    assert nest.is_nested(structure)
    assert nest.flatten(structure) == leaves


@pytest.mark.parametrize('leaf', ['text', b'bytes', 1, None, {1}, np.zeros(2)], ids=repr)
def test_leaves(leaf: Any) -> None:
    assert not nest.is_nested(leaf)
    [same] = nest.flatten(leaf)
    assert same is leaf


def test_ranges_and_views_become_lists() -> None:
    assert nest.map_structure(str, range(2)) == ['0', '1']
    assert nest.map_structure(str, {'a': 3}.values()) == ['3']


class Many(list):
    """A list of another type."""


class Named(dict):
    """A dict of another type."""


def test_types_of_lists_and_dicts_are_kept() -> None:
    assert type(nest.map_structure(str, Many([1]))) is Many
    assert type(nest.map_structure(str, Named(a=1))) is Named


def test_map_structure_of_several() -> None:
    assert nest.map_structure(lambda *group: sum(group), [1, (2,)], [10, (20,)]) == [11, (22,)]
    unordered = collections.OrderedDict([('b', 10), ('a', 20)])
    assert nest.map_structure(lambda x, y: x + y, {'a': 1, 'b': 2}, unordered) == {
        'a': 21,
        'b': 12,
    }
    assert nest.map_structure(lambda x, y: x + y, [1], (2,), check_types=False) == [3]


def test_map_structure_refuses() -> None:
    with pytest.raises(TypeError, match='func must be callable'):
        nest.map_structure(3, [1])
    with pytest.raises(ValueError, match='at least one structure'):
        nest.map_structure(str)


Other = collections.namedtuple('Other', ['x', 'y'])

SAME = [
    ([1], [2]),
    ([1], Many([2])),
    ({'a': 1}, Named(a=2)),
    ({'a': 1}, collections.OrderedDict(a=2)),
    ({'a': 1}, collections.defaultdict(int, a=2)),
    (Point(1, 2), Point(3, 4)),
    (1, None),
]


@pytest.mark.parametrize(('first', 'second'), SAME, ids=repr)
def test_same_structures(first: Any, second: Any) -> None:
    nest.assert_same_structure(first, second)


DIFFERENT = [
    ([1], [2, 3], ValueError),
    ({'a': 1}, {'b': 1}, ValueError),
    (1, [1], ValueError),
    ([1], 1, ValueError),
    ([1], [[1]], ValueError),
    ([1, [2, (3, 4)]], [1, [2, (3,)]], ValueError),
    ([1], (2,), TypeError),
    (Point(1, 2), Other(3, 4), TypeError),
    (Point(1, 2), (3, 4), TypeError),
    ({'a': 1}, [1], TypeError),
]


@pytest.mark.parametrize(('first', 'second', 'error'), DIFFERENT, ids=repr)
def test_different_structures(first: Any, second: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^\[nest\] The two structures don't have the same"):
        nest.assert_same_structure(first, second)
    if error is TypeError:
        nest.assert_same_structure(first, second, check_types=False)


@pytest.mark.parametrize('leaves', [4, 'ab', np.zeros(2)], ids=repr)
def test_leaves_have_to_come_in_a_sequence(leaves: Any) -> None:
    with pytest.raises(TypeError, match=r'^\[pack_sequence_as\] '):
        nest.pack_sequence_as([1, 2], leaves)


def test_packing_a_leaf() -> None:
    assert nest.pack_sequence_as(1, [4]) == 4
    with pytest.raises(ValueError, match='had 1 atoms'):
        nest.pack_sequence_as(1, [4, 5])
