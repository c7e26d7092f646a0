"""Nested structures: lists, tuples, named tuples and dicts with values as leaves."""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Sequence
from typing import Any

from tensorvar import errors


def is_nested(seq: Any) -> bool:
    """Whether a value is a sequence (but no string), a mapping or a view of one.

    Args:
        seq: any value.
    """
    kind: Any = type(seq)
    return _holds_values(kind)


@functools.lru_cache(maxsize=512)
def _holds_values(kind: type[Any]) -> bool:
    """Kept per class, because the question is asked for each leaf of each structure."""
    nested = issubclass(kind, Mapping | MappingView | Sequence)
    return nested and not issubclass(kind, str | bytes | bytearray)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves from left to right; dicts in the order of their sorted keys.

    Args:
        structure: sequences and dicts in each other; anything else is a leaf.
        expand_composites: accepted for TensorFlow's sake.

    Returns:
        The leaves.
    """
    if not is_nested(structure):
        return [structure]
    if _is_flat_list(structure):
        return list(structure)
    leaves: list[Any] = []
    _gather(structure, leaves)
    return leaves


def _is_flat_list(structure: Any) -> bool:
    """Whether a structure is a list of leaves, which most are."""
    return type(structure) is list and not any(map(_holds_values, map(type, structure)))


def _gather(structure: Any, leaves: list[Any]) -> None:
    # The types of leaves are looked up here, as each would take a call of this function.
    for item in _items(structure):
        kind: Any = type(item)
        if _holds_values(kind):
            _gather(item, leaves)
        else:
            leaves.append(item)


def _items(structure: Any) -> Iterable[Any]:
    """What a structure holds, in the order of the leaves."""
    if type(structure) is list or type(structure) is tuple:
        return structure
    if isinstance(structure, Mapping):
        return [structure[key] for key in _sorted_keys(structure)]
    return list(structure)


def _sorted_keys(structure: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(structure)
    except TypeError as error:
        raise errors.InvalidTypeError(
            f'[nest] a dict with the keys {list(structure)!r:.80} was given; allowed are keys '
            f'that sort, which fixes the order of the leaves; use keys of one type'
        ) from error


def map_structure(
    func: Callable[..., Any],
    *structure: Any,
    check_types: bool = True,
    expand_composites: bool = False,
) -> Any:
    """A structure of the same form with ``func`` applied to the leaves.

    Args:
        func: takes one leaf of each structure.
        *structure: one or more structures of one form.
        check_types: whether the types of sequences must agree, too.
        expand_composites: accepted for TensorFlow's sake.

    Returns:
        A structure of the form of the first one.

    Raises:
        TypeError: ``func`` cannot be called, or types of sequences differ.
        ValueError: no structure was given, or the forms differ.
    """
    if not callable(func):
        raise errors.InvalidTypeError(f'[map_structure] func must be callable, got: {func!r}')
    if not structure:
        raise errors.InvalidArgumentError('[map_structure] Must provide at least one structure')
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    leaves = zip(*map(flatten, structure), strict=True)
    return pack_sequence_as(structure[0], [func(*group) for group in leaves])


def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raises unless two structures have the same form.

    Args:
        nest1: a structure.
        nest2: another one.
        check_types: whether the types of sequences must agree, too.
        expand_composites: accepted for TensorFlow's sake.

    Raises:
        ValueError: another number of items, other keys, or a leaf meets a structure.
        TypeError: types of sequences differ.
    """
    difference = _difference(nest1, nest2, check_types)
    if difference is not None:
        kind, what = difference
        raise kind(
            f"[nest] The two structures don't have the same nested structure: {what}; the first "
            f'is {nest1!r:.100}, the second {nest2!r:.100}'
        )


_Difference = tuple[type[errors.InvalidArgumentError], str] | None


def _difference(first: Any, second: Any, check_types: bool) -> _Difference:
    if is_nested(first) != is_nested(second):
        return errors.InvalidArgumentError, 'a leaf meets a sequence'
    if not is_nested(first):
        return None
    if check_types and not _one_kind(first, second):
        names = f'{type(first).__name__} and {type(second).__name__}'
        return errors.InvalidTypeError, f'sequences of the types {names} meet'
    if isinstance(first, Mapping) and isinstance(second, Mapping) and set(first) != set(second):
        return errors.InvalidArgumentError, f'keys {list(first)} and {list(second)} meet'
    if len(first) != len(second):
        return errors.InvalidArgumentError, f'lengths {len(first)} and {len(second)} meet'
    for one, other in zip(_items(first), _items(second), strict=True):
        difference = _difference(one, other, check_types)
        if difference is not None:
            return difference
    return None


def _one_kind(first: Any, second: Any) -> bool:
    """Whether the types agree: any two mappings do, and named tuples with the same names."""
    if type(first) is type(second):
        return True
    for kind in (Mapping, list, MappingView):
        if isinstance(first, kind) and isinstance(second, kind):
            return True
    fields = getattr(first, '_fields', None)
    return (
        fields is not None
        and fields == getattr(second, '_fields', None)
        and type(first).__name__ == type(second).__name__
    )


def pack_sequence_as(
    structure: Any, flat_sequence: Sequence[Any], expand_composites: bool = False
) -> Any:
    """A structure of the form of ``structure`` with other leaves.

    Args:
        structure: the form.
        flat_sequence: as many leaves as ``flatten(structure)`` has.
        expand_composites: accepted for TensorFlow's sake.

    Returns:
        The structure.

    Raises:
        TypeError: ``flat_sequence`` is no sequence.
        ValueError: there are fewer leaves or more.
    """
    if not is_nested(flat_sequence):
        raise errors.InvalidTypeError(
            f'[pack_sequence_as] {flat_sequence!r:.80} of type {type(flat_sequence).__name__} was '
            f'given; the leaves have to come in a list or tuple'
        )
    flat = _is_flat_list(structure)
    wanted = len(structure if flat else flatten(structure))
    if wanted != len(flat_sequence):
        raise errors.InvalidArgumentError(
            f'[pack_sequence_as] Could not pack sequence. Structure had {wanted} atoms, but '
            f'flat_sequence had {len(flat_sequence)} items; give one value per leaf'
        )
    if flat:
        return list(flat_sequence)
    if not is_nested(structure):
        return flat_sequence[0]
    return _pack(structure, iter(flat_sequence))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    items = [_pack(item, leaves) if is_nested(item) else next(leaves) for item in _items(structure)]
    if type(structure) is list:
        return items
    if isinstance(structure, Mapping):
        packed = dict(zip(_sorted_keys(structure), items, strict=True))
        return _like(structure, {key: packed[key] for key in structure})
    if hasattr(structure, '_fields'):
        return type(structure)(*items)
    if isinstance(structure, range | MappingView):
        return items
    return type(structure)(items)


def _like(structure: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """A mapping of the same type."""
    if isinstance(structure, defaultdict):
        return type(structure)(structure.default_factory, items)
    return type(structure)(items)  # type: ignore[call-arg]
