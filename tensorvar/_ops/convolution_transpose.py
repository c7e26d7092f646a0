"""Transposed convolutions: the gradients of convolutions as layers of their own."""

from typing import Any

from tensorvar import errors
from tensorvar._core import executor
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, convolution_arguments, convolution_ops

_OPS: dict[int, OpDef] = {
    1: convolution_ops.CONV2D_TO_INPUT,
    2: convolution_ops.CONV2D_TO_INPUT,
    3: convolution_ops.CONV3D_TO_INPUT,
}


def _transpose(
    op: str,
    rank: int,
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
) -> Tensor:
    first = convolution_arguments.read_layout(op, data_format, rank)
    steps = convolution_arguments.read_sequence(op, 'strides', strides, rank, first)
    spread = convolution_arguments.read_sequence(op, 'dilations', dilations, rank, first)
    result: Tensor = executor.run(
        _OPS[rank],
        filters,
        input,
        input_shape=_read_shape(op, rank, output_shape, input, filters, first),
        strides=convolution_arguments.spatial(op, 'strides', steps, first),
        dilations=convolution_arguments.spatial(op, 'dilations', spread, first),
        padding=convolution_arguments.read_padding(op, padding, rank, first, explicit=rank == 2),
        channels_first=first,
    )
    return result


def _read_shape(
    op: str, rank: int, output_shape: Any, input: Any, filters: Any, channels_first: bool
) -> tuple[int, ...]:
    shape = _arguments.vector(op, 'output_shape', output_shape)
    if len(shape) == rank == 2:
        # Batch and channels follow from the other arguments.
        batch = _arguments.shape_of(input)[0]
        depth = _arguments.shape_of(filters)[-2]
        if batch is not None and depth is not None:
            return (batch, depth, *shape) if channels_first else (batch, *shape, depth)
    if len(shape) != rank + 2:
        raise errors.InvalidArgumentError(
            f'[{op}] output_shape {list(shape)} was given; it requires {rank + 2} values: batch, '
            f'spatial and channels; give the whole shape',
            op,
        )
    return shape


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = 'SAME',
    data_format: str | None = 'NWC',
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of ``conv1d``; see ``conv2d_transpose``.

    Args:
        input: floating-point or int32 values of shape ``(batch, width, channels)``.
        filters: of shape ``(width, outputs, channels)``.
        output_shape: the shape of the result, three integers.
        strides: an integer, or one for each of the three dimensions.
        padding: ``'SAME'`` or ``'VALID'``.
        data_format: ``'NWC'`` or ``'NCW'``.
        dilations: like ``strides``; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``output_shape``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    return _transpose(
        'conv1d_transpose',
        1,
        input,
        filters,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
    )


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = 'SAME',
    data_format: str | None = 'NHWC',
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of ``conv2d``: what its gradient does to the gradient of its result.

    Dilations and ``'NCHW'`` run on every device (TensorFlow's CPU lacks them).

    Args:
        input: floating-point or int32 values of shape ``(batch, height, width, channels)``.
        filters: of shape ``(height, width, outputs, channels)``.
        output_shape: the shape of the result, four integers, or its height and width. A
            convolution of that shape has to give the shape of ``input``.
        strides: an integer, one for each spatial dimension, or one for each of the four.
        padding: ``'SAME'``, ``'VALID'``, or a list of four pairs; see ``conv2d``.
        data_format: ``'NHWC'`` or ``'NCHW'``.
        dilations: like ``strides``; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``output_shape``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    return _transpose(
        'conv2d_transpose',
        2,
        input,
        filters,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
    )


def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = 'SAME',
    data_format: str | None = 'NDHWC',
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of ``conv3d``; see ``conv2d_transpose``.

    Args:
        input: floating-point values of shape ``(batch, depth, height, width, channels)``.
        filters: of shape ``(depth, height, width, outputs, channels)``.
        output_shape: the shape of the result, five integers.
        strides: an integer, one for each spatial dimension, or one for each of the five.
        padding: ``'SAME'`` or ``'VALID'``.
        data_format: ``'NDHWC'`` or ``'NCDHW'``.
        dilations: like ``strides``; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``output_shape``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    return _transpose(
        'conv3d_transpose',
        3,
        input,
        filters,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
    )


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = 'SAME',
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of ``convolution``, along as many dimensions as ``output_shape`` says.

    Args:
        input: values of shape ``(batch, *spatial, channels)``.
        filters: of shape ``(*window, outputs, channels)``.
        output_shape: the shape of the result, three, four or five integers.
        strides: one integer, or one per spatial dimension.
        padding: see ``conv2d_transpose``.
        data_format: see ``convolution``.
        dilations: like ``strides``; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of ``output_shape``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    op = 'conv_transpose'
    if not isinstance(output_shape, ArrayValue) and not hasattr(output_shape, '__len__'):
        raise errors.InvalidArgumentError(
            f'[{op}] `output_shape` must be a tensor or sized collection. Received: '
            f'output_shape={output_shape!r:.80}; give a list',
            op,
        )
    shape = _arguments.vector(op, 'output_shape', output_shape)
    if len(shape) - 2 not in _OPS:
        raise errors.InvalidArgumentError(
            f'[{op}] `output_shape` must be of length 3, 4 or 5. Received: '
            f'output_shape={list(shape)} of length {len(shape)}; give the whole shape',
            op,
        )
    return _transpose(
        op, len(shape) - 2, input, filters, shape, strides, padding, data_format, dilations
    )
