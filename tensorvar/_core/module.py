"""``Module``: an object that finds the variables in its attributes."""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tensorvar import errors
from tensorvar._core.name_scope import current_prefix, name_scope
from tensorvar._core.variable import Variable

_VALID_NAME = re.compile(r'[A-Za-z_]\w*')


class Module:
    """Base class of objects with variables.

    Variables and other modules are found in attributes, lists, tuples and dicts.

    Args:
        name: a Python identifier; None for the class's name in snake case.

    Raises:
        ValueError: the name is no identifier.

    Example:
        >>> import tensorvar as tv
        >>> class Dense(tv.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.w = tv.Variable([[1.0]], name='w')
        >>> [v.name for v in Dense().trainable_variables]
        ['w:0']
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _snake_case(type(self).__name__)
        if not _VALID_NAME.fullmatch(name):
            raise errors.InvalidArgumentError(
                f'[Module] {name!r} is not a valid module name; module names must be valid '
                f'Python identifiers (e.g. a valid class name)'
            )
        self._name = name
        # Absolute: the module's variables keep their names wherever it is used later.
        self._name_scope = name_scope(f'{current_prefix()}{name}/')

    @property
    def name(self) -> str:
        """The name of the module."""
        return self._name

    @property
    def name_scope(self) -> name_scope:
        """The name scope of the module, below the scopes in which it was made."""
        return self._name_scope

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of this module and its submodules, each once."""
        return tuple(leaf for leaf in _walk(self) if isinstance(leaf, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of ``variables`` that are trainable."""
        return tuple(variable for variable in self.variables if variable.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """Those of ``variables`` that are not trainable."""
        return tuple(variable for variable in self.variables if not variable.trainable)

    @property
    def submodules(self) -> tuple['Module', ...]:
        """The modules below this one, each once."""
        return tuple(leaf for leaf in _walk(self) if isinstance(leaf, Module))

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates a method to run in the module's name scope."""

        @functools.wraps(method)
        def scoped(self: 'Module', *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped


def _walk(module: Module, seen: set[int] | None = None) -> Iterator[Any]:
    """Variables and modules below ``module``: attributes by name, then submodules' own."""
    if seen is None:
        seen = {id(module)}
    below: list[Module] = []
    for leaf in _attribute_leaves(module):
        if id(leaf) in seen:
            continue
        seen.add(id(leaf))
        yield leaf
        if isinstance(leaf, Module):
            below.append(leaf)
    for submodule in below:
        yield from _walk(submodule, seen)


def _attribute_leaves(module: Module) -> Iterator[Any]:
    for key in sorted(vars(module)):
        yield from _leaves(vars(module)[key])


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Variable | Module):
        yield value
    elif isinstance(value, Mapping):
        for key in _ordered(value):
            yield from _leaves(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)


def _ordered(keys: Iterable[Any]) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:
        # Keys of several types have no order of their own.
        return sorted(keys, key=lambda key: (type(key).__name__, str(key)))


def _snake_case(name: str) -> str:
    words = re.sub(r'(.)([A-Z][a-z]+)', r'\1_\2', name)
    return re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', words).lower()
