"""Operations on the bits of integers."""

from tensorvar import _left_out
from tensorvar._ops.bitwise import bitwise_and as bitwise_and
from tensorvar._ops.bitwise import bitwise_or as bitwise_or
from tensorvar._ops.bitwise import bitwise_xor as bitwise_xor
from tensorvar._ops.bitwise import invert as invert
from tensorvar._ops.bitwise import left_shift as left_shift
from tensorvar._ops.bitwise import right_shift as right_shift

__all__ = [
    'bitwise_and',
    'bitwise_or',
    'bitwise_xor',
    'invert',
    'left_shift',
    'right_shift',
]

_left_out.install(__name__, __all__)
