"""Rows picked out of a table and added to it, evenly and with heavy duplicates."""

from typing import Any

import numpy as np

from benchmarks.on_gpu_steps import operands, session

ROWS, WIDTH, PICKED = 1_000_000, 64, 262_144


def main(step: session.Session) -> None:
    """Compares gather and scatter_add for two dtypes and two kinds of indices."""
    random = np.random.default_rng(2)
    even = random.integers(0, ROWS, PICKED)
    heavy = np.where(random.random(PICKED) < 0.5, 7, even)
    for dtype in ('float32', 'bfloat16'):
        table = operands.draw((ROWS, WIDTH), dtype)
        updates = operands.draw((PICKED, WIDTH), dtype, scale=1e-3)
        for name, host in (('even', even), ('half on one row', heavy)):
            if step.seconds_left() < 4:
                step.say(f'out of time at {dtype}, {name}')
                return
            indices = operands.share(operands.cupy.asarray(host), 'int64')
            what = f'{dtype}, {name}'
            step.attempt(what, _measure, step, what, table, updates, indices)


def _measure(
    step: session.Session,
    name: str,
    table: operands.Values,
    updates: operands.Values,
    indices: operands.Values,
) -> None:
    nbytes = updates.cupy.nbytes
    clock = operands.event_clock()
    gathers = _gathers(table, indices)
    more: dict[str, Any] = {'bytes': 2 * nbytes}
    operands.compare(step, f'gather {name}', gathers, clock, group='gather', **more)
    scatters = _scatters(table, updates, indices)
    more = {'bytes': 3 * nbytes}
    operands.compare(step, f'scatter_add {name}', scatters, clock, group='scatter_add', **more)


def _gathers(table: operands.Values, indices: operands.Values) -> list[Any]:
    contenders = [
        operands.contender(
            'tensorvar', lambda _: operands.tv.gather(table.tensorvar, indices.tensorvar)
        ),
        operands.contender('cupy', lambda _: operands.cupy.take(table.cupy, indices.cupy, axis=0)),
    ]
    if operands.torch:
        contenders.append(
            operands.contender('torch', lambda _: table.torch.index_select(0, indices.torch))
        )
    return contenders


def _scatters(
    table: operands.Values, updates: operands.Values, indices: operands.Values
) -> list[Any]:
    variable = operands.tv.Variable(table.tensorvar)
    slices = operands.tv.IndexedSlices(updates.tensorvar, indices.tensorvar)
    contenders = [operands.contender('tensorvar', lambda _: variable.scatter_add(slices))]
    if updates.cupy.dtype.kind == 'f':  # CuPy adds no bfloat16 by index
        contenders.append(
            operands.contender(
                'cupy', lambda _: operands.cupy.add.at(table.cupy, indices.cupy, updates.cupy)
            )
        )
    if operands.torch:
        contenders.append(
            operands.contender(
                'torch', lambda _: table.torch.index_add_(0, indices.torch, updates.torch)
            )
        )
    return contenders


if __name__ == '__main__':
    session.run(main)
