"""``custom_gradient``: a function that brings its own derivative."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tensorvar import errors
from tensorvar._core import conversion, nest
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tape import GradientTape
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable import Variable
from tensorvar._device import scope


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a function that gives its result together with its gradient function.

    Args:
        function: ``function(*x)`` returns ``(y, grad_fn)``; ``grad_fn(*dy)`` returns one
            gradient per ``x``. If the function reads trainable variables, ``grad_fn``
            takes a keyword ``variables`` and returns ``(gradients, variable_gradients)``.

    Returns:
        A function of ``x`` that gives ``y`` and is differentiated by ``grad_fn``.

    Example:
        >>> import tensorvar as tv
        >>> @tv.custom_gradient
        ... def double(x):
        ...     return 2 * x, lambda dy: 20 * dy
        >>> x = tv.constant(1.0)
        >>> with tv.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = double(x)
        >>> float(tape.gradient(y, x))
        20.0
    """

    @functools.wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        state = scope.current()
        if state is None or not state.tapes:
            return function(*args, **kwargs)[0]
        return _recorded(function, args, kwargs)

    return decorated


def _recorded(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    inputs = [conversion.convert_to_tensor(arg) for arg in nest.flatten(list(args))]
    watcher = GradientTape()
    with watcher:
        result, gradient = function(*nest.pack_sequence_as(list(args), list(inputs)), **kwargs)
    variables = watcher.watched_variables()
    if variables and not _takes_variables(gradient):
        names = ', '.join(variable.name for variable in variables)
        raise errors.InvalidTypeError(
            f'[custom_gradient] the function reads the trainable variables {names}, but its '
            f'gradient function has no `variables` argument; add `variables=None` to it and '
            f'return (gradients, variable_gradients)'
        )
    outputs = tuple(_fresh(leaf) for leaf in nest.flatten(result))
    sources = tuple(inputs)
    op = OpDef('CustomGradient', _no_rule, _no_rule, _gradient_rule(gradient, len(sources),
                                                                    variables))
    state = scope.current()
    assert state is not None
    for tape in state.tapes:
        tape.write((op, (*sources, *variables), outputs, {}))
    return nest.pack_sequence_as(result, list(outputs))


def _fresh(value: Any) -> Tensor:
    """Another tensor with the same array, so that only the custom gradient leads to it."""
    tensor = conversion.convert_to_tensor(value)
    return wrap(tensor._array, tensor._device)


def _no_rule(*specs: ArraySpec) -> ArraySpec:
    raise NotImplementedError('the function itself was run')


def _takes_variables(gradient: Callable[..., Any]) -> bool:
    parameters = inspect.signature(gradient).parameters
    return 'variables' in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )


def _gradient_rule(
    gradient: Callable[..., Any], count: int, variables: tuple[Variable, ...]
) -> Callable[..., tuple[Any, ...]]:
    def rule(context: Any, *arriving: Any) -> tuple[Any, ...]:
        if not variables:
            return _checked(gradient(*arriving), count)
        first, second = gradient(*arriving, variables=list(variables))
        return _checked(first, count) + tuple(nest.flatten(second))

    return rule


def _checked(given: Any, count: int) -> tuple[Any, ...]:
    leaving = tuple(nest.flatten(given))
    if len(leaving) != count:
        raise errors.InvalidArgumentError(
            f'[custom_gradient] the gradient function gave {len(leaving)} gradients for {count} '
            f'inputs; give one per input, None where there is none'
        )
    return leaving
