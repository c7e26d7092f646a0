"""Sixteen-bit floats: compute in float32, round once.

Forwards of one array call need none of this: NumPy and CuPy round once themselves.
Those of several calls would round after each; and a bfloat16 array times a Python
float is float32 in NumPy.
"""

import functools
from typing import Any

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import Forward

_FLOAT32 = dtypes.float32.numpy


def in_float32(forward: Forward) -> Forward:
    """Makes a forward see float32 in place of float16 and bfloat16.

    Args:
        forward: gives arrays of the dtype of its first input.

    Returns:
        A forward that rounds the results to the dtype of the first input.
    """

    @functools.wraps(forward)
    def rounded_once(xp: Any, *arrays: Array, **attributes: Any) -> Any:
        dtype = arrays[0].dtype
        # The size is compared first because it is cheaper than a look-up of the dtype.
        if dtype.itemsize != 2 or dtype not in dtypes.HALF_PRECISION:
            return forward(xp, *arrays, **attributes)
        wide = [array.astype(_FLOAT32) if array.dtype == dtype else array for array in arrays]
        result = forward(xp, *wide, **attributes)
        if type(result) is tuple:
            return tuple([array.astype(dtype) for array in result])
        return result.astype(dtype)

    return rounded_once
