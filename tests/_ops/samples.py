"""Values for numeric gradients: none near 0, no two near each other."""

import numpy as np


def float64(*shape: int, seed: int = 0) -> np.ndarray:
    """Real values within about 2 of 0, in random order."""
    count = int(np.prod(shape))
    values = np.random.default_rng(seed).permutation(count) - count / 2 + 0.25
    return (values / max(count, 4) * 4).reshape(shape)


def complex128(*shape: int, seed: int = 0) -> np.ndarray:
    """Complex values whose parts are of that kind."""
    return float64(*shape, seed=seed) + 1j * float64(*shape, seed=seed + 100)
