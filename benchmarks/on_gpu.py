"""Everything that takes a real GPU, in one command and within ten minutes.

``python -m benchmarks.on_gpu`` tries tensorvar out on the card, runs the tests that need
one, looks for bad memory accesses and races, and measures beside CuPy, PyTorch and JAX.
Each step has a process and a share of the time of its own; one that fails or hangs does not
stop the others. What is found is on disk at once: the results as JSON, written anew after
every figure, the same as text, a log for each step. Last comes a table of goals, met or
missed. See ``--list`` for the steps and ``on_gpu_steps.timing`` for how a figure comes about:
CUDA events around a millisecond of calls and more, contenders in turn, medians of two runs,
random data, buffers that rotate beyond the card's cache.

On a machine that is yours for ten minutes and gives back a few files::

    python -m benchmarks.on_gpu --budget 540 --out OUT --logs /tmp/logs
    tar -C /tmp/logs -czf OUT/logs.tar.gz .

OUT then has the results, and the archive the logs and ``matmul-<chip>.json``, which belongs
into ``kernels/tables``. Where time is short, what is right comes before what is fast; the
tests compile some 2,000 kernels of CuPy's at first, and the sanitizer starts Python 28 times::

    python -m benchmarks.on_gpu --budget 90 --out OUT --only versions,smoke
    python -m benchmarks.on_gpu --budget 300 --out OUT --only gpu_tests
    python -m benchmarks.on_gpu --budget 400 --out OUT --only sanitizer
    python -m benchmarks.on_gpu --budget 300 --out OUT --only matmul_table,matmul

Needed are an NVIDIA driver, Python 3.11 or newer, NumPy, ml_dtypes and CuPy with its CUDA
libraries (``cupy-cuda13x[ctk]``, or ``cupy-cuda12x[ctk]`` for an older driver); NVRTC is
one of them, and nothing needs nvcc. The tests also need pytest and hypothesis, some of them
scipy, and use pytest-timeout and pytest-xdist. The sanitizer is part of CUDA's toolkit, or the
wheel nvidia-cuda-sanitizer-api. PyTorch and JAX may be absent, or see no card: rows and goals
then say so. On a machine without internet a package that is missing travels as a wheel::

    python -m pip download --no-deps --only-binary=:all: --python-version 3.12 \\
        --platform manylinux_2_28_x86_64 -d wheels NAME
    python -m pip install --no-index --no-deps --target /tmp/site wheels/*.whl
    export PYTHONPATH=/tmp/site
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

from benchmarks.on_gpu_steps import plan, programs, report, runner, session

RESULTS = runner.ROOT / 'benchmarks' / 'results'
NO_GPU = 2
BUDGET_SECONDS = 585.0

_PROBE_SECONDS = 120.0
_LEAST_SECONDS = 3.0
# What stopping a step and writing the last tables may take.
_RESERVED_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the steps, writes the results and prints the tables.

    Returns:
        0 if no step failed, 1 if one did, 2 if there is no GPU.
    """
    start = time.monotonic()
    options = _parse(arguments)
    if options.list:
        print(_list())
        return 0
    programs.end_all_on_term()
    found = probe()
    if found['why']:
        print(f'no GPU: {found["why"]}')
        return NO_GPU
    before = report.last_figures(found['chip'], options.out)
    run = Run(found['chip'], options, start)
    for position, step in enumerate(options.steps):
        run.play(step, options.steps[position:])
    result = run.result
    print(f'\n{report.short_table(result)}\n\n{report.step_table(result)}\n')
    if before:
        lines = report.slower(before, result)
        print('\n'.join([f'over 5 % slower than last time: {len(lines)}', *lines]))
    print(f'written: {run.path}, its .txt with every case, and the logs in {run.logs}\n')
    print(report.goal_table(result))
    bad = any(
        step['status'] in (session.FAILED, runner.TIMED_OUT) for step in result['steps'].values()
    )
    return int(bad)


class Run:
    """One run: its result, which is on disk whenever more is known.

    Args:
        chip: name of the card.
        options: of the command.
        start: when it began, by the monotonic clock.
    """

    def __init__(self, chip: str, options: argparse.Namespace, start: float) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds')
        self.result: dict[str, Any] = {
            'schema': report.SCHEMA, 'time': now, 'chip': chip, 'steps': {},
        }  # fmt: skip
        self.path = report.new_path(self.result, options.out)
        self.logs: Path = options.logs or options.out / 'logs'
        self._start = start
        self._deadline = start + options.budget - min(_RESERVED_SECONDS, options.budget / 10)

    def play(self, step: plan.Step, rest: Sequence[plan.Step]) -> None:
        """Runs a step for its share of the time that is left for it and those behind it."""
        limit = plan.limit(rest, self._deadline - time.monotonic())
        print(f'{step.name}: {step.what}, at most {limit:.0f} s', flush=True)
        shown = 0

        def watch(outcome: runner.Outcome) -> None:
            nonlocal shown
            known = self.result['steps'].get(step.name, {})
            more = len(outcome.rows) > len(known.get('rows', ()))
            if shown < len(outcome.lines) or more:
                print(''.join(f'  {line}\n' for line in outcome.lines[shown:]), end='', flush=True)
                shown = len(outcome.lines)
                self._keep(outcome)

        if limit < _LEAST_SECONDS:
            outcome = runner.Outcome(step.name, session.SKIPPED, 0.0, ['no time left'])
        else:
            outcome = runner.run(step.name, step.module, limit, self.logs, watch)
        watch(outcome)
        self._keep(outcome)
        print(f'  {outcome.status} in {outcome.seconds:.0f} s', flush=True)

    def _keep(self, outcome: runner.Outcome) -> None:
        self.result['steps'][outcome.name] = vars(outcome)
        self.result['seconds'] = round(time.monotonic() - self._start, 1)
        report.write(self.result, self.path)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.on_gpu',
        description=f'{__doc__}\n{_list()}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--budget', type=float, default=BUDGET_SECONDS, metavar='SECONDS',
        help=f'for all steps together (default: {BUDGET_SECONDS:.0f})',
    )  # fmt: skip
    parser.add_argument(
        '--out', type=Path, default=RESULTS, metavar='FOLDER', help='for the results'
    )
    parser.add_argument(
        '--logs', type=Path, metavar='FOLDER', help='for the logs (default: logs in --out)'
    )
    parser.add_argument('--only', metavar='STEP,...', help='these steps alone')
    parser.add_argument('--list', action='store_true', help='print the steps and end')
    options = parser.parse_args(arguments)
    try:
        options.steps = plan.choose(options.only.split(',') if options.only else None)
    except ValueError as error:
        parser.error(str(error))
    return options


def _list() -> str:
    lines = [f'  {step.name:<16}{step.seconds:>4.0f} s  {step.what}' for step in plan.STEPS]
    return '\n'.join(['steps, with their shares of the time:', *lines])


def probe() -> dict[str, str]:
    """The name of the card, or why there is none; see ``on_gpu_steps.probe``."""
    try:
        done = subprocess.run(
            [sys.executable, '-m', 'benchmarks.on_gpu_steps.probe'],
            capture_output=True,
            text=True,
            cwd=runner.ROOT,
            env=runner.environment(),
            timeout=_PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return {'why': f'asking for it took over {_PROBE_SECONDS:.0f} s', 'chip': ''}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f'it ended with {done.returncode}'])[-1]
        return {'why': f'tensorvar does not load: {last}', 'chip': ''}
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == '__main__':
    sys.exit(main())
