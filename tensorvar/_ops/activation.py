"""Activations that are linear in pieces, or exponential below 0."""

import functools
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import host_choice, host_extremes, host_pieces
from tensorvar._core import conversion, executor
from tensorvar._core.op_registry import ArraySpec, Forward, Gradient, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, cast, comparison
from tensorvar._ops._gradient_helpers import Gradients, where, zeros_like

_DTypes = _define.DTypes

# The constants for which values of mean 0 and variance 1 keep them from layer to layer.
_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


# Up to so many elements a kept array of zeros is cheaper to compare with than one zero.
_FEW = host_extremes.FEW


@functools.lru_cache(maxsize=64)
def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    return np.zeros(shape, dtype)


def _relu(xp: Any, x: Any) -> Any:
    if xp is np and x.size <= _FEW:
        return np.maximum(x, _zeros(x.shape, x.dtype))
    return _relu_into(x) if xp is np else xp.maximum(x, 0)


def _relu_into(x: Any, *, out: Any = None) -> Any:
    """``max(x, 0)`` of many elements."""
    return host_extremes.maximum(x, _zeros((), x.dtype), out=out)


def _relu6(xp: Any, x: Any) -> Any:
    if xp is np and x.size > _FEW:
        result = _relu_into(x)
        return host_extremes.minimum(result, _six(x.dtype), out=result)
    return xp.minimum(xp.maximum(x, 0), 6)


def _relu6_grad(xp: Any, gradients: Any, features: Any) -> Any:
    inside = (features > 0) & (features < 6)
    return _choose(xp, inside, gradients, xp.zeros((), gradients.dtype))


@functools.cache
def _six(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    return np.array(6, dtype)


def _choose(xp: Any, condition: Any, x: Any, y: Any) -> Any:
    return (host_choice if xp is np else xp).where(condition, x, y)


def _features_rule(features: ArraySpec) -> ArraySpec:
    return features


def _leaky_relu_rule(features: ArraySpec, *, alpha: float) -> ArraySpec:
    return features


def _grad_rule(name: str) -> Infer:
    def infer(gradients: ArraySpec, features: ArraySpec, **attributes: Any) -> ArraySpec:
        return ArraySpec(_define.broadcast(name, gradients, features), gradients.dtype)

    return infer


def _relu_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run_pair(RELU_GRAD, gradient, context.outputs[0]),)


def _relu_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    features = context.inputs[1]
    return executor.run_pair(RELU_GRAD, gradient, features), zeros_like(features)


def _relu6_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run_pair(RELU6_GRAD, gradient, context.outputs[0]),)


def _relu6_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    features = context.inputs[1]
    return executor.run_pair(RELU6_GRAD, gradient, features), zeros_like(features)


def _leaky_relu_gradient(context: Any, gradient: Tensor) -> Gradients:
    alpha = context.attributes['alpha']
    return (executor.run(LEAKY_RELU_GRAD, gradient, context.inputs[0], alpha=alpha),)


def _leaky_relu_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    features, alpha = context.inputs[1], context.attributes['alpha']
    slope = executor.run(LEAKY_RELU_GRAD, gradient, features, alpha=alpha)
    return slope, zeros_like(features)


def _elu_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run_pair(ELU_GRAD, gradient, context.outputs[0]),)


def _elu_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    return _exponential_grad_gradient(ELU_GRAD, context, gradient)


def _selu_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run_pair(SELU_GRAD, gradient, context.outputs[0]),)


def _selu_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    return _exponential_grad_gradient(SELU_GRAD, context, gradient)


def _exponential_grad_gradient(op: OpDef, context: Any, gradient: Tensor) -> Gradients:
    """Below 0 the slope is the output plus a constant, above it is constant."""
    gradients, outputs = context.inputs
    curved = where(comparison.less(outputs, 0), gradient * gradients, zeros_like(gradient))
    return executor.run(op, gradient, outputs), curved


def _elu(xp: Any, features: Any) -> Any:
    return _choose(xp, features < 0, xp.expm1(features), features)


def _elu_grad(xp: Any, gradients: Any, outputs: Any) -> Any:
    return _choose(xp, outputs < 0, gradients * (outputs + 1), gradients)


def _selu(xp: Any, features: Any) -> Any:
    curved = xp.expm1(features) * _SELU_ALPHA
    return _choose(xp, features < 0, curved, features) * _SELU_SCALE


