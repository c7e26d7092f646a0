"""Checks of values that go into arithmetic.

A check reads the values on the host. On a card that would wait for everything queued
before it, so there such values give a result that the op defines; with
``set_synchronous(True)`` they are checked there too.
"""

from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._ops import _index_checks


def refuse_where(xp: Any, bad: Array, op: str, message: str, *, waits: bool = False) -> None:
    """Raises if any element of ``bad`` is True and values may be read now.

    Args:
        xp: the array module of ``bad``.
        bad: bools.
        op: name of the op.
        message: what was given; what is allowed; what to do.
        waits: whether the op waits for a card in any case, so that a look costs little.

    Raises:
        InvalidArgumentError: an element is True.
    """
    if not (waits or _index_checks.may_look(xp)):
        return
    # Of what lies on a card, one bool is fetched first, and the rest for the message.
    if _index_checks.look(xp, xp.asarray(bad.any())):
        host = np.asarray(_index_checks.look(xp, bad))
        first = [int(position) for position in np.argwhere(host)[0]]
        where = f', first at {first}' if first else ''
        raise errors.InvalidArgumentError(f'[{op}] {message}{where}', op)
