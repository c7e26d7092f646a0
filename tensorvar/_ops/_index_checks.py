"""Indices are checked before anything is read or written by them."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._device import switches

_UNSIGNED = {
    dtypes.int32.numpy: dtypes.uint32.numpy,
    dtypes.int64.numpy: dtypes.uint64.numpy,
}


def looks_at_once(xp: Any) -> bool:
    """Whether a look at values waits for no card."""
    return xp is np or hasattr(xp, 'look')


def may_look(xp: Any) -> bool:
    """Whether values may be looked at for a check: no card waits, or it is to wait."""
    return looks_at_once(xp) or switches.is_on(switches.SYNCHRONOUS)


def look(xp: Any, indices: Array) -> np.ndarray[Any, Any]:
    """The values of an index array, for a check only.

    A simulated card offers its data to checks; a real one is waited for, so that a bad
    index raises before a row is written.
    """
    if xp is np:
        return indices  # type: ignore[no-any-return]
    if hasattr(xp, 'look'):
        return xp.look(indices)  # type: ignore[no-any-return]
    return indices.get()  # type: ignore[no-any-return]


def are_inside(host: np.ndarray[Any, Any], limit: int) -> bool:
    """Whether every one of the indices, int32 or int64, lies in ``[0, limit)``."""
    if not host.size:
        return True
    # A negative index is a very large unsigned number, and the place of the largest is
    # found in a seventh of the time that the largest takes.
    numbers = host.view(_UNSIGNED[host.dtype])
    return bool(numbers.item(numbers.argmax()) < limit)


def refuse_outside(xp: Any, op: str, indices: Array, limit: int, argument: str = 'indices') -> None:
    """Raises unless every index lies in ``[0, limit)``.

    Args:
        xp: the array module of ``indices``.
        op: name of the op.
        indices: int32 or int64, of any shape.
        limit: number of rows.
        argument: name of the op's argument.

    Raises:
        InvalidIndexError: the first index outside, in reading order.
    """
    # Of what lies on a card, one bool is fetched first, and the rest for the message.
    if not looks_at_once(xp) and not look(xp, ((indices < 0) | (indices >= limit)).any()):
        return
    host = look(xp, indices)
    if are_inside(host, limit):
        return
    place = tuple(int(i) for i in np.argwhere((host < 0) | (host >= limit))[0])
    where = f'[{",".join(map(str, place))}]' if place else ''
    raise errors.InvalidIndexError(
        f'[{op}] {argument}{where} = {int(host[place])} is not in [0, {limit}); '
        f'give indices in range',
        op,
    )


def refuse_tuples_outside(xp: Any, op: str, indices: Array, dims: tuple[int, ...]) -> None:
    """Raises unless every index tuple along the last axis lies within ``dims``.

    Args:
        xp: the array module of ``indices``.
        op: name of the op.
        indices: integer array of shape ``(..., len(dims))``.
        dims: the dimensions that are indexed.

    Raises:
        InvalidIndexError: the first tuple outside, in reading order.
    """
    host = look(xp, indices)
    bad = ((host < 0) | (host >= np.array(dims, dtype=np.int64))).any(axis=-1)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f'[{",".join(map(str, place))}]' if place else ''
        given = [int(i) for i in host[place]]
        raise errors.InvalidIndexError(
            f'[{op}] indices{where} = {given} does not index into shape {list(dims)}; '
            f'give indices in range',
            op,
        )
