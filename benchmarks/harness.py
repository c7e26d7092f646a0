"""Measures op families: every library in its own process, in interleaved rounds.

In each round every library times the same case once, in rotating order, so that a slow
moment of the machine hits all of them. A library's time is the median over the rounds.
The figure of a peer is the median over the rounds of ``peer seconds / tensorvar seconds``:
above 1 tensorvar is faster, and within 5 % of 1 it is a tie. Simulated GPUs are refused.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import libraries
from benchmarks.contender import Contender, Effort

FAMILIES = tuple(
    sorted(path.stem.removeprefix('bench_') for path in Path(__file__).parent.glob('bench_*.py'))
)


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
        The versions of the libraries, per case the seconds of each library and round, and
        the memory of each library's process.

    Raises:
        RuntimeError: the process of a library ended.
    """
    effort = effort or Effort()
    with _contenders(family, device, names) as contenders:
        cases = list(dict.fromkeys(case for each in contenders for case in each.cases))
        seconds = {
            case: _rounds(case, [each for each in contenders if case in each.cases], effort)
            for case in cases
        }
    return {
        'versions': {contender.name: contender.version for contender in contenders},
        'seconds': seconds,
        'memory': {contender.name: contender.memory for contender in contenders if contender.cases},
    }


@contextlib.contextmanager
def _contenders(family: str, device: str, names: Sequence[str] | None) -> Iterator[list[Contender]]:
    chosen = [
        (name, interpreter)
        for name, interpreter in libraries.interpreters(names).items()
        if device.split(':')[0] in libraries.ALL[name].kinds
    ]
    with contextlib.ExitStack() as stack:
        # All of them load at the same time, each with a core of its own where there are enough.
        contenders = [Contender(name, python, family, device) for name, python in chosen]
        for contender in contenders:
            stack.callback(contender.close)
        for contender in contenders:
            contender.meet()
        yield contenders


def _rounds(case: str, contenders: list[Contender], effort: Effort) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for turn in range(effort.rounds):
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            time.sleep(effort.rest_seconds)
            seconds[contender.name].append(contender.seconds(case, effort))
    return seconds
