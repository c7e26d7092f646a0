"""Nested structures: lists, tuples, named tuples and dicts with values as leaves."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def is_nested(value: Any) -> bool:
    """Whether a value is a list, a tuple or a mapping."""
    return isinstance(value, list | tuple | Mapping)


def flatten(structure: Any) -> list[Any]:
    """The leaves from left to right; dicts in the order of their sorted keys."""
    return list(_leaves(structure))


def _leaves(structure: Any) -> Iterator[Any]:
    if isinstance(structure, Mapping):
        for key in sorted(structure):
            yield from _leaves(structure[key])
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from _leaves(item)
    else:
        yield structure


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of the same form with ``function`` applied to each leaf."""
    return pack_sequence_as(structure, [function(leaf) for leaf in flatten(structure)])


def pack_sequence_as(structure: Any, leaves: list[Any]) -> Any:
    """A structure of the form of ``structure`` with other leaves.

    Args:
        structure: the form.
        leaves: as many leaves as ``flatten(structure)`` has.
    """
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        packed = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return type(structure)((key, packed[key]) for key in structure)  # type: ignore[call-arg]
    if isinstance(structure, list | tuple):
        items = [_pack(item, leaves) for item in structure]
        if hasattr(structure, '_fields'):
            return type(structure)(*items)
        return type(structure)(items)
    return next(leaves)
