"""Runs NumPy code without its floating-point warnings.

Inf and nan are values here, as in TensorFlow, so dividing by zero or overflowing warns
nobody. NumPy keeps its error state in a context variable; setting that directly costs a
tenth of ``numpy.errstate``, which is the way taken where NumPy does not offer it.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

_umath: Any = np._core.umath  # type: ignore[attr-defined]


class _Silence:
    """A re-enterable scope in which NumPy raises no floating-point warnings."""

    __slots__ = ()

    def set(self) -> Any:
        return _umath._extobj_contextvar.set(_QUIET)

    def reset(self, token: Any) -> None:
        _umath._extobj_contextvar.reset(token)


class _SlowSilence(_Silence):
    """The same by NumPy's public means."""

    def set(self) -> Any:
        state = np.errstate(all='ignore')
        state.__enter__()
        return state

    def reset(self, token: Any) -> None:
        token.__exit__(None, None, None)


def _offers_state() -> bool:
    return hasattr(_umath, '_extobj_contextvar') and hasattr(_umath, '_make_extobj')


_QUIET = _umath._make_extobj(all='ignore') if _offers_state() else None
_silence = _Silence() if _offers_state() else _SlowSilence()
set_quiet = _silence.set
reset = _silence.reset


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """A ``with`` block whose NumPy code warns about no inf and no nan."""
    token = set_quiet()
    try:
        yield
    finally:
        reset(token)
