"""Logic of bools, elementwise."""

from typing import Any

from tensorvar import dtypes
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, cast

AND = _define.binary('LogicalAnd', 'logical_and', NOT_DIFFERENTIABLE, dtypes.BOOLEAN)
OR = _define.binary('LogicalOr', 'logical_or', NOT_DIFFERENTIABLE, dtypes.BOOLEAN)
XOR = _define.binary('LogicalXor', 'logical_xor', NOT_DIFFERENTIABLE, dtypes.BOOLEAN)
NOT = _define.unary('LogicalNot', 'logical_not', NOT_DIFFERENTIABLE, dtypes.BOOLEAN)


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


def multiply_bools(x: Any, y: Any) -> Tensor:
    """The operator ``*`` where one of both is a bool tensor: where both are True.

    As in TensorFlow, where ``multiply`` takes no bools, the other one is made int32 first, so
    that 0.5 counts as False; host data on the left has to be made of bools, zeros and ones.

    Args:
        x: the left side.
        y: the right side.

    Raises:
        InvalidArgumentError: the shapes do not broadcast; text was given.
    """
    left = _as_bools(x) if isinstance(x, ArrayValue) else x
    return logical_and(left, _as_bools(conversion.convert_to_tensor(y)))


def _as_bools(value: ArrayValue) -> Any:
    if value.dtype.is_bool:
        return value
    return cast.cast(cast.cast(value, dtypes.int32), dtypes.bool_)


op_registry.provide('multiply_bools', multiply_bools)
