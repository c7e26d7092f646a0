"""Matrix products by every kernel that can, beside cuBLAS: the table to choose by.

The table is written after each product, beside the log of the step. In ``kernels/tables`` it
decides who multiplies; see ``tensorvar._cuda.matmul_table``.
"""

import itertools
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.on_gpu_steps import card, operands, session, timing
from tensorvar._cuda import (
    cublas,
    matmul,
    matmul_batch,
    matmul_family,
    matmul_problem,
    matmul_table,
)

CUBLAS = matmul_table.CUBLAS


class Kind(NamedTuple):
    """What is multiplied: the dtype of the factors and the results, and the precision."""

    dtype: str
    result: str
    precision: matmul_problem.Precision = 'ieee'


class Size(NamedTuple):
    """Rows, columns, terms and how many products at once."""

    m: int
    n: int
    k: int
    batch: int = 1


# In the order of how much they matter, so that a run that is cut short has the first.
KINDS = (
    (
        Kind('bfloat16', 'bfloat16'), Kind('float16', 'float16'),
        Kind('float32', 'float32', 'tf32'), Kind('float32', 'float32'),
    ),
    (
        Kind('bfloat16', 'float32'), Kind('float16', 'float32'), Kind('float64', 'float64'),
        Kind('int8', 'int32'), Kind('int32', 'int32'),
    ),
)  # fmt: skip
SIZES = (
    *(Size(side, side, side) for side in (4096, 2048, 8192, 1024, 512)),
    Size(64, 2112, 7168), Size(128, 24576, 1536), Size(128, 7168, 16384),
    Size(4096, 7168, 2048), Size(128, 128, 16384), Size(512, 512, 16384),
    Size(1, 4096, 4096), Size(8, 4096, 4096), Size(1, 11008, 4096), Size(4096, 1, 4096),
    *(Size(side, side, side) for side in (256, 128, 1000, 4095, 16384)),
    Size(512, 512, 512, 32), Size(128, 128, 64, 96),
)  # fmt: skip
LAYOUTS = ('NN', 'NT', 'TN')
EFFORT = timing.Effort(rounds=6)
_TOLERANCE = {'bfloat16': 1e-2, 'float16': 2e-3, 'tf32': 2e-3, 'float32': 1e-5, 'float64': 1e-12}
_MOST_CHECKED = 1 << 24
_MOST_SETS = 16


def main(step: session.Session) -> None:
    """Measures what time allows, and writes the table as it grows."""
    kernels = make_kernels()
    theirs = make_cublas(kernels)
    path = card.table_path(step.path.parent, kernels.target.name)
    rows: list[dict[str, Any]] = []
    for kind, layout, size in products():
        if step.seconds_left() < 4:
            step.say(f'out of time at {describe(kind, layout, size)}')
            break
        what = describe(kind, layout, size)
        row = step.attempt(what, _measure, step, kernels, theirs, kind, layout, size)
        if row is not None:
            rows.append(row)
            _write(path, kernels.target.name, rows)
    step.say(f'{len(rows)} products in {path}; copy it to kernels/tables to choose by it')


def products() -> Iterator[tuple[Kind, str, Size]]:
    """What is measured; the plain layout of the floats that matter comes first."""
    for kinds in KINDS:
        for layout, size, kind in itertools.product(LAYOUTS, SIZES, kinds):
            yield kind, layout, size


def describe(kind: Kind, layout: str, size: Size) -> str:
    """A product in words."""
    name = kind.precision if kind.precision == 'tf32' else f'{kind.dtype} to {kind.result}'
    batch = f'{size.batch} x ' if size.batch > 1 else ''
    return f'{name} {layout} {batch}{size.m} x {size.n} x {size.k}'


def make_kernels() -> matmul.MatmulKernels:
    """Our kernels, working on CuPy's arrays and stream."""
    return matmul.MatmulKernels(card.target())


def make_cublas(kernels: matmul.MatmulKernels) -> cublas.CublasMatmul:
    """cuBLAS, as a program's products would go there."""
    return card.own_cublas(kernels.target)


class Factors(NamedTuple):
    """One set of arrays, which the problem does not keep."""

    a: Any
    b: Any
    out: Any
    problem: matmul_problem.Problem


def make_factors(kernels: matmul.MatmulKernels, kind: Kind, layout: str, size: Size) -> Factors:
    """Random factors, even in [-1, 1], and room for the results."""
    dtype, result = _dtype(kind.dtype), _dtype(kind.result)
    batch = (size.batch,) if size.batch > 1 else ()
    turned = [letter == 'T' for letter in layout]
    shapes = [(size.m, size.k), (size.k, size.n)]
    a, b = (
        _draw((*batch, *(shape[::-1] if turn else shape)), dtype)
        for shape, turn in zip(shapes, turned, strict=True)
    )
    out = operands.cupy.empty((*batch, size.m, size.n), result)
    pieces = matmul_batch.arrange(
        a, b, out, transpose_a=turned[0], transpose_b=turned[1], precision=kind.precision
    )
    [piece] = pieces or ()
    pointer = kernels.target.pointer
    return Factors(a, b, out, piece.at((pointer(a), pointer(b), pointer(out))))


