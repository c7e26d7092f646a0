"""Average pooling over windows: ``avg_pool`` and its forms for 1, 2 and 3 dimensions.

Padding does not count: a mean is over what lies inside the input. Windows are summed
along one axis after the other.
"""

from typing import Any

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import OPS, ArraySpec, Gradient, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _pooling_rules, _windows
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32
from tensorvar._ops._pooling_rules import Ints
from tensorvar._ops._windows import Axis, Padding


def _infer(name: str) -> Infer:
    def infer(value: ArraySpec, *, ksize: Ints, strides: Ints, padding: Padding) -> ArraySpec:
        shape = _pooling_rules.pooled_shape(name, value.shape, ksize, strides, padding)
        return ArraySpec(shape, value.dtype)

    return infer


def _infer_grad(name: str) -> Infer:
    def infer(
        grad: ArraySpec, *, input_shape: Ints, ksize: Ints, strides: Ints, padding: Padding
    ) -> ArraySpec:
        expected = _pooling_rules.pooled_shape(name, input_shape, ksize, strides, padding)
        _pooling_rules.check_result(name, grad, expected, 'grad')
        return ArraySpec(input_shape, grad.dtype)

    return infer


def _along(number: int, places: slice) -> tuple[slice, ...]:
    return (*[slice(None)] * number, places)


def _moving(along: tuple[Axis, ...]) -> list[tuple[int, Axis]]:
    """The axes along which there is something to pool, with their numbers."""
    return [(number, axis) for number, axis in enumerate(along) if axis.window * axis.stride > 1]


def _scale(xp: Any, along: tuple[Axis, ...], dtype: Any) -> Array | float:
    """The number of elements in each window, in a shape that broadcasts."""
    total: Any = 1
    for number, axis in _moving(along):
        start = xp.arange(axis.places, dtype=dtype) * axis.stride - axis.before
        inside = xp.minimum(start + axis.window, axis.size) - xp.maximum(start, 0)
        total = total * inside.reshape((axis.places,) + (1,) * (len(along) - number - 1))
    return total


@in_float32
def _average(xp: Any, value: Array, *, ksize: Ints, strides: Ints, padding: Padding) -> Array:
    along = _pooling_rules.known_axes(value.shape, ksize, strides, padding)
    total = value
    for number, axis in _moving(along):
        padded = _windows.pad(xp, total, [axis], number)
        total = padded[_along(number, axis.at(0))].copy()
        for position in range(1, axis.window):
            total += padded[_along(number, axis.at(position))]
    return total / _scale(xp, along, value.dtype)


@in_float32
def _average_grad(
    xp: Any, grad: Array, *, input_shape: Ints, ksize: Ints, strides: Ints, padding: Padding
) -> Array:
    along = _pooling_rules.known_axes(input_shape, ksize, strides, padding)
    total = grad / _scale(xp, along, grad.dtype)
    for number, axis in reversed(_moving(along)):
        shape = (*total.shape[:number], axis.padded, *total.shape[number + 1 :])
        padded = xp.zeros(shape, grad.dtype)
        for position in range(axis.window):
            padded[_along(number, axis.at(position))] += total
        total = _windows.crop(xp, padded, [axis], number)
    return total


def _gradient(grad_name: str) -> Gradient:
    def gradient(context: Any, dy: Tensor) -> Gradients:
        shape = context.inputs[0]._shape
        return (executor.run(OPS[grad_name], dy, input_shape=shape, **context.attributes),)

    return gradient


def _gradient_of_grad(name: str) -> Gradient:
    def gradient(context: Any, dx: Tensor) -> Gradients:
        sizes = {key: context.attributes[key] for key in ('ksize', 'strides', 'padding')}
        return (executor.run(OPS[name], dx, **sizes),)

    return gradient


def _register(name: str) -> tuple[OpDef, OpDef]:
    grad = f'{name}Grad'
    allowed = {'T': dtypes.FLOATING}
    return (
        op_registry.register(
            OpDef(name, _infer(name), _average, _gradient(grad), dtypes=allowed, wide=True)
        ),
        op_registry.register(
            OpDef(
                grad,
                _infer_grad(grad),
                _average_grad,
                _gradient_of_grad(name),
                dtypes=allowed,
                wide=True,
            )
        ),
    )


AVG_POOL, AVG_POOL_GRAD = _register('AvgPool')
AVG_POOL_3D, AVG_POOL_3D_GRAD = _register('AvgPool3D')


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
        explicit=False,
        across_channels=False,
    )
    record = AVG_POOL_3D if rank == 3 else AVG_POOL
    result: Tensor = executor.run(record, input, **sizes._asdict())
    return result


def avg_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Means over windows, along as many dimensions as the rank of the input says.

    Padding does not count: at an edge the mean is over what lies inside. ``'NCHW'`` runs on
    every device (TensorFlow's CPU refuses it).

    Args:
        input: floating-point values of shape ``(batch, *spatial, channels)``, rank 3 to 5.
        ksize: the window: one integer, one per spatial dimension, or one per dimension.
        strides: from one window to the next, likewise.
        padding: ``'SAME'`` or ``'VALID'``.
        data_format: ``'NWC'``, ``'NHWC'``, ``'NDHWC'``, or with the channels first ``'NCW'``,
            ``'NCHW'``, ``'NCDHW'``; None for channels last.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(batch, *new spatial, channels)`` and the dtype of ``input``.

    Raises:
        InvalidArgumentError: shapes, dtypes or arguments do not fit.
        UnimplementedError: windows across the batch or the channels.
    """
    rank = _pooling_rules.spatial_rank('avg_pool', input)
    return _pool('avg_pool', rank, input, ksize, strides, padding, data_format)


def avg_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NWC',
    name: str | None = None,
) -> Tensor:
    """Pools an input of rank 3, ``'NWC'`` or ``'NCW'``; see ``avg_pool``."""
    return _pool('avg_pool1d', 1, input, ksize, strides, padding, data_format)


def avg_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NHWC',
    name: str | None = None,
) -> Tensor:
    """Pools an input of rank 4, ``'NHWC'`` or ``'NCHW'``; see ``avg_pool``."""
    return _pool('avg_pool2d', 2, input, ksize, strides, padding, data_format)


def avg_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = 'NDHWC',
    name: str | None = None,
) -> Tensor:
    """Pools an input of rank 5, ``'NDHWC'`` or ``'NCDHW'``; see ``avg_pool``."""
    return _pool('avg_pool3d', 3, input, ksize, strides, padding, data_format)
