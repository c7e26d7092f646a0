"""Command line: ``python -m benchmarks [family ...] [--device GPU:0] [--quick]``."""

import argparse
from pathlib import Path

from benchmarks import harness, libraries


def main() -> None:
    """Measures, prints a table per family and writes the JSON files."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=harness.__doc__)
    parser.add_argument('families', nargs='*', metavar='family', help=', '.join(harness.FAMILIES))
    parser.add_argument('--device', default='CPU:0', help='CPU:0 (default) or a real GPU')
    parser.add_argument('--libraries', help='comma-separated: ' + ', '.join(libraries.ALL))
    parser.add_argument('--quick', action='store_true', help='a look: rough figures, not saved')
    parser.add_argument('--output', type=Path, help='folder for the JSON files')
    arguments = parser.parse_args()
    unknown = set(arguments.families) - set(harness.FAMILIES)
    if unknown:
        parser.error(f'no family {sorted(unknown)}; there are {", ".join(harness.FAMILIES)}')
    names = arguments.libraries.split(',') if arguments.libraries else None
    effort = harness.QUICK if arguments.quick else harness.Effort()
    folder = arguments.output or (None if arguments.quick else harness.RESULTS)
    for family in arguments.families or harness.FAMILIES:
        result = harness.measure(family, arguments.device, names, effort)
        print(harness.table(result) + '\n', flush=True)
        if folder is not None:
            harness.save(result, folder)


if __name__ == '__main__':
    main()
