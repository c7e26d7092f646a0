"""What tells one trace of a function from another.

Tensors count by shape, dtype, device and their order in memory, variables by identity,
everything else by type and value. Which of several tensors are one and the same counts
too.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._core import conversion
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable import Variable
from tensorvar._function import layout

_PLAIN = frozenset({int, bool, str, bytes, type(None)})


class UnhashableError(TypeError):
    """An argument has neither a hash nor a structure: it cannot be part of a key."""


def key_of(arguments: Iterable[Any], parts: list[Any], tensors: list[Tensor]) -> None:
    """Finds the key of some arguments.

    Args:
        arguments: the arguments.
        parts: gets the parts of the key.
        tensors: gets the tensors, from left to right.

    Raises:
        UnhashableError: see there.
    """
    for value in arguments:
        kind = type(value)
        if kind is Tensor:
            array = value._array
            # An array without data has another type.
            parts.append((array.shape, array.dtype, value._device, type(array)))
            if not layout.is_of_c(array):
                parts += layout.order_of(array)
            tensors.append(value)
        elif kind in _PLAIN:
            parts.append((kind, value))
        else:
            _add_other(value, kind, parts, tensors)


def _add_other(value: Any, kind: type, parts: list[Any], tensors: list[Tensor]) -> None:
    if isinstance(value, Variable):
        parts.append((kind, value._serial, value._concrete, value._device))
    elif isinstance(value, Tensor):
        parts.append((kind, *value._spec(), value._device))
        tensors.append(value)
    elif isinstance(value, float | complex):
        # 0.0 and -0.0 are equal, nan is not equal to itself.
        parts.append((kind, repr(value)))
    elif isinstance(value, IndexedSlices):
        parts.append((kind, value._dense_shape))
        key_of((value.values, value.indices), parts, tensors)
    elif isinstance(value, Mapping):
        parts.append((kind, tuple(value)))
        key_of(value.values(), parts, tensors)
    elif isinstance(value, list | tuple):
        parts.append((kind, len(value)))
        key_of(value, parts, tensors)
    else:
        try:
            hash(value)
        except TypeError as error:
            raise UnhashableError(kind.__name__) from error
        parts.append((kind, value))


def repeated(arrays: list[Array]) -> tuple[int, ...]:
    """Per array the position of the first that is the same; empty if all differ."""
    if len(arrays) < 2:
        return ()
    numbers = [id(array) for array in arrays]
    if len(set(numbers)) == len(numbers):
        return ()
    return tuple(map(numbers.index, numbers))


def with_tensors(value: Any, tensors: 'Iterable[Tensor]') -> Any:
    """An argument with its tensors replaced, in the order of ``key_of``."""
    if isinstance(value, Tensor):
        return next(iter(tensors))
    if isinstance(value, IndexedSlices):
        values, indices = (with_tensors(part, tensors) for part in (value.values, value.indices))
        return IndexedSlices(values, indices, value._dense_shape)
    if isinstance(value, Mapping):
        items = {key: with_tensors(item, tensors) for key, item in value.items()}
        return items if type(value) is dict else rebuilt(value, items)
    if isinstance(value, list | tuple):
        parts = [with_tensors(item, tensors) for item in value]
        return type(value)(*parts) if hasattr(value, '_fields') else type(value)(parts)
    return value


def rebuilt(value: Any, items: dict[Any, Any]) -> Any:
    """A mapping of the type of ``value`` with other items."""
    copied = value.copy()
    copied.update(items)
    return copied


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A structure of lists, tuples and dicts with each leaf replaced by ``change(leaf)``."""
    if isinstance(value, Mapping):
        items = {key: mapped(item, change) for key, item in value.items()}
        return items if type(value) is dict else rebuilt(value, items)
    if isinstance(value, list | tuple):
        parts = [mapped(item, change) for item in value]
        return type(value)(*parts) if hasattr(value, '_fields') else type(value)(parts)
    return change(value)


def host_data_as_tensors(value: Any) -> Any:
    """An argument with tensors in place of NumPy data, which a trace must not hold fixed."""
    if isinstance(value, np.ndarray | np.generic):
        return conversion.constant(value)
    if type(value) is dict:
        return {key: host_data_as_tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        parts = [host_data_as_tensors(item) for item in value]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        return type(value)(*parts) if hasattr(value, '_fields') else type(value)(parts)
    return value


def own_tensor(array: Array, like: Tensor) -> Tensor:
    """A tensor around another array object with the values of ``like``."""
    return wrap(array, like._device)
