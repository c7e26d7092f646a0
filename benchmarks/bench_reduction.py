"""Reductions of a 1024 x 1024 float32 matrix, and of 4 numbers for the call itself."""

from typing import Any

from benchmarks.cases import Cases

SHAPE = (1024, 1024)


def tensorvar_cases(tv: Any) -> Cases:
    few, x = tv.fill([4], 0.5), tv.fill(SHAPE, 0.5)
    return {
        'sum of 4': lambda: tv.reduce_sum(few),
        'sum': lambda: tv.reduce_sum(x),
        'sum over rows': lambda: tv.reduce_sum(x, axis=0),
        'sum over columns': lambda: tv.reduce_sum(x, axis=1),
        'mean': lambda: tv.reduce_mean(x),
        'max over columns': lambda: tv.reduce_max(x, axis=1),
        'argmax over columns': lambda: tv.argmax(x, axis=1),
        'cumulative sum': lambda: tv.cumsum(x, axis=1),
        'softmax': lambda: tv.nn.softmax(x),
    }


def numpy_cases(np: Any) -> Cases:
    few, x = np.full(4, 0.5, np.float32), np.full(SHAPE, 0.5, np.float32)

    def softmax() -> Any:
        exponentials = np.exp(x - x.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    return {
        'sum of 4': lambda: np.sum(few),
        'sum': lambda: np.sum(x),
        'sum over rows': lambda: np.sum(x, axis=0),
        'sum over columns': lambda: np.sum(x, axis=1),
        'mean': lambda: np.mean(x),
        'max over columns': lambda: np.max(x, axis=1),
        'argmax over columns': lambda: np.argmax(x, axis=1),
        'cumulative sum': lambda: np.cumsum(x, axis=1),
        'softmax': softmax,
    }


def torch_cases(torch: Any) -> Cases:
    few, x = torch.full((4,), 0.5), torch.full(SHAPE, 0.5)
    return {
        'sum of 4': lambda: torch.sum(few),
        'sum': lambda: torch.sum(x),
        'sum over rows': lambda: torch.sum(x, dim=0),
        'sum over columns': lambda: torch.sum(x, dim=1),
        'mean': lambda: torch.mean(x),
        'max over columns': lambda: torch.amax(x, dim=1),
        'argmax over columns': lambda: torch.argmax(x, dim=1),
        'cumulative sum': lambda: torch.cumsum(x, dim=1),
        'softmax': lambda: torch.softmax(x, dim=-1),
    }


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    few, x = np.full(4, 0.5, 'float32'), np.full(SHAPE, 0.5, 'float32')
    return {
        'sum of 4': lambda: np.sum(few),
        'sum': lambda: np.sum(x),
        'sum over rows': lambda: np.sum(x, axis=0),
        'sum over columns': lambda: np.sum(x, axis=1),
        'mean': lambda: np.mean(x),
        'max over columns': lambda: np.max(x, axis=1),
        'argmax over columns': lambda: np.argmax(x, axis=1),
        'cumulative sum': lambda: np.cumsum(x, axis=1),
        'softmax': lambda: jax.nn.softmax(x),
    }
