"""Indexing as in ``x[1:, ..., None, 0]``, for tensors and variables.

A key is brought into one canonical, hashable form, the spec: a tuple with one part per
dimension of the result or of the indexed array:

    ('int', i)                 picks one element, 0 <= i < length; the dimension goes
    ('slice', begin, end, step)  begin and end as Python's ``slice.indices`` gives them;
                               end is None where a negative step runs to the front
    ('new',)                   a new dimension of length 1
"""

import functools
import operator
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, masking
from tensorvar._ops._gradient_helpers import Gradients

Spec = tuple[tuple[Any, ...], ...]

_NEW = ('new',)

newaxis = None
"""As part of a key: a new dimension of length 1."""


# From a key to a spec


def canonical_index(op: str, shape: _shapes.PartialShape, key: Any) -> Spec:
    """Brings a key into its canonical form, checked against a shape.

    Args:
        op: who asks, for the error text.
        shape: of the value that is indexed.
        key: an integer, a slice, an Ellipsis, None, a scalar integer tensor, or a tuple
            or list of these. Masks are not part of it.

    Returns:
        The spec; see the module's text. It covers every dimension of ``shape``.

    Raises:
        InvalidTypeError: a part of the key is of another type.
        InvalidIndexError: an integer is out of bounds, or there are too many parts.
        InvalidArgumentError: a step is 0, there are several Ellipses, or scalar tensors of
            different dtypes.
    """
    parts = list(key) if isinstance(key, tuple | list) else [key]
    if len(parts) > 1:
        _require_one_dtype(op, [part for part in parts if isinstance(part, ArrayValue)])
    spec: list[tuple[Any, ...]] = []
    axis = 0
    for part in _expand_ellipsis(op, parts, len(shape)):
        if part is None:
            spec.append(_NEW)
            continue
        if axis == len(shape):
            raise errors.InvalidIndexError(
                f'[{op}] Index out of range using input dim {axis}; input has only '
                f'{len(shape)} dims (shape {list(shape)}); give at most {len(shape)} indices',
                op,
            )
        if isinstance(part, slice):
            spec.append(_canonical_slice(op, part, shape[axis], axis))
        else:
            spec.append(('int', _canonical_integer(op, part, shape[axis], axis)))
        axis += 1
    return tuple(spec)


def _require_one_dtype(op: str, positions: list[ArrayValue]) -> None:
    for position in positions[1:]:
        if position.dtype is not positions[0].dtype:
            raise errors.InvalidTypeError(
                f'[{op}] an index of dtype {positions[0].dtype.name} was expected to be beside '
                f'others of the same, but one is {position.dtype.name}; allowed is one dtype; '
                f'tv.cast one of them',
                op,
            )


def _expand_ellipsis(op: str, parts: list[Any], rank: int) -> list[Any]:
    """Writes the full slices that an Ellipsis, or a short key, stands for."""
    places = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(places) > 1:
        raise errors.InvalidArgumentError(
            f'[{op}] Multiple ellipses in slice spec not allowed; write one Ellipsis', op
        )
    used = sum(part is not None and part is not Ellipsis for part in parts)
    missing = [slice(None)] * max(rank - used, 0)
    if not places:
        return parts + missing
    return parts[: places[0]] + missing + parts[places[0] + 1 :]


def _canonical_integer(op: str, part: Any, dim: int | None, axis: int) -> int:
    index = _read_integer(op, part)
    if dim is None:
        return index
    if not -dim <= index < dim:
        raise errors.InvalidIndexError(
            f'[{op}] slice index {index} of dimension {axis} out of bounds; allowed is '
            f'[{-dim}, {dim}); give an index in range',
            op,
        )
    return index + dim if index < 0 else index


def _canonical_slice(op: str, part: slice, dim: int | None, axis: int) -> tuple[Any, ...]:
    begin, end, step = (
        None if bound is None else _read_integer(op, bound)
        for bound in (part.start, part.stop, part.step)
    )
    if step == 0:
        raise errors.InvalidArgumentError(
            f'[{op}] strides[{axis}] must be non-zero, but 0 was given; give another step', op
        )
    if dim is None:
        return ('slice', begin, end, 1 if step is None else step)
    begin, end, step = slice(begin, end, step).indices(dim)
    if begin < 0:
        # A negative step that starts below the first element: -1 would mean the last one.
        return ('slice', 0, 0, step)
    return ('slice', begin, None if end < 0 else end, step)


def _read_integer(op: str, part: Any) -> int:
    if type(part) is int:
        return part
    if isinstance(part, ArrayValue):
        shape, dtype = part._spec()
        if shape == () and dtype in dtypes.INTEGERS:
            return _arguments.scalar(op, 'index', part)
        raise _wrong_type(op, part._describe())
    # A bool has __index__ but is no position; an ndarray of rank 0 counts as a scalar.
    if not isinstance(part, bool | np.bool_) and getattr(part, 'shape', ()) == ():
        try:
            return operator.index(part)
        except TypeError as error:
            raise _wrong_type(op, repr(part)) from error
    raise _wrong_type(op, repr(part))


