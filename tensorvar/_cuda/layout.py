"""How two operands lie in memory, reduced to what a kernel has to know.

Dimensions of one element vanish, dimensions are put in the order of the destination's
strides, and neighbours that can be walked as one are merged. What is left is dense, a
repeated row, one value, a transposed matrix, or a walk over strides.
"""

import math
import struct
from typing import Any, NamedTuple

MAX_RANK = 6
DIVISOR_BYTES = 24
WALK_BYTES = 8 * (2 + 3 * MAX_RANK + 2 * MAX_RANK)
POSITIONS_BYTES = 8 * (1 + 3 * MAX_RANK + MAX_RANK)
_WALK = struct.Struct(f'<2Q{3 * MAX_RANK}Q{2 * MAX_RANK}q')
_POSITIONS = struct.Struct(f'<Q{3 * MAX_RANK}Q{MAX_RANK}q')
_DIVISOR = struct.Struct('<3Q')
_SMALLEST_TRANSPOSED = 16


class Dimension(NamedTuple):
    """One dimension: its extent, and the bytes from one element to the next."""

    extent: int
    destination: int
    source: int


def collapse(
    shape: tuple[int, ...], destination: tuple[int, ...], source: tuple[int, ...]
) -> tuple[Dimension, ...]:
    """The fewest dimensions that walk over both operands, outermost first.

    Args:
        shape: of the destination.
        destination: its strides in bytes.
        source: strides of the source in bytes, 0 where it is broadcast.
    """
    kept = [
        Dimension(*each) for each in zip(shape, destination, source, strict=True) if each[0] != 1
    ]
    # The order of the elements is free: each is computed by itself.
    kept.sort(key=lambda each: abs(each.destination), reverse=True)
    merged: list[Dimension] = []
    for inner in kept:
        outer = merged[-1] if merged else None
        if (
            outer is not None
            and outer.destination == inner.destination * inner.extent
            and outer.source == inner.source * inner.extent
        ):
            merged[-1] = inner._replace(extent=outer.extent * inner.extent)
        else:
            merged.append(inner)
    return tuple(merged)


def broadcast_strides(
    shape: tuple[int, ...], source_shape: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Strides of a source that is broadcast to a shape, or None where it cannot be."""
    missing = len(shape) - len(source_shape)
    if missing < 0:
        return None
    found = [0] * missing
    for extent, wanted, stride in zip(source_shape, shape[missing:], strides, strict=True):
        if extent not in (wanted, 1):
            return None
        found.append(stride if extent == wanted else 0)
    return tuple(found)


class Pattern(NamedTuple):
    """What the dimensions amount to.

    Attributes:
        name: ``'contiguous'``, ``'single'``, ``'row'``, ``'transposed'`` or ``'strided'``.
        extents: of a row its length; of transposed matrices their number and the rows and
            columns of the source.
    """

    name: str
    extents: tuple[int, ...] = ()


def classify(dimensions: tuple[Dimension, ...], destination_size: int, source_size: int) -> Pattern:
    """Names the pattern of collapsed dimensions.

    Args:
        dimensions: as ``collapse`` gives them.
        destination_size: bytes per element.
        source_size: bytes per element.
    """
    if not dimensions:
        return Pattern('contiguous')
    if not _is_dense(dimensions, destination_size):
        return Pattern('strided')
    strides = tuple(each.source for each in dimensions)
    if strides == (source_size,):
        return Pattern('contiguous')
    if strides == (0,):
        return Pattern('single')
    if strides == (0, source_size):
        return Pattern('row', (dimensions[1].extent,))
    return _transposed(dimensions, source_size) or Pattern('strided')


def _is_dense(dimensions: tuple[Dimension, ...], size: int) -> bool:
    for each in reversed(dimensions):
        if each.destination != size:
            return False
        size *= each.extent
    return True


def _transposed(dimensions: tuple[Dimension, ...], size: int) -> Pattern | None:
    if len(dimensions) not in (2, 3):
        return None
    columns, rows = (each.extent for each in dimensions[-2:])
    wanted = (rows * columns * size, size, columns * size)
    if tuple(each.source for each in dimensions) != wanted[-len(dimensions) :]:
        return None
    if min(rows, columns) < _SMALLEST_TRANSPOSED:
        return None
    matrices = dimensions[0].extent if len(dimensions) == 3 else 1
    return Pattern('transposed', (matrices, rows, columns))


def pack_divisor(value: int) -> bytes:
    """``tv::Divisor``: a division by ``value`` as a multiplication and a shift."""
    return _DIVISOR.pack(*_divisor(value))


def _divisor(value: int) -> tuple[int, int, int]:
    if value == 1:
        return 1, 0, 0
    bits = (value - 1).bit_length()
    return value, (1 << (63 + bits)) // value + 1, bits - 1


def pack_walk(dimensions: tuple[Dimension, ...]) -> bytes:
    """``tv::Walk`` over at most ``MAX_RANK`` dimensions."""
    inner_first = dimensions[::-1]
    spare = MAX_RANK - len(inner_first)
    return _WALK.pack(
        math.prod(each.extent for each in dimensions),
        len(dimensions),
        *_divisors(inner_first),
        *(each.destination for each in inner_first),
        *(0,) * spare,
        *(each.source for each in inner_first),
        *(0,) * spare,
    )


def pack_positions(dimensions: tuple[Dimension, ...]) -> bytes:
    """``tv::Positions`` of the source over at most ``MAX_RANK`` dimensions."""
    inner_first = dimensions[::-1]
    spare = MAX_RANK - len(inner_first)
    strides = (each.source for each in inner_first)
    return _POSITIONS.pack(len(dimensions), *_divisors(inner_first), *strides, *(0,) * spare)


def _divisors(dimensions: tuple[Dimension, ...]) -> list[int]:
    """The fields of ``MAX_RANK`` divisors, those that are not used 0."""
    found: list[int] = []
    for each in dimensions:
        found.extend(_divisor(each.extent))
    return found + [0] * (3 * (MAX_RANK - len(dimensions)))


def outer_offsets(dimensions: tuple[Dimension, ...]) -> list[tuple[int, int]]:
    """Byte offsets of every position in these dimensions: destination's and source's."""
    offsets = [(0, 0)]
    for each in dimensions:
        offsets = [
            (base[0] + i * each.destination, base[1] + i * each.source)
            for base in offsets
            for i in range(each.extent)
        ]
    return offsets


def byte_range(array: Any) -> tuple[int, int]:
    """The first byte of an array, from its first element, and the one after its last."""
    low = high = 0
    for extent, stride in zip(array.shape, array.strides, strict=True):
        reach = (extent - 1) * stride
        low += min(reach, 0)
        high += max(reach, 0)
    return low, high + array.dtype.itemsize
