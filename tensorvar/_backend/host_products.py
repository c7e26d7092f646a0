"""Products and powers of NumPy arrays, faster than by NumPy's first choice; the same bits."""

from typing import Any

import numpy as np

from tensorvar._backend.base import Array


def multiply_no_nan(x: Array, y: Array, *, out: Array | None = None) -> Array:
    """``x * y``, and 0 where ``y`` is 0; counting zeros is cheaper than choosing."""
    if np.count_nonzero(y) == y.size:
        return np.multiply(x, y, out=out)
    # Not at once into ``out``, which may be ``y``.
    result = np.where(y, np.multiply(x, y), y.dtype.type(0))
    if out is None:
        return result
    np.copyto(out, result)
    return out


def power(x: Array, y: Array, *, out: Array | None = None) -> Array:
    """``np.power(x, y, out=out)``, whose loop for squares takes five times ``np.square``."""
    if y.ndim == 0 and x.dtype.kind == 'f':
        exponent: Any = y.item()
        if exponent == 2:
            return np.square(x, out=out)
        if exponent == 1:
            return np.positive(x, out=out)
    return np.power(x, y, out=out)
