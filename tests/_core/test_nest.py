"""Nested structures."""

import collections
from typing import Any

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
