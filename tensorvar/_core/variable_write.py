"""The one way a variable's value changes.

A write goes in place while nobody else holds the buffer, else to a fresh one, so that
tensors, views, tapes, copies in flight, exported capsules and other threads' ops keep
the value they took. Holding is a Python reference to the array: the writer, under the
variable's lock, takes the array out of its slot and compares the reference count with
a constant measured at import. A reader that finds the empty slot waits for the lock.

Everything that can fail (checks, conversion, copies, allocation) comes before the
write, and whatever is raised, the old array goes back into the slot.
"""

import sys
from collections.abc import Callable
from typing import Any, Protocol

from tensorvar._backend.base import Array


class Slot(Protocol):
    """Whatever keeps one array that may be taken out."""

    _array: Array


def take(holder: Slot) -> tuple[Array, bool]:
    """Empties the slot.

    Args:
        holder: a variable whose lock this thread holds, or a replica.

    Returns:
        The array, and whether the slot held the only reference to it.
    """
    array = holder._array
    holder._array = None
    return array, sys.getrefcount(array) == _ALONE


class _Probe:
    """Stands for a variable while the constant is measured."""

    __slots__ = ('_array',)

    def __init__(self) -> None:
        self._array: Array = bytearray(1)


def _references_of_a_lone_array() -> int:
    """What ``sys.getrefcount`` says inside of ``take`` when nobody else holds the array.

    It differs between Python versions, so it is found by trying.
    """
    global _ALONE
    for count in range(1, 8):
        _ALONE = count
        if take(_Probe())[1]:
            return count
    # A build without usable counts never writes in place; slower, but right.
    return -1


_ALONE = -1
_ALONE = _references_of_a_lone_array()


def replace(
    variable: Any,
    in_place: Callable[[Array], None] | None,
    compute: Callable[[Array], Array],
) -> bool:
    """Writes a variable whose lock the caller holds.

    Args:
        variable: the variable.
        in_place: writes into the buffer, or None if the buffer cannot be kept.
        compute: makes the new array from the old one.

    Returns:
        Whether the buffer was kept.
    """
    array, alone = take(variable)
    keep = alone and in_place is not None
    try:
        if keep and in_place is not None:
            in_place(array)
        else:
            array = compute(array)
    finally:
        variable._array = array
    variable._version += 1
    return keep
