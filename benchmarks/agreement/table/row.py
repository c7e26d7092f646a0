"""What a row of the table is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.agreement.draw import Draw
from benchmarks.agreement.syntax import Expression

Arguments = tuple[list[Expression], dict[str, Expression]]
Strategy = Callable[[Draw, str], Arguments]


@dataclass(frozen=True)
class Row:
    """One op and how to call it.

    Args:
        path: public name, ``math.add``.
        strategy: draws positional arguments and keywords for a dtype; the call is valid.
        dtypes: those that TensorFlow takes; with all others some programs expect the error.
        looser: factor on the table of tolerances, where TensorFlow's own result is coarser.
        variant: tells rows of one path apart.
        numbers: False if a draw need not give equal numbers: only dtype and shape count.
        gradient: whether to draw gradients of it.
        steps: statements before the call, such as setting a seed.
    """

    path: str
    strategy: Strategy
    dtypes: tuple[str, ...]
    looser: float = 1.0
    variant: str = ''
    numbers: bool = True
    gradient: bool = True
    steps: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """Path and variant."""
        return f'{self.path}:{self.variant}' if self.variant else self.path


def rows(
    paths: str, strategy: Strategy, dtypes: tuple[str, ...], looser: float = 1.0, **more: Any
) -> list[Row]:
    """A row for each of several paths, separated by spaces."""
    return [Row(path, strategy, dtypes, looser, **more) for path in paths.split()]
