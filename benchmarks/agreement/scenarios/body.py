"""What a scenario gives for one program."""

from collections.abc import Iterator
from typing import Any

from benchmarks.agreement.syntax import Expression, Statement

# Row name, dtype, and the rest of the program.
Item = tuple[str, str, dict[str, Any]]
Items = Iterator[Item]


def item(
    row: str, dtype: str, steps: list[Statement], result: Expression, looser: float = 1.0
) -> Item:
    """One program of a scenario."""
    return row, dtype, {'steps': steps, 'result': result, 'looser': looser}
