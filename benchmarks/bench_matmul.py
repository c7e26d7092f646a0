"""Matrix products in float32: square, transposed, batched."""

from collections.abc import Callable
from typing import Any

from benchmarks.cases import Cases

EDGES = (4, 32, 256, 1024)
BATCH = (64, 64, 64)


def tensorvar_cases(tv: Any) -> Cases:
    def transposed(x: Any, y: Any) -> Any:
        return tv.matmul(x, y, transpose_b=True)

    return _cases(lambda shape: tv.fill(shape, 0.5), transposed)


def numpy_cases(np: Any) -> Cases:
    return _cases(lambda shape: np.full(shape, 0.5, np.float32), lambda x, y: x @ y.T)


def torch_cases(torch: Any) -> Cases:
    return _cases(lambda shape: torch.full(shape, 0.5), lambda x, y: x @ y.T)


def jax_cases(jax: Any) -> Cases:
    return _cases(lambda shape: jax.numpy.full(shape, 0.5, 'float32'), lambda x, y: x @ y.T)


def _cases(fill: Callable[[tuple[int, ...]], Any], transposed: Callable[[Any, Any], Any]) -> Cases:
    cases: Cases = {}
    for edge in EDGES:
        x, y = fill((edge, edge)), fill((edge, edge))
        cases[f'{edge}x{edge} @ {edge}x{edge}'] = lambda x=x, y=y: x @ y
    x, y = fill((256, 256)), fill((256, 256))
    cases['256x256 @ transposed 256x256'] = lambda x=x, y=y: transposed(x, y)
    x, y = fill(BATCH), fill(BATCH)
    cases['64 of 64x64 @ 64x64'] = lambda x=x, y=y: x @ y
    return cases
