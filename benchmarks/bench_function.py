"""Functions beside the same work done eagerly: many small updates, and a branch on a value.

A function is ``tf.function``, ``jax.jit`` with the variables donated, and for the updates
PyTorch's optimizer that takes all tensors in one call.
"""

from typing import Any

from benchmarks.cases import Cases

COUNT = 1_000
EAGER = f'{COUNT:,} updates of 4, eager'
FUNCTION = f'{COUNT:,} updates of 4, function'
BRANCH = 'branch on a value, eager'
BRANCH_FUNCTION = 'branch on a value, function'


def tensorvar_cases(tv: Any) -> Cases:
    variables = [tv.Variable(tv.zeros([4])) for _ in range(COUNT)]
    x = tv.ones([4])

    def update(x: Any) -> None:
        for variable in variables:
            variable.assign_sub(x)

    def branch(x: Any) -> Any:
        if tv.reduce_sum(x) > 0.0:  # noqa: SIM108 - AutoGraph rewrites statements
            y = x * 2.0
        else:
            y = x - 1.0
        return y + x

    update_function, branch_function = tv.function(update), tv.function(branch)
    return {
        EAGER: lambda: update(x),
        FUNCTION: lambda: update_function(x),
        BRANCH: lambda: branch(x),
        BRANCH_FUNCTION: lambda: branch_function(x),
    }


def numpy_cases(np: Any) -> Cases:
    variables = [np.zeros(4, np.float32) for _ in range(COUNT)]
    x = np.ones(4, np.float32)

    def update() -> None:
        for variable in variables:
            np.subtract(variable, x, out=variable)

    def branch() -> Any:
        y = x * 2 if x.sum() > 0 else x - 1
        return y + x

    return {EAGER: update, FUNCTION: update, BRANCH: branch, BRANCH_FUNCTION: branch}


def torch_cases(torch: Any) -> Cases:
    variables = [torch.zeros(4) for _ in range(COUNT)]
    x = torch.ones(4)
    parameters = [torch.zeros(4, requires_grad=True) for _ in range(COUNT)]
    for parameter in parameters:
        parameter.grad = x
    optimizer = torch.optim.SGD(parameters, lr=1.0, foreach=True)

    def update() -> None:
        for variable in variables:
            variable.sub_(x)

    def branch() -> Any:
        y = x * 2 if x.sum() > 0 else x - 1
        return y + x

    return {EAGER: update, FUNCTION: optimizer.step, BRANCH: branch}


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    eager, donated = ([np.zeros(4) for _ in range(COUNT)] for _ in range(2))
    x = np.ones(4)

    def subtract(variables: Any, x: Any) -> Any:
        return [variable - x for variable in variables]

    function = jax.jit(subtract, donate_argnums=0)

    def update() -> Any:
        eager[:] = subtract(eager, x)
        return eager

    def update_function() -> Any:
        donated[:] = function(donated, x)
        return donated

    def branch() -> Any:
        y = x * 2 if x.sum() > 0 else x - 1
        return y + x

    def conditional(x: Any) -> Any:
        return jax.lax.cond(x.sum() > 0, lambda x: x * 2, lambda x: x - 1, x) + x

    branch_function = jax.jit(conditional)

    return {
        EAGER: update,
        FUNCTION: update_function,
        BRANCH: branch,
        BRANCH_FUNCTION: lambda: branch_function(x),
    }
