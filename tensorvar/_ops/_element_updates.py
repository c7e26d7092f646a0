"""Updates of single elements by index, of which several may meet one element.

NumPy's ufuncs do this with ``at``. CuPy's (14.2) do for few dtypes, and not always
right: ``subtract`` knows 32-bit integers alone, no function knows small or complex
ones, and extremes of float64 are rounded to float32 and pass over NaN. So on a card
everything is led back to what CuPy's atomic operations compute exactly.
"""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._device import determinism

_WIDENED = {
    dtypes.bfloat16.numpy: dtypes.float32.numpy,
    dtypes.float16.numpy: dtypes.float32.numpy,
    dtypes.int8.numpy: dtypes.int32.numpy,
    dtypes.int16.numpy: dtypes.int32.numpy,
    dtypes.uint8.numpy: dtypes.int32.numpy,
    dtypes.uint16.numpy: dtypes.int32.numpy,
}
_PARTS = {
    dtypes.complex64.numpy: dtypes.float32.numpy,
    dtypes.complex128.numpy: dtypes.float64.numpy,
}
_BITS = {
    dtypes.float32.numpy: dtypes.int32.numpy,
    dtypes.float64.numpy: dtypes.int64.numpy,
}


def update_at(xp: Any, name: str, target: Array, places: Array, values: Array) -> None:
    """Does ``xp.<name>.at(target, places, values)``.

    Args:
        xp: the array module.
        name: of the ufunc; on a card ``'add'``, ``'subtract'``, ``'maximum'`` or
            ``'minimum'``.
        target: what is changed, contiguous and of rank 1.
        places: integers in range, shape ``(n,)``.
        values: numbers of the dtype of ``target``, shape ``(n,)``.
    """
    if not hasattr(xp, 'cuda'):
        getattr(xp, name).at(target, places, values)
        return
    if determinism.enabled and name in ('add', 'subtract') and target.dtype in dtypes.INEXACT:
        raise errors.UnimplementedError(
            f'[{name}] {target.dtype} values are added by index on a GPU, in an order that '
            f'varies, and tv.config.experimental.enable_op_determinism was called; allowed are '
            f'integers, or the CPU; use tv.device("CPU:0") for this op'
        )
    if name == 'subtract':
        _add(xp, target, places, xp.zeros((), values.dtype) - values)
    elif name == 'add':
        _add(xp, target, places, values)
    else:
        _extreme(xp, name, target, places, values)


def _add(xp: Any, target: Array, places: Array, values: Array) -> None:
    part = _PARTS.get(target.dtype)
    wide = _WIDENED.get(target.dtype)
    if part is not None:
        parts = target.view(part)
        xp.add.at(parts, 2 * places, values.real)
        xp.add.at(parts, 2 * places + 1, values.imag)
    elif wide is not None:
        total = target.astype(wide)
        xp.add.at(total, places, values.astype(wide))
        target[...] = total.astype(target.dtype)
    else:
        xp.add.at(target, places, values)


def _extreme(xp: Any, name: str, target: Array, places: Array, values: Array) -> None:
    wide = _WIDENED.get(target.dtype)
    if wide is not None:
        found = target.astype(wide)
        _extreme(xp, name, found, places, values.astype(wide))
        target[...] = found.astype(target.dtype)
    elif target.dtype in _BITS:
        keys = _ordered_keys(xp, name, target)
        getattr(xp, name).at(keys, places, _ordered_keys(xp, name, values))
        target[...] = _flipped(keys).view(target.dtype)
    else:
        getattr(xp, name).at(target, places, values)


def _ordered_keys(xp: Any, name: str, values: Array) -> Array:
    """Integers in the order of the floats; a NaN's is the one that wins."""
    bits = _BITS[values.dtype]
    limits = np.iinfo(bits)
    winner = limits.max if name == 'maximum' else limits.min
    keys = _flipped(xp.ascontiguousarray(values).view(bits))
    return xp.where(xp.isnan(values), xp.asarray(winner, dtype=bits), keys)


def _flipped(bits: Array) -> Array:
    """Negative floats grow as their bits shrink; what undoes this is the same."""
    limits = np.iinfo(bits.dtype)
    return bits ^ ((bits >> (limits.bits - 1)) & limits.max)
