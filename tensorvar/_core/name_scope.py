"""Name scopes: prefixes of variables' names."""

from tensorvar import errors
from tensorvar._device import scope


class name_scope(scope.Scope):  # noqa: N801 - TensorFlow's name
    """Prefixes the names of variables made inside.

    Names are not made unique. A name that ends with ``/`` is absolute: it replaces the
    enclosing prefix. The empty name goes back to no prefix.

    Args:
        name: the scope's name.

    Raises:
        ValueError: the name is no string.

    Example:
        >>> import tensorvar as tv
        >>> with tv.name_scope('outer'), tv.name_scope('inner') as prefix:
        ...     print(prefix, tv.Variable(1.0, name='w').name)
        outer/inner/ outer/inner/w:0
    """

    __slots__ = ('_name',)

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise errors.InvalidArgumentError(
                f'[name_scope] name for name_scope must be a string; got {name!r}'
            )
        self._name = name

    @property
    def name(self) -> str:
        """The name given."""
        return self._name

    def apply(self, state: scope.ContextState) -> None:
        """Sets the prefix of the derived state."""
        state.name_prefix = _below(state.name_prefix, self._name)

    def __enter__(self) -> str:  # type: ignore[override]
        super().__enter__()
        return current_prefix()


def _below(prefix: str, name: str) -> str:
    """The prefix inside of a scope ``name`` that is opened below ``prefix``."""
    if not name or name.endswith('/'):
        return name
    return f'{prefix}{name}/'


def current_prefix() -> str:
    """The prefix of the open scopes, empty or ending with ``/``."""
    state = scope.current()
    return '' if state is None else state.name_prefix


def full_name(name: str) -> str:
    """``name`` below the open scopes; read like the name of a scope.

    Raises:
        ValueError: the name is no string.
    """
    if not isinstance(name, str):
        raise errors.InvalidArgumentError(
            f'[name] name for name_scope must be a string; got {name!r}'
        )
    prefix = current_prefix()
    return _below(prefix, name).removesuffix('/') if prefix or '/' in name else name
