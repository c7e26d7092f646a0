"""What takes all cores: elementwise work and copies of 64 MB, and matrix products."""

from typing import Any

from benchmarks.cases import Cases

SIZE = 1 << 24
EDGES = (1024, 2048)


def tensorvar_cases(tv: Any) -> Cases:
    x, y = tv.fill([SIZE], 0.5), tv.fill([SIZE], 2.0)
    variable = tv.Variable(tv.zeros([SIZE]))
    host = x.numpy()
    cases: Cases = {
        'assign': lambda: variable.assign(x),
        'assign_add': lambda: variable.assign_add(x),
        'add': lambda: x + y,
        'multiply by a number': lambda: x * 2.0,
        'less': lambda: x < y,
        'exp': lambda: tv.exp(x),
        'tanh': lambda: tv.tanh(x),
        'sigmoid': lambda: tv.sigmoid(x),
        'relu': lambda: tv.nn.relu(x),
        'cast to float64': lambda: tv.cast(x, tv.float64),
        'from the host': lambda: tv.constant(host),
        'to the host': lambda: x.numpy(),
    }
    for edge in EDGES:
        matrix = tv.fill([edge, edge], 0.5)
        cases[_product(edge)] = lambda matrix=matrix: matrix @ matrix
    return cases


def numpy_cases(np: Any) -> Cases:
    x, y = np.full(SIZE, 0.5, np.float32), np.full(SIZE, 2.0, np.float32)
    variable = np.zeros(SIZE, np.float32)
    cases: Cases = {
        'assign': lambda: np.copyto(variable, x),
        'assign_add': lambda: np.add(variable, x, out=variable),
        'add': lambda: x + y,
        'multiply by a number': lambda: x * np.float32(2),
        'less': lambda: x < y,
        'exp': lambda: np.exp(x),
        'tanh': lambda: np.tanh(x),
        'sigmoid': lambda: 1 / (1 + np.exp(-x)),
        'relu': lambda: np.maximum(x, 0),
        'cast to float64': lambda: x.astype(np.float64),
        'from the host': lambda: x.copy(),
        'to the host': lambda: x.copy(),
    }
    for edge in EDGES:
        matrix = np.full((edge, edge), 0.5, np.float32)
        cases[_product(edge)] = lambda matrix=matrix: matrix @ matrix
    return cases


def torch_cases(torch: Any) -> Cases:
    x, y = torch.full((SIZE,), 0.5), torch.full((SIZE,), 2.0)
    variable = torch.zeros(SIZE)
    host = torch.full((SIZE,), 0.5, device='cpu')
    cases: Cases = {
        'assign': lambda: variable.copy_(x),
        'assign_add': lambda: variable.add_(x),
        'add': lambda: x + y,
        'multiply by a number': lambda: x * 2.0,
        'less': lambda: x < y,
        'exp': lambda: torch.exp(x),
        'tanh': lambda: torch.tanh(x),
        'sigmoid': lambda: torch.sigmoid(x),
        'relu': lambda: torch.relu(x),
        'cast to float64': lambda: x.to(torch.float64),
        'from the host': lambda: host.to(x.device, copy=True),
        'to the host': lambda: x.to('cpu', copy=True),
    }
    for edge in EDGES:
        matrix = torch.full((edge, edge), 0.5)
        cases[_product(edge)] = lambda matrix=matrix: matrix @ matrix
    return cases


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    x, y = np.full(SIZE, 0.5, 'float32'), np.full(SIZE, 2.0, 'float32')
    cases: Cases = {
        'add': lambda: x + y,
        'multiply by a number': lambda: x * 2.0,
        'less': lambda: x < y,
        'exp': lambda: np.exp(x),
        'tanh': lambda: np.tanh(x),
        'sigmoid': lambda: jax.nn.sigmoid(x),
        'relu': lambda: jax.nn.relu(x),
    }
    for edge in EDGES:
        matrix = np.full((edge, edge), 0.5, 'float32')
        cases[_product(edge)] = lambda matrix=matrix: matrix @ matrix
    return cases


def _product(edge: int) -> str:
    return f'{edge}x{edge} @ {edge}x{edge}'
