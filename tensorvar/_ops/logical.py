"""Logic of bools, elementwise."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import executor
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define

AND = _define.binary('LogicalAnd', lambda xp, x, y: x & y, NOT_DIFFERENTIABLE, dtypes.BOOLEAN)
OR = _define.binary('LogicalOr', lambda xp, x, y: x | y, NOT_DIFFERENTIABLE, dtypes.BOOLEAN)
XOR = _define.binary('LogicalXor', lambda xp, x, y: x ^ y, NOT_DIFFERENTIABLE, dtypes.BOOLEAN)
NOT = _define.unary('LogicalNot', lambda xp, x: ~x, NOT_DIFFERENTIABLE, dtypes.BOOLEAN)


def logical_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where both are True; also the operator ``&`` of bools.

    Args:
        x: bools.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(AND, x, y)
    return result


def logical_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where either is True; also the operator ``|`` of bools.

    Args:
        x: bools.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(OR, x, y)
    return result


def logical_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where exactly one is True; also the operator ``^`` of bools.

    Args:
        x: bools.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(XOR, x, y)
    return result


def logical_not(x: Any, name: str | None = None) -> Tensor:
    """Where ``x`` is False; also the operator ``~`` of bools.

    Args:
        x: bools.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the shape of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(NOT, x)
    return result
