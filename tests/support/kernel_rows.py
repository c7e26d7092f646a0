"""Cases of gather and scatter, and what they must give, in NumPy.

Tables lie among poisoned bytes, at addresses that allow vectors or do not; memory that a
kernel takes for itself is poisoned too.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import element_types, host_emulation, rows, scatter_plan, source
from tensorvar._ops import resource_scatter
from tests.support import kernel_cases, kernel_reference

ORDERS: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
OPS = tuple(scatter_plan.OPS)
INDEX_DTYPES = (np.dtype(np.int32), np.dtype(np.int64))
DUPLICATES = ('none', 'few', 'all')
_MARGIN = 64
_MOST_DRAWN = 100_003


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return resource_scatter._truncated(np, a, b) if a.dtype.kind in 'iu' else a / b


NUMPY = {
    'scatter_update': lambda a, b: b,
    'scatter_add': np.add,
    'scatter_sub': np.subtract,
    'scatter_mul': np.multiply,
    'scatter_div': _divided,
    'scatter_min': np.minimum,
    'scatter_max': np.maximum,
}
_OF_BOOLS = {'scatter_add': np.logical_or, 'scatter_sub': np.logical_xor}


class Case(NamedTuple):
    """One scatter.

    Attributes:
        op: a key of ``scatter_plan.OPS``.
        dtype: of the table.
        rows: of the table.
        width: values per row.
        count: of updates.
        duplicates: one of ``DUPLICATES``.
        index: dtype of the indices.
        ordered: whether it is done in sorted order.
        offset: elements of the table's address past a multiple of 64 bytes.
        updates: ``'rows'``, or ``'row'`` or ``'value'`` for all.
        outside: whether some indices are out of range.
    """

    op: str
    dtype: np.dtype[Any]
    rows: int
    width: int
    count: int
    duplicates: str = 'few'
    index: np.dtype[Any] = INDEX_DTYPES[1]
    ordered: bool = True
    offset: int = 0
    updates: str = 'rows'
    outside: bool = False

    def __str__(self) -> str:
        way = 'sorted' if self.ordered else 'atomic'
        return (
            f'{self.op} {way} {self.dtype.name}[{self.rows}, {self.width}] at +{self.offset}, '
            f'{self.count} {self.updates} by {self.index.name}, {self.duplicates} duplicates'
        )


class Operands(NamedTuple):
    """Arrays of a case."""

    table: np.ndarray
    indices: np.ndarray
    updates: np.ndarray
    order: np.ndarray | None


def allowed(op: str) -> list[np.dtype[Any]]:
    """The dtypes of an op."""
    return [dtype for dtype in kernel_reference.DTYPES if dtype in scatter_plan.ALLOWED[op]]


def exact(
    dtype: np.dtype[Any], shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """Values whose sums and products are exact, so that their order does not matter."""
    least = 0 if dtype.kind in 'ub' else -1
    drawn = generator.integers(least, 2, min(math.prod(shape), _MOST_DRAWN)).astype(dtype)
    return np.resize(drawn, shape)


def operands(case: Case, generator: np.random.Generator, *, any_order: bool = False) -> Operands:
    """Draws the arrays of a case.

    Args:
        case: what is wanted.
        generator: draws them.
        any_order: whether the results must not depend on the order of the updates.
    """
    shape = {'rows': (case.count, case.width), 'row': (case.width,), 'value': ()}[case.updates]
    table = exact(case.dtype, (case.rows, case.width), generator)
    if case.op in ('scatter_min', 'scatter_max') and table.size <= _MOST_DRAWN:
        table = kernel_reference.values(case.dtype, table.size, generator).reshape(table.shape)
        if element_types.kind(case.dtype) == 'f':
            table.flat[:2] = (np.nan, -np.nan)[: table.size]
    floating = element_types.kind(case.dtype) in 'fc'
    summed = case.op in ('scatter_add', 'scatter_sub', 'scatter_mul')
    # NumPy may fuse the products of complex numbers.
    if (any_order and floating and summed) or (case.op, case.dtype.kind) == ('scatter_mul', 'c'):
        updates = exact(case.dtype, shape, generator)
    else:
        drawn = kernel_reference.values(case.dtype, math.prod(shape), generator)
        updates = np.array(drawn).reshape(shape)
    if case.op == 'scatter_div':
        updates[updates == 0] = 1
    indices = drawn_indices(case, generator)
    order = np.argsort(indices, kind='stable') if case.ordered else None
    return Operands(table, indices, updates, order)


def drawn_indices(case: Case, generator: np.random.Generator) -> np.ndarray:
    """Indices of a case."""
    if case.duplicates == 'none':
        step = max(1, case.rows // max(case.count, 1))
        indices = generator.permutation(np.arange(0, case.rows, step))[: case.count]
    elif case.duplicates == 'all':
        indices = np.full(case.count, case.rows // 2)
    else:
        indices = generator.integers(0, case.rows, case.count)
    if case.outside:
        wrong = generator.random(len(indices)) < 0.3
        indices[wrong] = generator.choice([-1, -(2**31), case.rows, 2**31 - 1], wrong.sum())
    return indices.astype(case.index)


def scattered(op: str, table: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """One update after the other, each row rounded once at the end."""
    function = NUMPY[op]
    if table.dtype.kind == 'b':
        function = _OF_BOOLS.get(op, function)
    computed = table.dtype
    if op != 'scatter_update':
        computed = element_types.compute_type(op, table.dtype, table.dtype)
    touched = np.unique(indices)
    touched = touched[(touched >= 0) & (touched < len(table))]
    wide = table[touched].astype(computed)
    places = np.searchsorted(touched, indices)
    updates = np.broadcast_to(updates, (len(indices), *table.shape[1:])).astype(computed)
    with np.errstate(all='ignore'):
        for index, place, update in zip(indices, places, updates, strict=True):
            if 0 <= index < len(table):
                wide[place] = function(wide[place], update)
    result = table.copy()
    result[touched] = kernel_reference.convert(wide, table.dtype)
    return result


def poisoned(shape: Any, dtype: Any) -> np.ndarray:
    """Memory as nobody left it."""
    array = np.empty(shape, dtype)
    array.view(np.uint8)[...] = 0xCD
    return array


def among_poison(array: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """A copy at an offset in elements, and the bytes around and within it."""
    memory = kernel_cases.memory_at(array.nbytes, offset * array.itemsize)
    copy = memory[_MARGIN : _MARGIN + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy, memory


def is_poison(memory: np.ndarray) -> bool:
    """Whether the margins are as they were."""
    return bool((memory[:_MARGIN] == 0xCD).all() and (memory[-_MARGIN:] == 0xCD).all())


def scatter_everywhere(
    host: host_emulation.HostTarget, case: Case, given: Operands
) -> Iterator[np.ndarray]:
    """The table after the scatter, for each order of the threads."""
    kernels = rows.RowKernels(host, poisoned)
    outside = (given.indices < 0) | (given.indices >= case.rows)
    for order in ORDERS:
        host.order = order
        table, memory = among_poison(given.table, case.offset)
        error = np.zeros(1, np.uint64)
        kernels.scatter(case.op, table, given.indices, given.updates, error, given.order)
        assert is_poison(memory), f'{case}, {order}: it wrote beside the table'
        reported = int(error[0])
        assert bool(reported) == bool(outside.any()), f'{case}: error {reported}'
        assert not reported or outside[reported - 1], f'{case}: error {reported}'
        yield table


def check(host: host_emulation.HostTarget, case: Case, generator: np.random.Generator) -> None:
    """Runs a case in each order of the threads and compares it with NumPy."""
    cut = case.count > scatter_plan.PIECE
    given = operands(case, generator, any_order=cut or not case.ordered)
    expected = scattered(case.op, given.table, given.indices, given.updates)
    for table in scatter_everywhere(host, case, given):
        kernel_reference.assert_same(table, expected, str(case), products=False)


def prepare(host: host_emulation.HostTarget, cases: Iterable[Case]) -> None:
    """Builds the kernels of many cases at once."""
    recorder = kernel_cases.Recorder(host.multiprocessors)
    recorder.name = host.name
    kernels = rows.RowKernels(recorder, poisoned)
    generator = np.random.default_rng(0)
    for case in cases:
        given = operands(case, generator)
        table, _ = among_poison(given.table, case.offset)
        kernels.scatter(
            case.op, table, given.indices, given.updates, np.zeros(1, np.uint64), given.order
        )
    host.prepare(recorder.exports)


def gather_exports() -> list[source.Export]:
    """The kernels that gather."""
    pieces = (1, 2, 4, 8, 16)
    made = (rows.gather_plan.rows_export, rows.gather_plan.wide_export)
    exports = [make(piece, index) for make in made for piece in pieces for index in INDEX_DTYPES]
    return exports + [rows.gather_plan.numbers_export(index) for index in INDEX_DTYPES]
