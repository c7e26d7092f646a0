"""Checks of values that go into arithmetic.

A check reads the values on the host. On a card that would wait for everything queued
before it, so there such values give a result that the op defines; with
``set_synchronous(True)`` they are checked there too.
"""

from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._device import switches
from tensorvar._ops import _index_checks


def can_look(xp: Any) -> bool:
    """Whether values of ``xp``'s arrays may be read now."""
    return _index_checks.looks_at_once(xp) or switches.is_on(switches.SYNCHRONOUS)


def refuse_where(xp: Any, bad: Array, op: str, message: str) -> None:
    """Raises if any element of ``bad`` is True and values may be read now.

    Args:
        xp: the array module of ``bad``.
        bad: bools.
        op: name of the op.
        message: what was given; what is allowed; what to do.

    Raises:
        InvalidArgumentError: an element is True.
    """
    if not can_look(xp):
        return
    host = np.asarray(_index_checks.look(xp, bad))
    if host.any():
        first = [int(position) for position in np.argwhere(host)[0]]
        where = f', first at {first}' if first else ''
        raise errors.InvalidArgumentError(f'[{op}] {message}{where}', op)