def _draw(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    drawn = operands.cupy.random.random(shape, dtype=np.float32) * 2 - 1
    if dtype.kind == 'i':
        drawn = drawn * 100
    return drawn.astype(dtype)


def _measure(
    step: session.Session,
    kernels: matmul.MatmulKernels,
    theirs: cublas.CublasMatmul,
    kind: Kind,
    layout: str,
    size: Size,
) -> dict[str, Any] | None:
    operands.settle()
    case = describe(kind, layout, size)
    elements = size.batch * (size.m * size.k + size.k * size.n + size.m * size.n)
    # Drawn as float32, twice for a moment.
    if 12 * elements > operands.free_bytes():
        step.say(f'too little memory for {case}')
        return None
    nbytes = elements * _dtype(kind.dtype).itemsize
    count, cold = timing.sets_beyond(operands.cache_bytes(), nbytes, _MOST_SETS)
    sets = [make_factors(kernels, kind, layout, size) for _ in range(count)]
    calls = _calls(kernels, theirs, sets)
    if not calls:
        return None
    if CUBLAS in calls and size.batch * size.m * size.n <= _MOST_CHECKED:
        _check(step, case, kind, calls, sets[0])
    contenders = [operands.contender(name, call, 'cupy') for name, call in calls.items()]
    operations = 2 * size.batch * size.m * size.n * size.k
    measured = operands.compare(
        step, case, contenders, operands.event_clock(), EFFORT, operations=operations, cold=cold
    )
    if not measured:
        return None
    seconds = measured['seconds']
    return {
        **kind._asdict(),
        'layout': layout,
        **size._asdict(),
        'noise': round(measured['noise'], 4),
        'microseconds': {name: round(taken * 1e6, 3) for name, taken in seconds.items()},
    }


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(operands.DTYPES.get(name, name))


def _calls(
    kernels: matmul.MatmulKernels, theirs: cublas.CublasMatmul, sets: list[Factors]
) -> dict[str, Callable[[int], None]]:
    """Everybody who can multiply, by name."""
    problem = sets[0].problem
    able = {name: family for name, family in kernels.families.items() if family.supports(problem)}
    nbytes = max((family.workspace(problem) for family in able.values()), default=0)
    scratch = operands.cupy.empty(max(nbytes, 1), np.uint8)
    calls = {name: _ours(family, sets, kernels, scratch) for name, family in able.items()}
    return calls | {CUBLAS: _theirs(theirs, sets)} if theirs.supports(problem) else calls


def _ours(
    family: matmul_family.MatmulFamily,
    sets: list[Factors],
    kernels: matmul.MatmulKernels,
    scratch: Any,
) -> Callable[[int], None]:
    count = len(sets)
    needed = family.workspace(sets[0].problem)

    def call(number: int) -> None:
        address = kernels.target.pointer(scratch) if needed else 0
        family.multiply(sets[number % count].problem, address)

    return call


def _theirs(theirs: cublas.CublasMatmul, sets: list[Factors]) -> Callable[[int], None]:
    products = [theirs.prepare(each.problem) for each in sets]
    count = len(sets)

    def call(number: int) -> None:
        problem = sets[number % count].problem
        addresses = problem.a.address, problem.b.address, problem.c.address
        theirs.multiply(products[number % count], *addresses)

    return call


def _check(
    step: session.Session, case: str, kind: Kind, calls: dict[str, Any], factors: Factors
) -> None:
    """Leaves out whose results are not cuBLAS's, within rounding."""
    calls[CUBLAS](0)
    wide = np.float64
    expected = factors.out.astype(wide)
    size = float(operands.cupy.linalg.norm(expected))
    tolerance = _TOLERANCE['tf32' if kind.precision == 'tf32' else kind.dtype]
    for name in [each for each in calls if each != CUBLAS]:
        factors.out.fill(math.nan)
        calls[name](0)
        error = float(operands.cupy.linalg.norm(factors.out.astype(wide) - expected)) / size
        if not error <= 2 * tolerance:
            step.fail(f'{case}: {name}: relative error {error:.1e}')
            del calls[name]


def _write(path: Path, chip: str, rows: list[dict[str, Any]]) -> None:
    table = {
        'what': 'Microseconds of matrix products by kernel, measured by '
        f'python -m benchmarks.on_gpu --only matmul_table on {chip}.',
        'schema': matmul_table.SCHEMA,
        'rows': rows,
    }
    lines = ',\n'.join(f'    {json.dumps(row)}' for row in rows)
    head = json.dumps({**table, 'rows': []}, indent=2)
    fresh = path.with_suffix('.new')
    fresh.write_text(head.replace('"rows": []', f'"rows": [\n{lines}\n  ]') + '\n')
    os.replace(fresh, path)


if __name__ == '__main__':
    session.run(main)
