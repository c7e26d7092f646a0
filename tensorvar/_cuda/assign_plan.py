"""Which kernel of ``kernels/assign.cu`` runs for which operands, and on what grid."""

import math
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._cuda import arguments, element_types, launch, layout, select, source

THREADS = 256
VECTOR_BYTES = 16
_WIDEST_VECTOR_BYTES = 64
_FILE = 'assign.cu'
_TRANSPOSE_FILE = 'transpose.cu'
_TILE = 32

OPS = {
    'assign': 'Set',
    'assign_add': 'Add',
    'assign_sub': 'Sub',
    'assign_mul': 'Mul',
    'assign_min': 'Min',
    'assign_max': 'Max',
}
_ALLOWED = {
    'assign_add': dtypes.NUMERIC,
    'assign_sub': dtypes.NUMERIC,
    'assign_mul': dtypes.NUMERIC,
    'assign_min': dtypes.REAL | dtypes.BOOLEAN,
    'assign_max': dtypes.REAL | dtypes.BOOLEAN,
}

_POINTER, _COUNT = arguments.POINTER, arguments.COUNT
_WALK = arguments.by_value(layout.WALK_BYTES, 8)
_DIVISOR = arguments.by_value(layout.DIVISOR_BYTES, 8)
_DENSE = arguments.Signature(_POINTER, _POINTER, _COUNT)
_ROW = arguments.Signature(_POINTER, _POINTER, _COUNT, _DIVISOR)
_STRIDED = arguments.Signature(_POINTER, _POINTER, _WALK)
_TRANSPOSED = arguments.Signature(_POINTER, _POINTER, _COUNT, _COUNT, _COUNT)


class Operand(NamedTuple):
    """An array as a kernel sees it; a scalar has neither dimensions nor an address."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    address: int | None


class Chip(NamedTuple):
    """What decides the grid: the chip's name and how many multiprocessors it has."""

    name: str
    multiprocessors: int


