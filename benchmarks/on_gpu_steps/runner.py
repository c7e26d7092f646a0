"""Runs one step in a process of its own, for no longer than it may take."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.on_gpu_steps import programs, session

ROOT = Path(__file__).resolve().parents[2]

TIMED_OUT = 'timed out'
UNDER_WAY = 'under way'

_GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.25
_TAIL_LINES = 40


@dataclass
class Outcome:
    """How a step ended, or how far it is.

    Attributes:
        name: of the step.
        status: ``'passed'``, ``'failed'``, ``'skipped'``, ``'timed out'`` or, until it ended,
            ``'under way'``.
        seconds: which it took.
        lines: what it has to say.
        rows: its figures.
        facts: whatever else it found.
        tail: the end of its log, where it did not pass.
    """

    name: str
    status: str
    seconds: float
    lines: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    tail: list[str] = field(default_factory=list)


Watch = Callable[[Outcome], None]
"""Is shown what a step has found, whenever that is more than before."""


def environment() -> dict[str, str]:
    """That of a step: real cards, no memory taken in advance, output at once."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith('TENSORVAR_')}
    return {
        **kept,
        'PYTHONUNBUFFERED': '1',
        'XLA_PYTHON_CLIENT_PREALLOCATE': 'false',
    }


def run(
    name: str, module: str, limit: float, logs: Path, watch: Watch = lambda outcome: None
) -> Outcome:
    """Runs a step.

    Args:
        name: of the step.
        module: with its ``main``.
        limit: seconds after which it is stopped, with all it started.
        logs: folder for its log.
        watch: is shown what it has found so far.
    """
    logs.mkdir(parents=True, exist_ok=True)
    result, log = logs / f'{name}.json', logs / f'{name}.log'
    result.unlink(missing_ok=True)
    budget = max(limit - 2 * _GRACE_SECONDS, limit / 2)
    command = [sys.executable, '-m', module, '--result', str(result), '--seconds', f'{budget:.1f}']
    start = time.monotonic()
    with log.open('w') as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment(),
            process_group=0,
        )
        with programs.noted(process.pid):
            try:
                timed_out = _wait(
                    process, start, limit, lambda: watch(_so_far(name, result, start))
                )
            finally:
                programs.stop(process)
    outcome = _so_far(name, result, start)
    result.unlink(missing_ok=True)
    if outcome.status not in (session.PASSED, session.SKIPPED):
        outcome.tail = log.read_text(errors='replace').splitlines()[-_TAIL_LINES:]
    if outcome.status == UNDER_WAY:
        outcome.status = TIMED_OUT if timed_out else session.FAILED
        outcome.lines.append(_last_words(process.returncode, timed_out, limit, outcome.tail))
    return outcome


def _so_far(name: str, result: Path, start: float) -> Outcome:
    findings = session.read(result)
    status = findings.pop('status')
    status = UNDER_WAY if status == session.UNFINISHED else status
    return Outcome(name, status, round(time.monotonic() - start, 1), **findings)


def _last_words(code: int, timed_out: bool, limit: float, tail: list[str]) -> str:
    if timed_out:
        return f'stopped after {limit:.0f} s'
    end = f'died of signal {-code}' if code < 0 else f'ended with {code} before it was done'
    said = [line.strip() for line in tail if line.strip()][-1:]
    return ': '.join([end, *said])[:300]


def _wait(
    process: 'subprocess.Popen[Any]', start: float, limit: float, look: Callable[[], None]
) -> bool:
    """Waits for the end, and looks every now and then; whether the time is up before."""
    while True:
        left = start + limit - time.monotonic()
        try:
            process.wait(max(min(left, _LOOK_SECONDS), 0))
            return False
        except subprocess.TimeoutExpired:
            look()
            if left <= 0:
                return True
