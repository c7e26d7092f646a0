"""The table of ``kernels/tv_tensors.cuh``: many tensors under one flat index."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import arguments, launch, select, targets

THREADS = 256
VECTOR_BYTES = 16
_WORD_BYTES = 8
# Words of a table that is handed over with the arguments. The others of a kernel take up
# to 80 bytes; drivers before CUDA 12.1 take 4096 in all.
_CAPACITIES = (480, 4080)
_OTHER_ARGUMENTS = 80
# A block takes no more chunks than this, so that a fast one can go on with another range.
_MOST_CHUNKS = 16

Upload = Callable[[np.ndarray[Any, Any]], targets.Array]
"""Gives a host array's copy in the memory of the target."""


class Table(NamedTuple):
    """Tensors as a kernel is handed them.

    Attributes:
        code: the type of the table in the kernels.
        short: what kernel names call it.
        parameter: its place among the arguments.
        argument: the table, or its address.
        tensors: how many.
        positions: of the flat index.
        kept: the memory of the table, to be kept while it is used, or None.
    """

    code: str
    short: str
    parameter: arguments.Parameter
    argument: bytes | int
    tensors: int
    positions: int
    kept: targets.Array | None


def build(
    sizes: Sequence[int],
    addresses: Sequence[Sequence[int]],
    length: int,
    argument_bytes: int,
    target: targets.Target,
    upload: Upload,
) -> Table:
    """Makes the table of tensors that have at least one element each.

    Args:
        sizes: elements of each tensor.
        addresses: for each array that a tensor consists of, that of every tensor.
        length: elements per vector.
        argument_bytes: that a kernel takes.
        target: of the kernels.
        upload: for a table that does not fit in there.
    """
    extents = np.asarray(sizes, np.uint64)
    room = (extents + np.uint64(length - 1)) // np.uint64(length) * np.uint64(length)
    ends = np.cumsum(room, dtype=np.uint64) - room + extents
    words = np.concatenate([ends, np.asarray(addresses, np.uint64).reshape(-1)])
    positions = int(ends[-1])
    for capacity in _CAPACITIES:
        nbytes = capacity * _WORD_BYTES
        if len(words) <= capacity and nbytes + _OTHER_ARGUMENTS <= argument_bytes:
            return Table(
                f'tv::ArgumentTable<{capacity}>',
                f'w{capacity}',
                arguments.by_value(nbytes, _WORD_BYTES),
                words.tobytes().ljust(nbytes, b'\0'),
                len(sizes),
                positions,
                None,
            )
    kept = upload(words)
    return Table(
        'tv::MemoryTable',
        'memory',
        arguments.POINTER,
        target.pointer(kept),
        len(sizes),
        positions,
        kept,
    )


def work_split(
    positions: int, length: int, geometry: select.Geometry, multiprocessors: int
) -> tuple[launch.Grid, int]:
    """The grid, and the positions that each block takes."""
    chunk = THREADS * length * geometry.unroll
    chunks = math.ceil(positions / chunk)
    resident = multiprocessors * geometry.blocks_per_multiprocessor
    share = min(math.ceil(chunks / resident), _MOST_CHUNKS)
    return launch.Grid(math.ceil(chunks / share), THREADS), share * chunk


class Span(NamedTuple):
    """The bytes of an array.

    Attributes:
        name: what errors call it.
        start: address of the first byte.
        end: address behind the last.
        written: whether it is changed.
    """

    name: str
    start: int
    end: int
    written: bool


def overlap(spans: Sequence[Span]) -> tuple[Span, Span] | None:
    """Two that share memory of which at least one is written, or None."""
    starts = np.array([each.start for each in spans], np.uint64)
    order = np.argsort(starts, kind='stable')
    ends = np.array([each.end for each in spans], np.uint64)[order]
    written = np.array([each.written for each in spans], bool)[order]
    reach = np.zeros((2, len(spans)), np.uint64)
    for row, counted in zip(reach, (ends, np.where(written, ends, np.uint64(0))), strict=True):
        row[1:] = np.maximum.accumulate(counted)[:-1]
    limit = np.where(written, reach[0], reach[1])
    found = np.flatnonzero(starts[order] < limit)
    if not len(found):
        return None
    second = spans[order[found[0]]]
    for position in order[: found[0]]:
        first = spans[position]
        if first.end > second.start and (first.written or second.written):
            return first, second
    return None
