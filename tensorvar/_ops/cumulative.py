"""Running sums and products along an axis."""

from collections.abc import Callable
from typing import Any

from tensorvar import _shapes, dtypes
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, Infer, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _gradient_helpers, array_join, array_layout, slicing
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32


def _rule(op: str) -> Infer:
    def infer(x: ArraySpec, *, axis: int, exclusive: bool, reverse: bool) -> ArraySpec:
        _shapes.normalize_axis(op, axis, len(x.shape))
        return x

    return infer


def _scan(
    xp: Any,
    array: Array,
    function: Callable[..., Array],
    neutral: int,
    axis: int,
    exclusive: bool,
    reverse: bool,
) -> Array:
    axis = _shapes.normalize_axis('Cumsum', axis, array.ndim)
    if reverse:
        array = xp.flip(array, axis)
    if exclusive:
        array = _shift(xp, array, neutral, axis)
    result = function(array, axis=axis, dtype=array.dtype)
    return xp.flip(result, axis) if reverse else result


def _shift(xp: Any, array: Array, neutral: int, axis: int) -> Array:
    """Moves elements one place on, so that each result leaves its own element out."""
    first = (*array.shape[:axis], 1, *array.shape[axis + 1 :])
    longer = xp.concatenate((xp.full(first, neutral, array.dtype), array), axis=axis)
    return longer[(slice(None),) * axis + (slice(array.shape[axis]),)]


@in_float32
def _cumsum(xp: Any, array: Array, *, axis: int, exclusive: bool, reverse: bool) -> Array:
    return _scan(xp, array, xp.cumsum, 0, axis, exclusive, reverse)


def _cumsum_gradient(context: Any, gradient: Tensor) -> Gradients:
    given = context.attributes
    return (cumsum(gradient, given['axis'], given['exclusive'], not given['reverse']),)


@in_float32
def _cumprod(xp: Any, array: Array, *, axis: int, exclusive: bool, reverse: bool) -> Array:
    return _scan(xp, array, xp.cumprod, 1, axis, exclusive, reverse)


def _cumprod_gradient(context: Any, gradient: Tensor) -> Gradients:
    """Exact at zeros too, where TensorFlow, which divides by the element, gives 0.

    Element j gets ``before[j] * rest[j]``: the product before it, times the gradients
    from j on, each times the elements after j that its result contains. That is the
    recurrence ``rest[j] = gradient[j] + x[j + 1] * rest[j + 1]``.
    """
    given = context.attributes
    values = _gradient_helpers.conjugate(context.inputs[0])
    axis = given['axis'] % len(values._shape)
    if given['reverse']:
        values = array_layout.reverse(values, [axis])
        gradient = array_layout.reverse(gradient, [axis])
    if given['exclusive']:
        gradient = pull(gradient, axis, 1)
    before = cumprod(values, axis, exclusive=True)
    result = before * solve_recurrence(pull(values, axis, 1), gradient, axis)
    return (array_layout.reverse(result, [axis]) if given['reverse'] else result,)


def solve_recurrence(factors: Tensor, terms: Tensor, axis: int) -> Tensor:
    """Solves ``y[j] = terms[j] + factors[j] * y[j + 1]`` along an axis by doubling."""
    step = 1
    while step < factors._shape[axis]:
        terms = terms + factors * pull(terms, axis, step)
        factors = factors * pull(factors, axis, step)
        step *= 2
    return terms


def pull(values: Tensor, axis: int, places: int) -> Tensor:
    """Moves elements ``places`` towards the front; zeros follow at the end."""
    shape = values._shape
    places = min(places, shape[axis])
    begin = [0] * len(shape)
    begin[axis] = places
    rest = slicing.slice(values, begin, [-1] * len(shape))
    size = list(shape)
    size[axis] = places
    front = slicing.slice(values, [0] * len(shape), size)
    return array_join.concat([rest, _gradient_helpers.zeros_like(front)], axis)


CUMSUM = op_registry.register(
    OpDef(
        'Cumsum',
        _rule('Cumsum'),
        _cumsum,
        _cumsum_gradient,
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
        wide=True,
    )
)
CUMPROD = op_registry.register(
    OpDef(
        'Cumprod',
        _rule('Cumprod'),
        _cumprod,
        _cumprod_gradient,
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
        wide=True,
    )
)


def _run(op: OpDef, x: Any, axis: Any, exclusive: bool, reverse: bool) -> Tensor:
    result: Tensor = executor.run(
        op,
        x,
        axis=_arguments.scalar(op.name, 'axis', axis),
        exclusive=bool(exclusive),
        reverse=bool(reverse),
    )
    return result


def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running sums along an axis.

    Args:
        x: numbers of any dtype, of rank 1 or more.
        axis: one axis; negative ones count from the end.
        exclusive: whether a result leaves its own element out; the first is then 0.
        reverse: whether to run from the end.
        name: accepted for TensorFlow's sake.

    Returns:
        The sums, with the shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: the axis is out of range; ``x`` is boolean.
    """
    return _run(CUMSUM, x, axis, exclusive, reverse)


def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running products along an axis. See ``cumsum``; an exclusive one starts with 1.

    The gradient is right where elements are 0; TensorFlow's is not.
    """
    return _run(CUMPROD, x, axis, exclusive, reverse)
