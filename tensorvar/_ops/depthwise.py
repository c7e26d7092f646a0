"""``depthwise_conv2d`` and ``separable_conv2d``: every channel has filters of its own.

A product per window position and a running sum are faster here than matrices, which
would have a depth of one.
"""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _convolution_arrays,
    _convolution_rules,
    _summation,
    _windows,
    convolution,
    convolution_arguments,
    convolution_ops,
)
from tensorvar._ops._convolution_rules import Dims, Ints
from tensorvar._ops._half_precision import in_float32
from tensorvar._ops._windows import Axis, Block, Padding
from tensorvar._ops.convolution_ops import Family

_FAMILY = Family(
    'DepthwiseConv2dNative',
    'DepthwiseConv2dNativeBackpropInput',
    'DepthwiseConv2dNativeBackpropFilter',
)

# Shape rules


def _result_shape(
    op: str,
    images: Dims,
    filters: Dims,
    strides: Ints,
    dilations: Ints,
    padding: Padding,
    channels_first: bool,
) -> Dims:
    _convolution_rules.check_ranks(op, images, filters, 2, exact=True)
    parts = _convolution_rules.split_shape(images, 2, channels_first)
    if not _arguments.same_dim(parts.channels, filters[2]):
        raise _convolution_rules.fail(
            op,
            f'input and filter must have the same depth: {parts.channels} vs {filters[2]}',
            'a filter has the shape (height, width, channels, multiplier)',
            'check data_format, or give a filter of the depth of the input',
        )
    windows = [1 if dim is None else dim for dim in filters[:2]]
    counts = _windows.counts(op, parts.spatial, windows, strides, dilations, padding)
    outputs = _arguments.known_product(filters[2:])
    return _convolution_rules.join_shape(
        _convolution_rules.Parts(parts.batch, counts, outputs), channels_first
    )


def _infer_forward(
    input: ArraySpec,
    filter: ArraySpec,
    *,
    strides: Ints,
    dilations: Ints,
    padding: Padding,
    channels_first: bool,
) -> ArraySpec:
    shape = _result_shape(
        _FAMILY.forward, input.shape, filter.shape, strides, dilations, padding, channels_first
    )
    return ArraySpec(shape, input.dtype)


def _infer_to_input(
    filter: ArraySpec, out_backprop: ArraySpec, *, input_shape: Ints, **layout: Any
) -> ArraySpec:
    name = _FAMILY.to_input
    _convolution_rules.check_spec(name, input_shape, filter, out_backprop)
    expected = _result_shape(name, input_shape, filter.shape, **layout)
    _convolution_rules.check_result(name, out_backprop.shape, expected)
    return ArraySpec(input_shape, filter.dtype)


def _infer_to_filter(
    input: ArraySpec, out_backprop: ArraySpec, *, filter_shape: Ints, **layout: Any
) -> ArraySpec:
    name = _FAMILY.to_filter
    _convolution_rules.check_spec(name, filter_shape, input, out_backprop)
    expected = _result_shape(name, input.shape, filter_shape, **layout)
    _convolution_rules.check_result(name, out_backprop.shape, expected)
    return ArraySpec(filter_shape, input.dtype)


# Array computations. A result is seen as (images, rows, columns, channels, multiplier).


def _blocks(xp: Any, images: int, along: tuple[Axis, ...], outputs: int) -> list[Block]:
    row_size = along[1].places * outputs
    limit = _convolution_arrays.limit(xp)
    return list(_windows.blocks(images, along[0].places, row_size, limit))


def _split_outputs(xp: Any, values: Array, channels: int, multiplier: int, first: bool) -> Array:
    last = _convolution_rules.channels_last(xp, values, 2, first)
    return last.reshape((*last.shape[:-1], channels, multiplier))


@in_float32
def _convolve(xp: Any, images: Array, filters: Array, **layout: Any) -> Array:
    first = layout['channels_first']
    along = _convolution_rules.known_axes(images.shape, filters.shape, **layout)
    flat = _convolution_rules.channels_last(xp, images, 2, first)
    padded = _windows.pad(xp, flat, along, 1)
    channels, multiplier = filters.shape[2:]
    counts = (along[0].places, along[1].places)
    result = xp.zeros((flat.shape[0], *counts, channels, multiplier), flat.dtype)
    for block in _blocks(xp, flat.shape[0], along, channels * multiplier):
        total = result[_convolution_arrays.part(block)]
        product = xp.empty(total.shape, total.dtype)
        for position in _convolution_arrays.positions(along):
            chosen = padded[_convolution_arrays.at(along, position, block)]
            xp.multiply(chosen[..., None], filters[position], out=product)
            total += product
    joined = result.reshape((flat.shape[0], *counts, channels * multiplier))
    return _convolution_rules.restore(xp, joined, images.shape[:1], first)


@in_float32
def _to_input(
    xp: Any, filters: Array, gradient: Array, *, input_shape: Ints, **layout: Any
) -> Array:
    first = layout['channels_first']
    along = _convolution_rules.known_axes(input_shape, filters.shape, **layout)
    channels, multiplier = filters.shape[2:]
    dy = _split_outputs(xp, gradient, channels, multiplier, first)
    padded = xp.zeros((dy.shape[0], along[0].padded, along[1].padded, channels), dy.dtype)
    for block in _blocks(xp, dy.shape[0], along, channels * multiplier):
        chosen = dy[_convolution_arrays.part(block)]
        product = xp.empty(chosen.shape, chosen.dtype)
        for position in _convolution_arrays.positions(along):
            xp.multiply(chosen, filters[position], out=product)
            share = product[..., 0] if multiplier == 1 else product.sum(axis=-1)
            padded[_convolution_arrays.at(along, position, block)] += share
    result = _windows.crop(xp, padded, along, 1)
    return _convolution_rules.restore(xp, result, input_shape[:1], first)


