"""Tensors filled with a value: on the device of the scope, else on the default device."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients, reshape, sum_to_shape

NumpyDType = np.dtype[Any]
Shape = tuple[int, ...]

_FILLED_WITH_ONE = dtypes.NUMERIC | dtypes.BOOLEAN


def _check_shape(op: str, shape: Shape) -> None:
    for dim in shape:
        if dim < 0:
            raise errors.InvalidArgumentError(
                f'[{op}] the shape {list(shape)} was given; Dimension {dim} must be >= 0; '
                f'write the length out',
                op,
            )


def _check_has_one(op: str, dtype: NumpyDType) -> None:
    if dtype not in _FILLED_WITH_ONE:
        name = dtypes.from_numpy(dtype).name
        raise errors.InvalidTypeError(
            f'[{op}] dtype {name} was given; allowed are numbers and bools; use tv.fill', op
        )


def _zeros_rule(*, shape: Shape, dtype: NumpyDType) -> ArraySpec:
    _check_shape('Zeros', shape)
    return ArraySpec(shape, dtype)


def _ones_rule(*, shape: Shape, dtype: NumpyDType) -> ArraySpec:
    _check_shape('Ones', shape)
    _check_has_one('Ones', dtype)
    return ArraySpec(shape, dtype)


def _fill_rule(value: ArraySpec, *, shape: Shape) -> ArraySpec:
    _check_shape('Fill', shape)
    if any(dim != 1 for dim in value.shape):
        raise errors.InvalidArgumentError(
            f'[Fill] value has shape {list(value.shape)}; value must be a scalar; '
            f'use tv.broadcast_to for larger ones',
            'Fill',
        )
    return ArraySpec(shape, value.dtype)


def _eye_rule(*, rows: int, columns: int, batch_shape: Shape, dtype: NumpyDType) -> ArraySpec:
    shape = (*batch_shape, rows, columns)
    _check_shape('Eye', shape)
    _check_has_one('Eye', dtype)
    return ArraySpec(shape, dtype)


def _zeros_like_rule(x: ArraySpec, *, dtype: NumpyDType | None = None) -> ArraySpec:
    return ArraySpec(x.shape, dtype or x.dtype)


def _ones_like_rule(x: ArraySpec, *, dtype: NumpyDType | None = None) -> ArraySpec:
    _check_has_one('OnesLike', dtype or x.dtype)
    return ArraySpec(x.shape, dtype or x.dtype)


def _zeros(xp: Any, *, shape: Shape, dtype: NumpyDType) -> Any:
    if dtype.kind == 'O':
        return xp.full(shape, b'', dtype)
    return xp.zeros(shape, dtype)


def _zeros_like(xp: Any, x: Any, *, dtype: NumpyDType | None = None) -> Any:
    return _zeros(xp, shape=x.shape, dtype=dtype or x.dtype)


def _ones_like(xp: Any, x: Any, *, dtype: NumpyDType | None = None) -> Any:
    # ``xp.ones`` takes four times as long for small arrays, such as the seed of a gradient.
    dtype = dtype or x.dtype
    _check_has_one('OnesLike', dtype)
    ones = xp.empty(x.shape, dtype)
    ones.fill(1)
    return ones


def _fill(xp: Any, value: Any, *, shape: Shape) -> Any:
    return xp.broadcast_to(value.reshape(()), shape).copy()


def _fill_gradient(context: Any, gradient: Tensor) -> Gradients:
    total = sum_to_shape(gradient, ())
    return (reshape(total, context.inputs[0]._shape),)


def _eye(xp: Any, *, rows: int, columns: int, batch_shape: Shape, dtype: NumpyDType) -> Any:
    matrix = xp.eye(rows, columns, dtype=dtype)
    return xp.broadcast_to(matrix, (*batch_shape, rows, columns)).copy() if batch_shape else matrix


ZEROS = op_registry.register(OpDef('Zeros', _zeros_rule, _zeros, NOT_DIFFERENTIABLE, inputs=''))
ONES = op_registry.register(
    OpDef(
        'Ones',
        _ones_rule,
        lambda xp, *, shape, dtype: xp.ones(shape, dtype),
        NOT_DIFFERENTIABLE,
        inputs='',
    )
)
FILL = op_registry.register(OpDef('Fill', _fill_rule, _fill, _fill_gradient))
EYE = op_registry.register(OpDef('Eye', _eye_rule, _eye, NOT_DIFFERENTIABLE, inputs=''))
ZEROS_LIKE = op_registry.register(
    OpDef('ZerosLike', _zeros_like_rule, _zeros_like, NOT_DIFFERENTIABLE, direct=True)
)
ONES_LIKE = op_registry.register(
    OpDef('OnesLike', _ones_like_rule, _ones_like, NOT_DIFFERENTIABLE, direct=True)
)


def zeros(
    shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None
) -> Tensor:
    """A tensor of zeros: False for bool, empty text for string.

    Args:
        shape: an integer or a sequence of them, a ``TensorShape``, or an integer tensor.
        dtype: the element type.
        name: ignored; there for TensorFlow programs.
        layout: only None is supported.

    Returns:
        A tensor of ``shape``.

    Raises:
        InvalidArgumentError: a dimension is negative or unknown.
        UnimplementedError: ``layout`` is given.
    """
    _refuse_layout('zeros', layout)
    dims = _arguments.vector('zeros', 'shape', shape)
    result: Tensor = executor.run(ZEROS, shape=dims, dtype=dtypes.as_dtype(dtype).numpy)
    return result


def ones(
    shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None
) -> Tensor:
    """A tensor of ones; True for bool.

    Args:
        shape: an integer or a sequence of them, a ``TensorShape``, or an integer tensor.
        dtype: the element type, not string.
        name: ignored; there for TensorFlow programs.
        layout: only None is supported.

    Returns:
        A tensor of ``shape``.

    Raises:
        InvalidArgumentError: a dimension is negative or unknown, or ``dtype`` is string.
        UnimplementedError: ``layout`` is given.
    """
    _refuse_layout('ones', layout)
    dims = _arguments.vector('ones', 'shape', shape)
    result: Tensor = executor.run(ONES, shape=dims, dtype=dtypes.as_dtype(dtype).numpy)
    return result


def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor in which every element is ``value``.

    Args:
        dims: an integer or a sequence of them, a ``TensorShape``, or an integer tensor.
        value: one element; its dtype is that of the result.
        name: ignored; there for TensorFlow programs.
        layout: only None is supported.

    Returns:
        A tensor of shape ``dims``.

    Raises:
        InvalidArgumentError: a dimension is negative or unknown, or ``value`` has more
            than one element.
        UnimplementedError: ``layout`` is given.
    """
    _refuse_layout('fill', layout)
    result: Tensor = executor.run(FILL, value, shape=_arguments.vector('fill', 'dims', dims))
    return result


