"""Few cases in which every pair of settings occurs."""

import itertools
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

Pairs = tuple[tuple[int, int], ...]
_Case = TypeVar('_Case', bound=tuple[Any, ...])
_SAMPLE = 80


def cover(
    pool: Sequence[_Case], generator: np.random.Generator, fields: Pairs | None = None
) -> list[_Case]:
    """Cases of a pool, such that they have every pair of settings that any of it has.

    Args:
        pool: cases of the same fields, in any order.
        generator: draws those of which the best is taken next.
        fields: pairs of positions in a case that matter; all for None.
    """
    if fields is None:
        fields = tuple(itertools.combinations(range(len(pool[0])), 2))
    pairs = [{(i, j, case[i], case[j]) for i, j in fields} for case in pool]
    missing = set().union(*pairs)
    found = []
    while missing:
        drawn = generator.integers(0, len(pool), _SAMPLE)
        best = max(drawn, key=lambda i: len(missing & pairs[i]))
        if not missing & pairs[best]:
            best = next(i for i, each in enumerate(pairs) if missing & each)
        missing -= pairs[best]
        found.append(pool[best])
    return found
