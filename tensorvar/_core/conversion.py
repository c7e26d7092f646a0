"""``tv.constant`` and ``tv.convert_to_tensor``, and host values for arguments."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import dispatch, host_data, host_lists, interop
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import placement, scope

_PLAIN = frozenset({bool, int, float, complex, str, bytes})
_converters: list[tuple[type, Callable[[Any], Any]]] = []


def register_converter(kind: type, convert: Callable[[Any], Any]) -> None:
    """Tells how values of another class become tensors, such as ``IndexedSlices``."""
    _converters.append((kind, convert))


def unwrap(value: Any, wanted: np.dtype[Any] | None = None) -> Any:
    """An ``ArrayValue`` where the value is, holds or stands for one; else the value itself.

    Lists with tensors inside are packed on the device of their parts.

    Args:
        value: anything.
        wanted: the dtype asked for, or None; the tensors in a list are cast to it unless
            they would lose a fraction or an imaginary part.
    """
    if isinstance(value, ArrayValue) or type(value) in _PLAIN:
        return value
    if type(value) is list and _PLAIN.issuperset(map(type, value)):
        return value
    for kind, convert in _converters:
        if isinstance(value, kind):
            return convert(value)
    if isinstance(value, host_lists.LISTS) and holds_value(value):
        return _pack(value, wanted)
    if isinstance(value, _shapes.TensorShape):
        return _dims(value)
    if hasattr(value, '__cuda_array_interface__'):
        return _foreign(value)
    return value


def _dims(shape: _shapes.TensorShape) -> tuple[int | None, ...]:
    if not shape.is_fully_defined():
        raise errors.InvalidArgumentError(
            f'[convert_to_tensor] Cannot convert a partially known TensorShape {shape} to a '
            f'Tensor; every dimension must be known; use tv.shape of the value'
        )
    return shape.as_tuple()


def holds_value(value: Any) -> bool:
    """Whether a value is a tensor or variable, or a list with one inside."""
    if isinstance(value, host_lists.LISTS):
        # Numbers need no look at each of them.
        return not _PLAIN.issuperset(map(type, value)) and any(map(holds_value, value))
    return isinstance(value, ArrayValue)


def _pack(items: Sequence[Any], wanted: np.dtype[Any] | None) -> Any:
    parts = [unwrap(item, wanted) for item in items]
    if wanted is not None:
        parts = [_cast_part(part, wanted) for part in parts]
    return dispatch.run(OPS['Pack'], *parts, axis=0)


def _cast_part(part: Any, wanted: np.dtype[Any]) -> Any:
    """A tensor of a list in the dtype of the whole, where only digits can be lost."""
    if not isinstance(part, ArrayValue) or part._spec().dtype is wanted:
        return part
    breadth, needed = _breadth(dtypes.from_numpy(wanted)), _breadth(part.dtype)
    return dispatch.run(OPS['Cast'], part, dtype=wanted) if 0 < needed <= breadth else part


def _breadth(dtype: dtypes.DType) -> int:
    """Which numbers a dtype holds: none, bools, integers, fractions, complex numbers."""
    held = (dtype.is_bool, dtype.is_integer, dtype.is_floating, dtype.is_complex)
    return held.index(True) + 1 if True in held else 0


def _foreign(value: Any) -> Tensor:
    array, device = interop.import_dlpack(value)
    return wrap(device.backend.copy(array), device)


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """Converts a value to a tensor.

    Args:
        value: a tensor (returned as it is), a variable (its value, on its own device), a
            number, a string, a nested list of them or of tensors, or an array.
        dtype: the element type asked for, or None for the natural one.
        dtype_hint: used when ``dtype`` is None and the value converts to it.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor on the device of the scope, or of the default device for host data.

    Raises:
        ValueError: a tensor or variable of another dtype was given (``tv.cast`` converts).
        InvalidArgumentError: the value is no array, or does not survive the conversion.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    value = unwrap(value, None if wanted is None else wanted.numpy)
    if isinstance(value, ArrayValue):
        return _checked_value(value, wanted)
    if wanted is None and dtype_hint is not None:
        hinted = _try_hint(value, dtypes.as_dtype(dtype_hint))
        if hinted is not None:
            return hinted
    return constant(value, wanted)


