"""Chooses the launch geometry of a kernel from a table, one file per chip.

The tables stand beside the kernels, in ``tables/``: ``default.json``, and one named after
the chip's target, such as ``sm_90a.json``, where somebody has measured.
"""

import functools
import json
from typing import NamedTuple

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
        family: ``'dense'``, ``'strided'`` or ``'transposed'``.
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


@functools.cache
def _rows(name: str) -> dict[str, list[tuple[int, Geometry]]]:
    path = source.folder() / 'tables' / f'{name}.json'
    if not path.is_file():
        return {}
    table: dict[str, list[tuple[int, Geometry]]] = {}
    for row in json.loads(path.read_text(encoding='utf-8'))['rows']:
        found = Geometry(row['unroll'], row['blocks_per_multiprocessor'])
        table.setdefault(row['family'], []).append((row['widest'], found))
    for choices in table.values():
        choices.sort()
    return table
