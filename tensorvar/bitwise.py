"""Operations on the bits of integers."""

from tensorvar import _left_out
from tensorvar._ops.bitwise import (
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    invert,
    left_shift,
    right_shift,
)

__all__ = [
    'bitwise_and',
    'bitwise_or',
    'bitwise_xor',
    'invert',
    'left_shift',
    'right_shift',
]

_left_out.install(__name__, __all__)
