"""``custom_gradient``: a function that brings its own derivative."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tensorvar import errors
from tensorvar._core import conversion, nest
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tape import GradientTape
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable import Variable
from tensorvar._device import scope


class CustomGradient:
    """What ``custom_gradient`` gives: the function, differentiated by its own rule.

    Args:
        function: gives its result and its gradient function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inputs = [conversion.convert_to_tensor(leaf) for leaf in nest.flatten(list(args))]
        packed = nest.pack_sequence_as(list(args), list(inputs))
        state = scope.current()
        if state is None or not state.tapes:
            return _split(self._function(*packed, **kwargs))[0]
        with GradientTape() as watcher:
            result, gradient = _split(self._function(*packed, **kwargs))
        variables = watcher.watched_variables()
        _check_takes_variables(gradient, variables)
        outputs = tuple(_fresh(leaf) for leaf in nest.flatten(result))
        rule = _gradient_rule(gradient, len(inputs), variables)
        op = OpDef('CustomGradient', _no_rule, _no_rule, rule)
        for tape in state.tapes:
            tape.write((op, (*inputs, *variables), outputs, {}))
        return nest.pack_sequence_as(result, list(outputs))

    def __get__(self, instance: Any, owner: type | None = None) -> 'CustomGradient':
        """Binds the object if a method was decorated."""
        if instance is None:
            return self
        return CustomGradient(functools.partial(self._function, instance))


def custom_gradient(f: Callable[..., Any]) -> CustomGradient:
    """Decorates a function or method that gives its result with its gradient function.

    Args:
        f: ``f(*x)`` returns ``(y, grad_fn)``; ``grad_fn(*dy)`` returns one
            gradient per ``x``, of its shape, or None. If the function reads trainable
            variables, ``grad_fn`` takes a keyword ``variables`` and returns
            ``(gradients, variable_gradients)``.

    Returns:
        A function of ``x`` that gives ``y`` and is differentiated by ``grad_fn``.
        Positional arguments reach ``f`` as tensors, keywords as they are.

    Raises:
        TypeError: (when called) ``f`` gives no such pair, or reads trainable
            variables while ``grad_fn`` takes none.

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
    return CustomGradient(f)


def _split(returned: Any) -> tuple[Any, Callable[..., Any]]:
    if not isinstance(returned, tuple | list) or len(returned) != 2 or not callable(returned[1]):
        raise errors.InvalidTypeError(
            f'[custom_gradient] the function returned a {type(returned).__name__}; it has to '
            f'return its result and a gradient function; return (y, grad_fn)'
        )
    return returned[0], returned[1]


def _check_takes_variables(gradient: Callable[..., Any], variables: Sequence[Variable]) -> None:
    parameters = inspect.signature(gradient).parameters
    taken = 'variables' in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
    if variables and not taken:
        names = ', '.join(variable.name for variable in variables)
        raise errors.InvalidTypeError(
            f'[custom_gradient] the function reads the trainable variables {names}, but its '
            f'gradient function has no `variables` argument; add `variables=None` to it and '
            f'return (gradients, variable_gradients)'
        )


def _fresh(value: Any) -> Tensor:
    """Another tensor with the same array, so that only the custom gradient leads to it."""
    tensor = conversion.convert_to_tensor(value)
    return wrap(tensor._array, tensor._device)


def _no_rule(*specs: ArraySpec) -> ArraySpec:
    raise NotImplementedError('the function itself was run')


def _gradient_rule(
    gradient: Callable[..., Any], count: int, variables: tuple[Variable, ...]
) -> Callable[..., tuple[Any, ...]]:
    """The gradient of the op: what the user's gradient function gives, checked."""

    def rule(context: Any, *arriving: Any) -> tuple[Any, ...]:
        inputs, read = context.inputs[:count], context.inputs[count:]
        if not variables:
            return _checked(gradient(*arriving), inputs, 'inputs')
        given = gradient(*arriving, variables=list(variables))
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise errors.InvalidArgumentError(
                '[custom_gradient] the function reads variables, so its gradient function has to '
                'return two structures; return (gradients, variable_gradients)'
            )
        return _checked(given[0], inputs, 'inputs') + _checked(given[1], read, 'variables')

    return rule


def _checked(given: Any, inputs: Sequence[Any], what: str) -> tuple[Any, ...]:
    leaving = nest.flatten(given)
    if len(leaving) != len(inputs):
        raise errors.InvalidArgumentError(
            f'[custom_gradient] the gradient function gave {len(leaving)} gradients for '
            f'{len(inputs)} {what}; give one for each, None where there is none'
        )
    return tuple(map(_gradient_of, leaving, inputs))


def _gradient_of(gradient: Any, value: Any) -> Any:
    if gradient is None or isinstance(gradient, IndexedSlices):
        return gradient
    tensor = conversion.convert_to_tensor(gradient, dtype_hint=value.dtype)
    shape, wanted = tensor._spec(), value._spec()
    if shape != wanted:
        raise errors.InvalidArgumentError(
            f'[custom_gradient] the gradient function gave {tensor._describe()} as the gradient '
            f'of {value._describe()}; both need one shape and dtype'
        )
    return tensor
