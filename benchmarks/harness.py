"""Measures one op family: every library in its own process, in interleaved rounds.

In each round every library times the same case once, in rotating order, so that a slow
moment of the machine hits all of them. A library's time is the median over the rounds.
The figure of a peer is the median over the rounds of ``peer seconds / tensorvar seconds``:
above 1 tensorvar is faster, and within 5 % of 1 it is a tie. Simulated GPUs are refused.
"""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import libraries

SCHEMA = 1
TIE = 0.05
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / 'benchmarks' / 'results'
FAMILIES = tuple(
    sorted(path.stem.removeprefix('bench_') for path in Path(__file__).parent.glob('bench_*.py'))
)


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: turns of each library at each case.
        batches: timed batches per turn; the turn's time is their median.
        batch_seconds: about how long a batch lasts.
        rest_seconds: pause before a turn. Threads of a linear algebra library spin for
            a while after their last work, and would take a core from the next library.
    """

    rounds: int = 5
    batches: int = 5
    batch_seconds: float = 0.01
    rest_seconds: float = 0.1


QUICK = Effort(rounds=2, batches=1, batch_seconds=0.0005, rest_seconds=0.01)


class Contender:
    """A library's process.

    Raises:
        RuntimeError: the process ended before it answered.
    """

    def __init__(self, name: str, interpreter: str, family: str, device: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [interpreter, '-m', 'benchmarks.worker', name, family, device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_quiet_environment(),
        )
        answer = self._answer()
        self.version: str = answer['version']
        self.cases: list[str] = answer['cases']

    def seconds(self, case: str, effort: Effort) -> float:
        """Seconds per call of one case, in one round."""
        request = {
            'case': case,
            'batch_seconds': effort.batch_seconds,
            'batches': effort.batches,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + '\n')
        self._process.stdin.flush()
        return float(self._answer()['seconds'])

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            code = self._process.returncode
            raise RuntimeError(f'the process of {self.name} ended with {code}; see its message')
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(
    family: str, device: str, names: Sequence[str] | None = None, effort: Effort | None = None
) -> dict[str, Any]:
    """Measures a family on one device.

    Args:
        family: one of ``FAMILIES``.
        device: ``'CPU:0'`` or a real GPU.
        names: libraries to run; None for all that are installed.
        effort: how long to measure.

    Returns:
        What goes to the JSON file: machine, versions, and per case the seconds of each
        round and library.
    """
    effort = effort or Effort()
    contenders = _start(family, device, names)
    try:
        cases = list(dict.fromkeys(case for each in contenders for case in each.cases))
        rows = {
            case: _rounds(case, [each for each in contenders if case in each.cases], effort)
            for case in cases
        }
    finally:
        for contender in contenders:
            contender.close()
    return {
        'schema': SCHEMA,
        'family': family,
        'device': device,
        'machine': _machine(),
        'versions': {contender.name: contender.version for contender in contenders},
        'effort': vars(effort),
        'seconds': rows,
    }


def ratio(rounds: dict[str, list[float]], peer: str) -> float | None:
    """The figure of a peer: median over the rounds of its time by tensorvar's."""
    if peer not in rounds or 'tensorvar' not in rounds:
        return None
    pairs = zip(rounds[peer], rounds['tensorvar'], strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)


def table(result: dict[str, Any]) -> str:
    """The result as text: a row per case, a column per library."""
    names = list(result['versions'])
    head = ['case', *(f'{name} {result["versions"][name]}' for name in names)]
    rows = [head]
    for case, rounds in result['seconds'].items():
        rows.append([case, *(_cell(rounds, name) for name in names)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append('  '.join(cells).rstrip())
    title = f'{result["family"]} on {result["device"]} ({result["machine"]["processor"]})'
    return '\n'.join([title, *lines])


def save(result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Writes the result as JSON, one file per family and device kind."""
    kind = result['device'].split(':')[0].lower()
    path = folder / f'{result["family"]}_{kind}.json'
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + '\n')
    return path


def _start(family: str, device: str, names: Sequence[str] | None) -> list[Contender]:
    contenders: list[Contender] = []
    for name in names or libraries.ALL:
        library = libraries.ALL[name]
        interpreter = library.interpreter()
        if interpreter is None and names is None:
            continue
        if interpreter is None:
            raise SystemExit(f'{name} is not installed; name a Python that has it in '
                             f'{library.interpreter_variable}')  # fmt: skip
        if device.split(':')[0] in library.kinds:
            contenders.append(Contender(name, interpreter, family, device))
    return contenders


def _rounds(case: str, contenders: list[Contender], effort: Effort) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for turn in range(effort.rounds):
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            time.sleep(effort.rest_seconds)
            seconds[contender.name].append(contender.seconds(case, effort))
    return seconds


def _cell(rounds: dict[str, list[float]], name: str) -> str:
    if name not in rounds:
        return '-'
    text = _readable(statistics.median(rounds[name]))
    figure = ratio(rounds, name)
    if name == 'tensorvar' or figure is None:
        return text
    verdict = 'tie' if abs(figure - 1) <= TIE else f'x{figure:.2f}'
    return f'{text} {verdict:>7}'


def _readable(seconds: float) -> str:
    for unit, scale in (('s', 1.0), ('ms', 1e-3), ('us', 1e-6)):
        if seconds >= scale:
            return f'{seconds / scale:.2f} {unit}'
    return f'{seconds / 1e-9:.0f} ns'


def _machine() -> dict[str, Any]:
    return {
        'processor': _processor(),
        'cores': os.cpu_count(),
        'python': platform.python_version(),
        'system': platform.system(),
    }


def _processor() -> str:
    information = Path('/proc/cpuinfo')
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


def _quiet_environment() -> dict[str, str]:
    """The environment without simulated GPUs, and with peers kept from chatting."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('TENSORVAR_SIMULATE')
    }
    return {**kept, 'TF_CPP_MIN_LOG_LEVEL': '3'}