def zeros_like(
    input: Any, dtype: Any = None, name: str | None = None, layout: Any = None
) -> Tensor:
    """Zeros of the shape of another value.

    Args:
        input: anything that converts to a tensor.
        dtype: the element type; None for that of ``input``.
        name: ignored; there for TensorFlow programs.
        layout: only None is supported.

    Returns:
        A tensor of the shape of ``input``.

    Raises:
        InvalidArgumentError: ``input`` does not convert to a tensor.
        UnimplementedError: ``layout`` is given.
    """
    _refuse_layout('zeros_like', layout)
    target = None if dtype is None else dtypes.as_dtype(dtype).numpy
    result: Tensor = executor.run(ZEROS_LIKE, input, dtype=target)
    return result


def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones of the shape of another value.

    Args:
        input: anything that converts to a tensor.
        dtype: the element type, not string; None for that of ``input``.
        name: ignored; there for TensorFlow programs.
        layout: only None is supported.

    Returns:
        A tensor of the shape of ``input``.

    Raises:
        InvalidArgumentError: ``input`` does not convert to a tensor, or is of strings.
        UnimplementedError: ``layout`` is given.
    """
    _refuse_layout('ones_like', layout)
    target = None if dtype is None else dtypes.as_dtype(dtype).numpy
    result: Tensor = executor.run(ONES_LIKE, input, dtype=target)
    return result


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Identity matrices.

    Args:
        num_rows: an integer.
        num_columns: an integer; None for ``num_rows``.
        batch_shape: shape of the batch of equal matrices; None for a single one.
        dtype: the element type, not string.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of shape ``(*batch_shape, num_rows, num_columns)``.

    Raises:
        InvalidArgumentError: a dimension is negative or no integer.
    """
    rows = _arguments.scalar('eye', 'num_rows', num_rows)
    columns = rows
    if num_columns is not None:
        columns = _arguments.scalar('eye', 'num_columns', num_columns)
    batch = () if batch_shape is None else _arguments.vector('eye', 'batch_shape', batch_shape)
    result: Tensor = executor.run(
        EYE, rows=rows, columns=columns, batch_shape=batch, dtype=dtypes.as_dtype(dtype).numpy
    )
    return result


def _refuse_layout(op: str, layout: Any) -> None:
    if layout is not None:
        raise errors.UnimplementedError(
            f'[{op}] a layout was given ({layout!r:.80}); layouts are for DTensor, which is not '
            f'here; leave it out',
            op,
        )
