"""Runs one step in a process of its own, for no longer than it may take."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.on_gpu_steps import session

ROOT = Path(__file__).resolve().parents[2]

TIMED_OUT = 'timed out'

_GRACE_SECONDS = 5.0
_TAIL_LINES = 40


@dataclass
class Outcome:
    """How a step ended.

    Attributes:
        name: of the step.
        status: ``'passed'``, ``'failed'``, ``'skipped'`` or ``'timed out'``.
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


def environment() -> dict[str, str]:
    """That of a step: real cards, no memory taken in advance, output at once."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith('TENSORVAR_')}
    return {
        **kept,
        'PYTHONUNBUFFERED': '1',
        'XLA_PYTHON_CLIENT_PREALLOCATE': 'false',
    }


def run(name: str, module: str, limit: float, logs: Path) -> Outcome:
    """Runs a step.

    Args:
        name: of the step.
        module: with its ``main``.
        limit: seconds after which it is stopped, with all it started.
        logs: folder for its log.
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
            start_new_session=True,
        )
        timed_out = _wait(process, limit)
    seconds = time.monotonic() - start
    findings = session.read(result)
    result.unlink(missing_ok=True)
    outcome = Outcome(name, findings['status'], round(seconds, 1))
    outcome.lines, outcome.rows, outcome.facts = (
        findings[key] for key in ('lines', 'rows', 'facts')
    )
    if outcome.status == session.UNFINISHED:
        outcome.status = TIMED_OUT if timed_out else session.FAILED
        outcome.lines.append(_last_words(process.returncode, timed_out, limit))
    if outcome.status not in (session.PASSED, session.SKIPPED):
        outcome.tail = log.read_text(errors='replace').splitlines()[-_TAIL_LINES:]
    return outcome


def _last_words(code: int, timed_out: bool, limit: float) -> str:
    if timed_out:
        return f'stopped after {limit:.0f} s'
    if code < 0:
        return f'died of signal {-code}'
    return f'ended with {code} before it was done'


def _wait(process: subprocess.Popen[bytes], limit: float) -> bool:
    """Waits for the end, or makes one; whether it had to."""
    try:
        process.wait(limit)
        return False
    except subprocess.TimeoutExpired:
        pass
    for number in (signal.SIGTERM, signal.SIGKILL):
        # The process leads a group of its own, so this reaches what it started, too.
        os.killpg(process.pid, number)
        try:
            process.wait(_GRACE_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue
    return True
