"""Nested structures of lists, tuples and dicts."""

from tensorvar import _left_out
from tensorvar._core.nest import (
    assert_same_structure,
    flatten,
    is_nested,
    map_structure,
    pack_sequence_as,
)

__all__ = [
    'assert_same_structure',
    'flatten',
    'is_nested',
    'map_structure',
    'pack_sequence_as',
]

_left_out.install(__name__, __all__)