def _wrong_type(op: str, given: str) -> errors.InvalidTypeError:
    return errors.InvalidTypeError(
        f'[{op}] Only integers, slices (`:`), ellipsis (`...`), tv.newaxis (`None`) and scalar '
        f'tv.int32/tv.int64 tensors are valid indices, got {given:.200}; '
        f'use tv.gather to pick several elements',
        op,
    )


# From a spec to an index and a shape


@functools.lru_cache(maxsize=4096)
def to_numpy_key(spec: Spec) -> tuple[Any, ...]:
    """The index with which ``array[index]`` reads or writes what ``spec`` says.

    It ends in an Ellipsis, so that picking a single element gives an array.
    """
    key: list[Any] = []
    for part in spec:
        if part[0] == 'int':
            key.append(part[1])
        elif part[0] == 'slice':
            key.append(slice(*part[1:]))
        else:
            key.append(None)
    return (*key, Ellipsis)


def indexed_shape(shape: _shapes.PartialShape, spec: Spec) -> _shapes.PartialShape:
    """The shape of what ``spec`` picks from an array of ``shape``."""
    result: list[int | None] = []
    axis = 0
    for part in spec:
        if part is _NEW or part[0] == 'new':
            result.append(1)
            continue
        dim = shape[axis]
        axis += 1
        if part[0] == 'slice':
            result.append(None if dim is None else len(range(*slice(*part[1:]).indices(dim))))
    return (*result, *shape[axis:])


# StridedSlice


def _infer_slice(input: ArraySpec, *, spec: Spec) -> ArraySpec:
    return ArraySpec(indexed_shape(input.shape, spec), input.dtype)


def _slice(xp: Any, array: Array, *, spec: Spec) -> Array:
    return array[to_numpy_key(spec)]


def _slice_gradient(context: Any, gradient: Tensor) -> Gradients:
    shape, spec = context.inputs[0]._shape, context.attributes['spec']
    return (executor.run(STRIDED_SLICE_GRAD, gradient, shape=shape, spec=spec),)


STRIDED_SLICE = op_registry.register(
    OpDef('StridedSlice', _infer_slice, _slice, _slice_gradient, direct=True, on_variable=True)
)


def _infer_slice_grad(dy: ArraySpec, *, shape: tuple[int, ...], spec: Spec) -> ArraySpec:
    expected = indexed_shape(shape, spec)
    if len(dy.shape) != len(expected) or not all(map(_arguments.same_dim, dy.shape, expected)):
        raise errors.InvalidArgumentError(
            f'[StridedSliceGrad] dy of shape {list(dy.shape)} was given; the slice of '
            f'{list(shape)} has shape {list(expected)}; give a gradient of that shape',
            'StridedSliceGrad',
        )
    return ArraySpec(shape, dy.dtype)


def _slice_grad(xp: Any, array: Array, *, shape: tuple[int, ...], spec: Spec) -> Array:
    result = xp.zeros(shape, array.dtype)
    result[to_numpy_key(spec)] = array
    return result


def _slice_grad_gradient(context: Any, gradient: Tensor) -> Gradients:
    return (executor.run(STRIDED_SLICE, gradient, spec=context.attributes['spec']),)


STRIDED_SLICE_GRAD = op_registry.register(
    OpDef('StridedSliceGrad', _infer_slice_grad, _slice_grad, _slice_grad_gradient)
)


# What tensors and variables call


def is_mask(key: Any) -> bool:
    """Whether a whole key is a mask: True, False, or a boolean array or tensor.

    As in TensorFlow, a boolean variable is none.
    """
    if isinstance(key, Tensor):
        return key._spec().dtype is dtypes.bool_.numpy
    if isinstance(key, np.ndarray | np.generic):
        return key.dtype == np.bool_
    return isinstance(key, bool)


def getitem(x: Any, key: Any) -> Tensor:
    """``x[key]`` for tensors and variables.

    Args:
        x: a tensor or variable. Of a variable the part is read where the variable lives.
        key: what ``canonical_index`` takes; or a boolean mask of leading dimensions, as
            for ``boolean_mask``. A list is read as a tuple, as in TensorFlow.

    Returns:
        The part, which for a tensor shares its elements.

    Raises:
        InvalidTypeError: a float, a string or an array of positions is in the key.
        InvalidIndexError: out of bounds, or too many indices.
    """
    if not isinstance(x, ArrayValue):
        x = conversion.convert_to_tensor(x)
    if is_mask(key):
        return masking.boolean_mask(x, key)
    spec = canonical_index('StridedSlice', x._spec().shape, key)
    result: Tensor = executor.run(STRIDED_SLICE, x, spec=spec)
    return result


op_registry.provide('getitem', getitem)
op_registry.provide('canonical_index', canonical_index)
op_registry.provide('is_mask', is_mask)
