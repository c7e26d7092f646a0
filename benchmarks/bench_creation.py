"""Creating tensors and variables."""

from typing import Any

from benchmarks.cases import LARGE, Cases

LIST = [0.5] * 100


def tensorvar_cases(tv: Any) -> Cases:
    integers = tv.range(LARGE)
    return {
        'a scalar': lambda: tv.constant(1.0),
        'from a list of 100': lambda: tv.constant(LIST),
        'zeros of 4': lambda: tv.zeros([4]),
        'zeros of 2^20': lambda: tv.zeros([LARGE]),
        'ones of 2^20': lambda: tv.ones([LARGE]),
        'range of 2^20': lambda: tv.range(LARGE),
        'eye of 512': lambda: tv.eye(512),
        'cast of 2^20 to float32': lambda: tv.cast(integers, tv.float32),
        'a variable of 4': lambda: tv.Variable(tv.zeros([4])),
    }


def numpy_cases(np: Any) -> Cases:
    integers = np.arange(LARGE, dtype=np.int32)
    return {
        'a scalar': lambda: np.asarray(1.0, np.float32),
        'from a list of 100': lambda: np.asarray(LIST, np.float32),
        'zeros of 4': lambda: np.zeros(4, np.float32),
        'zeros of 2^20': lambda: np.zeros(LARGE, np.float32),
        'ones of 2^20': lambda: np.ones(LARGE, np.float32),
        'range of 2^20': lambda: np.arange(LARGE, dtype=np.int32),
        'eye of 512': lambda: np.eye(512, dtype=np.float32),
        'cast of 2^20 to float32': lambda: integers.astype(np.float32),
        'a variable of 4': lambda: np.zeros(4, np.float32).copy(),
    }


def torch_cases(torch: Any) -> Cases:
    integers = torch.arange(LARGE, dtype=torch.int32)
    return {
        'a scalar': lambda: torch.tensor(1.0),
        'from a list of 100': lambda: torch.tensor(LIST),
        'zeros of 4': lambda: torch.zeros(4),
        'zeros of 2^20': lambda: torch.zeros(LARGE),
        'ones of 2^20': lambda: torch.ones(LARGE),
        'range of 2^20': lambda: torch.arange(LARGE, dtype=torch.int32),
        'eye of 512': lambda: torch.eye(512),
        'cast of 2^20 to float32': lambda: integers.to(torch.float32),
        'a variable of 4': lambda: torch.nn.Parameter(torch.zeros(4)),
    }


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    integers = np.arange(LARGE, dtype='int32')
    return {
        'a scalar': lambda: np.asarray(1.0, 'float32'),
        'from a list of 100': lambda: np.asarray(LIST, 'float32'),
        'zeros of 4': lambda: np.zeros(4, 'float32'),
        'zeros of 2^20': lambda: np.zeros(LARGE, 'float32'),
        'ones of 2^20': lambda: np.ones(LARGE, 'float32'),
        'range of 2^20': lambda: np.arange(LARGE, dtype='int32'),
        'eye of 512': lambda: np.eye(512, dtype='float32'),
        'cast of 2^20 to float32': lambda: integers.astype('float32'),
    }
