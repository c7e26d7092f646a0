"""What the benchmark programs share: sizes, labels, the type of a program's cases."""

from collections.abc import Callable
from typing import Any

Cases = dict[str, Callable[[], Any]]

SMALL = 4
LARGE = 1 << 20
SIZES = (SMALL, LARGE)


def label(name: str, size: int) -> str:
    """The row label of a case; the small size shows the cost of the call itself."""
    return f'{name} of {"2^20" if size == LARGE else size}'
