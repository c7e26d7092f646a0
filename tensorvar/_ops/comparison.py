"""Comparisons, and tests for nan and infinity: results are bool, without gradients."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define

_DTypes = _define.DTypes


def _comparison(name: str, forward: str, allowed: _DTypes) -> OpDef:
    rule = _define.broadcast_rule(name, _define.BOOL)
    return _define.binary(name, forward, NOT_DIFFERENTIABLE, allowed, infer=rule)


def _test(name: str, forward: str) -> OpDef:
    return _define.unary(
        name, forward, NOT_DIFFERENTIABLE, dtypes.FLOATING, infer=_define.bool_like_input
    )


EQUAL = _comparison('Equal', 'equal', dtypes.ANY)
NOT_EQUAL = _comparison('NotEqual', 'not_equal', dtypes.ANY)
LESS = _comparison('Less', 'less', dtypes.REAL)
LESS_EQUAL = _comparison('LessEqual', 'less_equal', dtypes.REAL)
GREATER = _comparison('Greater', 'greater', dtypes.REAL)
GREATER_EQUAL = _comparison('GreaterEqual', 'greater_equal', dtypes.REAL)
IS_NAN = _test('IsNan', 'isnan')
IS_INF = _test('IsInf', 'isinf')
IS_FINITE = _test('IsFinite', 'isfinite')


def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where ``x == y``; nan equals nothing.

    Args:
        x: values of any dtype.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(EQUAL, x, y)
    return result


def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where ``x != y``; nan differs from everything.

    Args:
        x: values of any dtype.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(NOT_EQUAL, x, y)
    return result


def less(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where ``x < y``; also the operator.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(LESS, x, y)
    return result


def less_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where ``x <= y``; also the operator.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(LESS_EQUAL, x, y)
    return result


def greater(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where ``x > y``; also the operator.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(GREATER, x, y)
    return result


def greater_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Where ``x >= y``; also the operator.

    Args:
        x: real numbers.
        y: values of the same dtype that broadcast with ``x``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: the shapes do not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run_pair(GREATER_EQUAL, x, y)
    return result


def is_nan(x: Any, name: str | None = None) -> Tensor:
    """Where ``x`` is not a number.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the shape of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(IS_NAN, x)
    return result


def is_inf(x: Any, name: str | None = None) -> Tensor:
    """Where ``x`` is infinite, of either sign.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the shape of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(IS_INF, x)
    return result


def is_finite(x: Any, name: str | None = None) -> Tensor:
    """Where ``x`` is neither infinite nor nan.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A bool tensor of the shape of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    result: Tensor = executor.run(IS_FINITE, x)
    return result


def tensor_equals(x: Any, y: Any) -> Any:
    """The operator ``==`` of tensors: elementwise, False for shapes that do not fit.

    Args:
        x: a value that converts to a tensor.
        y: another one.

    Returns:
        A bool tensor of the broadcast shape; a scalar False if there is none.

    Raises:
        InvalidArgumentError: the dtypes differ, or a value does not convert.
    """
    return _equality(EQUAL, x, y, otherwise=False)


def tensor_not_equals(x: Any, y: Any) -> Any:
    """The operator ``!=`` of tensors: elementwise, True for shapes that do not fit.

    Args:
        x: a value that converts to a tensor.
        y: another one.

    Returns:
        A bool tensor of the broadcast shape; a scalar True if there is none.

    Raises:
        InvalidArgumentError: the dtypes differ, or a value does not convert.
    """
    return _equality(NOT_EQUAL, x, y, otherwise=True)


def _equality(op: OpDef, x: Any, y: Any, *, otherwise: bool) -> Any:
    try:
        return executor.run(op, x, y)
    except errors.InvalidTypeError:
        raise
    except errors.InvalidArgumentError as error:
        if _broadcast(x, y, error):
            raise
        return conversion.constant(otherwise)


def _broadcast(x: Any, y: Any, error: errors.InvalidArgumentError) -> bool:
    """Whether the shapes fit; raises ``error`` for what has no shape, such as None."""
    try:
        shapes = [conversion.convert_to_tensor(value)._shape for value in (x, y)]
    except errors.InvalidArgumentError:
        raise error from None
    pairs = zip(*[reversed(shape) for shape in shapes], strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)


op_registry.provide('tensor_equals', tensor_equals)
op_registry.provide('tensor_not_equals', tensor_not_equals)
