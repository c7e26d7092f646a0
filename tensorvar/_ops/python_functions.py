"""Python functions as ops: ``py_function`` and ``numpy_function``."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion, nest
from tensorvar._core.tensor_spec import TensorSpec
from tensorvar._core.variable import Variable
from tensorvar._device import scope


def py_function(
    func: Callable[..., Any] | None = None,
    inp: Any = None,
    Tout: Any = None,  # noqa: N803 - TensorFlow's name
    name: str | None = None,
) -> Any:
    """Calls a Python function with tensors and checks the dtypes of its results.

    The function runs as any eager code: tapes record it, to every order and with the
    variables that it reads. (TensorFlow stops at the first order and loses variables.)

    Args:
        func: takes the tensors and returns a value, a list of values or None. None makes a
            decorator, which needs ``Tout`` by name.
        inp: a list of its arguments.
        Tout: the dtype of the result, a list of dtypes for a list of results, or an empty
            list for None. A ``TensorSpec`` stands for its dtype.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor, or a list of tensors if ``Tout`` is a list or tuple.

    Raises:
        TypeError: ``Tout`` or ``inp`` is missing.
        ValueError: ``func`` cannot be called.
        InvalidArgumentError: ``func`` raised ValueError or TypeError, or gave results of
            another number or dtype; other errors become OutOfRangeError (StopIteration),
            UnimplementedError, ResourceExhaustedError or UnknownError.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.py_function(lambda x: x * 2, [tv.constant(3.0)], tv.float32))
        tv.Tensor(6.0, shape=(), dtype=float32)
    """
    if func is None:
        return _decorator(py_function, 'py_function', inp, Tout)
    _check_arguments('py_function', inp, Tout)
    scope.leave_trace('tv.py_function runs Python, which a replay does not')
    if not callable(func):
        raise errors.InvalidArgumentError(
            f'[py_function] Expected func to be callable; got {func!r:.80}', 'py_function'
        )
    several = isinstance(Tout, list | tuple)
    kinds = [_dtype(each) for each in (Tout if several else [Tout])]
    arguments = [conversion.convert_to_tensor(value) for value in inp]
    results = _results(_called(func, arguments), kinds)
    return results if several else results[0]


def _called(func: Callable[..., Any], arguments: list[Any]) -> Any:
    try:
        return func(*arguments)
    except Exception as error:
        raise _error_class(error)(
            f'[py_function] {type(error).__name__}: {error}', 'py_function'
        ) from error


def _dtype(kind: Any) -> dtypes.DType:
    return kind.dtype if isinstance(kind, TensorSpec) else dtypes.as_dtype(kind)


def _results(returned: Any, kinds: list[dtypes.DType]) -> list[Any]:
    several = isinstance(returned, list | tuple)
    values = [] if returned is None else list(returned) if several else [returned]
    if len(values) < len(kinds):
        raise errors.InvalidArgumentError(
            f'[py_function] the function returns {len(values)} values, but Tout expects to see '
            f'{len(kinds)}; return one for each dtype',
            'py_function',
        )
    if values and not kinds:
        raise errors.UnknownError(
            '[py_function] the function returned a value, but Tout is empty; give its dtype',
            'py_function',
        )
    return [_converted(value, kind) for value, kind in zip(values, kinds, strict=False)]


def _converted(value: Any, kind: dtypes.DType) -> Any:
    if isinstance(value, Variable):
        raise errors.UnknownError(
            f'[py_function] the function returned {value._describe()}; return its value, by '
            f'.read_value()',
            'py_function',
        )
    return conversion.convert_to_tensor(value, dtype=kind)


def _error_class(error: Exception) -> type[errors.OpError]:
    """What TensorFlow makes of an exception that leaves the function."""
    for kind, wanted in (
        (errors.OpError, errors.UnknownError),
        ((ValueError, TypeError), errors.InvalidArgumentError),
        (StopIteration, errors.OutOfRangeError),
        (MemoryError, errors.ResourceExhaustedError),
        (NotImplementedError, errors.UnimplementedError),
    ):
        if isinstance(error, kind):
            return wanted
    return errors.UnknownError


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Any = None,
    Tout: Any = None,  # noqa: N803 - TensorFlow's name
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Calls a Python function with host arrays. No gradient passes through.

    Args:
        func: takes arrays (scalars of NumPy for rank 0) and returns a value, a structure of
            values or None. None makes a decorator, which needs ``Tout`` by name.
        inp: a list of its arguments.
        Tout: the dtypes of the results; as in TensorFlow's eager mode they are not checked,
            and the results keep their own.
        stateful: accepted for TensorFlow's sake.
        name: accepted for TensorFlow's sake.

    Returns:
        The result as a tensor; a list of tensors if there are several.

    Raises:
        TypeError: ``Tout`` or ``inp`` is missing, or ``func`` cannot be called.
    """
    if func is None:
        return _decorator(numpy_function, 'numpy_function', inp, Tout)
    _check_arguments('numpy_function', inp, Tout)
    scope.leave_trace('tv.numpy_function runs Python, which a replay does not')
    arguments = [np.array(conversion.convert_to_tensor(value).numpy()) for value in inp]
    results = [
        None if value is None else conversion.convert_to_tensor(value)
        for value in nest.flatten(func(*arguments))
    ]
    return results[0] if len(results) == 1 else results


def _decorator(op: Callable[..., Any], name: str, inp: Any, kinds: Any) -> Any:
    """What the function makes when it is used as ``@tv.py_function(Tout=...)``."""
    if inp is not None:
        raise errors.InvalidTypeError(
            f'[{name}] inp was given without func; give both, or neither for a decorator', name
        )
    _check_arguments(name, (), kinds)

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def call(*arguments: Any) -> Any:
            return op(func, arguments, kinds)

        return call

    return decorate


def _check_arguments(op: str, inp: Any, kinds: Any) -> None:
    if kinds is None:
        raise errors.InvalidTypeError(
            f"[{op}] Missing required argument: 'Tout'; give it by name in a decorator", op
        )
    if inp is None:
        raise errors.InvalidTypeError(
            f"[{op}] Missing argument 'inp'; give the list of the function's arguments", op
        )
