"""Work of growing length: what one op costs must not depend on how many there are.

A chain of additions, eager and as a function, and a tape of multiplications with its
gradient. XLA takes seconds to compile a long chain, so functions end at 1,000, and so does
JAX's gradient, which takes a second.
"""

import functools
from collections.abc import Callable
from typing import Any

from benchmarks.cases import Cases

LENGTHS = (10, 100, 1_000, 10_000)
LONGEST_FUNCTION = 1_000


def tensorvar_cases(tv: Any) -> Cases:
    x = tv.constant([1.0, 2.0])
    variable = tv.Variable(1.0)
    cases: Cases = {}
    for length in LENGTHS:
        chain = _chain(length)
        cases[_label('chain', length, 'eager')] = functools.partial(chain, x)
        if length <= LONGEST_FUNCTION:
            cases[_label('chain', length, 'function')] = functools.partial(tv.function(chain), x)

        def gradient(length: int = length) -> Any:
            with tv.GradientTape() as tape:
                y = variable * 1.0
                for _ in range(length - 1):
                    y = y * variable
            return tape.gradient(y, variable)

        cases[_label('tape', length, 'eager')] = gradient
    return cases


def numpy_cases(np: Any) -> Cases:
    x = np.asarray([1.0, 2.0], np.float32)
    return {
        _label('chain', length, kind): functools.partial(_chain(length), x)
        for length in LENGTHS
        for kind in ('eager', 'function')
        if kind == 'eager' or length <= LONGEST_FUNCTION
    }


def torch_cases(torch: Any) -> Cases:
    x = torch.tensor([1.0, 2.0])
    variable = torch.tensor(1.0, requires_grad=True)
    cases: Cases = {}
    for length in LENGTHS:
        cases[_label('chain', length, 'eager')] = functools.partial(_chain(length), x)

        def gradient(length: int = length) -> Any:
            y = variable * 1.0
            for _ in range(length - 1):
                y = y * variable
            return torch.autograd.grad(y, variable)

        cases[_label('tape', length, 'eager')] = gradient
    return cases


def jax_cases(jax: Any) -> Cases:
    x = jax.numpy.asarray([1.0, 2.0])
    cases: Cases = {}
    for length in LENGTHS:
        chain = _chain(length)
        cases[_label('chain', length, 'eager')] = functools.partial(chain, x)
        if length <= LONGEST_FUNCTION:
            cases[_label('chain', length, 'function')] = functools.partial(jax.jit(chain), x)

            def power(v: Any, length: int = length) -> Any:
                y = v * 1.0
                for _ in range(length - 1):
                    y = y * v
                return y

            cases[_label('tape', length, 'eager')] = functools.partial(jax.grad(power), 1.0)
    return cases


def _chain(length: int) -> Callable[[Any], Any]:
    def chain(x: Any) -> Any:
        y = x
        for _ in range(length):
            y = y + x
        return y

    return chain


def _label(what: str, length: int, kind: str) -> str:
    return f'{what} of {length:,}, {kind}'
