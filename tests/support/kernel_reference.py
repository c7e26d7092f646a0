"""What the assign family must give, in NumPy, and values that show when it does not."""

from typing import Any

import ml_dtypes
import numpy as np

from tensorvar._cuda import element_types

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = tuple(
    np.dtype(name)
    for name in (
        'float16', BFLOAT16, 'float32', 'float64', 'int8', 'int16', 'int32', 'int64',
        'uint8', 'uint16', 'uint32', 'uint64', 'bool', 'complex64', 'complex128',
    )
)  # fmt: skip

_NUMPY = {
    'assign_add': np.add,
    'assign_sub': np.subtract,
    'assign_mul': np.multiply,
    'assign_min': np.minimum,
    'assign_max': np.maximum,
}
_SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 6e-8, 65519.0, 65520.0, 1e300)


def dtype_named(name: str) -> np.dtype[Any]:
    """The dtype, also where NumPy itself has none of that name."""
    return BFLOAT16 if name == 'bfloat16' else np.dtype(name)


def tf32(values: np.ndarray) -> np.ndarray:
    """Rounded to 10 bits of mantissa, ties away from zero."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)


def values(dtype: np.dtype[Any], count: int, generator: np.random.Generator) -> np.ndarray:
    """Values of a dtype, its special and extreme ones among them."""
    if dtype.kind == 'b':
        return generator.integers(0, 2, count).astype(dtype)
    if dtype.kind in 'iu':
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, count, dtype=dtype, endpoint=True)
    found = generator.standard_normal(count) * 10.0 ** generator.integers(-3, 4, count)
    if dtype.kind == 'c':
        return (found + 1j * generator.standard_normal(count)).astype(dtype)
    special = generator.random(count) < 0.2
    found[special] = generator.choice(_SPECIAL, special.sum())
    with np.errstate(all='ignore'):
        return found.astype(dtype)


def convert(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """NumPy's conversion, with the imaginary part dropped in silence."""
    if dtype.kind not in 'cb' and array.dtype.kind == 'c':
        array = array.real
    with np.errstate(all='ignore'):
        return array.astype(dtype)


def assigned(op: str, destination: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The destination after the op, as a new array."""
    source = np.broadcast_to(source, destination.shape)
    if op == 'assign':
        return convert(source, destination.dtype)
    computed = element_types.compute_type(op, destination.dtype, source.dtype)
    with np.errstate(all='ignore'):
        result = _NUMPY[op](convert(destination, computed), convert(source, computed))
    return convert(result, destination.dtype)


def assert_same(actual: np.ndarray, expected: np.ndarray, what: str, *, products: bool) -> None:
    """Asserts equality, bit for bit but for the bits of NaN and the sign of zero.

    Args:
        actual: what the kernel gave.
        expected: what NumPy gives.
        what: of the case, for the message.
        products: whether complex numbers were multiplied, which NumPy may fuse.
    """
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    with np.errstate(invalid='ignore'):
        same = (actual == expected) | ((actual != actual) & (expected != expected))
    if products and actual.dtype.kind == 'c':
        same |= _nearly(actual, expected)
    if not np.all(same):
        wrong = np.flatnonzero(~np.atleast_1d(same))
        first = wrong[0]
        raise AssertionError(
            f'{what}: {wrong.size} of {actual.size} differ, the first at {first}: '
            f'{actual.flat[first]!r}, not {expected.flat[first]!r}'
        )


def _nearly(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    # A part that cancels is rounded at the size of what was added up; the values are of
    # all sizes, so the largest of the array stands for it.
    with np.errstate(all='ignore'):
        size = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        return np.abs(actual - expected) <= 4 * np.finfo(actual.dtype).eps * size
