"""What one call costs: the smallest operands, so that nothing but the call is left.

JAX adds to a variable by a compiled function to which the old array is donated.
"""

from typing import Any

from benchmarks.cases import Cases


def tensorvar_cases(tv: Any) -> Cases:
    variable = tv.Variable([1.0, 2.0])
    a, b = tv.constant([1.0, 2.0]), tv.constant([3.0, 4.0])
    matrix = tv.constant([[1.0, 2.0], [3.0, 4.0]])
    x, y = tv.Variable(1.0), tv.Variable(2.0)

    def gradient() -> Any:
        with tv.GradientTape() as tape:
            z = x**2 + y**2
        return tape.gradient(z, [x, y])

    def enter() -> None:
        with tv.device('CPU:0'):
            pass

    return {
        'assign_add of 2': lambda: variable.assign_add(a),
        'a * b of 2': lambda: a * b,
        'matmul of 2x2': lambda: tv.matmul(matrix, matrix),
        'a variable from a list of 2': lambda: tv.Variable([1.0, 2.0]),
        'gradient of x^2 + y^2': gradient,
        'entering a device': enter,
    }


def numpy_cases(np: Any) -> Cases:
    variable = np.asarray([1.0, 2.0], np.float32)
    a, b = np.asarray([1.0, 2.0], np.float32), np.asarray([3.0, 4.0], np.float32)
    matrix = np.asarray([[1.0, 2.0], [3.0, 4.0]], np.float32)
    return {
        'assign_add of 2': lambda: np.add(variable, a, out=variable),
        'a * b of 2': lambda: a * b,
        'matmul of 2x2': lambda: np.matmul(matrix, matrix),
        'a variable from a list of 2': lambda: np.asarray([1.0, 2.0], np.float32),
    }


def torch_cases(torch: Any) -> Cases:
    variable = torch.tensor([1.0, 2.0])
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    x, y = (torch.tensor(value, requires_grad=True) for value in (1.0, 2.0))

    def enter() -> None:
        with torch.device('cpu'):
            pass

    return {
        'assign_add of 2': lambda: variable.add_(a),
        'a * b of 2': lambda: a * b,
        'matmul of 2x2': lambda: torch.matmul(matrix, matrix),
        'a variable from a list of 2': lambda: torch.tensor([1.0, 2.0], requires_grad=True),
        'gradient of x^2 + y^2': lambda: torch.autograd.grad(x**2 + y**2, (x, y)),
        'entering a device': enter,
    }


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    a, b = np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0])
    matrix = np.asarray([[1.0, 2.0], [3.0, 4.0]])
    state = [np.asarray([1.0, 2.0])]
    add = jax.jit(lambda old, value: old + value, donate_argnums=0)
    slope = jax.grad(lambda x, y: x**2 + y**2, argnums=(0, 1))
    device = jax.devices('cpu')[0]

    def assign_add() -> Any:
        state[0] = add(state[0], a)
        return state[0]

    def enter() -> None:
        with jax.default_device(device):
            pass

    return {
        'assign_add of 2': assign_add,
        'a * b of 2': lambda: a * b,
        'matmul of 2x2': lambda: np.matmul(matrix, matrix),
        'a variable from a list of 2': lambda: np.asarray([1.0, 2.0]),
        'gradient of x^2 + y^2': lambda: slope(1.0, 2.0),
        'entering a device': enter,
    }
