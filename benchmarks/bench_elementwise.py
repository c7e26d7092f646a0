"""Elementwise maths on float32."""

from collections.abc import Callable
from typing import Any

from benchmarks.cases import SIZES, Cases, label


def tensorvar_cases(tv: Any) -> Cases:
    return _cases(tv, lambda size, value: tv.fill([size], value), tv.nn.relu)


def numpy_cases(np: Any) -> Cases:
    return _cases(
        np, lambda size, value: np.full(size, value, np.float32), lambda x: np.maximum(x, 0)
    )


def torch_cases(torch: Any) -> Cases:
    return _cases(torch, lambda size, value: torch.full((size,), value), torch.relu)


def jax_cases(jax: Any) -> Cases:
    numpy = jax.numpy
    return _cases(numpy, lambda size, value: numpy.full(size, value, 'float32'), jax.nn.relu)


def _cases(module: Any, fill: Callable[[int, float], Any], relu: Callable[[Any], Any]) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        x, y = fill(size, 0.5), fill(size, 2.0)
        cases |= {
            label('add', size): lambda x=x, y=y: x + y,
            label('multiply', size): lambda x=x, y=y: x * y,
            label('divide', size): lambda x=x, y=y: x / y,
            label('less', size): lambda x=x, y=y: x < y,
            label('maximum', size): lambda x=x, y=y: module.maximum(x, y),
            label('exp', size): lambda x=x: module.exp(x),
            label('tanh', size): lambda x=x: module.tanh(x),
            label('relu', size): lambda x=x: relu(x),
        }
    return cases
