"""Functions with another backward pass: recomputed, or passed through."""

import functools
from collections.abc import Callable
from typing import Any

from tensorvar._core import nest
from tensorvar._core.custom_gradient import custom_gradient
from tensorvar._core.tape import GradientTape, UnconnectedGradients
from tensorvar._ops import elementwise_unary, graph_names


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Saves memory: the function runs again for its gradient, so nothing is kept for it.

    Args:
        f: takes tensors and returns a tensor or a list of tensors; may read variables.

    Returns:
        A function with the same values and gradients.

    Example:
        >>> import tensorvar as tv
        >>> square = tv.recompute_grad(lambda x: x * x)
        >>> x = tv.constant(3.0)
        >>> with tv.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = square(x)
        >>> float(tape.gradient(y, x))
        6.0
    """

    def recomputed(*args: Any, **kwargs: Any) -> Any:
        # Variables have to be seen by the tape that asks for the gradient function's
        # `variables`; everything else of this run is forgotten with it.
        result = f(*args, **kwargs)

        def gradient(*arriving: Any, variables: Any = None) -> Any:
            read = list(variables or ())
            with GradientTape() as tape:
                inputs = nest.map_structure(elementwise_unary.identity, list(args))
                tape.watch(inputs)
                tape.watch(read)
                again = f(*inputs, **kwargs)
            sources = [*nest.flatten(inputs), *read]
            found = tape.gradient(
                nest.flatten(again), sources, list(arriving), UnconnectedGradients.ZERO
            )
            leaving = found[: len(found) - len(read)]
            return (leaving, found[len(leaving) :]) if read else leaving

        return result, gradient

    return functools.update_wrapper(custom_gradient(recomputed), f)


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """The values of a function with the gradient of the identity.

    Args:
        f: takes tensors and returns as many, of the same shapes. Variables that it reads get
            no gradient.

    Returns:
        A function with the same values.

    Example:
        >>> import tensorvar as tv
        >>> x = tv.constant(1.6)
        >>> with tv.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = tv.grad_pass_through(tv.round)(x)
        >>> float(y), float(tape.gradient(y, x))
        (2.0, 1.0)
    """

    def passed(*args: Any, **kwargs: Any) -> Any:
        with graph_names.init_scope():
            result = f(*args, **kwargs)
        return result, lambda *arriving: arriving

    return functools.update_wrapper(custom_gradient(passed), f)
