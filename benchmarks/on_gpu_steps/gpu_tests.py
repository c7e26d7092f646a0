"""The tests that need a card: ``pytest -m gpu``, in as many processes as pay.

Those in files ``*_on_gpu.py`` come first: they test what only a card has.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.on_gpu_steps import runner, session

NEEDED = ('pytest', 'hypothesis', 'ml_dtypes')

# Their time is that of compilers, mostly, which work alone in each process.
_MOST_PROCESSES = 14
_FREE_CORES = 2
_TEST_SECONDS = 60
_WRITING_SECONDS = 15
_SHOWN = 25
_MESSAGE = 300
# How pytest begins a frame of a short traceback, and how it ends a long one.
_PLACE = re.compile(r'\S+\.pyx?:\d+: ')

# What a machine has installed may warn of what comes, which is no fault of a card's.
_WARNINGS = 'default'


def main(step: session.Session) -> None:
    """Runs the tests, stops them in time, and names those that failed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise session.SkipStepError(f'{", ".join(missing)} missing; pip install {missing[0]}')
    special = sorted(str(path) for path in (runner.ROOT / 'tests').rglob('test_*_on_gpu.py'))
    failures: list[dict[str, str]] = []
    step.facts['failures'] = failures
    others = [f'--ignore={path}' for path in special]
    for name, places, share in (('on_gpu', special, 0.5), ('others', ['tests', *others], 1.0)):
        report = step.path.with_name(f'{step.path.stem}_{name}.xml')
        report.unlink(missing_ok=True)
        failures += _run(step, name, command(report, places), report, share)
    for failure in failures[:_SHOWN]:
        step.fail(f'{failure["test"]}: {failure["message"]}')
    if len(failures) > _SHOWN:
        step.fail(f'and {len(failures) - _SHOWN} more, in the JSON file')


def _run(
    step: session.Session, name: str, words: list[str], report: Path, share: float
) -> list[dict[str, str]]:
    """Runs pytest for a share of the time left; the tests that failed."""
    process = subprocess.Popen(words, cwd=runner.ROOT, env=runner.environment())
    code, stopped = _wait(process, (step.seconds_left() - _WRITING_SECONDS) * share)
    step.facts[f'exit_code {name}'] = code
    if not report.exists():
        step.fail(f'{name}: pytest ended with {code} and wrote no report; see the log')
        return []
    found = read(report)
    counts = ', '.join(f'{count} {kind}' for kind, count in found['counts'].items())
    ended = f'{name}: {counts or "no tests"} in {found["seconds"]:.0f} s of tests'
    if stopped:
        step.fail(f'{ended}, stopped for lack of time')
    elif not found['counts'].get('passed'):
        step.fail(f'{ended}; none passed')
    else:
        step.say(ended)
    if code not in (0, 1) and not stopped:
        step.fail(f'{name}: pytest ended with {code}')
    failures: list[dict[str, str]] = found['failures']
    return failures


def command(report: Path, places: Sequence[str]) -> list[str]:
    """What runs pytest on files or folders with the plugins that are there."""
    arguments = [
        sys.executable, '-m', 'pytest', '-q', '-m', 'gpu and not soak', '-p', 'no:cacheprovider',
        '-o', 'addopts=', '--import-mode=importlib', '--strict-markers', '-rfE', '--tb=short',
        '-o', f'filterwarnings={_WARNINGS}', f'--junitxml={report}',
        *places,
    ]  # fmt: skip
    several = importlib.util.find_spec('xdist') is not None
    if several:
        processes = min(_MOST_PROCESSES, (os.cpu_count() or 2) - _FREE_CORES)
        arguments += ['-n', str(max(1, processes))]
    if importlib.util.find_spec('pytest_timeout') is None:
        # The settings name a timeout, which pytest alone does not know.
        return [*arguments, '-W', 'ignore::pytest.PytestConfigWarning']
    # Who waits for a card that hangs hears no signal. A thread ends the process, and another
    # process takes its place, if there are several.
    method = 'thread' if several else 'signal'
    return [*arguments, f'--timeout={_TEST_SECONDS}', f'--timeout-method={method}']


def _wait(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bool]:
    """Waits for pytest; asks it to stop, as Ctrl-C does, so that it writes its report."""
    try:
        return process.wait(max(seconds, 1)), False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    end = time.monotonic() + _WRITING_SECONDS
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    if process.poll() is None:
        process.kill()
    return process.wait(), True


def read(report: Path) -> dict[str, Any]:
    """What a JUnit report says: counts, seconds, and each failure with its last line."""
    counts: Counter[str] = Counter()
    failures = []
    seconds = 0.0
    for case in xml.etree.ElementTree.parse(report).iter('testcase'):
        seconds += float(case.get('time', 0))
        bad = [one for kind in ('failure', 'error') if (one := case.find(kind)) is not None]
        if bad:
            counts['failed'] += 1
            name = f'{case.get("classname", "")}::{case.get("name", "")}'
            failures.append({'test': name, 'message': _last_line(bad[0])})
        elif case.find('skipped') is not None:
            counts['skipped'] += 1
        else:
            counts['passed'] += 1
    return {'counts': dict(counts), 'failures': failures, 'seconds': seconds}


def _last_line(bad: xml.etree.ElementTree.Element) -> str:
    """The error itself, and where it was raised."""
    lines = [line for line in (bad.text or '').splitlines() if line.strip()]
    # All of it: the first line of what NumPy says is a name alone.
    errors = ' '.join(line[1:].strip() for line in lines if line.startswith('E '))
    message = ' '.join((errors or bad.get('message') or '').split())
    places = [line.split(': in ')[0] for line in lines if _PLACE.match(line)]
    where = f'  {places[-1]}' if places else ''
    return f'{message[:_MESSAGE]}{where}'


if __name__ == '__main__':
    session.run(main)