class Types(NamedTuple):
    """The types of one kernel: destination, source, and what is computed with."""

    destination: element_types.ElementType
    source: element_types.ElementType
    compute: element_types.ElementType

    @property
    def vector_length(self) -> int:
        """Elements per vector, as ``VECTOR_LENGTH`` in the kernels."""
        sizes = self.destination.size, self.source.size
        return max(1, min(VECTOR_BYTES // min(sizes), _WIDEST_VECTOR_BYTES // max(sizes)))

    def vector_alignment(self, element: element_types.ElementType) -> int:
        """What the address of a vector of this type must be a multiple of."""
        return min(VECTOR_BYTES, self.vector_length * element.size)

    def codes(self, *, source: bool = True) -> tuple[str, ...]:
        """The types as arguments of the macros."""
        compute = (self.compute.code, self.destination.code)
        return (*compute, self.source.code) if source else compute


class Choice(NamedTuple):
    """A kernel and how it is launched.

    Attributes:
        export: the kernel.
        signature: of its parameters.
        grid: blocks and threads.
        tail: arguments after the destination and the source.
        offsets: bytes to add to destination and source, one launch for each.
    """

    export: source.Export
    signature: arguments.Signature
    grid: launch.Grid
    tail: tuple[Any, ...]
    offsets: tuple[tuple[int, int], ...] = ((0, 0),)


def scalar_type(op: str, destination: np.dtype[Any], scalar: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which a scalar operand is handed to the kernel."""
    if op == 'assign':
        return destination
    return element_types.compute_type(op, destination, scalar)


def check(op: str, destination: Any, operand: Any, *, unchecked: bool = False) -> None:
    """Raises what ``choose`` would, for a destination without elements.

    Args:
        op: a key of ``OPS``.
        destination: an array.
        operand: an array or a NumPy scalar.
        unchecked: whether any dtype may be stored as any other.
    """
    read = Operand(operand.dtype, operand.shape, operand.strides, 0)
    _types(op, destination.dtype, read, unchecked)
    _broadcast_strides(op, destination.shape, read)


def choose(
    op: str, destination: Operand, operand: Operand, chip: Chip, *, unchecked: bool = False
) -> Choice:
    """Chooses the kernel for two operands.

    Args:
        op: a key of ``OPS``.
        destination: is not empty.
        operand: a scalar has no address.
        chip: what the kernel runs on.
        unchecked: whether any dtype may be stored as any other.

    Raises:
        InvalidTypeError: the dtypes do not go together.
        InvalidArgumentError: the shapes do not, or elements of the destination share
            memory.
    """
    types = _types(op, destination.dtype, operand, unchecked)
    dimensions = _dimensions(op, destination, operand)
    scalar = operand.address is None
    pattern = layout.classify(dimensions, types.destination.size, types.source.size)
    aligned = _is_aligned(types, destination.address, operand.address, dimensions)
    if not aligned or pattern.name == 'strided':
        return _strided(op, types, dimensions, chip, aligned=aligned, scalar=scalar)
    if pattern.name == 'transposed':
        if op == 'assign' and types.destination == types.source:
            return _transposed(types, pattern.extents, chip)
        return _strided(op, types, dimensions, chip, aligned=True, scalar=False)
    count = math.prod(destination.shape)
    if scalar:
        return _scalar(op, types, count, chip)
    return _dense(op, types, pattern, count, chip, destination.address or 0, operand.address or 0)


def _types(op: str, destination: np.dtype[Any], operand: Operand, unchecked: bool) -> Types:
    written = element_types.element_type(op, destination)
    read = element_types.element_type(op, operand.dtype)
    if op != 'assign':
        if destination not in _ALLOWED[op]:
            allowed = ', '.join(sorted(each.name for each in _ALLOWED[op]))
            raise errors.InvalidTypeError(
                f'[{op}] a destination of {destination.name}; allowed are {allowed}'
            )
        computed = element_types.compute_type(op, destination, operand.dtype)
        compute = element_types.element_type(op, computed)
        return Types(written, compute if operand.address is None else read, compute)
    if not unchecked and not element_types.can_store(destination, operand.dtype):
        raise errors.InvalidTypeError(
            f'[assign] a destination of {destination.name} and a source of '
            f'{operand.dtype.name}, which is of a higher kind; cast the source first'
        )
    if operand.address is None or operand.dtype == destination:
        moved = element_types.bits(destination)
        return Types(moved, moved, moved)
    return Types(written, read, written)


def _broadcast_strides(op: str, shape: tuple[int, ...], operand: Operand) -> tuple[int, ...]:
    strides = layout.broadcast_strides(shape, operand.shape, operand.strides)
    if strides is None:
        raise errors.InvalidArgumentError(
            f'[{op}] a destination of shape {shape} and a source of shape {operand.shape}; '
            f'the source must broadcast to the destination'
        )
    return strides


def _dimensions(op: str, destination: Operand, operand: Operand) -> tuple[layout.Dimension, ...]:
    strides = _broadcast_strides(op, destination.shape, operand)
    dimensions = layout.collapse(destination.shape, destination.strides, strides)
    if any(each.destination == 0 for each in dimensions):
        raise errors.InvalidArgumentError(
            f'[{op}] a destination of shape {destination.shape} with the strides '
            f'{destination.strides}, whose elements share memory; copy it first'
        )
    return dimensions


def _is_aligned(
    types: Types,
    destination: int | None,
    operand: int | None,
    dimensions: tuple[layout.Dimension, ...],
) -> bool:
    written = (destination or 0, *(each.destination for each in dimensions))
    read = (operand or 0, *(each.source for each in dimensions))
    return not any(each % types.destination.alignment for each in written) and not any(
        each % types.source.alignment for each in read
    )


def _dense(
    op: str,
    types: Types,
    pattern: layout.Pattern,
    count: int,
    chip: Chip,
    destination: int,
    operand: int,
) -> Choice:
    geometry, grid = _geometry('dense', types, count, chip, types.vector_length)
    unroll = str(geometry.unroll)
    codes = (OPS[op], *types.codes())
    if pattern.name == 'single':
        export = _export(op, 'SINGLE', 'single', types, (*codes, unroll))
        return Choice(export, _DENSE, grid, (count,))
    peeled = -destination % types.vector_alignment(types.destination)
    head = peeled // types.destination.size
    vectors = (operand + head * types.source.size) % types.vector_alignment(types.source) == 0
    if pattern.name == 'row':
        [inner] = pattern.extents
        vectors = vectors and head == 0 and inner % types.vector_length == 0
    suffix = '' if vectors else '_elements'
    codes = (*codes, str(vectors).lower(), unroll)
    if pattern.name == 'row':
        export = _export(op, 'ROW', f'row{suffix}', types, codes)
        return Choice(export, _ROW, grid, (count, layout.pack_divisor(inner)))
    export = _export(op, 'CONTIGUOUS', f'contiguous{suffix}', types, codes)
    return Choice(export, _DENSE, grid, (count,))


def _scalar(op: str, types: Types, count: int, chip: Chip) -> Choice:
    length = max(1, VECTOR_BYTES // types.destination.size)
    geometry, grid = _geometry('dense', types, count, chip, length)
    codes = (OPS[op], *types.codes(source=False), str(geometry.unroll))
    value = arguments.by_value(types.compute.size, types.compute.alignment)
    signature = arguments.Signature(_POINTER, value, _COUNT)
    return Choice(_export(op, 'SCALAR', 'scalar', types, codes), signature, grid, (count,))


def _strided(
    op: str,
    types: Types,
    dimensions: tuple[layout.Dimension, ...],
    chip: Chip,
    *,
    aligned: bool,
    scalar: bool,
) -> Choice:
    # One element at an odd address has no dimension left.
    dimensions = dimensions or (layout.Dimension(1, 0, 0),)
    outer, inner = dimensions[: -layout.MAX_RANK], dimensions[-layout.MAX_RANK :]
    count = math.prod(each.extent for each in inner)
    _, grid = _geometry('strided', types, count, chip, 1)
    variant = 'strided' if aligned else 'strided_bytes'
    codes = (OPS[op], *types.codes(source=not scalar), str(aligned).lower())
    if scalar:
        value = arguments.by_value(types.compute.size, types.compute.alignment)
        export = _export(op, 'SCALAR_STRIDED', f'scalar_{variant}', types, codes)
        signature = arguments.Signature(_POINTER, value, _WALK)
    else:
        export = _export(op, 'STRIDED', variant, types, codes)
        signature = _STRIDED
    offsets = tuple(layout.outer_offsets(outer))
    return Choice(export, signature, grid, (layout.pack_walk(inner),), offsets)


def _transposed(types: Types, extents: tuple[int, ...], chip: Chip) -> Choice:
    matrices, rows, columns = extents
    tiles = matrices * math.ceil(rows / _TILE) * math.ceil(columns / _TILE)
    _, grid = _geometry('transposed', types, tiles * THREADS, chip, 1)
    name = f'copy_transposed_{types.destination.short}'
    export = source.Export(_TRANSPOSE_FILE, 'TV_COPY_TRANSPOSED', name, (types.destination.code,))
    return Choice(export, _TRANSPOSED, grid, extents)


def _export(
    op: str, macro: str, variant: str, types: Types, codes: tuple[str, ...]
) -> source.Export:
    short = '_'.join(each.short for each in types)
    return source.Export(_FILE, f'TV_ASSIGN_{macro}', f'{op}_{variant}_{short}', codes)


def _geometry(
    family: str, types: Types, count: int, chip: Chip, vector_length: int
) -> tuple[select.Geometry, launch.Grid]:
    widest = max(types.destination.size, types.source.size)
    geometry = select.geometry(family, widest, chip.name)
    needed = math.ceil(count / (vector_length * geometry.unroll * THREADS))
    most = chip.multiprocessors * geometry.blocks_per_multiprocessor
    return geometry, launch.Grid(max(1, min(needed, most)), THREADS)
