"""How close values must be, per dtype: one table for every test.

Sixteen-bit floats compute in float32 and round once, so their bound is one unit
in the last place around the rounded reference. Integers, bools and strings are exact.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np


class Tolerance(NamedTuple):
    """``abs(actual - expected) <= absolute + relative * abs(expected)``."""

    relative: float
    absolute: float


EXACT = Tolerance(0.0, 0.0)
BY_DTYPE = {
    np.dtype(np.float16): Tolerance(2e-3, 2e-4),
    np.dtype(ml_dtypes.bfloat16): Tolerance(1.6e-2, 2e-3),
    np.dtype(np.float32): Tolerance(2e-6, 2e-6),
    np.dtype(np.float64): Tolerance(1e-12, 1e-12),
    np.dtype(np.complex64): Tolerance(2e-6, 2e-6),
    np.dtype(np.complex128): Tolerance(1e-12, 1e-12),
}


def of(dtype: Any) -> Tolerance:
    """The tolerance of a dtype."""
    return BY_DTYPE.get(np.dtype(dtype), EXACT)


def assert_close(
    actual: np.ndarray, expected: Any, *, looser: float = 1.0, what: str = 'result'
) -> None:
    """Compares dtype, then shape, then values, each with its own message.

    Args:
        actual: what came out.
        expected: array with the wanted dtype and shape.
        looser: factor on the table's tolerance, for sums of many terms.
        what: name of the value, for the message.
    """
    expected = np.asarray(expected)
    assert actual.dtype == expected.dtype, f'{what}: dtype {actual.dtype}, not {expected.dtype}'
    assert actual.shape == expected.shape, f'{what}: shape {actual.shape}, not {expected.shape}'
    tolerance = of(expected.dtype)
    if tolerance is EXACT:
        np.testing.assert_array_equal(actual, expected, err_msg=what)
        return
    wide = np.complex128 if expected.dtype.kind == 'c' else np.float64
    np.testing.assert_allclose(
        actual.astype(wide),
        expected.astype(wide),
        rtol=tolerance.relative * looser,
        atol=tolerance.absolute * looser,
        err_msg=what,
    )


def ids(dtypes: Sequence[Any]) -> list[str]:
    """Readable test ids for a list of dtypes."""
    return [np.dtype(dtype).name for dtype in dtypes]
