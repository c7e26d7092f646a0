"""Everything that takes a real GPU, in one command and within ten minutes.

``python -m benchmarks.on_gpu`` tries tensorvar out on the card, runs the tests that
need one, looks for bad memory accesses and races, and measures beside CuPy, PyTorch and
JAX. Each step has its own process and its share of the time; one that fails or hangs
does not stop the others. See ``on_gpu_steps.timing`` for how a figure comes about.
"""

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.on_gpu_steps import plan, report, runner, session

RESULTS = runner.ROOT / 'benchmarks' / 'results'
NO_GPU = 2

_RESERVED_SECONDS = 15.0
_PROBE_SECONDS = 120.0
_LEAST_SECONDS = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the steps, writes the results and prints the tables.

    Returns:
        0 if no step failed, 1 if one did, 2 if there is no GPU.
    """
    start = time.monotonic()
    options = _parse(arguments)
    found = probe()
    if found['why']:
        print(f'no GPU: {found["why"]}')
        return NO_GPU
    result = _run_all(found['chip'], options, start + 60 * options.minutes - _RESERVED_SECONDS)
    result['seconds'] = round(time.monotonic() - start, 1)
    before = report.last_figures(result['chip'], options.output)
    path = report.save(result, options.output)
    print(f'\n{report.short_table(result)}\n\n{report.step_table(result)}\n')
    if before:
        lines = report.slower(before, result)
        print('\n'.join([f'over 5 % slower than last time: {len(lines)}', *lines]))
    print(f'written: {path}, its .txt with every case, and the logs in {_logs(options.output)}')
    bad = any(step['status'] in (session.FAILED, runner.TIMED_OUT) for step in _steps(result))
    return int(bad)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    listed = '\n'.join(f'  {step.name:<16}{step.what}' for step in plan.STEPS)
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.on_gpu',
        description=f'{__doc__}\nsteps:\n{listed}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--minutes', type=float, default=10.0, help='for all (default: 10)')
    parser.add_argument('--output', type=Path, default=RESULTS, help='folder for the results')
    parser.add_argument('--only', metavar='step,...', help='these steps alone')
    options = parser.parse_args(arguments)
    try:
        options.steps = plan.choose(options.only.split(',') if options.only else None)
    except ValueError as error:
        parser.error(str(error))
    return options


def probe() -> dict[str, str]:
    """The name of the card, or why there is none; see ``on_gpu_steps.probe``."""
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.on_gpu_steps.probe'],
        capture_output=True,
        text=True,
        cwd=runner.ROOT,
        env=runner.environment(),
        timeout=_PROBE_SECONDS,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f'it ended with {done.returncode}'])[-1]
        return {'why': f'tensorvar does not load: {last}', 'chip': ''}
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _run_all(chip: str, options: argparse.Namespace, deadline: float) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds')
    result: dict[str, Any] = {'schema': report.SCHEMA, 'time': now, 'chip': chip, 'steps': {}}
    for position, step in enumerate(options.steps):
        limit = plan.limit(options.steps[position:], deadline - time.monotonic())
        print(f'{step.name}: {step.what}, at most {limit:.0f} s', flush=True)
        if limit < _LEAST_SECONDS:
            outcome = runner.Outcome(step.name, session.SKIPPED, 0.0, ['no time left'])
        else:
            outcome = runner.run(step.name, step.module, limit, _logs(options.output))
        print(f'  {outcome.status} in {outcome.seconds:.0f} s', flush=True)
        result['steps'][step.name] = vars(outcome)
    return result


def _logs(folder: Path) -> Path:
    return folder / 'logs'


def _steps(result: dict[str, Any]) -> list[dict[str, Any]]:
    return list(result['steps'].values())


if __name__ == '__main__':
    sys.exit(main())
