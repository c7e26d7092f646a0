"""What somebody has measured of matrix products on a chip: ``kernels/tables/matmul-*.json``.

A row says what each family of kernels took for one product, cuBLAS among them. It speaks for
products of the same types, precision and layout whose sizes all differ from its own by less
than half an octave; for others there is no measurement. ``python -m benchmarks.on_gpu --only
matmul_table`` makes a table.
"""

import functools
import json
import math
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

from tensorvar._cuda import matmul_problem, source

CUBLAS = 'cublas'
SCHEMA = 1
_REACH = 0.5


class Row(NamedTuple):
    """One measured product.

    Attributes:
        sizes: batch, m, n, k.
        microseconds: by family.
        noise: what two equal runs differ by, relatively.
    """

    sizes: tuple[int, int, int, int]
    microseconds: Mapping[str, float]
    noise: float

    def ranking(self) -> list[str]:
        """Families, fastest first; cuBLAS comes before what the noise does not tell apart."""
        return sorted(self.microseconds, key=self._handicapped)

    def _handicapped(self, family: str) -> float:
        taken = self.microseconds[family]
        return taken * (1 - self.noise) if family == CUBLAS else taken


Key = tuple[str, str, str, str]


def layout(problem: matmul_problem.Problem) -> str:
    """How A and B lie: ``'NN'``, ``'NT'``, ``'TN'`` or ``'TT'``."""
    return ''.join('NT'[each.transposed] for each in (problem.a, problem.b))


def find(problem: matmul_problem.Problem, chip: str) -> Row | None:
    """The row whose sizes are nearest, or None where none is near enough."""
    key = (problem.dtype.name, problem.result.name, problem.precision, layout(problem))
    sizes = (problem.batch, problem.m, problem.n, problem.k)
    if not all(sizes):
        return None
    near = [
        (distance, row)
        for row in rows(chip).get(key, ())
        if (distance := _distance(row.sizes, sizes)) is not None
    ]
    return min(near, key=lambda each: each[0])[1] if near else None


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> float | None:
    octaves = [abs(math.log2(a / b)) for a, b in zip(one, other, strict=True)]
    return sum(octaves) if max(octaves) <= _REACH else None


@functools.cache
def rows(chip: str) -> dict[Key, list[Row]]:
    """What was measured on a chip, by the types, the precision and the layout."""
    path = source.folder() / 'tables' / f'matmul-{chip}.json'
    return read(path) if path.is_file() else {}


def read(path: pathlib.Path) -> dict[Key, list[Row]]:
    """The rows of a table."""
    found: dict[Key, list[Row]] = {}
    for row in json.loads(path.read_text(encoding='utf-8'))['rows']:
        key = (row['dtype'], row['result'], row['precision'], row['layout'])
        sizes = (row['batch'], row['m'], row['n'], row['k'])
        found.setdefault(key, []).append(Row(sizes, row['microseconds'], row['noise']))
    return found
