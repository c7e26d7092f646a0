"""The check of one value for NaN and infinity."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _index_checks
from tensorvar._ops._gradient_helpers import Gradients


def _rule(tensor: ArraySpec, *, message: str) -> ArraySpec:
    if not isinstance(message, str):
        raise errors.InvalidTypeError(
            f"[CheckNumerics] Expected string for argument 'message' not {message!r:.80}",
            'CheckNumerics',
        )
    return tensor


def _forward(xp: Any, tensor: Any, *, message: str) -> Any:
    if not _found(xp, xp.isfinite(tensor), False):
        return tensor
    what = [
        name
        for name, places in (('Inf', xp.isinf(tensor)), ('NaN', xp.isnan(tensor)))
        if _found(xp, places, True)
    ]
    raise errors.InvalidArgumentError(
        f'[CheckNumerics] {message} : Tensor had {" and ".join(what)} values; allowed are finite '
        f'ones; look at the op that made them, or use enable_check_numerics',
        'CheckNumerics',
    )


def _found(xp: Any, places: Any, wanted: bool) -> bool:
    return bool((_index_checks.look(xp, xp.asarray(places)) == wanted).any())


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    message = context.attributes['message']
    text = f'Not a number (NaN) or infinity (Inf) values detected in gradient. {message}'
    return (check_numerics(gradient, text),)


CHECK = op_registry.register(
    OpDef('CheckNumerics', _rule, _forward, _gradient, dtypes={'T': dtypes.FLOATING})
)


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The value itself; raises if it holds NaN or infinity. So does its gradient.

    Args:
        tensor: a tensor of floats, or what converts to one.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Returns:
        The value.

    Raises:
        InvalidArgumentError: an element is NaN or infinite, or the dtype is no float.
        TypeError: ``message`` is no string.
    """
    checked: Tensor = executor.run(CHECK, tensor, message=message)
    return checked


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """The value itself; raises if it holds NaN or infinity.

    Args:
        x: a tensor of floats, or what converts to one.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Returns:
        The value.

    Raises:
        InvalidArgumentError: as in ``check_numerics``.
    """
    return check_numerics(x, message)
