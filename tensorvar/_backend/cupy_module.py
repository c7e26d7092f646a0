"""CuPy as the array module of array code, with what its functions lack made up for.

``where`` (CuPy 14.2) knows no bfloat16 and gives float32 instead, in silence. Selecting
does no arithmetic, so here it selects the bits.
"""

from types import ModuleType
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend.base import Array

_BFLOAT16 = dtypes.bfloat16.numpy
_BITS = np.dtype(np.uint16)

_made: list[tuple[Any, ModuleType]] = []


def complete(cupy: Any) -> ModuleType:
    """The module to compute with: all that CuPy has, and the functions of this one.

    Args:
        cupy: the CuPy module.

    Returns:
        A module of the same name; the same one for the same CuPy.
    """
    for known, module in _made:
        if known is cupy:
            return module
    module = ModuleType('cupy', cupy.__doc__)
    vars(module).update(vars(cupy))
    original = vars(cupy).get('where')

    def where(condition: Array, *values: Any) -> Any:
        """``cupy.where``, for bfloat16 as well."""
        if not any(getattr(value, 'dtype', None) is _BFLOAT16 for value in values):
            return original(condition, *values)
        bits = [cupy.asarray(value, dtype=_BFLOAT16).view(_BITS) for value in values]
        return original(condition, *bits).view(_BFLOAT16)

    module.where = where  # type: ignore[attr-defined]
    _made.append((cupy, module))
    return module
