"""``conv1d``, ``conv2d``, ``conv3d`` and ``convolution``."""

from typing import Any

from tensorvar import errors
from tensorvar._core import executor
from tensorvar._core.op_registry import OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, convolution_arguments, convolution_ops

_OPS: dict[int, OpDef] = {
    1: convolution_ops.CONV2D,
    2: convolution_ops.CONV2D,
    3: convolution_ops.CONV3D,
}


def convolve(
    op: str,
    input: Any,
    filters: Any,
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    padding: Any,
    channels_first: bool,
    *,
    explicit: bool,
) -> Tensor:
    """Runs a convolution whose strides and dilations name every dimension."""
    rank = len(strides) - 2
    result: Tensor = executor.run(
        _OPS[rank],
        input,
        filters,
        strides=convolution_arguments.spatial(op, 'strides', strides, channels_first),
        dilations=convolution_arguments.spatial(op, 'dilations', dilations, channels_first),
        padding=convolution_arguments.read_padding(
            op, padding, rank, channels_first, explicit=explicit
        ),
        channels_first=channels_first,
    )
    return result


def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str | None = 'NWC',
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolution along one dimension; see ``conv2d``.

    Args:
        input: floating-point or int32 values of shape ``(*batch, width, channels)``.
        filters: of shape ``(width, channels of a group, outputs)``.
        stride: an integer, or one for each of the three dimensions.
        padding: ``'SAME'`` or ``'VALID'``.
        data_format: ``'NWC'`` or ``'NCW'``; ``'NHWC'`` and ``'NCHW'`` mean the same.
        dilations: like ``stride``; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(*batch, new width, outputs)``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    alias = {'NHWC': 'NWC', 'NCHW': 'NCW'}.get(str(data_format), data_format)
    first = convolution_arguments.read_layout('conv1d', alias, 1)
    steps = convolution_arguments.read_sequence('conv1d', 'stride', stride, 1, first)
    spread = convolution_arguments.read_sequence('conv1d', 'dilations', dilations, 1, first)
    return convolve('conv1d', input, filters, steps, spread, padding, first, explicit=False)


def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NHWC',
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolution of images with a filter; really a correlation, as in TensorFlow.

    ``output[n, i, j, o]`` is the sum over ``di, dj, c`` of ``filters[di, dj, c, o]`` times
    ``input[n, i * stride + di * dilation, j * stride + dj * dilation, c]``. Where the filter
    is shallower than the input, channels and outputs are split into groups. Strides and
    dilations may be combined, and ``'NCHW'`` runs on every device and has gradients
    (TensorFlow's CPU lacks part of this). 16-bit floats are computed in float32.

    Args:
        input: floating-point or int32 values of shape ``(*batch, height, width, channels)``.
        filters: of shape ``(height, width, channels of a group, outputs)``.
        strides: an integer, one for each spatial dimension, or one for each of the four.
        padding: ``'SAME'``, ``'VALID'``, or a list of four pairs ``[before, after]``, with
            zeros for batch and channels.
        data_format: ``'NHWC'`` or ``'NCHW'``.
        dilations: like ``strides``; None for 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(*batch, new height, new width, outputs)``, or with the channels
        first for ``'NCHW'``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
        UnimplementedError: a stride of the batch or the channels is not 1.

    Example:
        >>> import tensorvar as tv
        >>> image = tv.ones([1, 3, 3, 1])
        >>> print(tv.nn.conv2d(image, tv.ones([3, 3, 1, 1]), 1, 'SAME')[0, :, :, 0])
        tv.Tensor(
        [[4. 6. 4.]
         [6. 9. 6.]
         [4. 6. 4.]], shape=(3, 3), dtype=float32)
    """
    first = convolution_arguments.read_layout('conv2d', data_format, 2)
    steps = convolution_arguments.read_sequence('conv2d', 'strides', strides, 2, first)
    spread = convolution_arguments.read_sequence('conv2d', 'dilations', dilations, 2, first)
    return convolve('conv2d', input, filters, steps, spread, padding, first, explicit=True)


def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NDHWC',
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolution of volumes with a filter; see ``conv2d``.

    Args:
        input: floating-point values of shape ``(*batch, depth, height, width, channels)``.
        filters: of shape ``(depth, height, width, channels of a group, outputs)``.
        strides: five integers, 1 for batch and channels.
        padding: ``'SAME'`` or ``'VALID'``.
        data_format: ``'NDHWC'`` or ``'NCDHW'``.
        dilations: five integers; None for 1. (TensorFlow's CPU takes only 1.)
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(*batch, new depth, new height, new width, outputs)``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    first = convolution_arguments.read_layout('conv3d', data_format, 3)
    steps = convolution_arguments.read_full('conv3d', 'strides', strides, 3)
    given = (1,) * 5 if dilations is None else dilations
    spread = convolution_arguments.read_full('conv3d', 'dilations', given, 3)
    return convolve('conv3d', input, filters, steps, spread, padding, first, explicit=False)


def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = 'VALID',
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolution along one, two or three dimensions, as the rank of the filter says.

    Args:
        input: values of shape ``(*batch, *spatial, channels)``.
        filters: of shape ``(*window, channels of a group, outputs)``.
        strides: one integer, or one per spatial dimension; None for 1.
        padding: ``'SAME'``, ``'VALID'`` or a list of pairs, see ``conv2d``.
        data_format: ``'NWC'``, ``'NHWC'``, ``'NDHWC'``, or with the channels first ``'NCW'``,
            ``'NCHW'``, ``'NCDHW'``; None for channels last.
        dilations: like ``strides``; not both may exceed 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(*batch, *new spatial, outputs)``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
    """
    op = 'convolution'
    rank = _arguments.rank_of(filters) - 2
    if rank not in _OPS:
        raise errors.InvalidArgumentError(
            f'[{op}] filters of rank {rank + 2} were given; `num_spatial_dims` must be 1, 2, '
            f'or 3, so the rank 3, 4 or 5; reshape the filter',
            op,
        )
    first = convolution_arguments.read_layout(op, data_format, rank)
    steps = convolution_arguments.read_sequence(op, 'strides', strides, rank, first)
    spread = convolution_arguments.read_sequence(op, 'dilations', dilations, rank, first)
    if max(steps) > 1 and max(spread) > 1:
        raise errors.InvalidArgumentError(
            f'[{op}] `strides > 1` not supported in conjunction with `dilation_rate > 1`. '
            f'Received: strides={list(steps)} and dilation_rate={list(spread)}; use tv.nn.conv2d',
            op,
        )
    return convolve(op, input, filters, steps, spread, padding, first, explicit=True)
