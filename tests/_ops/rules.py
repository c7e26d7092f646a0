"""Runs bodies with the check that every op's result is what its rule says."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np

from tensorvar._device import switches
from tests.support import device_parity

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
COMPLEX = [np.complex64, np.complex128]
SIGNED = [np.int8, np.int16, np.int32, np.int64]
UNSIGNED = [np.uint8, np.uint16, np.uint32, np.uint64]
INTEGERS = SIGNED + UNSIGNED
REAL = FLOATS + INTEGERS
NUMBERS = REAL + COMPLEX


def check(
    device: str,
    body: Callable[..., Any],
    reference: Callable[..., Any],
    *inputs: Any,
    **options: Any,
) -> None:
    """``device_parity.check`` on the direct path, and on the full path with the rules."""

    def quiet(*arrays: Any) -> Any:
        with np.errstate(all='ignore'):
            return reference(*arrays)

    device_parity.check(device, body, quiet, *inputs, **options)
    with verified():
        device_parity.check(device, body, quiet, *inputs, **options)


@contextlib.contextmanager
def verified() -> Iterator[None]:
    """Compares the result of every op with its rule."""
    switches.set_switch(switches.VERIFY_RULES, True)
    try:
        yield
    finally:
        switches.set_switch(switches.VERIFY_RULES, False)


def name_of(value: Any) -> str | None:
    """Ids for parametrised tests: names of functions and dtypes."""
    if isinstance(value, type):
        return np.dtype(value).name
    return getattr(value, '__name__', None)
