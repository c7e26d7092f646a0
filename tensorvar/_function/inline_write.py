"""The source of a write to a variable, for code that holds its lock.

What ``variable_write.replace`` does, without a call: in place while nobody else holds the
array. The count of references that says so is measured with the same source.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar._backend import host_pieces
from tensorvar._backend.base import Array
from tensorvar._core import variable_write


def add_into(target: Array, value: Array) -> None:
    """``target += value``."""
    np.add(target, value, target)


def subtract_from(target: Array, value: Array) -> None:
    """``target -= value``."""
    np.subtract(target, value, target)


def copy_into(target: Array, value: Array) -> None:
    """``target = value``."""
    np.copyto(target, value)


NAMES: dict[str, Any] = {
    'refs': sys.getrefcount, 'writing': variable_write, 'asarray': np.asarray, 'add': np.add,
    'subtract': np.subtract, 'copyto': np.copyto, 'in_pieces': host_pieces.write,
    'add_into': add_into, 'subtract_from': subtract_from, 'copy_into': copy_into,
}  # fmt: skip
"""What the source uses."""


def lines(variable: str, in_place: str, fresh: str) -> list[str]:
    """The source.

    Args:
        variable: the name of the variable.
        in_place: source that writes into ``array``.
        fresh: source of an array or a number with the new value, made of ``array``.
    """
    return [
        'while writing._forking: writing._wait_for_fork()',
        # As in ``replace``, nothing is called from here to ``try``.
        f'array = {variable}._array',
        'try:',
        f'    {variable}._array = None',
        f'    if refs(array) == ALONE: {in_place}',
        f'    else: array = asarray({fresh})',
        'finally:',
        # After an interrupt a count too many costs a copy, one too few a wrong value.
        f'    {variable}._version += 1',
        f'    {variable}._array = array',
    ]


class _Probe:
    """Stands for a variable."""

    _array: Any = None
    _version = 0


def _keeps(alone: int) -> bool:
    """Whether the source writes in place if it takes ``alone`` for the count."""
    body: Sequence[str] = lines('v', 'kept.append(1)', 'array')
    source = '\n'.join(['def write(v, kept):', *(f'    {line}' for line in body)])
    made: dict[str, Any] = {**NAMES, 'ALONE': alone}
    exec(compile(source, '<write of tv.function>', 'exec'), made)
    probe = _Probe()
    probe._array = np.zeros(1)
    kept: list[int] = []
    made['write'](probe, kept)
    return bool(kept)


def _measured() -> int:
    # It differs between Python versions, so it is found by trying.
    for count in range(1, 8):
        if _keeps(count):
            return count
    # A build without usable counts never writes in place; slower, but right.
    return -1


NAMES['ALONE'] = _measured()
