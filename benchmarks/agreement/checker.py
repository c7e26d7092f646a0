"""Runs recorded programs on tensorvar, on one kind of device, and compares."""

import contextlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorvar as tv
from benchmarks.agreement import compare, deliberate, interpreter, syntax
from benchmarks.agreement.outcome import Outcome
from benchmarks.agreement.syntax import Program
from tensorvar import pytest_fixtures

DEVICES = ('cpu', 'second_cpu', 'simulated_gpu')
DATA = Path(__file__).parent / 'data'
MISSING = DATA / 'missing.txt'
"""Public names that tensorvar does not have yet, one per line."""
DIFFERENT = DATA / 'different.txt'
"""Programs that end otherwise than on TensorFlow, and should not, one name per line."""
LEAST = 0.99
"""The share of the programs that has to agree."""
MOST_EXCUSED = 0.05
"""The share that deliberate differences may excuse."""
Scope = Callable[[], AbstractContextManager[Any]]


@dataclass
class Difference:
    """One program that ended otherwise than on TensorFlow."""

    program: Program
    expected: Outcome
    actual: Outcome
    text: str


@dataclass
class Report:
    """What came out of a check."""

    programs: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """How many programs ran and count; those excused do not."""
        return self.programs.total()

    @property
    def rate(self) -> float:
        """Share of the compared programs that agree."""
        return self.agreed.total() / max(self.compared, 1)

    @property
    def excused_share(self) -> float:
        """Share of all programs that ran that a deliberate difference excuses."""
        excused = self.excused.total()
        return excused / max(self.compared + excused, 1)

    def lines(self, kind: str, differences: int) -> Iterator[str]:
        """The figures as text, and the first differences."""
        for family, count in self.programs.items():
            yield f'{kind:14} {family:16} {self.agreed[family] / count:7.2%} of {count}'
        yield f'{kind:14} {"all":16} {self.rate:7.2%} of {self.compared}'
        yield f'excused {self.excused.total()} ({self.excused_share:.2%})'
        for reason, count in self.excused.most_common():
            yield f'  {count:5} {reason}'
        yield f'skipped {self.missing.total()}: tensorvar lacks {len(self.missing)} names'
        for found in self.differences[:differences]:
            yield f'{found.program["name"]}: {found.text}'


def check(recorded: dict[str, Any], scope: Scope) -> Report:
    """Runs every recorded program below a scope.

    Args:
        recorded: a kept file as ``recorder.load`` gives it.
        scope: gives the context manager in which each program runs.
    """
    report = Report()
    present: dict[str, bool] = {}
    for program, expected in recorded['programs']:
        lacking = [name for name in sorted(syntax.public_names(program)) if not has(name, present)]
        # A name that TensorFlow lacks as well is a program about exactly that.
        if lacking and 'AttributeError' not in str(expected):
            report.missing[lacking[0]] += 1
            continue
        actual = _run(program, scope)
        text = compare.difference(expected, actual, program['looser'])
        excuse = text and deliberate.excuse(program, expected, actual)
        if excuse:
            report.excused[excuse] += 1
            continue
        report.programs[program['family']] += 1
        if text is None:
            report.agreed[program['family']] += 1
        else:
            report.differences.append(Difference(program, expected, actual, text))
    return report


def _run(program: Program, scope: Scope) -> Outcome:
    # A warning that the program on TensorFlow does not give is a difference.
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with scope():
            result: Outcome = interpreter.run(tv, program)
            return result


def has(name: str, known: dict[str, bool]) -> bool:
    """Whether tensorvar has a public name."""
    if name not in known:
        try:
            interpreter.resolve(tv, name)
            known[name] = True
        except AttributeError:
            known[name] = False
    return known[name]


def kept_lines(path: Path) -> set[str]:
    """The lines of a kept list."""
    return set(path.read_text().splitlines())


def keep(recorded: dict[str, Any], report: Report) -> str:
    """Writes both kept lists anew, from a check of all programs on the CPU.

    Not so where fewer agree than have to: then something is broken.
    """
    if report.rate < LEAST:
        return f'kept nothing: less than {LEAST:.0%} agree'
    different = [found.program['name'] for found in report.differences]
    for path, lines in ((MISSING, missing_names(recorded)), (DIFFERENT, different)):
        path.write_text(''.join(f'{line}\n' for line in sorted(lines)))
    return f'kept {MISSING.name} and {DIFFERENT.name}'


def missing_names(recorded: dict[str, Any]) -> set[str]:
    """The public names in a record that tensorvar does not have."""
    known: dict[str, bool] = {}
    names: set[str] = set()
    for program, expected in recorded['programs']:
        if 'AttributeError' not in str(expected):
            names |= syntax.public_names(program)
    return {name for name in names if not has(name, known)}


@contextlib.contextmanager
def configured(kind: str) -> Iterator[Scope]:
    """Prepares a kind of device; gives the scope to run below."""
    pytest_fixtures.reset_devices()
    if kind == 'cpu':
        yield contextlib.nullcontext
    elif kind == 'second_cpu':
        [cpu] = tv.config.list_physical_devices('CPU')
        two = [tv.config.LogicalDeviceConfiguration()] * 2
        tv.config.set_logical_device_configuration(cpu, two)
        yield lambda: tv.device('CPU:1')
    else:
        tv.config.simulate_gpus(1)
        yield lambda: tv.device('GPU:0')
    pytest_fixtures.reset_devices()