@in_float32
def _to_filter(
    xp: Any, images: Array, gradient: Array, *, filter_shape: Ints, **layout: Any
) -> Array:
    first = layout['channels_first']
    along = _convolution_rules.known_axes(images.shape, filter_shape, **layout)
    flat = _convolution_rules.channels_last(xp, images, 2, first)
    padded = _windows.pad(xp, flat, along, 1)
    dy = _split_outputs(xp, gradient, filter_shape[2], filter_shape[3], first)
    total = xp.zeros(filter_shape, flat.dtype)
    for block in _blocks(xp, dy.shape[0], along, filter_shape[2] * filter_shape[3]):
        chosen = dy[_convolution_arrays.part(block)]
        product = xp.empty(chosen.shape, chosen.dtype)
        for position in _convolution_arrays.positions(along):
            inner = padded[_convolution_arrays.at(along, position, block)]
            xp.multiply(inner[..., None], chosen, out=product)
            total[position] += _summation.pairwise_sum(xp, product, (0, 1, 2), False)
    return total


DEPTHWISE = convolution_ops.register(
    _FAMILY.forward,
    _infer_forward,
    _convolve,
    convolution_ops.gradient_of_forward(_FAMILY),
    dtypes.FLOATING,
)
DEPTHWISE_TO_INPUT = convolution_ops.register(
    _FAMILY.to_input,
    _infer_to_input,
    _to_input,
    convolution_ops.gradient_of_to_input(_FAMILY),
    dtypes.FLOATING,
)
DEPTHWISE_TO_FILTER = convolution_ops.register(
    _FAMILY.to_filter,
    _infer_to_filter,
    _to_filter,
    convolution_ops.gradient_of_to_filter(_FAMILY),
    dtypes.FLOATING,
)


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolution of each channel with filters of its own.

    ``output[n, i, j, c * multiplier + m]`` is the sum over ``di, dj`` of
    ``filter[di, dj, c, m]`` times
    ``input[n, i * stride + di * dilation, j * stride + dj * dilation, c]``, also where
    strides and dilations both exceed 1 (TensorFlow then warns and gives something else),
    for unequal strides, and for ``'NCHW'`` (which TensorFlow's CPU refuses).

    Args:
        input: floating-point values of shape ``(batch, height, width, channels)``.
        filter: of shape ``(height, width, channels, multiplier)``.
        strides: four integers, 1 for batch and channels.
        padding: ``'SAME'``, ``'VALID'``, or a list of four pairs; see ``conv2d``.
        data_format: ``'NHWC'`` or ``'NCHW'``; None for the first.
        dilations: two integers; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(batch, new height, new width, channels * multiplier)``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    op = 'depthwise_conv2d'
    first = convolution_arguments.read_layout(op, data_format, 2)
    steps = convolution_arguments.read_full(op, 'strides', strides, 2)
    result: Tensor = executor.run(
        DEPTHWISE,
        input,
        filter,
        strides=convolution_arguments.spatial(op, 'strides', steps, first),
        dilations=_read_dilations(op, dilations),
        padding=convolution_arguments.read_padding(op, padding, 2, first, explicit=True),
        channels_first=first,
    )
    return result


def _read_dilations(op: str, dilations: Any) -> Ints:
    if dilations is None:
        return (1, 1)
    if isinstance(dilations, int):
        raise errors.InvalidTypeError(
            f'[{op}] dilations {dilations!r} were given; allowed is a list of two integers, for '
            f'height and width; write [{dilations}, {dilations}]',
            op,
        )
    given = _arguments.vector(op, 'dilations', dilations)
    if len(given) > 2 or min(given, default=0) < 1:
        raise errors.InvalidArgumentError(
            f'[{op}] dilations {list(given)} were given; `dilation_rate` must be positive, one '
            f'number for the height and one for the width',
            op,
        )
    # As in TensorFlow, a single one is for the height.
    return given if len(given) == 2 else (*given, 1)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A ``depthwise_conv2d``, then a mix of its channels.

    Args:
        input: floating-point values of shape ``(batch, height, width, channels)``.
        depthwise_filter: of shape ``(height, width, channels, multiplier)``.
        pointwise_filter: of shape ``(1, 1, channels * multiplier, outputs)``.
        strides: four integers, 1 for batch and channels.
        padding: ``'SAME'``, ``'VALID'``, or a list of four pairs; see ``conv2d``.
        data_format: ``'NHWC'`` or ``'NCHW'``; None for the first.
        dilations: two integers; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(batch, new height, new width, outputs)``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    op = 'separable_conv2d'
    shape = _arguments.shape_of(pointwise_filter)
    fits = len(shape) == 4 and all(_arguments.same_dim(dim, 1) for dim in shape[:2])
    if not fits:
        raise errors.InvalidArgumentError(
            f'[{op}] pointwise_filter of shape {list(shape)} was given; it must have rank 4 and '
            f'dimensions compatible with (1, 1, channels, outputs); reshape it',
            op,
        )
    values = conversion.convert_to_tensor(input)
    mixed = depthwise_conv2d(values, depthwise_filter, strides, padding, data_format, dilations)
    first = convolution_arguments.read_layout(op, data_format, 2)
    ones = (1,) * 4
    return convolution.convolve(
        op, mixed, pointwise_filter, ones, ones, 'VALID', first, explicit=False
    )
