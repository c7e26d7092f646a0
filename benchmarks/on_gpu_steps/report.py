"""The files and tables of a run, and how it compares with the one before."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.on_gpu_steps import goals

SCHEMA = 1
SLOWER = 0.05
OURS = 'tensorvar'


def slug(chip: str) -> str:
    """The name of a card as part of a file name."""
    words = ''.join(letter if letter.isalnum() else ' ' for letter in chip.lower()).split()
    return '-'.join(words) or 'unknown'


def new_path(result: dict[str, Any], folder: Path) -> Path:
    """``<date>-<chip>.json``; a second run of a day gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f'{result["time"][:10]}-{slug(result["chip"])}'
    path, number = folder / f'{stem}.json', 1
    while path.exists():
        number += 1
        path = folder / f'{stem}-{number}.json'
    return path


def write(result: dict[str, Any], path: Path) -> None:
    """Writes the result, and its tables beside it; whoever is stopped leaves the old ones."""
    _replace(path, json.dumps(result, indent=1))
    tables = (full_table(result), step_table(result), goal_table(result))
    _replace(path.with_suffix('.txt'), '\n\n'.join(tables))


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix('.new')
    fresh.write_text(f'{text}\n')
    fresh.replace(path)


def goal_table(result: dict[str, Any]) -> str:
    """A row for each goal, and how many are met."""
    found = goals.verdicts(result)
    count = dict.fromkeys((goals.MET, goals.MISSED, goals.NO_FIGURE), 0)
    for verdict in found:
        count[verdict.status] += 1
    counts = ', '.join(f'{number} {status}' for status, number in count.items())
    return f'{align(goals.table(found))}\n{counts}'


class Figure(NamedTuple):
    """What an earlier run measured for a case.

    Attributes:
        file: name of its result.
        row: the case.
    """

    file: str
    row: dict[str, Any]


Figures = dict[tuple[str, str], Figure]
"""By step and case."""


def last_figures(chip: str, folder: Path) -> Figures:
    """The latest figure of each case on the same chip, from all results in a folder."""
    found = []
    for path in folder.glob(f'????-??-??-{slug(chip)}*.json'):
        result = json.loads(path.read_text())
        if result.get('schema') == SCHEMA and result.get('chip') == chip:
            found.append((result['time'], path.name, result))
    figures: Figures = {}
    for _, name, result in sorted(found, key=lambda one: one[:2]):
        figures |= {(step, case): Figure(name, row) for step, case, row in _rows(result)}
    return figures


def slower(before: Figures, now: dict[str, Any]) -> list[str]:
    """A line for each case in which tensorvar takes over 5 % longer than before."""
    lines = []
    for step, case, row in _rows(now):
        old = before.get((step, case))
        if old is None or OURS not in row['seconds'] or OURS not in old.row['seconds']:
            continue
        change = row['seconds'][OURS] / old.row['seconds'][OURS] - 1
        if change > SLOWER:
            noise = max(row['noise'], old.row['noise'])
            lines.append(f'{step}: {case}: {change:+.0%} since {old.file} (noise {noise:.0%})')
    return lines


def _rows(result: dict[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    for name, step in result['steps'].items():
        for row in step['rows']:
            if 'seconds' in row:
                yield name, row['case'], row


def step_table(result: dict[str, Any]) -> str:
    """A row per step: how it ended and the first of what it said."""
    rows = [['step', 'status', 'seconds', 'findings']]
    for name, step in result['steps'].items():
        first, *more = step['lines'] or ['']
        rows.append([name, step['status'], f'{step["seconds"]:.0f}', first])
        rows += [['', '', '', line] for line in more]
    return align(rows)


def short_table(result: dict[str, Any]) -> str:
    """A row per group of cases: the largest case, and the mean ratio to each peer."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for step, _, row in _rows(result):
        if OURS in row['seconds']:
            groups.setdefault((step, row.get('group', row['case'])), []).append(row)
    if not groups:
        return 'no figures'
    rows = [['figures', 'cases', 'largest', 'rate', 'of copy', 'beside each peer']]
    for (step, group), members in groups.items():
        largest = members[-1]
        share = largest.get('of_copy')
        rows.append(
            [
                f'{step}: {group}',
                str(len(members)),
                readable(largest['seconds'][OURS]),
                rate(largest),
                '' if share is None else f'{share:.0%}',
                _beside(members),
            ]
        )
    legend = "A ratio is the peer's time by ours, geometric mean (worst case): above 1 we win."
    return f'{align(rows)}\n{legend}'


def full_table(result: dict[str, Any]) -> str:
    """A row per case, with the times of all contenders."""
    rows = [['step', 'case', 'times', 'rate', 'of copy', 'noise', '']]
    for step, case, row in _rows(result):
        share = row.get('of_copy')
        times = ', '.join(f'{name} {readable(value)}' for name, value in row['seconds'].items())
        cells = [step, case, times, rate(row), '' if share is None else f'{share:.0%}']
        warm = '' if row.get('cold', True) else 'in cache'
        rows.append([*cells, f'{row["noise"]:.0%}', warm])
    return align(rows)


def _beside(rows: Sequence[dict[str, Any]]) -> str:
    peers = dict.fromkeys(name for row in rows for name in row['seconds'] if name != OURS)
    parts = []
    for peer in peers:
        ratios = [
            row['seconds'][peer] / row['seconds'][OURS] for row in rows if peer in row['seconds']
        ]
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        worst = f' ({min(ratios):.2f})' if len(ratios) > 1 else ''
        parts.append(f'{peer} {mean:.2f}{worst}')
    return ', '.join(parts)


def rate(row: dict[str, Any]) -> str:
    """Bytes or operations per second of ours."""
    seconds = row['seconds'].get(OURS)
    if not seconds:
        return ''
    if 'bytes' in row:
        return f'{row["bytes"] / seconds / 1e9:.1f} GB/s'
    if 'operations' in row:
        return f'{row["operations"] / seconds / 1e12:.1f} TFLOP/s'
    return ''


def readable(seconds: float) -> str:
    """A time with a fitting unit."""
    for unit, scale in (('s', 1.0), ('ms', 1e-3), ('us', 1e-6)):
        if seconds >= scale:
            return f'{seconds / scale:.2f} {unit}'
    return f'{seconds / 1e-9:.0f} ns'


def align(rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append('  '.join(cells).rstrip())
    return '\n'.join(lines)
