"""Bits of integers, elementwise."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define

AND = _define.binary('BitwiseAnd', 'bitwise_and', NOT_DIFFERENTIABLE, dtypes.INTEGERS)
OR = _define.binary('BitwiseOr', 'bitwise_or', NOT_DIFFERENTIABLE, dtypes.INTEGERS)
XOR = _define.binary('BitwiseXor', 'bitwise_xor', NOT_DIFFERENTIABLE, dtypes.INTEGERS)
INVERT = _define.unary('Invert', 'invert', NOT_DIFFERENTIABLE, dtypes.INTEGERS)
LEFT_SHIFT = _define.binary('LeftShift', 'left_shift', NOT_DIFFERENTIABLE, dtypes.INTEGERS)
RIGHT_SHIFT = _define.binary('RightShift', 'right_shift', NOT_DIFFERENTIABLE, dtypes.INTEGERS)


def bitwise_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits set in both; also the operator ``&`` of integers.

    Args:
        x: integers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(AND, x, y)
    return result


def bitwise_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits set in either; also the operator ``|`` of integers.

    Args:
        x: integers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(OR, x, y)
    return result


def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits set in exactly one; also the operator ``^`` of integers.

    Args:
        x: integers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(XOR, x, y)
    return result


def left_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x << y``.

    Undefined where ``y`` is negative, or not smaller than the bits of ``x``.

    Args:
        x: integers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(LEFT_SHIFT, x, y)
    return result


def right_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x >> y``; keeps the sign.

    Undefined where ``y`` is negative, or not smaller than the bits of ``x``.

    Args:
        x: integers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the broadcast shape and the dtype of ``x``.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(RIGHT_SHIFT, x, y)
    return result


def invert(x: Any, name: str | None = None) -> Tensor:
    """All bits flipped; also the operator ``~`` of integers.

    Args:
        x: integers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(INVERT, x)
    return result
