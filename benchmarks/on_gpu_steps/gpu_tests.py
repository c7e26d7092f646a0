"""The tests that need a card: ``pytest -m gpu``, in as many processes as pay."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.on_gpu_steps import runner, session

NEEDED = ('pytest', 'hypothesis', 'ml_dtypes')

_MOST_PROCESSES = 8
_TEST_SECONDS = 60
_WRITING_SECONDS = 15
_SHOWN = 25

# Another library's warning about a third one is no fault of ours.
_WARNINGS = (
    'error\n'
    'default::DeprecationWarning:cupy.*\n'
    'default::DeprecationWarning:torch.*\n'
    'default::DeprecationWarning:jax.*'
)


def main(step: session.Session) -> None:
    """Runs the tests, stops them in time, and names those that failed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise session.SkipStepError(f'{", ".join(missing)} missing; pip install {missing[0]}')
    report = step.path.with_suffix('.xml')
    report.unlink(missing_ok=True)
    process = subprocess.Popen(command(report), cwd=runner.ROOT, env=runner.environment())
    code, stopped = _wait(process, step.seconds_left() - _WRITING_SECONDS)
    step.facts['exit_code'] = code
    if not report.exists():
        step.fail(f'pytest ended with {code} and wrote no report; see the log')
        return
    found = read(report)
    step.facts['failures'] = found['failures']
    counts = ', '.join(f'{count} {kind}' for kind, count in found['counts'].items())
    late = ', stopped for lack of time' if stopped else ''
    step.say(f'{counts or "no tests"} in {found["seconds"]:.0f} s of tests{late}')
    for failure in found['failures'][:_SHOWN]:
        step.fail(f'{failure["test"]}: {failure["message"]}')
    if len(found['failures']) > _SHOWN:
        step.fail(f'and {len(found["failures"]) - _SHOWN} more, in the JSON file')
    if code not in (0, 1) and not stopped:
        step.fail(f'pytest ended with {code}')


def command(report: Path) -> list[str]:
    """What runs pytest with the plugins that are there."""
    arguments = [
        sys.executable, '-m', 'pytest', '-q', '-m', 'gpu and not soak', '-p', 'no:cacheprovider',
        '-o', 'addopts=', '--import-mode=importlib', '--strict-markers', '-rfE', '--tb=short',
        '-o', f'filterwarnings={_WARNINGS}', f'--junitxml={report}',
    ]  # fmt: skip
    if importlib.util.find_spec('pytest_timeout') is None:
        # The settings name a timeout, which pytest alone does not know.
        arguments += ['-W', 'ignore::pytest.PytestConfigWarning']
    else:
        arguments += [f'--timeout={_TEST_SECONDS}']
    if importlib.util.find_spec('xdist') is not None:
        arguments += ['-n', str(max(1, min(_MOST_PROCESSES, (os.cpu_count() or 2) // 2)))]
    return arguments


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
    errors = [line[1:].strip() for line in lines if line.startswith('E ')]
    message = ' '.join((bad.get('message') or '').split())
    where = lines[-1] if lines and ': ' in lines[-1] else ''
    return f'{(errors[0] if errors else message)[:200]}  {where}'.strip()


if __name__ == '__main__':
    session.run(main)
