"""Blocks of image positions moved into the channels and back."""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients

_FORMATS = ('NHWC', 'NCHW')


def _check(op: str, input: ArraySpec, block_size: int, data_format: str) -> None:
    if data_format not in _FORMATS:
        raise errors.InvalidArgumentError(
            f'[{op}] data_format {data_format!r} was given; allowed are {list(_FORMATS)}', op
        )
    if block_size < 2:
        raise errors.InvalidArgumentError(
            f'[{op}] block_size {block_size} was given; it must be at least 2; leave the op out '
            f'for 1',
            op,
        )
    if len(input.shape) != 4:
        raise errors.InvalidArgumentError(
            f'[{op}] Input rank should be 4 instead of {len(input.shape)} (shape '
            f'{list(input.shape)}); reshape it to {data_format}',
            op,
        )


def _named(shape: tuple[Any, ...], data_format: str) -> tuple[Any, Any, Any]:
    """Height, width and channels."""
    channels_last = data_format == 'NHWC'
    return (*shape[1:3], shape[3]) if channels_last else (*shape[2:4], shape[1])


def _ordered(batch: Any, height: Any, width: Any, depth: Any, data_format: str) -> tuple[Any, ...]:
    channels_last = data_format == 'NHWC'
    return (batch, height, width, depth) if channels_last else (batch, depth, height, width)


def _scaled(dim: int | None, multiply: int, divide: int) -> int | None:
    return None if dim is None else dim * multiply // divide


def _infer_to_depth(input: ArraySpec, *, block_size: int, data_format: str) -> ArraySpec:
    _check('SpaceToDepth', input, block_size, data_format)
    height, width, depth = _named(input.shape, data_format)
    if (height or 0) % block_size or (width or 0) % block_size:
        raise errors.InvalidArgumentError(
            f'[SpaceToDepth] Image width {width} and height {height} should be divisible by '
            f'block_size: {block_size}; pad the image',
            'SpaceToDepth',
        )
    height, width = _scaled(height, 1, block_size), _scaled(width, 1, block_size)
    depth = _scaled(depth, block_size * block_size, 1)
    return ArraySpec(_ordered(input.shape[0], height, width, depth, data_format), input.dtype)


def _to_depth(xp: Any, array: Array, *, block_size: int, data_format: str) -> Array:
    batch, size = array.shape[0], block_size
    height, width, depth = _named(array.shape, data_format)
    height, width = height // size, width // size
    if data_format == 'NHWC':
        parts = array.reshape((batch, height, size, width, size, depth))
        moved = parts.transpose((0, 1, 3, 2, 4, 5))
    else:
        parts = array.reshape((batch, depth, height, size, width, size))
        moved = parts.transpose((0, 3, 5, 1, 2, 4))
    return moved.reshape(_ordered(batch, height, width, depth * size * size, data_format))


def _to_depth_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run(DEPTH_TO_SPACE, gradient, **context.attributes),)


def _infer_to_space(input: ArraySpec, *, block_size: int, data_format: str) -> ArraySpec:
    _check('DepthToSpace', input, block_size, data_format)
    height, width, depth = _named(input.shape, data_format)
    square = block_size * block_size
    if (depth or 0) % square:
        raise errors.InvalidArgumentError(
            f'[DepthToSpace] Input depth dimension {depth} should be divisible by: {square}; give '
            f'a smaller block_size',
            'DepthToSpace',
        )
    height, width = _scaled(height, block_size, 1), _scaled(width, block_size, 1)
    depth = _scaled(depth, 1, square)
    return ArraySpec(_ordered(input.shape[0], height, width, depth, data_format), input.dtype)


def _to_space(xp: Any, array: Array, *, block_size: int, data_format: str) -> Array:
    batch, size = array.shape[0], block_size
    height, width, depth = _named(array.shape, data_format)
    depth //= size * size
    if data_format == 'NHWC':
        parts = array.reshape((batch, height, width, size, size, depth))
        moved = parts.transpose((0, 1, 3, 2, 4, 5))
    else:
        parts = array.reshape((batch, size, size, depth, height, width))
        moved = parts.transpose((0, 3, 4, 1, 5, 2))
    return moved.reshape(_ordered(batch, height * size, width * size, depth, data_format))


def _to_space_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run(SPACE_TO_DEPTH, gradient, **context.attributes),)


SPACE_TO_DEPTH = op_registry.register(
    OpDef('SpaceToDepth', _infer_to_depth, _to_depth, _to_depth_gradient)
)
DEPTH_TO_SPACE = op_registry.register(
    OpDef('DepthToSpace', _infer_to_space, _to_space, _to_space_gradient)
)


def space_to_depth(
    input: Any, block_size: Any, data_format: str = 'NHWC', name: str | None = None
) -> Tensor:
    """Puts the positions of each block of an image into its channels.

    Args:
        input: values of any dtype, a batch of images.
        block_size: height and width of a block, 2 or more.
        data_format: ``'NHWC'`` or, which TensorFlow has on a GPU alone, ``'NCHW'``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with ``block_size`` times smaller sides and its square times the channels.

    Raises:
        InvalidArgumentError: a side is no multiple of ``block_size``; another rank or format.
    """
    size = _arguments.scalar('SpaceToDepth', 'block_size', block_size)
    result: Tensor = executor.run(SPACE_TO_DEPTH, input, block_size=size, data_format=data_format)
    return result


def depth_to_space(
    input: Any, block_size: Any, data_format: str = 'NHWC', name: str | None = None
) -> Tensor:
    """Spreads channels over blocks of positions; see ``space_to_depth``, which it undoes.

    Raises:
        InvalidArgumentError: the number of channels is no multiple of ``block_size`` squared;
            another rank or format.
    """
    size = _arguments.scalar('DepthToSpace', 'block_size', block_size)
    result: Tensor = executor.run(DEPTH_TO_SPACE, input, block_size=size, data_format=data_format)
    return result
