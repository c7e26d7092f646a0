"""Assertions and checks of numbers."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import (
    ANY,
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMERIC,
    REAL,
    REALS,
    SIGNED,
    Draw,
)
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows

SIGNS = REAL


def single(domain: str) -> Strategy:
    """One tensor, mostly one that passes."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        if not draw.plain and draw.chance(0.2):
            return [draw.special(dtype, [3]) if dtype in FLOATS else draw.tensor(dtype, [3])], {}
        return [draw.tensor(dtype, draw.shape(), domain)], {}

    return strategy


def pair(first: int, second: int) -> Strategy:
    """Two arrays of one value each; the relation holds unless the draw turns them round."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        shape = draw.shape()
        count = len(draw.values('bool', shape))
        values = [first, second]
        if not draw.plain and draw.chance(0.2):
            values.reverse()
        x, y = (syntax.tensor(dtype, shape, [encoded(value, dtype)] * count) for value in values)
        return [x, y], {}

    return strategy


def encoded(value: int, dtype: str) -> object:
    return [value, 0] if dtype.startswith('complex') else value


def near(draw: Draw, dtype: str) -> Arguments:
    value = draw.tensor(dtype, draw.shape())
    return [value, value], {}


def rank_of(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    wrong = not draw.plain and draw.chance(0.2)
    return [draw.tensor(dtype, shape), len(shape) + wrong], {}


def rank_in(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    return [draw.tensor(dtype, shape), syntax.listed(len(shape), len(shape) + 1)], {}


def type_of(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape()), syntax.dtype(dtype)], {}


def shapes_of(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    given = syntax.grouped(draw.tensor(dtype, shape), syntax.grouped(*shape))
    return [syntax.listed(given)], {}


def numerics(draw: Draw, dtype: str) -> Arguments:
    (value,), _ = single('any')(draw, dtype)
    return [value, 'checked'], {}


def truth(draw: Draw, dtype: str) -> Arguments:
    holds = draw.plain or draw.chance(0.7)
    return [syntax.tensor(dtype, [], [encoded(int(holds), dtype)]), syntax.listed(1.5)], {}


ROWS: list[Row] = [
    *rows('debugging.assert_positive debugging.assert_non_negative', single('positive'), SIGNS),
    *rows('debugging.assert_negative debugging.assert_non_positive', lambda draw, dtype: (
        [syntax.tensor(dtype, [2], [-1, -2])], {}), (*FLOATS, *SIGNED)),
    *rows('debugging.assert_equal', pair(2, 2), ANY),
    *rows('debugging.assert_none_equal', pair(1, 2), (*NUMERIC, 'string')),
    *rows('debugging.assert_less debugging.assert_less_equal', pair(1, 2), REAL),
    *rows('debugging.assert_greater debugging.assert_greater_equal', pair(2, 1), REAL),
    *rows('debugging.assert_near', near, ('float16', *REALS, *COMPLEX)),
    *rows('debugging.assert_rank debugging.assert_rank_at_least', rank_of, ANY),
    *rows('debugging.assert_rank_in', rank_in, ANY),
    *rows('debugging.assert_type', type_of, ANY),
    *rows('debugging.assert_integer', single('any'), INTEGERS),
    *rows('debugging.assert_scalar', lambda draw, dtype: ([draw.tensor(dtype, [])], {}), ANY),
    *rows('debugging.assert_shapes', shapes_of, ANY),
    *rows('debugging.check_numerics', numerics, FLOATS),
    *rows('debugging.assert_all_finite', numerics, FLOATS),
    *rows('debugging.Assert', truth, ANY),
    *rows('debugging.is_numeric_tensor', single('any'), ANY),
]  # fmt: skip
