"""Placements compared with a kept file, so that CI notices when one changes.

The file holds one line per (line of user code, op, device, reason), sorted, with the
names of source files but not their folders, so that it is the same on every machine.
"""

import difflib
import os
import pathlib
from collections.abc import Iterable

from tensorvar._device import records
from tensorvar._device._log import summary

_TITLE = '# Placements kept by tensorvar; TENSORVAR_UPDATE_GOLDEN=1 writes them anew.\n'


def check(
    path: str | os.PathLike[str],
    placements: Iterable[summary.PlacementKey],
    line_numbers: bool = True,
) -> None:
    """Compares placements with a golden file, or writes the file.

    The file is written when it does not exist or TENSORVAR_UPDATE_GOLDEN=1 is set.

    Args:
        path: the golden file.
        placements: the placements of this run.
        line_numbers: whether the lines of user code count, or only their files.

    Raises:
        AssertionError: the placements differ; the message is a diff.
    """
    file = pathlib.Path(path)
    lines = [_TITLE, *_lines(placements, line_numbers)]
    if not file.exists() or os.environ.get('TENSORVAR_UPDATE_GOLDEN') == '1':
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(''.join(lines), encoding='utf-8')
        return
    kept = file.read_text(encoding='utf-8').splitlines(keepends=True)
    if kept != lines:
        diff = difflib.unified_diff(kept, lines, f'{path} (kept)', 'this run', n=0)
        raise AssertionError(
            f'[golden] placements differ from {path}; if they are right, run once with '
            f'TENSORVAR_UPDATE_GOLDEN=1\n{"".join(diff)}'
        )


def _lines(placements: Iterable[summary.PlacementKey], line_numbers: bool) -> list[str]:
    rows = set()
    for placement in placements:
        name, _, line = records.short_where(placement.where).rpartition(':')
        number = int(line) if line_numbers and line else 0
        rows.add((name, number, placement.op, placement.device, placement.reason))
    return [
        f'{name}{f":{number}" if number else ""}  {op} -> {device}  [{reason}]\n'
        for name, number, op, device, reason in sorted(rows)
    ]
