"""Layers of matrix products in plans: made, compared with eager runs, and looked at."""

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorvar as tv


def values(dtype: Any, *shape: int, seed: int = 0) -> np.ndarray:
    """Floats between -2 and 2."""
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(dtype)


def layer(
    dtype: Any = np.float32, size: tuple[int, int, int] = (12, 7, 20)
) -> tuple[Any, Any, Any]:
    """A batch, weights and a bias."""
    m, n, k = size
    shapes = ((m, k), (k, n), (n,))
    x, w, b = (tv.constant(values(dtype, *shape, seed=i)) for i, shape in enumerate(shapes))
    return x, w, b


def bits(results: Any) -> list[Any]:
    """Nested results as bytes, where they are and what they are."""
    return [
        (each.device, each.dtype, tuple(each.shape), each.numpy().tobytes())
        for each in tv.nest.flatten(results)
    ]


def check(function: Callable[..., Any], *arguments: Any) -> Any:
    """Compares two replays with an eager run, bit for bit; gives the function."""
    expected = bits(function(*arguments))
    traced = tv.function(function)
    for _ in range(3):
        assert bits(traced(*arguments)) == expected
    return traced


def fused(traced: Any) -> list[str]:
    """What is fused in a plan, with what."""
    plan = traced.pretty_printed_plan()
    words = [line.split('= fused_')[1] for line in plan.splitlines() if '= fused_' in line]
    return [word[: word.index('_(')].rstrip('0123456789').rstrip('_') for word in words]


def dense(x: Any, w: Any, b: Any) -> Any:
    """What most layers do."""
    return tv.nn.relu(tv.matmul(x, w) + b)
