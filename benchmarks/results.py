"""A whole run as a file, and the tables of it.

``benchmarks/results/<kind>-<date>.json`` holds every family of one run: machine, versions,
effort, per case the seconds of each library and round, and the memory of each process.
"""

import datetime
import json
import math
import os
import platform
import statistics
from pathlib import Path
from typing import Any

from benchmarks.contender import ROOT, Effort

SCHEMA = 2
TIE = 0.05
FOLDER = ROOT / 'benchmarks' / 'results'
OURS = 'tensorvar'

Rounds = dict[str, list[float]]
"""The seconds of each library in each round, of one case."""


def combine(
    families: dict[str, dict[str, Any]], bounds: dict[str, Any], device: str, effort: Effort
) -> dict[str, Any]:
    """What goes to the file, from the measured families and the counts of ``bounds``."""
    versions: dict[str, str] = {}
    for measured in families.values():
        versions |= measured['versions']
    return {
        'schema': SCHEMA,
        'date': datetime.datetime.now(datetime.UTC).date().isoformat(),
        'device': device,
        'machine': machine(),
        'versions': versions,
        'effort': vars(effort),
        'families': {
            name: {'seconds': _rounded(measured['seconds']), 'memory': measured['memory']}
            for name, measured in families.items()
        },
        'bounds': bounds,
    }


def save(result: dict[str, Any], folder: Path) -> Path:
    """Writes the file; a later run of the same day takes the place of an earlier one."""
    kind = result['device'].split(':')[0].lower()
    path = folder / f'{kind}-{result["date"]}.json'
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_lines(result) + '\n')
    return path


def newest(folder: Path, kind: str = 'cpu') -> Path | None:
    """The file of the last run, if there is one."""
    return max(folder.glob(f'{kind}-????-??-??.json'), default=None)


def load(path: Path) -> dict[str, Any]:
    """The run in a file."""
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def ratio(rounds: Rounds, peer: str) -> float | None:
    """The figure of a peer: median over the rounds of its time by tensorvar's."""
    if peer not in rounds or OURS not in rounds:
        return None
    pairs = zip(rounds[peer], rounds[OURS], strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)


def verdict(figure: float) -> str:
    """A ratio as it is shown."""
    return 'tie' if abs(figure - 1) <= TIE else f'x{figure:.2f}'


def table(title: str, measured: dict[str, Any]) -> str:
    """A family as text: a row per case, a column per library."""
    names = list(measured['versions'])
    rows = [['case', *(f'{name} {measured["versions"][name]}' for name in names)]]
    for case, rounds in measured['seconds'].items():
        rows.append([case, *(_cell(rounds, name) for name in names)])
    memory = measured['memory']
    rows.append(['memory beyond the start', *(growth(memory.get(name, {})) for name in names)])
    return aligned(title, rows)


def bounds_table(bounds: dict[str, dict[str, int]]) -> str:
    """The counts of ``bounds`` as text."""
    head = ['after this many', *(f'{int(times):,}' for times in next(iter(bounds.values())))]
    rows = [[name, *map(str, counts.values())] for name, counts in bounds.items()]
    return aligned('what stays bounded', [head, *rows])


def aligned(title: str, rows: list[list[str]]) -> str:
    """Rows as text, in columns: the first flush left, the others flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append('  '.join(cells).rstrip())
    return '\n'.join([title, *lines])


def growth(memory: dict[str, int]) -> str:
    """By how much the peak of a process lies above what it needed to start."""
    if 'peak' not in memory:
        return '-'
    return megabytes(memory['peak'] - memory['start'])


def megabytes(count: int) -> str:
    """Bytes as they are shown."""
    return f'{count / 1e6:,.0f} MB'


def readable(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, scale in (('s', 1.0), ('ms', 1e-3), ('us', 1e-6)):
        if seconds >= scale:
            return f'{_three(seconds / scale)} {unit}'
    return f'{seconds / 1e-9:.0f} ns'


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        'processor': _processor(),
        'cores': os.cpu_count(),
        'python': platform.python_version(),
        'system': platform.system(),
    }


def _three(number: float) -> str:
    """Three digits: 1.23, 12.3, 123."""
    return f'{number:.{max(0, 2 - int(math.log10(number)))}f}'


def _cell(rounds: Rounds, name: str) -> str:
    if name not in rounds:
        return '-'
    text = readable(statistics.median(rounds[name]))
    figure = ratio(rounds, name)
    if name == OURS or figure is None:
        return text
    return f'{text} {verdict(figure):>7}'


def _rounded(seconds: dict[str, Rounds]) -> dict[str, Rounds]:
    return {
        case: {name: [float(f'{time:.4g}') for time in times] for name, times in rounds.items()}
        for case, rounds in seconds.items()
    }


def _lines(value: Any, margin: str = '') -> str:
    """JSON with a line for whatever fits in one, so that a difference of files can be read."""
    line = json.dumps(value)
    if not isinstance(value, dict) or len(line) + len(margin) <= 100:
        return line
    deeper = margin + ' '
    members = [f'{deeper}{json.dumps(key)}: {_lines(one, deeper)}' for key, one in value.items()]
    return '{\n' + ',\n'.join(members) + f'\n{margin}}}'


def _processor() -> str:
    information = Path('/proc/cpuinfo')
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()
