"""Command line: ``python -m benchmarks.agreement record | check | audit``."""

import argparse
import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.agreement import generator, recorder


def main() -> None:
    """Records on TensorFlow, or checks tensorvar against a record."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.agreement', description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    record = commands.add_parser('record', help='run a seed on TensorFlow, which must be here')
    record.add_argument('--seed', type=int, default=0)
    record.add_argument('--audit', action='store_true',
                        help='every row with every dtype instead: is the table right?')  # fmt: skip
    record.add_argument('--output', type=Path, default=recorder.KEPT)
    check = commands.add_parser('check', help='run a record on tensorvar')
    check.add_argument('--record', type=Path, default=recorder.KEPT)
    check.add_argument('--device', action='append', choices=['cpu', 'second_cpu', 'simulated_gpu'])
    check.add_argument('--differences', type=int, default=20, help='how many to print')
    check.add_argument('--keep', action='store_true', help='write the kept lists anew')
    check.add_argument('--only', default='', help='part of the name of the programs')
    arguments = parser.parse_args()
    lines = _record(arguments) if arguments.command == 'record' else _check(arguments)
    for line in lines:
        print(line, flush=True)


def _record(arguments: Any) -> Iterator[str]:
    draw = generator.audit if arguments.audit else generator.programs
    with tempfile.TemporaryDirectory() as folder:
        recorded = recorder.record(draw(arguments.seed), Path(folder))
    recorded['seed'] = arguments.seed
    if not arguments.audit:
        recorder.save(recorded, arguments.output)
    yield from recorder.figures(recorded)
    for name in recorded['killers']:
        yield f'dropped, TensorFlow aborts: {name}'


def _check(arguments: Any) -> Iterator[str]:
    # Only this command needs tensorvar; the other runs where TensorFlow is.
    checker = importlib.import_module('benchmarks.agreement.checker')
    recorded = recorder.load(arguments.record)
    recorded['programs'] = [
        pair for pair in recorded['programs'] if arguments.only in pair[0]['name']
    ]
    for kind in arguments.device or checker.DEVICES:
        with checker.configured(kind) as scope:
            report = checker.check(recorded, scope)
        yield from report.lines(kind, arguments.differences)
        if arguments.keep and kind == 'cpu' and not arguments.only:
            yield checker.keep(recorded, report)


if __name__ == '__main__':
    main()
