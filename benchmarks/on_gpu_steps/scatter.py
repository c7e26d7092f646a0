"""Rows added to a table by each way our kernels have, with heavy duplicates and without."""

from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from benchmarks.on_gpu_steps import card, operands, session, timing
from tensorvar._cuda import rows, scatter_plan, select


class Shape(NamedTuple):
    """How many rows and updates, and which part of the updates is for one row."""

    name: str
    rows: int
    updates: int
    on_one_row: float


# What the sizes are compared with elsewhere: a user table, and an evenly used one.
SHAPES = (
    Shape('half on one row', 1_720_000, 7_770_000, 0.5),
    Shape('even', 100_000, 500_000, 0.0),
)
WIDTHS = (64, 128, 256)
DTYPES = ('float32', 'bfloat16')
_EFFORT = timing.Effort(rounds=6)
_TOLERANCE = {'float32': 1e-5, 'bfloat16': 5e-2}

Scatter = Callable[[Any, Any, Any], None]
"""Adds updates to a table by indices."""


def main(step: session.Session) -> None:
    """Checks every way, then compares them."""
    kernels = make_kernels()
    for dtype in DTYPES:
        step.attempt(f'check {dtype}', _check, step, kernels, dtype)
    for shape in SHAPES:
        for width in WIDTHS:
            for dtype in DTYPES:
                if step.seconds_left() < 6:
                    step.say(f'out of time at {shape.name}, {width} {dtype}')
                    return
                what = f'{shape.name}, {width} {dtype}'
                step.attempt(what, _measure, step, kernels, shape, width, dtype)


def make_kernels() -> rows.RowKernels:
    """Our kernels, working on CuPy's arrays and stream."""
    return rows.RowKernels(card.target(), operands.cupy.empty)


def ways(kernels: rows.RowKernels, dtype: np.dtype[Any], order: Any) -> dict[str, Scatter]:
    """Our ways to add rows; the first one is what a program gets.

    Args:
        kernels: ours.
        dtype: of the table.
        order: that sorts the indices.
    """
    error = operands.cupy.zeros(1, np.uint64)

    def add(table: Any, indices: Any, updates: Any, given: Any = None) -> None:
        kernels.scatter('scatter_add', table, indices, updates, error, given)

    def sorting(table: Any, indices: Any, updates: Any) -> None:
        add(table, indices, updates, operands.cupy.argsort(indices, kind='stable'))

    def in_bulk(table: Any, indices: Any, updates: Any) -> None:
        with mock.patch.object(select, 'threshold', return_value=0):
            add(table, indices, updates)

    default: Scatter = sorting if scatter_plan.needs_order('scatter_add', dtype) else add
    found = {
        'tensorvar': default,
        'tensorvar sorted before': lambda *arrays: add(*arrays, order),
    }
    if scatter_plan.has_atomic('scatter_add', dtype, kernels.chip):
        found['tensorvar atomic'] = add
    if scatter_plan.has_bulk(kernels.chip):
        found['tensorvar bulk'] = in_bulk
    return found


def _measure(
    step: session.Session, kernels: rows.RowKernels, shape: Shape, width: int, dtype: str
) -> None:
    operands.settle()
    nbytes = shape.updates * width * operands.DTYPES[dtype].itemsize
    # Ours and PyTorch's, and float32 on the way there.
    if 4 * (nbytes + 4 * shape.updates * width) > operands.free_bytes():
        step.say(f'too little memory for {shape.name}, {width} {dtype}')
        return
    table, indices, updates = _draw(shape, width, dtype)
    order = operands.cupy.argsort(indices, kind='stable')
    contenders = [
        operands.contender(name, _call(way, table, indices, updates), 'cupy')
        for name, way in ways(kernels, table.dtype, order).items()
    ]
    sort = operands.cupy.argsort
    contenders.append(
        operands.contender('cupy sort', lambda _: sort(indices, kind='stable'), 'cupy')
    )
    if dtype == 'float32':
        add_at = operands.cupy.add.at
        contenders.append(operands.contender('cupy', _call(add_at, table, indices, updates)))
    if operands.torch:
        theirs = _torch_table(shape, width, dtype)
        given = operands.torch.from_dlpack(indices), theirs[1]
        contenders.append(operands.contender('torch', lambda _: theirs[0].index_add_(0, *given)))
    operands.compare(
        step,
        f'scatter_add {shape.name}, {dtype} x {width}',
        contenders,
        operands.event_clock(),
        _EFFORT,
        group=f'scatter_add {shape.name}',
        bytes=3 * nbytes,
    )


def _call(scatter: Any, *arrays: Any) -> Callable[[int], None]:
    return lambda _: scatter(*arrays)


def _draw(shape: Shape, width: int, dtype: str) -> tuple[Any, Any, Any]:
    """A table, indices and updates."""
    random = operands.cupy.random.default_rng(6)
    indices = random.integers(0, shape.rows, shape.updates, dtype=np.int64)
    heavy = random.random(shape.updates, dtype=np.float32) < shape.on_one_row
    indices[heavy] = shape.rows // 3
    drawn = [
        random.random((count, width), dtype=np.float32).astype(operands.DTYPES[dtype])
        for count in (shape.rows, shape.updates)
    ]
    return drawn[0], indices, drawn[1]


def _torch_table(shape: Shape, width: int, dtype: str) -> tuple[Any, Any]:
    torch = operands.torch
    chosen = getattr(torch, dtype)
    made = [
        torch.rand((count, width), device='cuda').to(chosen)
        for count in (shape.rows, shape.updates)
    ]
    return made[0], made[1]


def _check(step: session.Session, kernels: rows.RowKernels, dtype: str) -> None:
    """Compares every way with sums in float64."""
    shape = Shape('check', 500, 6000, 0.01)
    table, indices, updates = _draw(shape, 64, dtype)
    exact = operands.cupy.asnumpy(table).astype(np.float64)
    added = operands.cupy.asnumpy(updates).astype(np.float64)
    np.add.at(exact, operands.cupy.asnumpy(indices), added)
    order = operands.cupy.argsort(indices, kind='stable')
    for name, scatter in ways(kernels, table.dtype, order).items():
        found = table.copy()
        scatter(found, indices, updates)
        wrong = np.abs(operands.cupy.asnumpy(found).astype(np.float64) - exact)
        worst = float((wrong / exact).max())
        step.facts[f'{name} {dtype}'] = worst
        if not worst <= _TOLERANCE[dtype]:
            step.fail(f'{name} {dtype}: sums differ by {worst:.1e} of their size')


if __name__ == '__main__':
    session.run(main)