def _selu_grad(xp: Any, gradients: Any, outputs: Any) -> Any:
    curved = outputs + _SELU_SCALE * _SELU_ALPHA
    return _choose(xp, outputs < 0, gradients * curved, gradients * _SELU_SCALE)


def _leaky_relu(xp: Any, features: Any, *, alpha: float) -> Any:
    if 0 < alpha <= 1:
        return xp.maximum(features, features * alpha)
    return _choose(xp, features > 0, features, features * alpha)


def _leaky_relu_grad(xp: Any, gradients: Any, features: Any, *, alpha: float) -> Any:
    return _choose(xp, features > 0, gradients, gradients * alpha)


def _activation(
    name: str,
    forward: Forward,
    gradient: Gradient,
    allowed: _DTypes,
    infer: Infer = _features_rule,
) -> OpDef:
    wide = allowed is dtypes.FLOATING
    return _define.unary(name, forward, gradient, allowed, infer=infer, wide=wide)


def _slope(name: str, forward: Forward, gradient: Gradient, allowed: _DTypes) -> OpDef:
    """The op that computes a gradient from the features, or from the outputs."""
    wide = allowed is dtypes.FLOATING
    return _define.binary(name, forward, gradient, allowed, infer=_grad_rule(name), wide=wide)


RELU = _define.unary(
    'Relu',
    _relu,
    _relu_gradient,
    dtypes.REAL,
    infer=_features_rule,
    grain=host_pieces.LIGHT,
    into=_relu_into,
)
RELU6 = _activation('Relu6', _relu6, _relu6_gradient, dtypes.REAL)
LEAKY_RELU = _activation(
    'LeakyRelu', _leaky_relu, _leaky_relu_gradient, dtypes.FLOATING, _leaky_relu_rule
)
ELU = _activation('Elu', _elu, _elu_gradient, dtypes.FLOATING)
SELU = _activation('Selu', _selu, _selu_gradient, dtypes.FLOATING)

RELU_GRAD = _slope(
    'ReluGrad',
    # As in TensorFlow, infinity times 0 is nan; choosing would wait for each branch.
    lambda xp, gradients, features: gradients * (features > 0),
    _relu_grad_gradient,
    dtypes.REAL,
)
RELU6_GRAD = _slope(
    'Relu6Grad',
    _relu6_grad,
    _relu6_grad_gradient,
    dtypes.REAL,
)
LEAKY_RELU_GRAD = _slope(
    'LeakyReluGrad', _leaky_relu_grad, _leaky_relu_grad_gradient, dtypes.FLOATING
)
ELU_GRAD = _slope('EluGrad', _elu_grad, _elu_grad_gradient, dtypes.FLOATING)
SELU_GRAD = _slope('SeluGrad', _selu_grad, _selu_grad_gradient, dtypes.FLOATING)


def relu(features: Any, name: str | None = None) -> Tensor:
    """``max(features, 0)``.

    Args:
        features: real numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(RELU, features)
    return result


def relu6(features: Any, name: str | None = None) -> Tensor:
    """``min(max(features, 0), 6)``.

    Args:
        features: real numbers.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(RELU6, features)
    return result


def leaky_relu(features: Any, alpha: float | None = 0.2, name: str | None = None) -> Tensor:
    """``features`` above 0, ``alpha * features`` below.

    Args:
        features: real numbers; integers are taken as float32.
        alpha: the slope below 0, a Python number; it counts with the precision of float32.
            None for 0.2.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``features``.

    Raises:
        InvalidTypeError: ``features`` is not real, or ``alpha`` is no Python number.
    """
    if alpha is None:
        alpha = 0.2
    if not isinstance(alpha, int | float):
        raise errors.InvalidTypeError(
            f"[leaky_relu] Expected float for argument 'alpha' not {alpha!r:.80}; give a Python "
            f'number',
            'leaky_relu',
        )
    values = conversion.convert_to_tensor(features)
    if values.dtype.is_integer:
        values = cast.cast(values, dtypes.float32)
    result: Tensor = executor.run(LEAKY_RELU, values, alpha=float(np.float32(alpha)))
    return result


def elu(features: Any, name: str | None = None) -> Tensor:
    """``features`` above 0, ``exp(features) - 1`` below.

    Args:
        features: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(ELU, features)
    return result


def selu(features: Any, name: str | None = None) -> Tensor:
    """``elu`` scaled so that mean 0 and variance 1 are kept from layer to layer.

    Args:
        features: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(SELU, features)
    return result
