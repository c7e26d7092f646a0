"""CuPy as the array module of array code, with what its functions lack made up for.

What selects elements (CuPy 14.2) knows no bfloat16 and gives float32 instead, in silence.
Selecting does no arithmetic, so here it selects the bits. And of the two remainders each is
exact for one kind of numbers alone, from which the other kind's is made here.
"""

from types import ModuleType
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._backend import cupy_libraries
from tensorvar._backend.base import Array

_BFLOAT16 = dtypes.bfloat16.numpy
_BITS = np.dtype(np.uint16)

_made: list[tuple[Any, ModuleType]] = []


def complete(cupy: Any) -> ModuleType:
    """The module to compute with: all that CuPy has, and the functions of this one.

    Args:
        cupy: the CuPy module.

    Returns:
        A module of the same name; the same one for the same CuPy. Its ``library_call`` runs
        what keeps memory from call to call, see ``cupy_libraries``.
    """
    for known, module in _made:
        if known is cupy:
            return module
    module = ModuleType('cupy', cupy.__doc__)
    vars(module).update(vars(cupy))
    vars(module).update(vars(_Completed(cupy)))
    _made.append((cupy, module))
    return module


class _Completed:
    """The functions that take the place of CuPy's."""

    def __init__(self, cupy: Any) -> None:
        def where(condition: Array, *values: Any) -> Any:
            """``cupy.where``, for bfloat16 as well."""
            if not any(getattr(value, 'dtype', None) is _BFLOAT16 for value in values):
                return cupy.where(condition, *values)
            bits = [cupy.asarray(value, dtype=_BFLOAT16).view(_BITS) for value in values]
            return cupy.where(condition, *bits).view(_BFLOAT16)

        def tril(array: Array, k: int = 0) -> Array:
            """``cupy.tril``, for bfloat16 as well."""
            if array.dtype is not _BFLOAT16:
                return cupy.tril(array, k)
            return cupy.tril(array.view(_BITS), k).view(_BFLOAT16)

        def triu(array: Array, k: int = 0) -> Array:
            """``cupy.triu``, for bfloat16 as well."""
            if array.dtype is not _BFLOAT16:
                return cupy.triu(array, k)
            return cupy.triu(array.view(_BITS), k).view(_BFLOAT16)

        def remainder(x: Array, y: Array) -> Array:
            """``cupy.remainder``; for floats exact, where CuPy's rounds a quotient."""
            if x.dtype.kind in 'iu':
                return cupy.remainder(x, y)
            rest = cupy.fmod(x, y)
            return where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)

        def fmod(x: Array, y: Array) -> Array:
            """``cupy.fmod``; for integers of 64 bits exact, where CuPy's divides float64."""
            if x.dtype.kind not in 'iu' or x.dtype.itemsize < 8:
                return cupy.fmod(x, y)
            rest = cupy.remainder(x, y)
            return where((rest != 0) & ((x < 0) != (y < 0)), rest - y, rest)

        libraries = cupy_libraries.Libraries(cupy)
        self.library_call = libraries.call
        if hasattr(cupy, 'fft'):
            self.fft = libraries.transforms()
        self.where = where
        self.remainder = remainder
        self.fmod = fmod
        self.tril = tril
        self.triu = triu
