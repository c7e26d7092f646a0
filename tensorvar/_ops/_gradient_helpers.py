"""What gradients of many ops need.

Reductions and shape ops are looked up by name: their own gradients need elementwise
ops, and modules must not import each other in a circle.
"""

from typing import Any

from tensorvar._core import executor
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor

Gradients = tuple[Any, ...]
"""One gradient (a tensor, ``IndexedSlices`` or None) per input."""


def sum_to_shape(gradient: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Undoes broadcasting: sums over the axes that were repeated.

    Args:
        gradient: of a result to which an input was broadcast.
        shape: of that input.

    Returns:
        A tensor of ``shape``; ``gradient`` itself if nothing was broadcast.
    """
    given: tuple[int, ...] = gradient._array.shape
    if given == shape:
        return gradient
    extra = len(given) - len(shape)
    repeated = tuple(range(extra))
    if 1 in shape:
        repeated += tuple(
            axis for axis, dim in enumerate(shape, extra) if dim == 1 and given[axis] != 1
        )
    summed = sum_over(gradient, repeated) if repeated else gradient
    return summed if summed._array.shape == shape else reshape(summed, shape)


def sum_over(values: Tensor, axes: tuple[int, ...], *, keep: bool = False) -> Tensor:
    """Sums over axes, which are counted from the front."""
    result: Tensor = executor.run(OPS['Sum'], values, axis=axes, keepdims=keep)
    return result


def reshape(values: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same elements in another shape."""
    result: Tensor = executor.run(OPS['Reshape'], values, shape=shape)
    return result


def where(condition: Tensor, chosen: Any, otherwise: Any) -> Tensor:
    """Elements of ``chosen`` where the condition holds, else of ``otherwise``."""
    result: Tensor = executor.run(OPS['SelectV2'], condition, chosen, otherwise)
    return result


def conjugate(values: Tensor) -> Tensor:
    """The complex conjugate; real values themselves."""
    if values._array.dtype.kind == 'c':
        result: Tensor = executor.run(OPS['Conj'], values)
        return result
    return values


def zeros_like(values: Tensor) -> Tensor:
    """Zeros of the same shape and dtype."""
    result: Tensor = executor.run(OPS['ZerosLike'], values)
    return result


def nonzero(values: Tensor) -> Tensor:
    """1 where a value is not 0, else 0, in the dtype of the values."""
    mask = executor.run(OPS['NotEqual'], values, 0)
    result: Tensor = executor.run(OPS['Cast'], mask, dtype=values.dtype.numpy)
    return result
