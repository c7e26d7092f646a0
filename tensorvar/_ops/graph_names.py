"""Names that steer graphs in TensorFlow.

Eager code runs at once and in order, so here most of them only check their arguments.
"""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal

import numpy as np

from tensorvar import errors
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import conversion, name_scope
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import OPS, NotDifferentiable
from tensorvar._core.tensor import Tensor
from tensorvar._device import scope


class AggregationMethod:
    """Ways to add up gradients, for old code that names one; ``add_n`` is always used."""

    ADD_N = 0
    DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def executing_eagerly() -> bool:
    """Whether operations just run: False while a ``tv.function`` is traced, as in TensorFlow."""
    return not inside_function()


def inside_function() -> bool:
    """Whether a ``tv.function`` is being traced."""
    state = scope.current()
    return state is not None and state.trace is not None


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether a value is a tensor without data, as in ``get_concrete_function``.

    The tensors of a traced run have data, unlike those of TensorFlow.

    Args:
        tensor: any value.
    """
    return isinstance(tensor, Tensor) and isinstance(tensor._array, ShapeOnlyArray)


def group(*inputs: Any, **kwargs: Any) -> None:
    """Does nothing: all of ``inputs`` have run already.

    Args:
        *inputs: tensors.
        **kwargs: accepted for TensorFlow's sake.
    """


def no_op(name: str | None = None) -> None:
    """Does nothing.

    Args:
        name: accepted for TensorFlow's sake.
    """


class _NoControl:
    """A context without effect."""

    def __enter__(self) -> None:
        """Enters nothing."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        return False


def control_dependencies(control_inputs: Iterable[Any] | None) -> AbstractContextManager[None]:
    """A scope without effect: what stands before it has run already.

    Args:
        control_inputs: tensors; functions among them are called, as in TensorFlow.

    Returns:
        A context manager.

    Raises:
        TypeError: ``control_inputs`` cannot be iterated.
    """
    for control in control_inputs or ():
        if callable(control) and not isinstance(control, Tensor):
            control()
    return _NoControl()


class _InitScope(scope.Scope):
    """Takes all tapes out of the state."""

    __slots__ = ()

    def apply(self, state: scope.ContextState) -> None:
        state.tapes = ()

    def __enter__(self) -> None:  # type: ignore[override]
        super().__enter__()


def init_scope() -> AbstractContextManager[None]:
    """A scope in which no tape records.

    Returns:
        A context manager.
    """
    return _InitScope()


def get_current_name_scope() -> str:
    """The open name scopes, joined by slashes; empty outside of all."""
    return name_scope.current_prefix().rstrip('/')


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor as a host array.

    Args:
        tensor: a tensor; anything else than a variable is given back.
        partial: accepted for TensorFlow's sake.

    Returns:
        The array; None for a variable, whose value may change.
    """
    if isinstance(tensor, Tensor):
        return tensor.numpy()
    return None if isinstance(tensor, ArrayValue) else tensor


def tuple(tensors: Any, control_inputs: Any = None, name: str | None = None) -> Any:
    """The tensors as they are: all have been computed already.

    Args:
        tensors: a list or tuple of tensors.
        control_inputs: accepted for TensorFlow's sake.
        name: accepted for TensorFlow's sake.

    Returns:
        ``tensors``.
    """
    return tensors


def timestamp(name: str | None = None) -> Tensor:
    """Seconds since 1970, as a float64 scalar.

    A ``tv.function`` that calls it runs eagerly, so that it reads the clock each time.

    Args:
        name: accepted for TensorFlow's sake.

    Returns:
        The scalar.
    """
    scope.leave_trace('tv.timestamp reads the clock')
    return conversion.constant(np.float64(time.time()))


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = 'gradients',
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = None,
) -> None:
    """Raises, as in TensorFlow's eager mode: differentiation needs a tape.

    Args:
        ys: not used.
        xs: not used.
        grad_ys: not used.
        name: not used.
        gate_gradients: not used.
        aggregation_method: not used.
        stop_gradients: not used.
        unconnected_gradients: not used.

    Raises:
        RuntimeError: always.
    """
    raise _needs_tape('gradients', 'tape.gradient(ys, xs)')


def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str = 'hessians',
) -> None:
    """Raises, as in TensorFlow's eager mode: differentiation needs a tape.

    Take the ``jacobian`` of an outer tape of the ``gradient`` of an inner one.

    Args:
        ys: not used.
        xs: not used.
        gate_gradients: not used.
        aggregation_method: not used.
        name: not used.

    Raises:
        RuntimeError: always.
    """
    raise _needs_tape('hessians', 'outer.jacobian(inner.gradient(y, x), x) with two tapes')


def _needs_tape(op: str, instead: str) -> errors.FailedPreconditionError:
    return errors.FailedPreconditionError(
        f'[{op}] it is not supported when eager execution is enabled; use tv.GradientTape and '
        f'{instead}',
        op,
    )


def no_gradient(op_type: str) -> None:
    """Says that an op has no gradient. Every op here has one or says so itself.

    Args:
        op_type: name of the op.

    Raises:
        TypeError: the name is no string.
        KeyError: the op has a gradient.
    """
    if not isinstance(op_type, str):
        raise errors.InvalidTypeError(
            f'[no_gradient] op_type must be a string; got {op_type!r:.80}', 'no_gradient'
        )
    op = OPS.get(op_type)
    if op is not None and not isinstance(op.gradient, NotDifferentiable):
        raise KeyError(f'[no_gradient] the op {op_type!r} has a gradient; tv.stop_gradient ends it')
