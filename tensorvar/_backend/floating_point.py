"""Runs NumPy code without its floating-point warnings.

Inf and nan are values here, as in TensorFlow, so dividing by zero or overflowing warns
nobody. NumPy keeps its error state in a context variable; setting that directly costs a
tenth of ``numpy.errstate``, which is the way taken where NumPy does not offer it. A call
in a context of its own, which has the state already, costs a tenth of that again.
"""

import contextvars
from collections.abc import Callable
from typing import Any

import numpy as np

_umath: Any = np._core.umath  # type: ignore[attr-defined]


class _ErrorState:
    """NumPy's error state by its public means, with the methods of a ``ContextVar``."""

    __slots__ = ()

    def set(self, value: Any) -> Any:
        state = np.errstate(all='ignore')
        state.__enter__()
        return state

    def reset(self, token: Any) -> None:
        token.__exit__(None, None, None)


def _offers_state() -> bool:
    return hasattr(_umath, '_extobj_contextvar') and hasattr(_umath, '_make_extobj')


state: Any = _umath._extobj_contextvar if _offers_state() else _ErrorState()
"""NumPy's error state: ``token = state.set(QUIET)``, and later ``state.reset(token)``."""

QUIET: Any = _umath._make_extobj(all='ignore') if _offers_state() else None


def _quietly_by_state(function: Callable[..., Any], *arguments: Any) -> Any:
    token = state.set(QUIET)
    try:
        return function(*arguments)
    finally:
        state.reset(token)


def _quiet_context() -> contextvars.Context:
    context = contextvars.Context()
    context.run(state.set, QUIET)
    return context


quietly: Callable[..., Any] = _quiet_context().run if _offers_state() else _quietly_by_state
"""``quietly(function, *arguments)`` calls a function of NumPy that calls no Python code.

Raises ``RuntimeError``, and has done nothing then, while another thread is in such a call,
or a finaliser interrupts one: a context cannot be entered twice.
"""
