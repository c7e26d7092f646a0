"""The functions ``slice`` and ``strided_slice``, which speak of begins and sizes."""

from typing import Any

from tensorvar import errors
from tensorvar._core import executor
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, array_index

_python_slice = slice

Ints = tuple[int, ...]


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """Takes a block out of a tensor.

    Args:
        input_: values of any dtype.
        begin: where the block begins, for each dimension.
        size: how many elements it has, for each dimension; -1 is all that are left.
        name: accepted for TensorFlow's sake.

    Returns:
        The block, which shares the elements of ``input_``.

    Raises:
        InvalidArgumentError: not one number per dimension, or the block does not lie
            inside of ``input_``.
    """
    shape = _arguments.shape_of(input_)
    begins = _arguments.vector('Slice', 'begin', begin)
    sizes = _arguments.vector('Slice', 'size', size)
    if not len(begins) == len(sizes) == len(shape):
        raise errors.InvalidArgumentError(
            f'[Slice] Expected begin and size arguments to be 1-D tensors of size {len(shape)}, '
            f'but got {list(begins)} and {list(sizes)} instead; give one number per dimension',
            'Slice',
        )
    spec = tuple(
        _block(axis, *numbers)
        for axis, numbers in enumerate(zip(shape, begins, sizes, strict=True))
    )
    result: Tensor = executor.run(array_index.STRIDED_SLICE, input_, spec=spec)
    return result


def _block(axis: int, dim: int | None, begin: int, size: int) -> tuple[Any, ...]:
    if begin < 0 or (dim is not None and begin > dim):
        raise errors.InvalidArgumentError(
            f'[Slice] Expected begin[{axis}] in [0, {dim}], but got {begin}; count from the '
            f'front, inside of the dimension',
            'Slice',
        )
    if size < -1 or (dim is not None and begin + size > dim):
        most = None if dim is None else dim - begin
        raise errors.InvalidArgumentError(
            f'[Slice] Expected size[{axis}] in [0, {most}], but got {size}; '
            f'use -1 for all that are left',
            'Slice',
        )
    return ('slice', begin, dim if size == -1 else begin + size, 1)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: None = None,
    name: str | None = None,
) -> Tensor:
    """Indexing spelled out as numbers and bit masks; ``input_[...]`` reads better.

    Args:
        input_: values of any dtype.
        begin: first position, for each part of the key.
        end: position after the last.
        strides: step of each part; None for 1.
        begin_mask: bit i: part i begins at the front, ``begin[i]`` is ignored.
        end_mask: bit i: part i runs to the end, ``end[i]`` is ignored.
        ellipsis_mask: bit i: part i is an Ellipsis.
        new_axis_mask: bit i: part i is a new dimension.
        shrink_axis_mask: bit i: part i is the integer ``begin[i]``.
        var: must be None; assign to ``variable[...]`` instead.
        name: accepted for TensorFlow's sake.

    Returns:
        What the key picks.

    Raises:
        InvalidArgumentError: the lists differ in length, a step is 0, an index is out of
            bounds, or ``var`` is given.
    """
    if var is not None:
        raise errors.InvalidArgumentError(
            '[StridedSlice] var was given; only None is allowed; write variable[...].assign(value)',
            'StridedSlice',
        )
    begins = _arguments.vector('StridedSlice', 'begin', begin)
    ends = _arguments.vector('StridedSlice', 'end', end)
    steps = (1,) * len(begins)
    if strides is not None:
        steps = _arguments.vector('StridedSlice', 'strides', strides)
    if not len(begins) == len(ends) == len(steps):
        raise errors.InvalidArgumentError(
            f'[StridedSlice] Expected begin, end, and strides to be 1D equal size tensors, but '
            f'got {list(begins)}, {list(ends)} and {list(steps)}; give as many of each',
            'StridedSlice',
        )
    key: list[Any] = []
    for i, (first, last, step) in enumerate(zip(begins, ends, steps, strict=True)):
        bit = 1 << i
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(first)
        else:
            start = None if begin_mask & bit else first
            key.append(_python_slice(start, None if end_mask & bit else last, step))
    shape = _arguments.shape_of(input_)
    spec = array_index.canonical_index('StridedSlice', shape, tuple(key))
    result: Tensor = executor.run(array_index.STRIDED_SLICE, input_, spec=spec)
    return result
