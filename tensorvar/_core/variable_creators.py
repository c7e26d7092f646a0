"""``variable_creator_scope``: functions that take part in making variables."""

import functools
from collections.abc import Callable
from typing import Any

from tensorvar._core.variable_init import VariableAggregation, VariableSynchronization
from tensorvar._device import scope

Creator = Callable[..., Any]

# What a creator gets, in the order of the constructor's arguments.
_DEFAULTS: dict[str, Any] = {
    'initial_value': None,
    'trainable': None,
    'validate_shape': True,
    'caching_device': None,
    'name': None,
    'variable_def': None,
    'dtype': None,
    'import_scope': None,
    'constraint': None,
    'synchronization': VariableSynchronization.AUTO,
    'aggregation': VariableAggregation.NONE,
    'shape': None,
    'experimental_enable_variable_lifting': True,
}


class CreatedByScope(type):
    """The type of ``Variable``, whose calls go through the creators of the open scopes."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """A new variable, or what the innermost creator gives in its place."""
        state = scope.current()
        if state is None or not state.creators or isinstance(cls.__base__, CreatedByScope):
            return type.__call__(cls, *args, **kwargs)
        make: Creator = super().__call__
        given = dict(zip(_DEFAULTS, args, strict=False)) | kwargs
        for creator in state.creators:
            make = functools.partial(creator, make)
        return make(**(_DEFAULTS | given))


class _CreatorScope(scope.Scope):
    """Adds a creator to the state."""

    __slots__ = ('_creator',)

    def __init__(self, creator: Creator) -> None:
        self._creator = creator

    def apply(self, state: scope.ContextState) -> None:
        state.creators = (*state.creators, self._creator)

    def __enter__(self) -> None:  # type: ignore[override]
        super().__enter__()


def variable_creator_scope(variable_creator: Creator) -> scope.Scope:
    """A scope in which a function takes part in making variables.

    Args:
        variable_creator: ``variable_creator(next_creator, **kwargs)`` gets the arguments of
            ``tv.Variable`` by name and gives the variable; ``next_creator(**kwargs)`` makes
            it with the creators further out. The innermost scope's creator comes first.
            Classes derived from ``tv.Variable`` are made without creators.

    Returns:
        A context manager.

    Example:
        >>> import tensorvar as tv
        >>> def frozen(next_creator, **kwargs):
        ...     return next_creator(**{**kwargs, 'trainable': False})
        >>> with tv.variable_creator_scope(frozen):
        ...     print(tv.Variable(1.0).trainable)
        False
    """
    return _CreatorScope(variable_creator)