def _checked_value(value: ArrayValue, wanted: dtypes.DType | None) -> Tensor:
    if wanted is not None and value.dtype is not wanted:
        raise errors.InvalidTypeError(
            f'[convert_to_tensor] Tensor conversion requested dtype {wanted.name} for '
            f'{value._describe()}; tensors are not promoted silently; use tv.cast'
        )
    tensor: Tensor = value._snapshot()
    return tensor


def _try_hint(value: Any, hint: dtypes.DType) -> Tensor | None:
    try:
        return constant(value, hint)
    except errors.InvalidArgumentError:
        # A hint that does not fit is ignored; that is what makes it a hint.
        return None


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """Makes a tensor of host data.

    An explicit copy: never refused by a transfer guard.

    Args:
        value: a number, a string, a nested list or an array; a tensor is passed through.
        dtype: the element type, or None for the natural one: float32 for Python floats,
            int32 for integers (int64 if needed), complex128, bool, string; NumPy data
            keeps its dtype.
        shape: the shape of the result; a single value fills it. None keeps the value's.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor on the device of the scope, else on the default device.

    Raises:
        InvalidArgumentError: ragged or mixed lists, values that ``dtype`` cannot hold
            without damage (TensorFlow truncates NumPy data silently), or a ``shape``
            with another number of elements.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.constant([1, 2], dtype=tv.float32))
        tv.Tensor([1. 2.], shape=(2,), dtype=float32)
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    numpy_dtype = None if wanted is None else wanted.numpy
    value = unwrap(value, numpy_dtype)
    if isinstance(value, ArrayValue):
        tensor = _checked_value(value, wanted)
        return tensor if shape is None else _reshaped(tensor, shape)
    host = host_data.to_array(value, numpy_dtype, 'constant')
    if shape is not None:
        host = _with_shape(host, _shapes.as_shape(shape))
    return from_host(host)


def _reshaped(tensor: Tensor, shape: Any) -> Tensor:
    dims = host_integers(shape, 'constant', 'shape')
    reshaped: Tensor = dispatch.run(OPS['Reshape'], tensor, shape=dims)
    return reshaped


def _with_shape(host: np.ndarray[Any, Any], shape: _shapes.TensorShape) -> np.ndarray[Any, Any]:
    dims = tuple(int(dim) for dim in shape.as_list() if dim is not None)
    if host.size == shape.num_elements():
        return host.reshape(dims)
    if host.size == 1:
        return np.full(dims, host.reshape(())[()], host.dtype)
    raise errors.InvalidTypeError(
        f'[constant] a value with {host.size} elements was given for shape {list(dims)}, which '
        f'has {shape.num_elements()}; give as many, or a single one to fill the shape'
    )


def from_host(host: np.ndarray[Any, Any]) -> Tensor:
    """A tensor of an own host array, on the device that creation ops use."""
    state = scope.current()
    decision = placement.choose(state, ())
    if host.dtype.kind == 'O':
        decision = placement.without_gpu(decision, 'strings')
    tensor: Tensor = dispatch.create(host, decision, state)
    return tensor


def host_integers(value: Any, op: str, argument: str) -> Any:
    """Reads an argument such as ``axis`` or ``shape`` into Python integers.

    Args:
        value: an integer, a (nested) list, an ndarray, a tensor, a ``TensorShape`` or None.
        op: the op, for the error text.
        argument: name of the argument, for the error text.

    Returns:
        An int, a (nested) tuple of ints, or None.

    Raises:
        InvalidTypeError: the value holds something other than integers.
    """
    if value is None or type(value) is int:
        return value
    if isinstance(value, _shapes.TensorShape):
        return tuple(value.as_list())
    if isinstance(value, list | tuple | range):
        return tuple(host_integers(item, op, argument) for item in value)
    host = value._to_host(op, explicit=False) if isinstance(value, ArrayValue) else value
    array = np.asarray(host)
    if array.dtype.kind not in 'iu' and array.size:
        raise errors.InvalidTypeError(
            f'[{op}] {argument} has to be made of integers; got {value!r:.80} '
            f'of dtype {array.dtype}; give int32 or int64',
            op,
        )
    return _as_tuples(array.tolist())


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_as_tuples(item) for item in value)
    return int(value)
