"""The card that the checks of the families run on, and how they compare."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from tensorvar._core import device_kernels
from tensorvar._device import registry

Host = np.ndarray[Any, Any]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOAT16, FLOAT32, FLOAT64 = (np.dtype(name) for name in ('float16', 'float32', 'float64'))
INT8, INT32, INT64 = (np.dtype(name) for name in ('int8', 'int32', 'int64'))

_POISON = 0xCD


class SkipCheckError(Exception):
    """Carries the reason why a check cannot be made on this card."""


class Machine(NamedTuple):
    """A card and its kernels.

    Attributes:
        backend: its memory.
        kernels: of the library, as its operations launch them.
    """

    backend: Any
    kernels: Any

    @property
    def chip(self) -> str:
        """What is compiled for, such as ``'sm_90a'``."""
        return str(self.kernels.matmul.target.name)

    def put(self, host: Host) -> Any:
        """A copy on the card."""
        return self.backend.from_host(host)

    def poisoned(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Any:
        """An array whose every element is yet to be written: bytes of garbage, NaN for floats."""
        host: Host = np.empty(tuple(shape), dtype)
        host.view(np.uint8)[...] = _POISON
        if dtype.kind in 'fc' or dtype == BFLOAT16:
            host[...] = math.nan
        return self.put(host)

    def get(self, array: Any) -> Host:
        """What is in an array now; waits for the card."""
        host: Host = self.backend.to_host(array)
        return host

    def run(self, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        """Calls what launches kernels, with the card and its stream current."""
        return self.backend.call(function, *args, **keywords)


def first() -> Machine:
    """The first card.

    Raises:
        RuntimeError: there is none, or it has no kernels.
    """
    registry.devices()
    device = registry.lookup('GPU', 0)
    if device is None:
        raise RuntimeError(f'there is no GPU: {registry.why_no_gpu()}')
    found = device_kernels.find(device.backend)
    if not found.usable:
        raise RuntimeError(f'GPU:0 has no kernels: {found.why}')
    return Machine(device.backend, found)


def expect(condition: Any, what: str) -> None:
    """Fails the check unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def equal(found: Host, expected: Host, what: str) -> None:
    """Fails the check unless all elements are the same."""
    expect(
        (found.shape, found.dtype) == (expected.shape, expected.dtype),
        f'{what}: {found.dtype} {found.shape}, not {expected.dtype} {expected.shape}',
    )
    wrong = np.flatnonzero((found != expected).ravel())
    if wrong.size:
        first = int(wrong[0])
        pair = f'{found.ravel()[first]}, not {expected.ravel()[first]}'
        raise AssertionError(f'{what}: {wrong.size} of {found.size} differ; [{first}] is {pair}')


def close(found: Host, exact: Host, tolerance: float, what: str) -> None:
    """Fails the check unless the error is small beside the whole; NaN never is."""
    wide: Any = np.complex128 if exact.dtype.kind == 'c' else np.float64
    expect(found.shape == exact.shape, f'{what}: shape {found.shape}, not {exact.shape}')
    difference = np.linalg.norm((found.astype(wide) - exact.astype(wide)).ravel())
    error = float(difference) / max(float(np.linalg.norm(exact.astype(wide).ravel())), 1e-30)
    expect(error <= tolerance, f'{what}: relative error {error:.2e}, allowed {tolerance:.0e}')
