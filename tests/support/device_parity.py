"""Runs one body on a device and compares it with NumPy.

Used with the ``device`` fixture, so that each such test runs on every device kind::

    def test_exp(device):
        device_parity.check(device, tv.exp, np.exp, np.linspace(-2, 2, 7, dtype=np.float32))
"""

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

import tensorvar as tv
from tests.support import tolerances

HALF_PRECISION = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))


def check(
    device: str,
    body: Callable[..., Any],
    reference: Callable[..., Any],
    *inputs: np.ndarray,
    dtype: Any = None,
    looser: float = 1.0,
) -> None:
    """Asserts that ``body`` on ``device`` equals ``reference`` on the host.

    Compares the number of results, then for each its device, dtype, shape and values.

    Args:
        device: short device name, from the ``device`` fixture.
        body: takes one tensor per input; gives a tensor or a sequence of tensors.
        reference: takes one array per input; gives an array or a sequence of arrays.
            Sixteen-bit inputs reach it as float32, because tensorvar computes so.
        *inputs: host arrays.
        dtype: wanted dtype of all results; None for the dtype of the first input.
        looser: factor on the tolerances of the dtype.
    """
    wanted = np.dtype(inputs[0].dtype if dtype is None else getattr(dtype, 'numpy', dtype))
    expected = _sequence(reference(*[_wide(array) for array in inputs]))
    with tv.device(device):
        actual = _sequence(body(*[tv.constant(array) for array in inputs]))
    assert len(actual) == len(expected), f'{len(actual)} results, not {len(expected)}'
    for position, (result, array) in enumerate(zip(actual, expected, strict=True)):
        what = f'result {position} on {device}'
        assert result.device.endswith(f'device:{device}'), f'{what}: it is on {result.device}'
        tolerances.assert_close(
            result.numpy(), np.asarray(array).astype(wanted), looser=looser, what=what
        )


def sample(dtype: Any, shape: Sequence[int], *, seed: int = 0, low: float = -2.0) -> np.ndarray:
    """Reproducible host values of any dtype, spread over ``low`` to 2.

    Args:
        dtype: of the result; unsigned types and bools get no negative values.
        shape: of the result.
        seed: of the draw.
        low: the smallest value, above 0 for functions such as ``log``.
    """
    dtype = np.dtype(dtype)
    generator = np.random.default_rng(seed)
    if dtype.kind == 'b':
        return generator.integers(0, 2, shape).astype(dtype)
    if dtype.kind in 'iu':
        lowest = max(int(low * 10), 0) if dtype.kind == 'u' else int(low * 10)
        return generator.integers(lowest, 20, shape).astype(dtype)
    values = generator.uniform(low, 2.0, shape)
    if dtype.kind == 'c':
        values = values + 1j * generator.uniform(low, 2.0, shape)
    return np.asarray(values).astype(dtype)


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype in HALF_PRECISION else array


def _sequence(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (list, tuple)) else [results]
