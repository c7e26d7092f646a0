"""Activations that are smooth everywhere."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes
from tensorvar._core import conversion, executor
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _define,
    complex_parts,
    elementwise_unary,
    exponential,
    hyperbolic,
    special_functions,
)
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._special import special

# TensorFlow rounds this and the fit's cube to float32, for float64 values too.
_SQRT_HALF = float(np.float32(math.sqrt(0.5)))
_NORMAL_DENSITY = _SQRT_HALF / math.sqrt(math.pi)

# The fit by which the approximate gelu replaces the normal distribution function.
_FIT_SCALE = math.sqrt(2.0 / math.pi)
_FIT_CUBE = float(np.float32(0.044715))


def _features_rule(features: ArraySpec) -> ArraySpec:
    return features


def _gelu_rule(features: ArraySpec, *, approximate: bool) -> ArraySpec:
    return features


def _softplus_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient * exponential.sigmoid(context.inputs[0]),)


def _softsign_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (gradient / elementwise_unary.square(1 + complex_parts.abs(context.inputs[0])),)


def _gelu_gradient(context: Any, gradient: Tensor) -> Gradients:
    x = context.inputs[0]
    if context.attributes['approximate']:
        squared = x * x
        t = hyperbolic.tanh(_FIT_SCALE * x * (1 + _FIT_CUBE * squared))
        slope = _FIT_SCALE * (1 + 3 * _FIT_CUBE * squared)
        return (gradient * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope),)
    distribution = 0.5 * (1 + special_functions.erf(x * _SQRT_HALF))
    density = _NORMAL_DENSITY * exponential.exp(-elementwise_unary.square(x * _SQRT_HALF))
    return (gradient * (distribution + x * density),)


def _softplus(xp: Any, features: Any) -> Any:
    return xp.maximum(features, 0) + xp.log1p(xp.exp(-xp.abs(features)))


def _gelu(xp: Any, features: Any, *, approximate: bool) -> Any:
    x = features
    if approximate:
        return 0.5 * x * (1 + xp.tanh(_FIT_SCALE * (x + _FIT_CUBE * (x * x * x))))
    return 0.5 * x * (1 + special(xp).erf(x * _SQRT_HALF))


SOFTPLUS = _define.unary(
    'Softplus', _softplus, _softplus_gradient, dtypes.FLOATING, infer=_features_rule, wide=True
)
SOFTSIGN = _define.unary(
    'Softsign',
    lambda xp, x: x / (1 + xp.abs(x)),
    _softsign_gradient,
    dtypes.FLOATING,
    infer=_features_rule,
    wide=True,
)
GELU = _define.unary('Gelu', _gelu, _gelu_gradient, dtypes.FLOATING, infer=_gelu_rule, wide=True)


def softplus(features: Any, name: str | None = None) -> Tensor:
    """``log(1 + exp(features))``, without overflow.

    Args:
        features: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(SOFTPLUS, features)
    return result


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """``log(sigmoid(x))``, without underflow.

    Args:
        x: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    return elementwise_unary.negative(softplus(elementwise_unary.negative(x)))


def softsign(features: Any, name: str | None = None) -> Tensor:
    """``features / (1 + abs(features))``; nan for infinities, as in TensorFlow.

    Args:
        features: floating-point values.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(SOFTSIGN, features)
    return result


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """``features`` times the normal distribution function of ``features``.

    Args:
        features: floating-point values.
        approximate: whether the distribution function is replaced by a fit with tanh.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidTypeError: ``features`` has another dtype.
    """
    result: Tensor = executor.run(GELU, features, approximate=bool(approximate))
    return result


def silu(features: Any, beta: Any = 1.0) -> Tensor:
    """``features * sigmoid(beta * features)``.

    Args:
        features: floating-point or complex values.
        beta: a number, or a tensor of the dtype of ``features``.

    Returns:
        A tensor of the shape and dtype of ``features``.

    Raises:
        InvalidArgumentError: the dtypes are wrong, or ``beta`` does not broadcast.
    """
    values = conversion.convert_to_tensor(features)
    plain = isinstance(beta, int | float) and beta == 1
    result: Tensor = values * exponential.sigmoid(values if plain else beta * values)
    return result


swish = silu
