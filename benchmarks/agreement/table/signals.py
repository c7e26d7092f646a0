"""Fourier transforms."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import COMPLEX, REALS, Draw
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows


def transform(rank: int) -> Strategy:
    """A tensor with that many axes to transform."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        lead = draw.shape(0, 1)
        return [draw.tensor(dtype, [*lead, *(draw.integer(1, 5) for _ in range(rank))])], {}

    return strategy


def sized(rank: int) -> Strategy:
    """The same with or without the length of the transform."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        (value,), _ = transform(rank)(draw, dtype)
        keywords: dict[str, Expression] = {}
        if draw.chance(0.5):
            keywords['fft_length'] = syntax.listed(*(draw.integer(2, 6) for _ in range(rank)))
        return [value], keywords

    return strategy


ROWS: list[Row] = [
    *rows('signal.fft signal.ifft', transform(1), COMPLEX, 20),
    *rows('signal.fft2d signal.ifft2d', transform(2), COMPLEX, 20),
    *rows('signal.rfft', sized(1), REALS, 20),
    *rows('signal.rfft2d', sized(2), REALS, 20),
    *rows('signal.irfft', sized(1), COMPLEX, 20),
]
