"""Rounding to whole numbers; the slope is 0 everywhere, so there are no gradients."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define


def _round(xp: Any, x: Any) -> Any:
    return x if x.dtype.kind in 'iu' else xp.rint(x)


FLOOR = _define.unary('Floor', 'floor', NOT_DIFFERENTIABLE, dtypes.FLOATING)
CEIL = _define.unary('Ceil', 'ceil', NOT_DIFFERENTIABLE, dtypes.FLOATING)
ROUND = _define.unary('Round', _round, NOT_DIFFERENTIABLE, dtypes.REAL)
RINT = _define.unary('Rint', 'rint', NOT_DIFFERENTIABLE, dtypes.FLOATING)


def floor(x: Any, name: str | None = None) -> Tensor:
    """The largest whole number that is not above ``x``.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(FLOOR, x)
    return result


def ceil(x: Any, name: str | None = None) -> Tensor:
    """The smallest whole number that is not below ``x``.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(CEIL, x)
    return result


def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number; halves go to the even one.

    Integers are returned as they are.

    Args:
        x: real numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(ROUND, x)
    return result


def rint(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number; halves go to the even one.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(RINT, x)
    return result
