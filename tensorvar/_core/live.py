"""The living variables, held weakly, in order of creation."""

import itertools
import os
import time
import weakref
from typing import TYPE_CHECKING, NamedTuple

from tensorvar._backend import memory_ledger
from tensorvar._core import variable_write
from tensorvar._device import registry
from tensorvar._device.device import Device

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

# Seconds that a fork waits at most; no write takes as long.
_LONGEST_WRITE = 10.0

_serial = itertools.count()
_variables: 'dict[int, weakref.ref[Variable]]' = {}


class LiveVariable(NamedTuple):
    """One row of ``tv.debugging.live_variables()``.

    Attributes:
        name: the variable's name.
        shape: its static shape, as text.
        dtype: name of its element type.
        nbytes: bytes of its value.
        device: short name of its device.
        created: the line of user code that made it.
    """

    name: str
    shape: str
    dtype: str
    nbytes: int
    device: str
    created: str


def add(variable: 'Variable') -> int:
    """Lists a new variable; returns the number under which ``remove`` finds it."""
    number = next(_serial)
    _variables[number] = weakref.ref(variable)
    return number


def remove(number: int) -> None:
    """Takes a variable off the list, when it dies."""
    _variables.pop(number, None)


def variables() -> 'list[Variable]':
    """The living variables, oldest first."""
    found = (reference() for reference in list(_variables.values()))
    return [variable for variable in found if variable is not None]


def trainable_variables() -> 'list[Variable]':
    """The living variables with ``trainable=True``, oldest first.

    They are held weakly: a variable that nobody else refers to is not kept alive.
    """
    return [variable for variable in variables() if variable.trainable]


def live_variables() -> list[LiveVariable]:
    """Every living variable, oldest first, with what it costs and where it was made.

    Example:
        >>> import tensorvar as tv
        >>> w = tv.Variable([1.0, 2.0], name='w')
        >>> [(row.name, row.nbytes) for row in tv.debugging.live_variables() if row.name == 'w:0']
        [('w:0', 8)]
    """
    return [describe(variable) for variable in variables()]


def describe(variable: 'Variable') -> LiveVariable:
    """The row of one variable."""
    return LiveVariable(
        variable.name,
        str(variable.shape),
        variable.dtype.name,
        variable._nbytes(),
        variable._device.short,
        variable._created(),
    )


def _holders(device: str) -> list[memory_ledger.Holder]:
    """Who holds memory on a device: its variables, and the replicas of others."""
    found = []
    for variable in variables():
        if variable._device.short == device:
            found.append(
                memory_ledger.Holder(variable.name, variable._nbytes(), variable._created())
            )
        for place in list(variable._replicas):
            if place.short == device:
                name = f'{variable.name} (replica)'
                found.append(memory_ledger.Holder(name, variable._nbytes(), variable._created()))
    return found


def _lines(device: Device | None) -> list[str]:
    return [
        f'{row.name} {row.shape} {row.dtype} {row.nbytes} B on {row.device}, '
        f'created at {row.created}'
        for row in live_variables()
        if device is None or row.device == device.short
    ]


def _before_fork() -> None:
    """Waits for the writes under way, which are short, and keeps new ones out."""
    variable_write.close_gate()
    deadline = time.monotonic() + _LONGEST_WRITE
    for variable in variables():
        while variable._array is None and time.monotonic() < deadline:
            time.sleep(0)


def _after_fork_in_child() -> None:
    """No other thread lives on here to give back the locks that it held."""
    variable_write.renew_gate()
    for variable in variables():
        variable._renew_locks()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=variable_write.open_gate,
        after_in_child=_after_fork_in_child,
    )
memory_ledger.set_holders(_holders)
registry.set_live_values(_lines)
