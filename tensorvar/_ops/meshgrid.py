"""Coordinate grids, and several values passed through at once."""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _define, array_join, array_shape, elementwise_unary


def meshgrid(*args: Any, indexing: str = 'xy', name: str | None = 'meshgrid') -> list[Tensor]:
    """The coordinates of the points of a grid, from those along each of its axes.

    Args:
        *args: values of one dtype along each axis; more dimensions are flattened.
        indexing: ``'xy'``: the first two axes of the grid are swapped, as for images;
            or ``'ij'``.
        name: accepted for TensorFlow's sake.

    Returns:
        A list with a tensor of the shape of the grid for each axis; they share the given
        elements.

    Raises:
        ValueError: ``indexing`` is something else.
        InvalidArgumentError: the dtypes differ.

    Example:
        >>> import tensorvar as tv
        >>> tv.meshgrid([1, 2, 3], [4, 5])[1].numpy().tolist()
        [[4, 4, 4], [5, 5, 5]]
    """
    if indexing not in ('xy', 'ij'):
        raise errors.InvalidArgumentError(
            f"[meshgrid] Argument `indexing` parameter must be either 'xy' or 'ij', got "
            f'{indexing!r}; give one of them',
            'meshgrid',
        )
    values = [conversion.convert_to_tensor(value) for value in args]
    names = sorted({value.dtype.name for value in values})
    if len(names) > 1:
        raise errors.InvalidTypeError(
            f'[meshgrid] values of the dtypes {names} were given; allowed is one dtype; tv.cast '
            f'them',
            'meshgrid',
        )
    axes = list(range(len(values)))
    if indexing == 'xy' and len(values) > 1:
        axes[:2] = [1, 0]
    flat = [array_shape.reshape(value, (-1,)) for value in values]
    shape = [flat[axis]._shape[0] for axis in axes]
    grids = []
    for value, axis in zip(flat, axes, strict=True):
        along = [1] * len(shape)
        along[axis] = -1
        grids.append(array_shape.broadcast_to(array_shape.reshape(value, along), shape))
    return grids


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """Copies of several values; see ``identity``.

    Args:
        input: a list of one or more values, of any dtypes.
        name: accepted for TensorFlow's sake.

    Returns:
        A list of tensors.

    Raises:
        TypeError: ``input`` is no sequence.
        InvalidArgumentError: it is empty.
    """
    values = list(input)
    if not values:
        raise errors.InvalidArgumentError(
            '[IdentityN] an empty list was given; the length must be at least 1; give a value',
            'IdentityN',
        )
    return [elementwise_unary.identity(value) for value in values]


def _unchanged(xp: Any, array: Array) -> Array:
    return array


GUARANTEE_CONST = op_registry.register(
    OpDef('GuaranteeConst', _define.same_as_input, _unchanged, NOT_DIFFERENTIABLE)
)


def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """The value as a constant: gradients do not pass.

    Args:
        input: values of any dtype.
        name: accepted for TensorFlow's sake.

    Returns:
        ``input`` as a tensor.
    """
    result: Tensor = executor.run(GUARANTEE_CONST, input)
    return result


def parallel_stack(values: Any, name: str | None = 'parallel_stack') -> Tensor:
    """Joins tensors of one shape along a new first axis; see ``stack``.

    TensorFlow refuses this in eager mode.

    Args:
        values: a list of tensors of one dtype and shape.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of one rank more.

    Raises:
        InvalidArgumentError: different dtypes or shapes.
    """
    return array_join.stack(values)
