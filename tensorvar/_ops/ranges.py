"""Evenly spaced numbers: ``range`` and ``linspace``."""

import math
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import conversion, executor, host_data, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _define, _half_precision, cast
from tensorvar._ops._gradient_helpers import Gradients, reshape, sum_over, sum_to_shape

NumpyDType = np.dtype[Any]
Number = int | float

# Among these the later one wins when ``range`` gets numbers of several types.
_PRECEDENCE = (
    dtypes.int32,
    dtypes.int64,
    dtypes.float16,
    dtypes.bfloat16,
    dtypes.float32,
    dtypes.float64,
)


def _range_rule(*, start: Number, limit: Number, delta: Number, dtype: NumpyDType) -> ArraySpec:
    given = f'[Range] start {start}, limit {limit}, delta {delta}'
    if dtype not in dtypes.REAL:
        name = dtypes.from_numpy(dtype).name
        raise errors.InvalidTypeError(
            f'{given} and dtype {name} were given; allowed are real numbers', 'Range'
        )
    if not all(map(math.isfinite, (start, limit, delta))):
        raise errors.InvalidArgumentError(f'{given} were given; all have to be finite', 'Range')
    if delta == 0:
        raise errors.InvalidArgumentError(f'{given} were given; Requires delta != 0', 'Range')
    if (limit - start) * delta < 0:
        order = 'start <= limit when delta > 0' if delta > 0 else 'start >= limit when delta < 0'
        raise errors.InvalidArgumentError(
            f'{given} were given; Requires {order}; swap them or turn the sign of delta', 'Range'
        )
    return ArraySpec((_range_length(start, limit, delta, dtype),), dtype)


