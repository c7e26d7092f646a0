"""Operands in the shape of the result, where NumPy would take longer to broadcast them.

NumPy calls its loop once for each row; for short rows the call takes longer than the loop.
Fetching all elements first, by their numbers or by rows, and one loop over all is faster:
(32, 128) + (128,) takes 1.0 us in place of 1.3, (32, 10) + (10,) 0.5 in place of 0.8.
"""

import math
from typing import NamedTuple

import numpy as np

from tensorvar._backend.base import Array

# Below, there is nothing to gain.
_FEWEST_ROWS = 8
_SHORTEST_ROW = 4
# Up to so many elements each is fetched by its number.
_MOST_FETCHED = 512
# Above, memory is what takes the time.
_MOST_SPREAD = 1 << 16


class Spread(NamedTuple):
    """How an operand is spread.

    Attributes:
        text: a call of NumPy, in which ``{value}``, ``{index}`` and ``{tile}`` stand for
            the operand, the index and an array for the result.
        index: what is fetched.
    """

    text: str
    index: Array


def how_to(shape: tuple[int, ...], result: tuple[int, ...]) -> Spread | None:
    """How to spread an operand; None where NumPy broadcasts it as fast.

    Args:
        shape: of the operand.
        result: the shape that it gets.
    """
    elements = math.prod(result)
    if shape == result or math.prod(shape) <= 1 or not 0 < elements <= _MOST_SPREAD:
        return None
    if elements // result[-1] < _FEWEST_ROWS:
        return None
    # Clipping spares NumPy a copy of what it has to undo if a number is wrong.
    if elements <= _MOST_FETCHED:
        numbers = np.arange(math.prod(shape)).reshape(shape)
        spread = np.broadcast_to(numbers, result).copy()
        return Spread("{value}.take({index}, None, {tile}, 'clip')", spread)
    if math.prod(shape) == shape[-1] >= _SHORTEST_ROW and shape[-1] == result[-1]:
        rows = np.zeros(result[:-1], np.intp)
        return Spread("{value}.reshape(1, -1).take({index}, 0, {tile}, 'clip')", rows)
    return None
