"""Chooses the launch geometry of a kernel from a table, one file per chip.

The tables stand beside the kernels, in ``tables/``: ``default.json``, and one named after
the chip's target, such as ``sm_90a.json``, where somebody has measured.
"""

import functools
import json
import sys
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._cuda import source

_DEFAULT = 'default'


class Geometry(NamedTuple):
    """How much one thread does, and how many blocks a card runs at once.

    Attributes:
        unroll: vectors that a thread loads before it uses the first.
        blocks_per_multiprocessor: blocks in the grid per multiprocessor, at most.
    """

    unroll: int
    blocks_per_multiprocessor: int


def geometry(family: str, widest: int, chip: str) -> Geometry:
    """The geometry of a kernel.

    Args:
        family: as the tables name it, such as ``'dense'``.
        widest: size of the widest element type, in bytes.
        chip: the target, such as ``'sm_90a'``.

    Raises:
        NotFoundError: the tables have no such row.
    """
    for name in (chip, _DEFAULT):
        for limit, found in _rows(name).get(family, ()):
            if widest <= limit:
                return found
    raise errors.NotFoundError(
        f'[kernels] {source.folder() / "tables"} has no row for {family} and elements of '
        f'{widest} bytes; install tensorvar again'
    )


def threshold(name: str, chip: str) -> int:
    """The size from which on another kernel is the faster one.

    A table says ``null`` where it never is.

    Args:
        name: as the tables name it, such as ``'gather_wide_bytes'``.
        chip: the target, such as ``'sm_90a'``.

    Raises:
        NotFoundError: the tables have no such threshold.
    """
    for table in (chip, _DEFAULT):
        found = _thresholds(table)
        if name in found:
            return sys.maxsize if found[name] is None else found[name]
    raise errors.NotFoundError(
        f'[kernels] {source.folder() / "tables"} has no threshold {name}; install tensorvar again'
    )


def section(name: str, chip: str) -> tuple[dict[str, Any], ...]:
    """The rows of a list in the table of a chip, or of the default where it has none.

    Args:
        name: of the list, such as ``'mma_tiles'``.
        chip: the target, such as ``'sm_90a'``.

    Raises:
        NotFoundError: no table has it.
    """
    for table in (chip, _DEFAULT):
        found = _read(table).get(name)
        if found is not None:
            return tuple(found)
    raise errors.NotFoundError(
        f'[kernels] {source.folder() / "tables"} has no list {name}; install tensorvar again'
    )


@functools.cache
def _rows(name: str) -> dict[str, list[tuple[int, Geometry]]]:
    table: dict[str, list[tuple[int, Geometry]]] = {}
    for row in _read(name).get('rows', ()):
        found = Geometry(row['unroll'], row['blocks_per_multiprocessor'])
        table.setdefault(row['family'], []).append((row['widest'], found))
    for choices in table.values():
        choices.sort()
    return table


@functools.cache
def _thresholds(name: str) -> dict[str, Any]:
    found: dict[str, Any] = _read(name).get('thresholds', {})
    return found


def _read(name: str) -> dict[str, Any]:
    path = source.folder() / 'tables' / f'{name}.json'
    if not path.is_file():
        return {}
    read: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return read
