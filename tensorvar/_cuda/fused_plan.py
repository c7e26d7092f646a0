"""How the kernel of a formula is launched: what its operands are like, and the grid."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from tensorvar import errors
from tensorvar._cuda import arguments, element_types, fused_text, launch, layout, select, source
from tensorvar._cuda.assign_plan import THREADS, VECTOR_BYTES, Chip, Operand
from tensorvar._cuda.fused_ops import Formula

MOST_INPUTS = 12
MOST_OUTPUTS = 4
MOST_STEPS = 48
"""A larger formula keeps more values alive than a thread has registers."""

_WIDEST_VECTOR_BYTES = 64
# Of all operands and results that a thread holds at once.
_BYTES_PER_THREAD = 256
_ADDRESS = 'Q'
_ROW = f'{_ADDRESS}{layout.DIVISOR_BYTES}s'
_STRIDED = f'{_ADDRESS}{layout.POSITIONS_BYTES}s'
_POINTER_BYTES = 8
_NUMBER = layout.Pattern('number')
# What a thread has once for all elements.
_HELD = ('number', 'single')


class Choice(NamedTuple):
    """A kernel and how it is launched.

    Attributes:
        export: the kernel.
        signature: of its parameters.
        grid: blocks and threads.
        elements: of a result.
        tails: for each operand that has an address what follows it.
    """

    export: source.Export
    signature: arguments.Signature
    grid: launch.Grid
    elements: int
    tails: tuple[tuple[bytes, ...], ...]


class _Given(NamedTuple):
    """An operand as the kernel takes it.

    Attributes:
        type: in C++.
        code: of its fields, in ``struct``.
        size: bytes of them.
        tail: the fields after the address.
    """

    type: str
    code: str
    size: int
    tail: tuple[bytes, ...] = ()


def choose(
    formula: Formula, results: Sequence[Operand], operands: Sequence[Operand], chip: Chip
) -> Choice | None:
    """Chooses the kernel; None where there is none for operands of such strides.

    Args:
        formula: what is computed.
        results: of one shape, which is not empty.
        operands: they broadcast to that shape; a number has no address.
        chip: what the kernel runs on.

    Raises:
        InvalidArgumentError: an operand does not broadcast to the results' shape.
    """
    if not all(map(_is_dense, results)) or not all(map(_is_aligned, (*results, *operands))):
        return None
    shape, strides = results[0].shape, results[0].strides
    walks = [layout.collapse(shape, strides, _spread(shape, each)) for each in operands]
    if any(len(walk) > layout.MAX_RANK for walk in walks):
        return None
    size = results[0].dtype.itemsize
    patterns = [
        _NUMBER if each.address is None else layout.classify(walk, size, each.dtype.itemsize)
        for walk, each in zip(walks, operands, strict=True)
    ]
    moved = [each.dtype.itemsize for each in results] + [
        each.dtype.itemsize
        for each, pattern in zip(operands, patterns, strict=True)
        if pattern.name not in _HELD
    ]
    geometry = select.geometry('dense', max(moved), chip.name)
    length, unroll = _fitted(moved, geometry.unroll)
    head = _head(results[0], length)
    given = [
        _given(each, pattern, walk, length, head)
        for each, pattern, walk in zip(operands, patterns, walks, strict=True)
    ]
    written = [_typed('Written', each, _are_vectors(each, length, head)) for each in results]
    count = math.prod(shape)
    needed = math.ceil(count / (length * unroll * THREADS))
    most = chip.multiprocessors * geometry.blocks_per_multiprocessor
    return Choice(
        fused_text.export(formula, written, [each.type for each in given], length, unroll),
        _signature(len(results), given),
        launch.Grid(max(1, min(needed, most)), THREADS),
        count,
        tuple(each.tail for each in given if each.code[0] == _ADDRESS),
    )


def _signature(results: int, given: Sequence[_Given]) -> arguments.Signature:
    written = arguments.Parameter(_ADDRESS * results, _POINTER_BYTES * results, _POINTER_BYTES)
    read = arguments.Parameter(
        ''.join(each.code for each in given), sum(each.size for each in given), _POINTER_BYTES
    )
    return arguments.Signature(arguments.COUNT, written, read)


def _fitted(moved: Sequence[int], unroll: int) -> tuple[int, int]:
    """Elements per vector, and vectors per thread and turn, that registers can hold."""
    length = max(1, min(VECTOR_BYTES // min(moved), _WIDEST_VECTOR_BYTES // max(moved)))
    while unroll > 1 and unroll * length * sum(moved) > _BYTES_PER_THREAD:
        unroll //= 2
    while length > 1 and length * sum(moved) > _BYTES_PER_THREAD:
        length //= 2
    return length, unroll


def _given(
    operand: Operand,
    pattern: layout.Pattern,
    walk: tuple[layout.Dimension, ...],
    length: int,
    head: int,
) -> _Given:
    if pattern is _NUMBER:
        size = operand.dtype.itemsize
        return _Given(_typed('Number', operand), f'{size}s{_POINTER_BYTES - size}x', _POINTER_BYTES)
    if pattern.name == 'contiguous':
        vectors = _are_vectors(operand, length, head)
        return _Given(_typed('Dense', operand, vectors), _ADDRESS, _POINTER_BYTES)
    if pattern.name == 'single':
        return _Given(_typed('Single', operand), _ADDRESS, _POINTER_BYTES)
    whole = head == 0 and walk[-1].extent % length == 0
    if pattern.name == 'row':
        vectors = whole and _are_vectors(operand, length, head)
        tail = layout.pack_divisor(walk[-1].extent)
        return _Given(_typed('Row', operand, vectors), _ROW, _POINTER_BYTES + len(tail), (tail,))
    tail = layout.pack_positions(walk)
    return _Given(_typed('Strided', operand, whole), _STRIDED, _POINTER_BYTES + len(tail), (tail,))


def _typed(name: str, operand: Operand, flag: bool | None = None) -> str:
    element = element_types.element_type('fused', operand.dtype).code
    return f'tv::{name}<{element}{"" if flag is None else f", {str(flag).lower()}"}>'


def _head(result: Operand, length: int) -> int:
    """Elements before the first one at which a vector may be stored."""
    return -(result.address or 0) % _vector_alignment(result, length) // result.dtype.itemsize


def _are_vectors(operand: Operand, length: int, head: int) -> bool:
    first = (operand.address or 0) + head * operand.dtype.itemsize
    return first % _vector_alignment(operand, length) == 0


def _vector_alignment(operand: Operand, length: int) -> int:
    return min(VECTOR_BYTES, length * operand.dtype.itemsize)


def _is_dense(result: Operand) -> bool:
    size = result.dtype.itemsize
    for extent, stride in zip(reversed(result.shape), reversed(result.strides), strict=True):
        if extent != 1 and stride != size:
            return False
        size *= extent
    return True


def _is_aligned(operand: Operand) -> bool:
    alignment = element_types.element_type('fused', operand.dtype).alignment
    return not any(each % alignment for each in (operand.address or 0, *operand.strides))


def _spread(shape: tuple[int, ...], operand: Operand) -> tuple[int, ...]:
    strides = layout.broadcast_strides(shape, operand.shape, operand.strides)
    if strides is None:
        raise errors.InvalidArgumentError(
            f'[fused] results of shape {shape} and an operand of shape {operand.shape}; '
            f'operands must broadcast to the results'
        )
    return strides
