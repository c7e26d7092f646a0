"""Draws without a seed, from the fastest generator that each kind of array has.

NumPy's and CuPy's ``default_rng``, one per thread and device, seeded by the operating
system, and anew in a forked child. On a card their states count as ``other`` memory.
"""

import threading
import weakref
from collections.abc import Callable
from typing import Any

from tensorvar import _fork, dtypes
from tensorvar._backend.base import Array
from tensorvar._ops import distributions
from tensorvar._ops.distributions import NumpyDType, Shape

_FLOAT32 = dtypes.float32.numpy

# Sixteen-bit floats are drawn as multiples of 2**-bits, of which none rounds up to 1.
_UNIFORM_BITS = {dtypes.float16.numpy: 11, dtypes.bfloat16.numpy: 8}

_of_this_thread = threading.local()


@_fork.in_child
def _forget_generators() -> None:
    global _of_this_thread
    _of_this_thread = threading.local()


def _generator(xp: Any) -> Any:
    # CuPy serves all cards with one module, and a generator's state belongs to one stream.
    owner = xp.cuda.get_current_stream() if hasattr(xp, 'cuda') else xp
    try:
        generators = _of_this_thread.generators
    except AttributeError:
        generators = _of_this_thread.generators = weakref.WeakKeyDictionary()
    found = generators.get(owner)
    if found is None:
        make: Callable[..., Any] = getattr(xp, 'library_call', _call)
        found = generators[owner] = make(xp.random.default_rng)
    return found


def _call(function: Callable[[], Any]) -> Any:
    return function()


def uniform(xp: Any, shape: Shape, dtype: NumpyDType) -> Array:
    """Floats in [0, 1)."""
    if 0 in shape:
        return xp.empty(shape, dtype)
    bits = _UNIFORM_BITS.get(dtype)
    if bits is None:
        return _generator(xp).random(shape, dtype=dtype)
    steps = _generator(xp).integers(0, 1 << bits, shape, dtype=xp.uint32)
    return (steps.astype(xp.float32) * 2.0**-bits).astype(dtype)


def integers(xp: Any, shape: Shape, dtype: NumpyDType, low: int, high: int) -> Array:
    """Integers in [low, high), which must not be empty, all equally likely."""
    if 0 in shape:
        return xp.empty(shape, dtype)
    unsigned = xp.uint64 if dtype.itemsize == 8 else xp.uint32
    drawn = _generator(xp).integers(0, high - low, shape, dtype=unsigned)
    return distributions.shift_integers(drawn, low, dtype)


def normal(xp: Any, shape: Shape, dtype: NumpyDType) -> Array:
    """Normal values with mean 0 and standard deviation 1."""
    if 0 in shape:
        return xp.empty(shape, dtype)
    return _normal(xp, shape, dtype).astype(dtype, copy=False)


def truncated_normal(xp: Any, shape: Shape, dtype: NumpyDType) -> Array:
    """Normal values, drawn again where they are 2 or more away from 0."""
    if 0 in shape:
        return xp.empty(shape, dtype)
    result = _normal(xp, shape, dtype)
    flat = result.reshape(-1)
    places = xp.nonzero(xp.abs(flat) >= distributions.TRUNCATION)[0]
    while places.size:
        flat[places] = drawn = _normal(xp, places.shape, dtype)
        places = places[xp.nonzero(xp.abs(drawn) >= distributions.TRUNCATION)[0]]
    return result.astype(dtype, copy=False)


def permutation(xp: Any, length: int) -> Array:
    """The numbers below ``length`` (at least 1), shuffled; int64."""
    return xp.argsort(_generator(xp).random((length,)))


def _normal(xp: Any, shape: Shape, dtype: NumpyDType) -> Array:
    """Normal values in float64, or in float32 for narrower dtypes."""
    computed = dtype if dtype.itemsize == 8 else _FLOAT32
    return _generator(xp).standard_normal(shape, dtype=computed)
