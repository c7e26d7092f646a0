"""Draws the programs of a seed: every row of the table, then the scenarios.

Each row draws from a stream of its own, so that a new row leaves the others as they are.
"""

from collections.abc import Iterator
from typing import Any

from benchmarks.agreement import mutation, scenarios, syntax
from benchmarks.agreement.draw import ANY, COMPLEX, REALS, Draw
from benchmarks.agreement.syntax import Program
from benchmarks.agreement.table import FAMILIES
from benchmarks.agreement.table.row import Row

# Valid calls per row and dtype; wrong calls and dtypes that are not taken, per row.
VALID = 3
WRONG_CALLS = 3
WRONG_DTYPES = 3
DIFFERENTIATED = (*REALS, 'complex64')


def programs(seed: int) -> list[Program]:
    """All programs of a seed, in a fixed order, with names of their own."""
    found: list[Program] = []
    for family, table in FAMILIES.items():
        for row in table:
            found += row_programs(row, family, seed)
    for family, draw_family in scenarios.FAMILIES.items():
        for at, (row_name, dtype, body) in enumerate(draw_family(seed)):
            found.append({'family': family, 'row': row_name, 'dtype': dtype, **body, 'at': at})
    for program in found:
        at = program.pop('at')
        program['name'] = f'{program["family"]}/{program["row"]}/{program["dtype"]}/{at}'
        program.setdefault('looser', 1.0)
    return found


def row_programs(row: Row, family: str, seed: int) -> Iterator[Program]:
    """The programs of one row."""
    base = {'family': family, 'row': row.name, 'looser': row.looser}

    def drawn(label: str, dtype: str, plain: bool = False) -> tuple[Draw, Any]:
        draw = Draw(f'{seed}/{family}/{row.name}/{label}/{dtype}', plain)
        arguments, keywords = row.strategy(draw, dtype)
        return draw, syntax.call(row.path, *arguments, **keywords)

    for dtype in row.dtypes:
        for at in range(VALID):
            _, call = drawn(str(at), dtype, plain=at == 0)
            result = call if row.numbers else syntax.described(call)
            yield {**base, 'dtype': dtype, 'at': at, 'steps': list(row.steps), 'result': result}
        if row.gradient and dtype in DIFFERENTIATED:
            yield from _gradients(base, dtype, drawn)
    order = Draw(f'{seed}/{family}/{row.name}')
    for at in range(WRONG_CALLS):
        dtype = order.choose(row.dtypes)
        draw, call = drawn(f'wrong{at}', dtype, plain=True)
        wrong = mutation.spoil(draw, call)
        if wrong is not None:
            result = wrong if row.numbers else syntax.described(wrong)
            yield {**base, 'dtype': dtype, 'at': f'wrong{at}', 'steps': list(row.steps),
                   'result': result}  # fmt: skip
    others = [dtype for dtype in ANY if dtype not in row.dtypes]
    for dtype in sorted(order.random.sample(others, min(len(others), WRONG_DTYPES))):
        yield wrong_dtype(row, base, dtype, drawn)


def wrong_dtype(row: Row, base: dict[str, Any], dtype: str, drawn: Any) -> Program:
    """A plain call with a dtype that the row does not list."""
    _, call = drawn('untaken', dtype, plain=True)
    result = call if row.numbers else syntax.described(call)
    return {**base, 'dtype': dtype, 'at': 'untaken', 'steps': list(row.steps), 'result': result}


def _gradients(base: dict[str, Any], dtype: str, drawn: Any) -> Iterator[Program]:
    """First and second order gradients of a call by all its inexact tensors."""
    for at, second in (('gradient', False), ('second', True)):
        if second and dtype != 'float64':
            continue
        _, call = drawn(at, dtype, plain=True)
        lifted = mutation.lift_tensors(call)
        if not lifted.names:
            continue
        steps = [syntax.let(name, value) for name, value in lifted.values]
        sources = syntax.listed(*map(syntax.ref, lifted.names))
        watch = syntax.do(syntax.method(syntax.ref('tape'), 'watch', sources))
        inner = syntax.block(
            syntax.call('GradientTape'),
            'tape',
            watch,
            syntax.let('y', syntax.operator('squares', lifted.call)),
        )
        taken = syntax.method(syntax.ref('tape'), 'gradient', syntax.ref('y'), sources,
                              unconnected_gradients='zero' if second else 'none')  # fmt: skip
        if second:
            watch_outer = syntax.do(syntax.method(syntax.ref('outer'), 'watch', sources))
            outer = syntax.block(
                syntax.call('GradientTape'), 'outer', watch_outer, inner, syntax.let('g', taken)
            )
            steps.append(outer)
            result = syntax.method(syntax.ref('outer'), 'gradient', syntax.ref('g'), sources)
        else:
            steps.append(inner)
            result = taken
        looser = base['looser'] * (100 if dtype in COMPLEX or second else 10)
        yield {**base, 'dtype': dtype, 'at': at, 'steps': steps, 'result': result,
               'looser': looser}  # fmt: skip


def audit(seed: int) -> list[Program]:
    """One plain call of every row with every dtype, to compare with what the table lists."""
    found = []
    for family, table in FAMILIES.items():
        for row in table:
            base = {'family': family, 'row': row.name, 'looser': row.looser}
            for dtype in ANY:
                draw = Draw(f'{seed}/audit/{family}/{row.name}/{dtype}', plain=True)
                arguments, keywords = row.strategy(draw, dtype)
                end = '0' if dtype in row.dtypes else 'untaken'
                found.append({**base, 'dtype': dtype, 'steps': list(row.steps),
                              'name': f'{family}/{row.name}/{dtype}/{end}',
                              'result': syntax.call(row.path, *arguments, **keywords)})  # fmt: skip
    return found