def _range_length(start: Number, limit: Number, delta: Number, dtype: NumpyDType) -> int:
    if dtype.kind in 'iu':
        return int(-((start - limit) // delta))
    # In the precision of the result, as TensorFlow counts.
    first, last, step = (np.asarray(value, dtype) for value in (start, limit, delta))
    return math.ceil(abs(float((last - first) / step)))


def _range(xp: Any, *, start: Number, limit: Number, delta: Number, dtype: NumpyDType) -> Any:
    if dtype.kind in 'iu':
        wide = dtypes.uint64 if dtype.kind == 'u' else dtypes.int64
    else:
        wide = dtypes.float64 if dtype.itemsize == 8 else dtypes.float32
    values = xp.arange(_range_length(start, limit, delta, dtype), dtype=wide.numpy)
    if delta != 1:
        values *= delta
    if start != 0:
        values += start
    return values if wide.numpy is dtype else values.astype(dtype)


def _linspace_rule(start: ArraySpec, stop: ArraySpec, *, num: int, axis: int) -> ArraySpec:
    if num < 0:
        raise errors.InvalidArgumentError(
            f'[LinSpace] num is {num}; it is 0 or more; give the number of values', 'LinSpace'
        )
    shape = _define.broadcast('LinSpace', start, stop)
    position = _shapes.normalize_axis('LinSpace', axis, len(shape) + 1)
    return ArraySpec((*shape[:position], num, *shape[position:]), start.dtype)


def _linspace(xp: Any, start: Any, stop: Any, *, num: int, axis: int) -> Any:
    first, last = (xp.expand_dims(end, axis) for end in xp.broadcast_arrays(start, stop))
    steps = xp.arange(num).reshape(_along(axis, num, first.ndim))
    values = first + (last - first) / max(num - 1, 1) * steps.astype(first.dtype)
    # The last value is exact.
    return xp.where((steps == num - 1) & (num > 1), last, values)


def _along(axis: int, length: int, rank: int) -> tuple[int, ...]:
    """The shape of a vector that lies along one of ``rank`` axes."""
    shape = [1] * rank
    shape[axis] = length
    return tuple(shape)


def _linspace_gradient(context: Any, gradient: Tensor) -> Gradients:
    start, stop = context.inputs
    num, axis = context.attributes['num'], context.attributes['axis']
    rank = len(gradient._shape)
    part = cast.cast(range(num), gradient.dtype) / max(num - 1, 1)
    part = reshape(part, _along(axis, num, rank))
    over = (axis % rank,)
    return (
        sum_to_shape(sum_over(gradient * (1 - part), over), start._shape)
        if context.needs[0]
        else None,
        sum_to_shape(sum_over(gradient * part, over), stop._shape) if context.needs[1] else None,
    )


RANGE = op_registry.register(OpDef('Range', _range_rule, _range, NOT_DIFFERENTIABLE, inputs=''))
LINSPACE = op_registry.register(
    OpDef(
        name='LinSpace',
        infer=_linspace_rule,
        forward=_half_precision.in_float32(_linspace),
        gradient=_linspace_gradient,
        inputs='T T',
        dtypes={'T': dtypes.INEXACT},
        wide=True,
    )
)


def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None
) -> Tensor:
    """Numbers from ``start`` up to but without ``limit``, ``delta`` apart.

    ``range(limit)`` starts at 0.

    Args:
        start: the first number; the limit if that is not given.
        limit: the end, which is not included.
        delta: the step, not 0.
        dtype: the element type, a real one; None for the widest of the arguments.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of rank 1.

    Raises:
        InvalidArgumentError: ``delta`` is 0 or leads away from ``limit``, or an argument
            is no real number that ``dtype`` holds.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.range(1, 8, 3))
        tv.Tensor([1 4 7], shape=(3,), dtype=int32)
    """
    if limit is None:
        start, limit = 0, start
    hosts = [_host_value(value) for value in (start, limit, delta)]
    target = _widest(hosts) if dtype is None else dtypes.as_dtype(dtype)
    first, last, step = (_number(host, target.numpy) for host in hosts)
    result: Tensor = executor.run(RANGE, start=first, limit=last, delta=step, dtype=target.numpy)
    return result


def _host_value(value: Any) -> Any:
    return value._to_host('range', explicit=False) if isinstance(value, ArrayValue) else value


def _number(host: Any, dtype: NumpyDType) -> Any:
    """One number as a Python number, rounded to ``dtype``."""
    array = host_data.to_array(host, dtype, 'range')
    if array.size != 1:
        raise _not_one_number(host)
    return array.reshape(()).item()


def _widest(hosts: list[Any]) -> dtypes.DType:
    found = set()
    for host in hosts:
        dtype = host_data.to_array(host, None, 'range').dtype
        if dtype not in dtypes.REAL:
            raise _not_one_number(host)
        found.add(dtypes.from_numpy(dtype))
    return max(_PRECEDENCE, key=lambda dtype: (dtype in found, _PRECEDENCE.index(dtype)))


def _not_one_number(host: Any) -> errors.InvalidTypeError:
    return errors.InvalidTypeError(
        f'[range] {host!r:.80} was given; start, limit and delta are one real number each', 'range'
    )


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: Any = 0) -> Tensor:
    """``num`` values from ``start`` to ``stop``, both included, at equal distances.

    Args:
        start: the first value, also a complex one; integers are taken as float64, those of
            8 and 16 bits as float32.
        stop: the last value, of the same dtype; broadcasts with ``start``.
        num: how many values, 0 or more.
        name: ignored; there for TensorFlow programs.
        axis: where the new axis goes in the result.

    Returns:
        A tensor of the broadcast shape with an axis of length ``num`` more.

    Raises:
        InvalidArgumentError: ``num`` is negative, ``axis`` is out of range, the shapes do
            not broadcast, or the dtypes are wrong.
    """
    result: Tensor = executor.run(
        LINSPACE,
        _as_float(start),
        _as_float(stop),
        num=_arguments.scalar('linspace', 'num', num),
        axis=_arguments.scalar('linspace', 'axis', axis),
    )
    return result


def _as_float(value: Any) -> Any:
    value = conversion.unwrap(value)
    if isinstance(value, ArrayValue):
        return cast.cast(value, _float_for(value.dtype)) if value.dtype.is_integer else value
    array = host_data.to_array(value, None, 'linspace')
    if array.dtype.kind not in 'iu':
        return value
    return array.astype(_float_for(dtypes.from_numpy(array.dtype)).numpy)


def _float_for(integer: dtypes.DType) -> dtypes.DType:
    return dtypes.float32 if integer.size <= 2 else dtypes.float64
