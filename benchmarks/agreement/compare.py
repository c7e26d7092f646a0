"""Is our outcome TensorFlow's? Strictly: dtype, shape, values to the tolerance of the dtype."""

import builtins
from typing import Any

import ml_dtypes
import numpy as np

from benchmarks.agreement.outcome import Outcome
from tensorvar import errors
from tests.support import tolerances

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def difference(expected: Outcome, actual: Outcome, looser: float) -> str | None:
    """What differs first, in words; None if nothing does."""
    if expected[0] == 'error' or actual[0] == 'error':
        return _errors_differ(expected, actual)
    if expected[0] != actual[0]:
        return f'{actual[0]} instead of {expected[0]}'
    match expected:
        case ['tensor' | 'ndarray', dtype, shape, values]:
            return _arrays_differ(dtype, shape, values, actual, looser)
        case ['list' | 'tuple', items, fields]:
            if len(items) != len(actual[1]) or fields != actual[2]:
                return f'{len(actual[1])} items {actual[2]}, not {len(items)} items {fields}'
            return _first(zip(items, actual[1], strict=True), looser)
        case ['dict', items]:
            if list(items) != list(actual[1]):
                return f'keys {list(actual[1])}, not {list(items)}'
            return _first(zip(items.values(), actual[1].values(), strict=True), looser)
        case ['slices', *parts]:
            return _first(
                ((one, other) for one, other in zip(parts, actual[1:], strict=True) if one), looser
            )
        case ['python', 'float', number]:
            close = actual[1] == 'float' and np.isclose(number, actual[2], 1e-6, equal_nan=True)
            return None if close else f'{actual[1:]}, not {number}'
    return None if expected == actual else f'{actual[1:]}, not {expected[1:]}'


def _first(pairs: Any, looser: float) -> str | None:
    found = (difference(one, other, looser) for one, other in pairs)
    return next((text for text in found if text), None)


def _errors_differ(expected: Outcome, actual: Outcome) -> str | None:
    if expected[0] != 'error':
        return f'raised {actual[1][0]}: {actual[2]}'
    catching = next(name for name in expected[1]
                    if hasattr(errors, name) or hasattr(builtins, name))  # fmt: skip
    if actual[0] != 'error':
        return f'raised nothing, not {catching}'
    return None if catching in actual[1] else f'raised {actual[1][0]}, not {catching}: {actual[2]}'


def _arrays_differ(
    dtype: str, shape: list[int], values: list[Any], actual: Outcome, looser: float
) -> str | None:
    _, found_dtype, found_shape, found = actual
    if found_dtype != dtype:
        return f'dtype {found_dtype}, not {dtype}'
    if found_shape != shape:
        return f'shape {found_shape}, not {shape}'
    tolerance = tolerances.of(BFLOAT16 if dtype == 'bfloat16' else _known(dtype))
    if tolerance is tolerances.EXACT:
        return None if found == values else f'values {found[:6]}, not {values[:6]}'
    one, other = np.array(values, np.float64), np.array(found, np.float64)
    relative, absolute = (bound * looser for bound in tolerance)
    # Infinities of one sign, and nan with nan, are close.
    close = np.isclose(other, one, relative, absolute, equal_nan=True)
    if close.all():
        return None
    at = int(np.argmin(close.ravel()))
    return f'value {other.ravel()[at]!r}, not {one.ravel()[at]!r}, at {at}'


def _known(dtype: str) -> Any:
    return object if dtype == 'string' else dtype
