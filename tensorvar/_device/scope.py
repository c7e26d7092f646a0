"""The one context state behind device, name, tape, guard and recorder scopes.

All scopes live in one immutable ``ContextState`` in one ``ContextVar``, so they
are local to a thread and to an asyncio task and never leak across ``await``.
Entering a scope derives a new state; leaving it goes back to the parent. A scope
left out of order removes only itself.

A scope held open by a suspended generator does leak to the generator's consumer
until the generator resumes, because a generator runs in its caller's context.
"""

import contextvars
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from tensorvar._device.device import Device

P = ParamSpec('P')
R = TypeVar('R')


class ContextState:
    """What all open scopes amount to. Never changed once it is current.

    Attributes:
        scopes: the open scopes, outermost first.
        parent: the state in which the innermost scope was entered.
        device: device asked for by the innermost device scope, or None.
        device_scope: the innermost device scope, or None.
        name_prefix: prefix of names, empty or ending with ``/``.
        tapes: recording gradient tapes, outermost first.
        guards: transfer guards, outermost first.
        recorders: placement recorders, outermost first.
        gradient_device: device of the forward op whose gradient is running.
        trace: the trace being recorded, or None.
        creators: functions that take part in making variables, outermost first.
        plain: whether operations may take the executor's fast path.
        bare: whether there are no tapes either; worked out once per state.
        wanted: ``device``, else ``gradient_device``; worked out once per state.
    """

    __slots__ = (
        'bare', 'creators', 'device', 'device_scope', 'gradient_device', 'guards', 'name_prefix',
        'parent', 'plain', 'recorders', 'scopes', 'tapes', 'trace', 'wanted',
    )  # fmt: skip

    scopes: tuple['Scope', ...]
    parent: 'ContextState | None'
    device: 'Device | None'
    device_scope: Any
    name_prefix: str
    tapes: tuple[Any, ...]
    guards: tuple[Any, ...]
    recorders: tuple[Any, ...]
    gradient_device: 'Device | None'
    trace: Any
    creators: tuple[Callable[..., Any], ...]
    plain: bool
    bare: bool
    wanted: 'Device | None'

    def __init__(self) -> None:
        self.scopes = ()
        self.parent = None
        self.device = None
        self.device_scope = None
        self.name_prefix = ''
        self.tapes = ()
        self.guards = ()
        self.recorders = ()
        self.gradient_device = None
        self.trace = None
        self.creators = ()
        self.plain = True
        self.bare = True
        self.wanted = None

    def derive(self, scope: 'Scope', parent: 'ContextState | None') -> 'ContextState':
        """A copy of this state with one more scope applied."""
        new = ContextState.__new__(ContextState)
        new.scopes = (*self.scopes, scope)
        new.parent = parent
        new.device = self.device
        new.device_scope = self.device_scope
        new.name_prefix = self.name_prefix
        new.tapes = self.tapes
        new.guards = self.guards
        new.recorders = self.recorders
        new.gradient_device = self.gradient_device
        new.trace = self.trace
        new.creators = self.creators
        new.plain = self.plain
        scope.apply(new)
        new.bare = new.plain and not new.tapes
        new.wanted = new.device or new.gradient_device
        return new


EMPTY = ContextState()
_current: contextvars.ContextVar[ContextState | None] = contextvars.ContextVar(
    'tensorvar_state', default=None
)
current = _current.get


class Scope:
    """A context manager whose effect is a change of the context state.

    Subclasses implement ``apply``. A scope object may be entered again while it
    is open, unless the subclass forbids it.
    """

    __slots__ = ()

    def apply(self, state: ContextState) -> None:
        """Edits a freshly derived state that is not current yet."""
        raise NotImplementedError(f'{type(self).__name__} must implement apply')

    def __enter__(self) -> Self:
        parent = _current.get()
        _current.set((parent or EMPTY).derive(self, parent))
        return self

    def __exit__(self, *exception: object) -> None:
        leave(self)


def leave_trace(why: str) -> None:
    """Tells the trace under way, if there is one, that it cannot follow the program.

    Args:
        why: what the program does, for the warning.
    """
    state = _current.get()
    if state is not None and state.trace is not None:
        state.trace.give_up(why)


def leave(scope: Scope) -> None:
    """Removes the innermost entry of ``scope`` from the current state.

    In a context that never entered the scope (a generator finalised elsewhere,
    another task) there is nothing to remove.
    """
    state = _current.get()
    if state is None:
        return
    if state.scopes[-1] is scope:
        _current.set(state.parent)
        return
    remaining = list(state.scopes)
    for position in range(len(remaining) - 1, -1, -1):
        if remaining[position] is scope:
            del remaining[position]
            _current.set(_fold(remaining))
            return


def _fold(scopes: list[Scope]) -> ContextState | None:
    state: ContextState | None = None
    for scope in scopes:
        state = (state or EMPTY).derive(scope, state)
    return state


def propagate(function: Callable[P, R]) -> Callable[P, R]:
    """Carries the current scopes into another thread.

    Args:
        function: what a thread or an executor will call.

    Returns:
        A function that runs ``function`` under the scopes that are open now
        (device, names, tapes, guards, recorders), in whichever thread calls it.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> import tensorvar as tv
        >>> with ThreadPoolExecutor() as pool, tv.device('CPU:0'):
        ...     print(pool.submit(tv.propagate(tv.current_device)).result()[-5:])
        CPU:0
    """
    state = _current.get()

    @functools.wraps(function)
    def under_scopes(*args: P.args, **kwargs: P.kwargs) -> R:
        token = _current.set(state)
        try:
            return function(*args, **kwargs)
        finally:
            _current.reset(token)

    return under_scopes


class _Untraced(Scope):
    """Takes the trace and the tapes out of a state."""

    def apply(self, state: ContextState) -> None:
        state.trace, state.tapes = None, ()
        logs = state.device_scope is not None and state.device_scope.log
        state.plain = not (state.guards or state.recorders or logs)


_untraced = _Untraced()


def untraced(state: ContextState | None) -> ContextState:
    """A state in which no trace and no tape hears of anything, but everybody else does.

    Args:
        state: the state that it is made of.
    """
    return (state or EMPTY).derive(_untraced, state)


class Pushed:
    """Makes a given state current for a ``with`` block, such as a backward walk."""

    __slots__ = ('_state', '_token')

    def __init__(self, state: ContextState | None) -> None:
        self._state = state

    def __enter__(self) -> None:
        self._token = _current.set(self._state)

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._token)
