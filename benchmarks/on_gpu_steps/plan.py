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


# First whether the kernels do what they should, then what is cheap to know, then the tables
# that choose among kernels, and last what compares whole programs: what is cut off when time
# is short matters least. The products as programs ask for them follow the table that they
# are chosen by.
STEPS = (
    Step('versions', 15, 'driver, CUDA, libraries, the card, peers'),
    Step('smoke', 45, 'one small problem for each family of kernels, compared with NumPy'),
    Step('end_to_end', 25, 'operations, placement, copies, limits, logs'),
    Step('gpu_tests', 150, 'pytest -m gpu, files *_on_gpu.py first'),
    Step('sanitizer', 80, 'compute-sanitizer over all families: memory, races, barriers'),
    Step('dispatch', 12, 'host time of one call'),
    Step('assign', 45, 'writes to variables, 4 elements to 1 GiB'),
    Step('optimizers', 25, 'a step of Adam, for 1 to 10,000 variables'),
    Step('scatter', 25, 'the ways to add rows by index'),
    Step('matmul_table', 60, 'matrix products by kernel: the table to choose by'),
    Step('matmul', 35, 'matrix products as programs ask for them'),
    Step('layers', 12, 'a product with bias and relu: two kernels or one of ours'),
    Step('training', 60, 'a training step of a small classifier'),
    Step('chains', 20, 'chains of elementwise ops'),
    Step('indexing', 10, 'gather and scatter as programs ask for them'),
    Step('copies', 8, 'between host and card'),
    Step('random_numbers', 5, 'normal draws'),
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
