"""Matrices for tests of linear algebra: well conditioned, with distinct singular values."""

from typing import Any

import numpy as np


def general(dtype: Any, *shape: int, seed: int = 0) -> np.ndarray:
    """Matrices with entries around 0, far from singular."""
    dtype = np.dtype(dtype)
    generator = np.random.default_rng(seed)
    values = generator.normal(size=shape)
    if dtype.kind == 'c':
        values = values + 1j * generator.normal(size=shape)
    values = values + 3 * np.eye(*shape[-2:])
    return np.asarray(values.astype(dtype))


def positive(dtype: Any, *shape: int, seed: int = 0) -> np.ndarray:
    """Hermitian, positive definite matrices."""
    values = general(
        np.complex128 if np.dtype(dtype).kind == 'c' else np.float64, *shape, seed=seed
    )
    product = values @ np.swapaxes(values, -1, -2).conj()
    spread = np.diag(np.arange(shape[-1]) + 1.0)
    return np.asarray((product + spread).astype(dtype))


def adjoint(array: np.ndarray) -> np.ndarray:
    """The conjugate transposes."""
    return np.swapaxes(array, -1, -2).conj()


FACTORED = [np.float32, np.float64, np.complex64, np.complex128]
DOUBLE = [np.float64, np.complex128]
LOOSER = 50
"""Factor on the tolerances: a factorisation is a long sum."""
