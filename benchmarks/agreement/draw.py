"""Draws shapes, values and tensors for the programs; the same seed draws the same ones."""

import random
from collections.abc import Sequence
from typing import Any, TypeVar

from benchmarks.agreement import syntax
from benchmarks.agreement.syntax import Expression

T = TypeVar('T')

HALVES = ('float16', 'bfloat16')
REALS = ('float32', 'float64')
FLOATS = (*HALVES, *REALS)
COMPLEX = ('complex64', 'complex128')
INEXACT = (*FLOATS, *COMPLEX)
SIGNED = ('int8', 'int16', 'int32', 'int64')
UNSIGNED = ('uint8', 'uint16', 'uint32', 'uint64')
INTEGERS = (*SIGNED, *UNSIGNED)
REAL = (*FLOATS, *INTEGERS)
NUMERIC = (*REAL, *COMPLEX)
ANY = (*NUMERIC, 'bool', 'string')
INDEX = ('int32', 'int64')

WORDS = ('', 'a', 'b', 'ab', 'w0')
# Lowest and highest value of a domain, in sixteenths; floats of every width hold them.
DOMAINS = {
    'any': (-64, 64),
    'positive': (2, 64),
    'unit': (-15, 15),
    'probability': (1, 15),
    'above_one': (17, 64),
    'small': (-24, 24),
}
WHOLE = {'any': (-5, 9), 'positive': (1, 9), 'unit': (0, 0), 'probability': (0, 1)}


class Draw:
    """A source of random choices.

    Args:
        seed: whatever names this stream.
        plain: draws no empty arrays and no unusual kinds of operands.
    """

    def __init__(self, seed: str, plain: bool = False) -> None:
        self.random = random.Random(seed)
        self.plain = plain

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random.random() < probability

    def integer(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def choose(self, choices: Sequence[T]) -> T:
        """One of several."""
        return self.random.choice(choices)

    def axis(self, rank: int) -> int:
        """A valid axis, often a negative one."""
        return self.integer(-rank, rank - 1)

    def size(self) -> int:
        """A length; now and then none."""
        if not self.plain and self.chance(0.06):
            return 0
        return self.integer(1, 4)

    def shape(self, low: int = 0, high: int = 3) -> list[int]:
        """A shape with a rank between the two."""
        return [self.size() for _ in range(self.integer(low, high))]

    def shape_like(self, shape: list[int]) -> list[int]:
        """A shape that broadcasts with the given one, of the same or a lower rank."""
        kept = shape[self.integer(0, len(shape)) :] if self.chance(0.4) else shape
        return [1 if self.chance(0.25) else size for size in kept]

    def value(self, dtype: str, domain: str = 'any') -> Any:
        """One element."""
        if dtype == 'string':
            return self.choose(WORDS)
        if dtype == 'bool':
            return self.chance(0.5)
        if dtype in COMPLEX:
            low, high = DOMAINS[domain]
            return [self.integer(low, high) / 16, self.integer(-32, 32) / 16]
        if dtype in FLOATS:
            low, high = DOMAINS[domain]
            return self.integer(low, high) / 16
        low, high = WHOLE.get(domain, WHOLE['any'])
        return self.integer(max(low, 0) if dtype in UNSIGNED else low, high)

    def values(self, dtype: str, shape: list[int], domain: str = 'any') -> list[Any]:
        """Elements of an array in C order."""
        count = 1
        for size in shape:
            count *= size
        return [self.value(dtype, domain) for _ in range(count)]

    def tensor(self, dtype: str, shape: list[int], domain: str = 'any') -> Expression:
        """A constant, or now and then a variable."""
        values = self.values(dtype, shape, domain)
        if not self.plain and self.chance(0.12):
            return syntax.variable(dtype, shape, values)
        return syntax.tensor(dtype, shape, values)

    def integers(self, shape: list[int], low: int, high: int, dtype: str = 'int32') -> Expression:
        """A tensor of whole numbers, both ends included."""
        count = 1
        for size in shape:
            count *= size
        return syntax.tensor(dtype, shape, [self.integer(low, high) for _ in range(count)])

    def index_dtype(self) -> str:
        """A dtype that may index."""
        return self.choose(INDEX)

    def host(self, dtype: str, shape: list[int], domain: str = 'any') -> Expression:
        """A nested list of Python values, or an ndarray."""
        values = self.values(dtype, shape, domain)
        if dtype not in COMPLEX and self.chance(0.5):
            return nested(shape, values)
        return syntax.array(dtype, shape, values)

    def special(self, dtype: str, shape: list[int]) -> Expression:
        """A tensor in which infinities, nan and a negative zero are likely."""
        values = self.values(dtype, shape)
        for at, value in enumerate(values):
            if self.chance(0.4):
                odd = self.choose([float('inf'), -float('inf'), float('nan'), -0.0, 0.0])
                values[at] = [odd, 1.0] if isinstance(value, list) else odd
        return syntax.tensor(dtype, shape, values)


def nested(shape: list[int], values: list[Any]) -> Expression:
    """Values as lists in lists."""
    if not shape:
        return values[0]
    step = len(values) // shape[0] if shape[0] else 0
    rows = [values[at * step : (at + 1) * step] for at in range(shape[0])]
    return syntax.listed(*(nested(shape[1:], row) for row in rows))


def broadcast(*shapes: list[int]) -> list[int]:
    """The shape that compatible shapes broadcast to."""
    rank = max(map(len, shapes))
    padded = [[1] * (rank - len(shape)) + shape for shape in shapes]
    return [next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True)]
