"""Indexing and rearranging a 1024 x 1024 float32 matrix."""

from typing import Any

from benchmarks.cases import Cases

SHAPE = (1024, 1024)
ROWS = list(range(0, 1024, 4))


def tensorvar_cases(tv: Any) -> Cases:
    x, rows = tv.fill(SHAPE, 0.5), tv.constant(ROWS)
    condition = x > 0.25
    return {
        'one row': lambda: x[7],
        'a block': lambda: x[10:20, 30:40],
        'reshape': lambda: tv.reshape(x, [512, 2048]),
        'gather 256 rows': lambda: tv.gather(x, rows),
        'where': lambda: tv.where(condition, x, 0.0),
        'transpose, used': lambda: tv.transpose(x) + x,
        'concat': lambda: tv.concat([x, x], axis=1),
        'one_hot of 256': lambda: tv.one_hot(rows, 1024),
    }


def numpy_cases(np: Any) -> Cases:
    x, rows = np.full(SHAPE, 0.5, np.float32), np.asarray(ROWS)
    condition = x > 0.25
    zero, classes = np.float32(0), np.arange(1024)
    return {
        'one row': lambda: x[7],
        'a block': lambda: x[10:20, 30:40],
        'reshape': lambda: np.reshape(x, (512, 2048)),
        'gather 256 rows': lambda: np.take(x, rows, axis=0),
        'where': lambda: np.where(condition, x, zero),
        'transpose, used': lambda: np.transpose(x) + x,
        'concat': lambda: np.concatenate([x, x], axis=1),
        'one_hot of 256': lambda: (rows[:, None] == classes).astype(np.float32),
    }


def torch_cases(torch: Any) -> Cases:
    x, rows = torch.full(SHAPE, 0.5), torch.tensor(ROWS)
    condition = x > 0.25
    return {
        'one row': lambda: x[7],
        'a block': lambda: x[10:20, 30:40],
        'reshape': lambda: torch.reshape(x, (512, 2048)),
        'gather 256 rows': lambda: torch.index_select(x, 0, rows),
        'where': lambda: torch.where(condition, x, 0.0),
        'transpose, used': lambda: x.T + x,
        'concat': lambda: torch.cat([x, x], dim=1),
        'one_hot of 256': lambda: torch.nn.functional.one_hot(rows, 1024).float(),
    }


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    x, rows = np.full(SHAPE, 0.5, 'float32'), np.asarray(ROWS)
    condition = x > 0.25
    return {
        'one row': lambda: x[7],
        'a block': lambda: x[10:20, 30:40],
        'reshape': lambda: np.reshape(x, (512, 2048)),
        'gather 256 rows': lambda: np.take(x, rows, axis=0),
        'where': lambda: np.where(condition, x, 0.0),
        'transpose, used': lambda: np.transpose(x) + x,
        'concat': lambda: np.concatenate([x, x], axis=1),
        'one_hot of 256': lambda: jax.nn.one_hot(rows, 1024),
    }
