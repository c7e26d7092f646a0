"""What the figures of a run are to reach: a line for each goal, met or missed.

A goal whose figure is missing says so, and why, where a row tells which library is absent.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

OURS = 'tensorvar'
MET, MISSED, NO_FIGURE = 'met', 'missed', 'no figure'

WRITES = ('assign', 'assign_add', 'assign_sub')
# By dtype: what part of the card's own copy rate is the least.
WRITTEN = {'float32': 0.95, 'bfloat16': 0.92, 'float16': 0.92, 'int8': 0.92}
LARGE_BYTES = 64 << 20
SQUARES = (2048, 4096, 8192)
# By kind: what part of PyTorch's rate is the least, and what ``matmul_table`` calls it.
PRODUCTS = {
    'bfloat16': (1.02, 'bfloat16 to bfloat16'),
    'float16': (1.02, 'float16 to float16'),
    'float32 ieee': (0.95, 'float32 to float32'),
    'float32 tf32': (0.90, 'tf32'),
}
OTHER_SHAPES = 0.97
CUBLAS = 'cublas'
ADAM = ('200 x 1048576', '10000 x 64')
ADAM_OF_COPY = 0.90
SCATTER_TIMES = 2.0
SCATTER_WIDTHS = (64, 128, 256)
BATCHES = (32, 4096)

Row = dict[str, Any]
Rows = dict[str, Row]


class Verdict(NamedTuple):
    """How a goal stands.

    Attributes:
        goal: what is compared.
        target: what it is to reach.
        figure: what it is; empty where nobody measured it.
        status: ``'met'``, ``'missed'`` or ``'no figure'``.
    """

    goal: str
    target: str
    figure: str
    status: str


def verdicts(result: dict[str, Any]) -> list[Verdict]:
    """How all goals stand after a run, which may have been cut short."""
    found: list[Verdict] = []
    for judge in (_host, _writes, _products, _own_products, _adam, _scatter, _training):
        found += judge(lambda step: rows_of(result, step))
    return found


def rows_of(result: dict[str, Any], step: str) -> Rows:
    """The rows of a step by their cases; none where it did not run."""
    rows = result['steps'].get(step, {}).get('rows', [])
    return {row['case']: row for row in rows if 'seconds' in row}


def table(found: Sequence[Verdict]) -> list[list[str]]:
    """Cells of a table with a row for each goal."""
    head = ['goal', 'target', 'figure', '']
    return [head, *([each.goal, each.target, each.figure, each.status] for each in found)]


Steps = Callable[[str], Rows]


def _host(steps: Steps) -> Iterator[Verdict]:
    row = steps('dispatch').get('assign_add, host alone', {})
    goal = 'host time of v.assign_add(t), 4 elements'
    yield _against(f'{goal}, beside torch', [row], 'torch')
    yield _against(f'{goal}, beside cupy', [row], 'cupy', least=2.0)


def _writes(steps: Steps) -> Iterator[Verdict]:
    rows = steps('assign')
    for op in WRITES:
        for dtype, least in WRITTEN.items():
            name = f'{op} {dtype}'
            mine = [row for row in rows.values() if row.get('group') == name]
            large = [row for row in mine if row['bytes'] >= 2 * LARGE_BYTES and 'of_copy' in row]
            goal, target = f'{name} from 64 MiB up, of the copy rate', f'>= {least:.0%}'
            if large:
                worst = min(large, key=lambda row: float(row['of_copy']))
                figure = f'{worst["of_copy"]:.0%} ({_short(worst, name)})'
                yield _verdict(goal, target, figure, worst['of_copy'] >= least)
            else:
                yield _unknown(goal, target)
            for peer in ('torch', 'cupy'):
                yield _against(f'{name}, 4 elements to 1 GiB, beside {peer}', mine, peer, name)


def _products(steps: Steps) -> Iterator[Verdict]:
    rows = steps('matmul')
    for kind, (least, _) in PRODUCTS.items():
        squares = [rows.get(f'{kind} {size}', {}) for size in SQUARES]
        parts = [_part(row, 'torch', OURS) for row in squares]
        yield _mean(f'matmul {kind}, beside torch', parts, least, squares[0])
        for group in ('thin', 'odd'):
            name = f'matmul {group} {kind}'
            mine = [row for row in rows.values() if row.get('group') == name]
            goal = f'matmul {kind}, {group} shapes, beside torch'
            yield _against(goal, mine, 'torch', kind, least=OTHER_SHAPES)


def _own_products(steps: Steps) -> Iterator[Verdict]:
    """The fastest kernel of ours, whoever is chosen in the end."""
    rows = steps('matmul_table')
    for kind, (least, name) in PRODUCTS.items():
        parts = []
        for size in SQUARES:
            row = rows.get(f'{name} NN {size} x {size} x {size}', {})
            families = row.get('seconds', {}).keys() - {CUBLAS}
            found = [_part(row, CUBLAS, family) for family in families]
            parts.append(max((part for part in found if part is not None), default=None))
        yield _mean(f'our fastest kernel, {kind}, beside cuBLAS', parts, least)


def _part(row: Row, peer: str, ours: str) -> float | None:
    """How many times as fast as a peer; None where one was not measured."""
    seconds = row.get('seconds', {})
    return seconds[peer] / seconds[ours] if {peer, ours} <= seconds.keys() else None


def _mean(
    goal: str, parts: Sequence[float | None], least: float, row: Row | None = None
) -> Verdict:
    """Whether the geometric mean over the squares reaches a part."""
    goal, target = f'{goal}, geometric mean of {len(parts)} sizes', f'>= {least:.0%}'
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return _unknown(goal, target, row, 'torch')
    mean = statistics.geometric_mean(known)
    return _verdict(goal, target, f'{mean:.1%}', mean >= least)


def _adam(steps: Steps) -> Iterator[Verdict]:
    rows = steps('optimizers')
    for size in ADAM:
        row = rows.get(f'adam float32 {size}', {})
        for peer in ('torch fused', 'torch foreach'):
            yield _against(f'Adam, {size}, beside {peer}', [row], peer)
    row = rows.get(f'adam float32 {ADAM[0]}', {})
    goal, target = f'Adam, {ADAM[0]}, of the copy rate', f'>= {ADAM_OF_COPY:.0%}'
    if 'of_copy' in row:
        yield _verdict(goal, target, f'{row["of_copy"]:.0%}', row['of_copy'] >= ADAM_OF_COPY)
    else:
        yield _unknown(goal, target)


def _scatter(steps: Steps) -> Iterator[Verdict]:
    rows = steps('scatter')
    for width in SCATTER_WIDTHS:
        goal = f'scatter_add half on one row x {width}, bfloat16 beside float32'
        narrow, wide = (
            rows.get(f'scatter_add half on one row, {dtype} x {width}', {})
            for dtype in ('bfloat16', 'float32')
        )
        times = [row.get('seconds', {}).get(OURS) for row in (narrow, wide)]
        target = f'<= {SCATTER_TIMES:g} times as long'
        if None in times:
            yield _unknown(goal, target)
            continue
        ratio = times[0] / times[1]
        yield _verdict(goal, target, f'{ratio:.2f} times', ratio <= SCATTER_TIMES)


def _training(steps: Steps) -> Iterator[Verdict]:
    rows = steps('training')
    for batch in BATCHES:
        case = f'training step, 64-128-10, batch {batch}'
        plain, compiled = rows.get(case, {}), rows.get(f'{case}, compiled', {})
        name = f'training step, batch {batch}'
        yield _against(f'{name}, eager beside torch eager', [plain], 'torch')
        yield _against(f'{name}, plan beside torch eager', [plain], 'torch', ours='tensorvar plan')
        for peer in ('torch reduce-overhead', 'jax jit'):
            goal = f'{name}, graph beside {peer}'
            yield _against(goal, [compiled], peer, ours='tensorvar graph')


def _against(
    goal: str,
    rows: Sequence[Row],
    peer: str,
    common: str = '',
    *,
    least: float = 1.0,
    ours: str = OURS,
) -> Verdict:
    """Whether ours is at least so many times as fast as a peer in every row.

    Args:
        goal: in words.
        rows: what was measured.
        peer: as the rows name it.
        common: the part of the cases that need not be said.
        least: how many times; 1 is missed only by more than the noise.
        ours: as the rows name it.
    """
    target = 'no slower' if least == 1.0 else f'>= {least:.0%}'
    able = [row for row in rows if {peer, ours} <= row.get('seconds', {}).keys()]
    if not able:
        return _unknown(goal, target, rows[0] if rows else {}, peer)
    ratios = {row['case']: row['seconds'][peer] / row['seconds'][ours] for row in able}
    slack = {row['case']: row.get('noise', 0.0) if least == 1.0 else 0.0 for row in able}
    worst = min(able, key=lambda row: ratios[row['case']] + slack[row['case']])
    ratio = ratios[worst['case']]
    where = f' ({_short(worst, common)})' if len(rows) > 1 else ''
    figure = f'{ratio:.2f} times as fast' if least == 1.0 else f'{ratio:.0%}'
    return _verdict(goal, target, figure + where, ratio >= least - slack[worst['case']])


def _short(row: Row, common: str) -> str:
    return str(row['case']).removeprefix(common).strip()


def _verdict(goal: str, target: str, figure: str, met: bool) -> Verdict:
    return Verdict(goal, target, figure, MET if met else MISSED)


def _unknown(goal: str, target: str, row: Row | None = None, peer: str = '') -> Verdict:
    absent = (row or {}).get('absent', {})
    library = peer.partition(' ')[0]
    why = f'{library}: {absent[library]}' if library in absent else ''
    return Verdict(goal, target, why, NO_FIGURE)
