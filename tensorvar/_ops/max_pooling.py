"""Max pooling over windows: ``max_pool`` and its forms for 1, 2 and 3 dimensions.

The gradient of a window goes to the first of its largest elements; in 3 dimensions, as in
TensorFlow, all of it goes to each of them.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, Gradient, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _pooling_rules, _windows
from tensorvar._ops._define import DTypes
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32
from tensorvar._ops._pooling_rules import Dims, Ints
from tensorvar._ops._windows import Axis, Padding


def _infer(name: str) -> Infer:
    def infer(input: ArraySpec, *, ksize: Ints, strides: Ints, padding: Padding) -> ArraySpec:
        shape = _pooling_rules.pooled_shape(name, input.shape, ksize, strides, padding)
        return ArraySpec(shape, input.dtype)

    return infer


def _infer_grad(name: str) -> Infer:
    def infer(
        orig_input: ArraySpec,
        orig_output: ArraySpec,
        grad: ArraySpec,
        *,
        ksize: Ints,
        strides: Ints,
        padding: Padding,
    ) -> ArraySpec:
        expected = _pooling_rules.pooled_shape(name, orig_input.shape, ksize, strides, padding)
        _pooling_rules.check_result(name, orig_output, expected, 'orig_output')
        _pooling_rules.check_result(name, grad, expected, 'grad')
        return orig_input

    return infer


def _infer_grad_grad(name: str) -> Infer:
    def infer(
        orig_input: ArraySpec,
        orig_output: ArraySpec,
        grad: ArraySpec,
        *,
        ksize: Ints,
        strides: Ints,
        padding: Padding,
    ) -> ArraySpec:
        expected = _pooling_rules.pooled_shape(name, orig_input.shape, ksize, strides, padding)
        _pooling_rules.check_result(name, orig_output, expected, 'orig_output')
        _pooling_rules.check_result(name, grad, orig_input.shape, 'grad')
        return orig_output

    return infer


# Array computations


def _lowest(dtype: Any) -> Any:
    """What no element is below: the padding of a maximum."""
    if dtype in dtypes.FLOATING:
        return -math.inf
    return int(np.iinfo(dtype).min)


@in_float32
def _maximum(xp: Any, value: Array, *, ksize: Ints, strides: Ints, padding: Padding) -> Array:
    along = _pooling_rules.known_axes(value.shape, ksize, strides, padding)
    largest = value
    for number, axis in enumerate(along):
        if axis.window * axis.stride == 1:
            continue
        padded = _windows.pad(xp, largest, [axis], number, _lowest(value.dtype))
        before = (slice(None),) * number
        largest = padded[(*before, axis.at(0))].copy()
        for position in range(1, axis.window):
            largest = xp.fmax(largest, padded[(*before, axis.at(position))])
    return largest.copy() if largest is value else largest


def _places(along: tuple[Axis, ...]) -> Iterator[tuple[slice, ...]]:
    """Where each position within a window lies."""
    for position in itertools.product(*[range(axis.window) for axis in along]):
        yield tuple(axis.at(place) for axis, place in zip(along, position, strict=True))


def _chosen(
    xp: Any, padded: Array, largest: Array, along: tuple[Axis, ...]
) -> Iterator[tuple[tuple[slice, ...], Array]]:
    """For each position within a window: where it lies, and which windows chose it."""
    free = xp.ones(largest.shape, dtypes.bool_.numpy)
    for places in _places(along):
        chosen = free & (padded[places] == largest)
        free = free & ~chosen
        yield places, chosen


@in_float32
def _maximum_grad(
    xp: Any,
    value: Array,
    largest: Array,
    grad: Array,
    *,
    ksize: Ints,
    strides: Ints,
    padding: Padding,
) -> Array:
    along = _pooling_rules.known_axes(value.shape, ksize, strides, padding)
    padded = _windows.pad(xp, value, along, 0, _lowest(value.dtype))
    total = xp.zeros(padded.shape, grad.dtype)
    for places, chosen in _chosen(xp, padded, largest, along):
        total[places] += grad * chosen
    return _windows.crop(xp, total, along, 0)


@in_float32
def _maximum_grad_of_each(
    xp: Any,
    value: Array,
    largest: Array,
    grad: Array,
    *,
    ksize: Ints,
    strides: Ints,
    padding: Padding,
) -> Array:
    along = _pooling_rules.known_axes(value.shape, ksize, strides, padding)
    padded = _windows.pad(xp, value, along, 0, _lowest(value.dtype))
    total = xp.zeros(padded.shape, grad.dtype)
    for places in _places(along):
        total[places] += grad * (padded[places] == largest)
    return _windows.crop(xp, total, along, 0)


@in_float32
def _maximum_grad_grad(
    xp: Any,
    value: Array,
    largest: Array,
    grad: Array,
    *,
    ksize: Ints,
    strides: Ints,
    padding: Padding,
) -> Array:
    along = _pooling_rules.known_axes(value.shape, ksize, strides, padding)
    padded = _windows.pad(xp, value, along, 0, _lowest(value.dtype))
    inner = _windows.pad(xp, grad, along, 0)
    total = xp.zeros(largest.shape, grad.dtype)
    for places, chosen in _chosen(xp, padded, largest, along):
        total += inner[places] * chosen
    return total


# Gradients: which element is largest does not change with the gradients that pass through.


def _gradient(grad_name: str) -> Gradient:
    def gradient(context: Any, dy: Tensor) -> Gradients:
        value, largest = context.inputs[0], context.outputs[0]
        return (executor.run(OPS[grad_name], value, largest, dy, **context.attributes),)

    return gradient


def _gradient_through(other: str) -> Gradient:
    """The gradient of an op that is linear in the last of its three inputs."""

    def gradient(context: Any, upstream: Tensor) -> Gradients:
        value, largest, _ = context.inputs
        passed = executor.run(OPS[other], value, largest, upstream, **context.attributes)
        return None, None, passed

    return gradient


def _register(name: str, allowed: DTypes, grad_forward: Any) -> OpDef:
    grad, grad_grad = f'{name}Grad', f'{name}GradGrad'
    for op, infer, forward, other in (
        (grad, _infer_grad(grad), grad_forward, grad_grad),
        (grad_grad, _infer_grad_grad(grad_grad), _maximum_grad_grad, grad),
    ):
        op_registry.register(
            OpDef(
                op,
                infer,
                forward,
                _gradient_through(other),
                inputs='T T T',
                dtypes={'T': allowed},
                wide=True,
            )
        )
    return op_registry.register(
        OpDef(name, _infer(name), _maximum, _gradient(grad), dtypes={'T': allowed})
    )


_NEVER = frozenset({dtypes.uint32.numpy, dtypes.uint64.numpy})
MAX_POOL = _register('MaxPool', dtypes.REAL - _NEVER, _maximum_grad)
MAX_POOL_3D = _register('MaxPool3D', dtypes.FLOATING, _maximum_grad_of_each)


def _pool(
    op: str, rank: int, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any
) -> Tensor:
    sizes = _pooling_rules.read_sizes(
        op,
        ksize,
        strides,
        padding,
        data_format,
        rank,
        explicit=rank < 3,
        across_channels=rank < 3,
    )
    _check_channels(op, _arguments.shape_of(input), sizes.ksize, data_format)
    record = MAX_POOL_3D if rank == 3 else MAX_POOL
    result: Tensor = executor.run(record, input, **sizes._asdict())
    return result


def _check_channels(op: str, shape: Dims, ksize: Ints, data_format: str | None) -> None:
    channel = 1 if data_format is not None and data_format.startswith('NC') else len(ksize) - 1
    size, depth = ksize[channel], shape[channel] if len(shape) == len(ksize) else None
    if depth is not None and depth % size:
        raise errors.UnimplementedError(
            f'[{op}] a window of {size} channels was given for {depth}; Depthwise max pooling '
            f'requires the depth window to evenly divide the input depth; pad the input',
            op,
        )


def max_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Largest elements of windows, along as many dimensions as the rank of the input says.

    NaN loses against numbers. Of equal elements the first gets the gradient, but at rank 5,
    as in TensorFlow, each gets all of it. ``'NCHW'`` runs on every device (TensorFlow's CPU
    refuses it), and a window of -inf gives -inf (TensorFlow's CPU gives the lowest finite
    number).

    Args:
        input: real values of shape ``(batch, *spatial, channels)``, rank 3 to 5.
        ksize: the window: one integer, one per spatial dimension, or one per dimension; it
            may be across channels instead of the spatial dimensions.
        strides: from one window to the next, likewise.
        padding: ``'SAME'``, ``'VALID'``, or for rank 3 and 4 a list of pairs
            ``[before, after]``, one per dimension.
        data_format: ``'NWC'``, ``'NHWC'``, ``'NDHWC'``, or with the channels first ``'NCW'``,
            ``'NCHW'``, ``'NCDHW'``; None for channels last.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(batch, *new spatial, channels)`` and the dtype of ``input``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
        UnimplementedError: windows across the batch, or across channels and more.
    """
    rank = _pooling_rules.spatial_rank('max_pool', input)
    if rank == 3 and isinstance(padding, list | tuple):
        raise errors.InvalidArgumentError(
            f'[max_pool] Explicit padding is not supported with an input tensor of rank 5. '
            f'Received: padding={padding}; use tv.pad before',
            'max_pool',
        )
    return _pool('max_pool', rank, input, ksize, strides, padding, data_format)


def max_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NWC',
    name: str | None = None,
) -> Tensor:
    """Pools an input of rank 3, ``'NWC'`` or ``'NCW'``; see ``max_pool``."""
    return _pool('max_pool1d', 1, input, ksize, strides, padding, data_format)


def max_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NHWC',
    name: str | None = None,
) -> Tensor:
    """Pools an input of rank 4, ``'NHWC'`` or ``'NCHW'``; see ``max_pool``."""
    return _pool('max_pool2d', 2, input, ksize, strides, padding, data_format)


def max_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NDHWC',
    name: str | None = None,
) -> Tensor:
    """Pools an input of rank 5, ``'NDHWC'`` or ``'NCDHW'``; see ``max_pool``."""
    return _pool('max_pool3d', 3, input, ksize, strides, padding, data_format)
