"""The records of convolutions: forward, and their two gradients, for 2 and 3 dimensions.

A convolution is linear in its input and in its filter, so the gradients of all orders
are made of the same three ops. ``Conv2D`` serves one dimension too.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, Gradient, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _convolution_arrays, _convolution_rules
from tensorvar._ops._convolution_rules import Ints
from tensorvar._ops._define import DTypes
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32
from tensorvar._ops._windows import Padding


class Family(NamedTuple):
    """The names of three ops that are each other's gradients."""

    forward: str
    to_input: str
    to_filter: str


# Shape rules


def _infer_forward(name: str) -> Infer:
    def infer(
        input: ArraySpec,
        filter: ArraySpec,
        *,
        strides: Ints,
        dilations: Ints,
        padding: Padding,
        channels_first: bool,
    ) -> ArraySpec:
        shape = _convolution_rules.convolution_shape(
            name, input.shape, filter.shape, strides, dilations, padding, channels_first
        )
        return ArraySpec(shape, input.dtype)

    return infer


def _infer_to_input(name: str) -> Infer:
    def infer(
        filter: ArraySpec, out_backprop: ArraySpec, *, input_shape: Ints, **layout: Any
    ) -> ArraySpec:
        _convolution_rules.check_spec(name, input_shape, filter, out_backprop)
        expected = _convolution_rules.convolution_shape(name, input_shape, filter.shape, **layout)
        _convolution_rules.check_result(name, out_backprop.shape, expected)
        return ArraySpec(input_shape, filter.dtype)

    return infer


def _infer_to_filter(name: str) -> Infer:
    def infer(
        input: ArraySpec, out_backprop: ArraySpec, *, filter_shape: Ints, **layout: Any
    ) -> ArraySpec:
        _convolution_rules.check_spec(name, filter_shape, input, out_backprop)
        expected = _convolution_rules.convolution_shape(name, input.shape, filter_shape, **layout)
        _convolution_rules.check_result(name, out_backprop.shape, expected)
        return ArraySpec(filter_shape, input.dtype)

    return infer


# Array computations


@in_float32
def _convolve(xp: Any, images: Array, filters: Array, **layout: Any) -> Array:
    rank, first = len(layout['strides']), layout['channels_first']
    along = _convolution_rules.known_axes(images.shape, filters.shape, **layout)
    flat = _convolution_rules.channels_last(xp, images, rank, first)
    result = _convolution_arrays.convolve(xp, flat, filters, along)
    return _convolution_rules.restore(xp, result, images.shape[: -rank - 1], first)


@in_float32
def _to_input(
    xp: Any, filters: Array, gradient: Array, *, input_shape: Ints, **layout: Any
) -> Array:
    rank, first = len(layout['strides']), layout['channels_first']
    along = _convolution_rules.known_axes(input_shape, filters.shape, **layout)
    channels = input_shape[-rank - 1] if first else input_shape[-1]
    flat = _convolution_rules.channels_last(xp, gradient, rank, first)
    result = _convolution_arrays.input_gradient(xp, filters, flat, along, channels)
    return _convolution_rules.restore(xp, result, input_shape[: -rank - 1], first)


@in_float32
def _to_filter(
    xp: Any, images: Array, gradient: Array, *, filter_shape: Ints, **layout: Any
) -> Array:
    rank, first = len(layout['strides']), layout['channels_first']
    along = _convolution_rules.known_axes(images.shape, filter_shape, **layout)
    return _convolution_arrays.filter_gradient(
        xp,
        _convolution_rules.channels_last(xp, images, rank, first),
        _convolution_rules.channels_last(xp, gradient, rank, first),
        along,
        filter_shape,
    )


# Gradients


def _layout(context: Any) -> dict[str, Any]:
    names = ('strides', 'dilations', 'padding', 'channels_first')
    return {name: context.attributes[name] for name in names}


def gradient_of_forward(family: Family) -> Gradient:
    """The gradient of an op of two inputs, the images and the filter."""

    def gradient(context: Any, dy: Tensor) -> Gradients:
        images, filters = context.inputs
        layout = _layout(context)
        to_input = to_filter = None
        if context.needs[0]:
            to_input = executor.run(
                OPS[family.to_input], filters, dy, input_shape=images._shape, **layout
            )
        if context.needs[1]:
            to_filter = executor.run(
                OPS[family.to_filter], images, dy, filter_shape=filters._shape, **layout
            )
        return to_input, to_filter

    return gradient


def gradient_of_to_input(family: Family) -> Gradient:
    """The gradient of what takes the filter and the gradient of the result."""

    def gradient(context: Any, dx: Tensor) -> Gradients:
        filters, dy = context.inputs
        layout = _layout(context)
        to_filter = to_result = None
        if context.needs[0]:
            to_filter = executor.run(
                OPS[family.to_filter], dx, dy, filter_shape=filters._shape, **layout
            )
        if context.needs[1]:
            to_result = executor.run(OPS[family.forward], dx, filters, **layout)
        return to_filter, to_result

    return gradient


def gradient_of_to_filter(family: Family) -> Gradient:
    """The gradient of what takes the images and the gradient of the result."""

    def gradient(context: Any, df: Tensor) -> Gradients:
        images, dy = context.inputs
        layout = _layout(context)
        to_input = to_result = None
        if context.needs[0]:
            to_input = executor.run(
                OPS[family.to_input], df, dy, input_shape=images._shape, **layout
            )
        if context.needs[1]:
            to_result = executor.run(OPS[family.forward], images, df, **layout)
        return to_input, to_result

    return gradient


def register(
    name: str,
    infer: Infer,
    forward: Callable[..., Array],
    gradient: Gradient,
    allowed: DTypes,
) -> OpDef:
    """Registers one of the three ops of a family."""
    return op_registry.register(
        OpDef(name, infer, forward, gradient, inputs='T T', dtypes={'T': allowed}, wide=True)
    )


_TWO = Family('Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter')
_THREE = Family('Conv3D', 'Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2')
_TWO_DTYPES = dtypes.FLOATING | {dtypes.int32.numpy}


def _register_family(family: Family, allowed: DTypes) -> tuple[OpDef, OpDef, OpDef]:
    forward, to_input, to_filter = family
    return (
        register(forward, _infer_forward(forward), _convolve, gradient_of_forward(family), allowed),
        register(
            to_input, _infer_to_input(to_input), _to_input, gradient_of_to_input(family), allowed
        ),
        register(
            to_filter,
            _infer_to_filter(to_filter),
            _to_filter,
            gradient_of_to_filter(family),
            allowed,
        ),
    )


CONV2D, CONV2D_TO_INPUT, CONV2D_TO_FILTER = _register_family(_TWO, _TWO_DTYPES)
CONV3D, CONV3D_TO_INPUT, CONV3D_TO_FILTER = _register_family(_THREE, dtypes.FLOATING)
