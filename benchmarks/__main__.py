"""Command line: ``python -m benchmarks [family ...] [--device GPU:0] [--quick]``."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import harness, libraries, results
from benchmarks.contender import QUICK, ROOT, Effort


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints a table per family and, if asked to, writes the JSON file."""
    start = time.monotonic()
    options = _parse(arguments)
    effort = QUICK if options.quick else Effort()
    measured: dict[str, dict[str, Any]] = {}
    for family in options.families or harness.FAMILIES:
        measured[family] = harness.measure(family, options.device, options.libraries, effort)
        print(results.table(f'{family} on {options.device}', measured[family]) + '\n', flush=True)
    if options.save:
        bounds = _bounds()
        print(results.bounds_table(bounds) + '\n')
        result = results.combine(measured, bounds, options.device, effort)
        print(f'written: {results.save(result, options.output)}')
    print(f'{time.monotonic() - start:.0f} s')


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=harness.__doc__)
    parser.add_argument('families', nargs='*', metavar='family', help=', '.join(harness.FAMILIES))
    parser.add_argument('--device', default='CPU:0', help='CPU:0 (default) or a real GPU')
    parser.add_argument('--libraries', help='comma-separated: ' + ', '.join(libraries.ALL))
    parser.add_argument('--quick', action='store_true', help='a look: rough figures, not saved')
    parser.add_argument('--save', action='store_true', help='write the figures of all families')
    parser.add_argument('--output', type=Path, default=results.FOLDER, help='folder for the file')
    options = parser.parse_args(arguments)
    unknown = set(options.families) - set(harness.FAMILIES)
    if unknown:
        parser.error(f'no family {sorted(unknown)}; there are {", ".join(harness.FAMILIES)}')
    if options.save and options.families:
        parser.error('a file holds all families; leave out their names or --save')
    options.libraries = options.libraries.split(',') if options.libraries else None
    options.save = options.save and not options.quick
    return options


def _bounds() -> dict[str, Any]:
    # Its own process: what this one needs would count as the memory of each library.
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.bounds'],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


if __name__ == '__main__':
    main()
