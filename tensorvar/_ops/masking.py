"""Elements where a mask is True: boolean_mask."""

from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients


def _check_mask(op: str, shape: _shapes.PartialShape, mask: ArraySpec, axis: int) -> int:
    """The axis counted from the front, if the mask fits there."""
    if not mask.shape:
        raise errors.InvalidArgumentError(
            f'[{op}] mask cannot be scalar; allowed is a rank of 1 or more; give one truth value '
            f'per element',
            op,
        )
    if not shape:
        raise errors.InvalidIndexError(
            f'[{op}] a scalar was given with a mask of shape {list(mask.shape)}; a scalar has '
            f'no elements to choose from; reshape it first',
            op,
        )
    axis = _shapes.normalize_axis(op, axis, len(shape))
    covered = shape[axis : axis + len(mask.shape)]
    if len(covered) != len(mask.shape) or not all(map(_arguments.same_dim, covered, mask.shape)):
        raise errors.InvalidArgumentError(
            f'[{op}] Shapes {list(covered)} and {list(mask.shape)} are incompatible: the mask '
            f'must have the dimensions of the tensor (shape {list(shape)}) from axis {axis} on; '
            f'give such a mask',
            op,
        )
    return axis


def _key(array: Array, mask: Array, axis: int) -> tuple[Any, ...]:
    before: tuple[Any, ...] = (slice(None),) * (axis % array.ndim)
    return (*before, mask)


def _infer_mask(tensor: ArraySpec, mask: ArraySpec, *, axis: int) -> ArraySpec:
    axis = _check_mask('BooleanMask', tensor.shape, mask, axis)
    head, tail = tensor.shape[:axis], tensor.shape[axis + len(mask.shape) :]
    return ArraySpec((*head, None, *tail), tensor.dtype)


def _mask(xp: Any, array: Array, mask: Array, *, axis: int) -> Array:
    return array[_key(array, mask, axis)]


def _mask_gradient(context: Any, gradient: Tensor) -> Gradients:
    values, mask = context.inputs
    spread = executor.run(
        BOOLEAN_MASK_GRAD, gradient, mask, shape=values._shape, axis=context.attributes['axis']
    )
    return spread, None


BOOLEAN_MASK = op_registry.register(
    OpDef(
        'BooleanMask',
        _infer_mask,
        _mask,
        _mask_gradient,
        inputs='T m',
        dtypes={'m': dtypes.BOOLEAN},
        on_variable=True,
    )
)


def _infer_mask_grad(
    dy: ArraySpec, mask: ArraySpec, *, shape: tuple[int, ...], axis: int
) -> ArraySpec:
    _check_mask('BooleanMaskGrad', shape, mask, axis)
    return ArraySpec(shape, dy.dtype)


def _mask_grad(xp: Any, dy: Array, mask: Array, *, shape: tuple[int, ...], axis: int) -> Array:
    result = xp.zeros(shape, dy.dtype)
    result[_key(result, mask, axis)] = dy
    return result


def _mask_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    return boolean_mask(gradient, context.inputs[1], context.attributes['axis']), None


BOOLEAN_MASK_GRAD = op_registry.register(
    OpDef(
        'BooleanMaskGrad',
        _infer_mask_grad,
        _mask_grad,
        _mask_grad_gradient,
        inputs='T m',
        dtypes={'m': dtypes.BOOLEAN},
    )
)


def boolean_mask(
    tensor: Any, mask: Any, axis: Any = None, name: str | None = 'boolean_mask'
) -> Tensor:
    """Picks the elements for which a mask is True.

    Args:
        tensor: values of any dtype.
        mask: booleans with the dimensions of ``tensor`` from ``axis`` on.
        axis: where the mask begins; None for the first.
        name: accepted for TensorFlow's sake.

    Returns:
        The picked elements along one axis in place of those that the mask covers.

    Raises:
        InvalidArgumentError: the mask is a scalar or has other dimensions.
    """
    position = 0 if axis is None else _arguments.scalar('BooleanMask', 'axis', axis)
    if isinstance(mask, list | tuple):
        mask = _as_booleans(mask)
    result: Tensor = executor.run(BOOLEAN_MASK, tensor, mask, axis=position)
    return result


def _as_booleans(mask: Any) -> Any:
    """TensorFlow takes lists of 0 and 1 too."""
    return [_as_booleans(item) if isinstance(item, list | tuple) else _truth(item) for item in mask]


def _truth(item: Any) -> Any:
    return bool(item) if type(item) is int and item in (0, 1) else item
