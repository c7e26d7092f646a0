"""Which steps there are, in which order, and how long each may take."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One part of the run.

    Attributes:
        name: as in ``--only``.
        seconds: about what it needs; the time there is is shared out in this proportion.
        what: it does, for ``--help``.
    """

    name: str
    seconds: float
    what: str

    @property
    def module(self) -> str:
        """The module that runs it."""
        return f'benchmarks.on_gpu_steps.{self.name}'


STEPS = (
    Step('versions', 25, 'driver, CUDA, libraries, the card, peers'),
    Step('smoke', 40, 'tensorvar end to end'),
    Step('assign', 80, 'writes to variables, 4 elements to 1 GiB'),
    Step('dispatch', 20, 'host time of one call'),
    Step('gpu_tests', 150, 'pytest -m gpu'),
    Step('matmul', 60, 'matrix products'),
    Step('matmul_table', 60, 'matrix products by kernel: the table to choose by'),
    Step('optimizers', 45, 'a step of Adam, for 1 to 10,000 variables'),
    Step('copies', 25, 'between host and card'),
    Step('training', 70, 'a training step of a small classifier'),
    Step('chains', 30, 'chains of elementwise ops'),
    Step('indexing', 30, 'gather and scatter'),
    Step('scatter', 50, 'the ways to add rows by index'),
    Step('random_numbers', 15, 'normal draws'),
    Step('sanitizer', 80, 'compute-sanitizer: memcheck, racecheck, synccheck, initcheck'),
)


def choose(names: Sequence[str] | None) -> tuple[Step, ...]:
    """The steps named, in the order of ``STEPS``; all for None.

    Raises:
        ValueError: a name is unknown.
    """
    if names is None:
        return STEPS
    unknown = sorted(set(names) - {step.name for step in STEPS})
    if unknown:
        known = ', '.join(step.name for step in STEPS)
        raise ValueError(f'no step {", ".join(unknown)}; there are {known}')
    return tuple(step for step in STEPS if step.name in names)


def limit(rest: Sequence[Step], seconds_left: float) -> float:
    """How long the first of the steps to come may take.

    Args:
        rest: the steps to come.
        seconds_left: for all of them.

    Returns:
        Its share; what it leaves goes to those behind it.
    """
    share = rest[0].seconds / sum(step.seconds for step in rest)
    return max(seconds_left * share, 0.0)
