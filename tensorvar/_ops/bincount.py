"""How often each number comes: bincount and confusion_matrix."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _index_checks,
    _row_kernels,
    _rows,
    array_join,
    array_shape,
    cast,
    gather_nd,
    reduction,
)
from tensorvar._ops._gradient_helpers import Gradients

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels

_NAME, _CONFUSION = 'DenseBincount', 'ConfusionMatrix'
_INT64 = dtypes.int64.numpy
_RESULTS = frozenset(d.numpy for d in (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64))

# DenseBincount


def _infer(
    input: ArraySpec,
    weights: ArraySpec,
    *,
    minlength: int,
    maxlength: int | None,
    by_row: bool,
    binary_output: bool,
) -> ArraySpec:
    if maxlength is not None and maxlength < 0:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] size ({maxlength}) must be non-negative; give maxlength as the number of '
            f'bins, or leave it out',
            _NAME,
        )
    if by_row and len(input.shape) > 2:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] Shape must be at most rank 2 but is rank {len(input.shape)} for axis=-1; '
            f'reshape the values to rows',
            _NAME,
        )
    if weights.shape != (0,) and _arguments.merged(weights.shape, input.shape) is None:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] `weights` must be the same shape as `arr`, but shapes '
            f'{list(weights.shape)} and {list(input.shape)} were given; give one weight per '
            f'element',
            _NAME,
        )
    fixed = maxlength is not None and maxlength <= max(minlength, 0)
    bins = maxlength if fixed else None
    rows = input.shape[:1] if by_row and len(input.shape) == 2 else ()
    return ArraySpec((*rows, bins), weights.dtype)


def _number_of_bins(xp: Any, flat: Array, minlength: int, maxlength: int | None) -> int:
    # An array operation, because on a card the host does not know the greatest value.
    bins = int(xp.bincount(flat).shape[0]) if flat.size else 0
    bins = max(bins, minlength)
    return bins if maxlength is None else min(bins, maxlength)


def _forward(
    xp: Any,
    array: Array,
    weights: Array,
    *,
    minlength: int,
    maxlength: int | None,
    by_row: bool,
    binary_output: bool,
) -> Array:
    _refuse_negative(xp, _NAME, array)
    flat = array.reshape((-1,)).astype(_INT64)
    bins = _number_of_bins(xp, flat, minlength, maxlength)
    rows = array.shape[:1] if by_row and array.ndim == 2 else ()
    count = rows[0] if rows else 1
    inside = (flat >= 0) & (flat < bins)
    if count != 1:
        first = xp.repeat(xp.arange(count, dtype=_INT64) * bins, array.shape[1])
        flat = flat + first
    # What has no bin goes into one more.
    places = xp.where(inside, flat, count * bins)
    if weights.shape == (0,) and array.shape != (0,):
        total = xp.bincount(places, minlength=count * bins + 1)[: count * bins]
        total = total > 0 if binary_output else total
    else:
        values = weights.reshape((-1, 1))
        total = _rows.sum_rows(xp, count * bins, places, values)
    return total.reshape((*rows, bins)).astype(weights.dtype)


def _refuse_negative(xp: Any, op: str, array: Array, argument: str = 'Input arr') -> None:
    # On a card, too: the number of bins, which is asked for next, has to be waited for.
    least = int(_index_checks.look(xp, xp.asarray(array.min()))) if array.size else 0
    if least < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] {argument} must be non-negative, but the least value is {least}; '
            f'mask or shift the values',
            op,
        )


BINCOUNT = op_registry.register(
    OpDef(
        _NAME,
        _infer,
        _forward,
        NOT_DIFFERENTIABLE,
        inputs='i T',
        dtypes={'i': _rows.INDICES, 'T': _RESULTS},
    )
)


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    axis: Any = None,
    binary_output: bool = False,
) -> Tensor:
    """Counts how often each whole number from 0 on comes.

    Args:
        arr: int32 or int64; floats and bools are converted to int32.
        weights: what each element counts, of the shape of ``arr``; None for 1.
        minlength: how many bins there are at least.
        maxlength: how many there are at most; greater numbers are not counted.
        dtype: of the result without weights: int32, int64, float32 or float64.
        name: accepted for TensorFlow's sake.
        axis: None or 0 to count all elements, -1 to count each row.
        binary_output: whether to tell only if a number comes: 1 or 0.

    Returns:
        A tensor with a bin for each number up to the greatest; of the dtype of the
        weights, if given.

    Raises:
        ValueError: another ``axis``; ``binary_output`` together with weights.
        InvalidArgumentError: a number is negative; the weights do not fit; another dtype.

    Example:
        >>> import tensorvar as tv
        >>> tv.math.bincount([1, 1, 3]).numpy().tolist()
        [0, 2, 0, 1]
    """
    if binary_output and weights is not None:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] Arguments `binary_output` and `weights` are mutually exclusive; give one',
            _NAME,
        )
    if axis not in (None, 0, -1):
        raise errors.InvalidArgumentError(
            f'[{_NAME}] Unsupported value for argument axis={axis}. Only 0 and -1 are currently '
            f'supported; transpose the values',
            _NAME,
        )
    values = conversion.convert_to_tensor(arr)
    if not values.dtype.is_integer:
        values = cast.cast(values, dtypes.int32)
    if weights is None:
        weights = np.zeros((0,), dtypes.as_dtype(dtype).numpy)
    result: Tensor = executor.run(
        BINCOUNT,
        values,
        conversion.convert_to_tensor(weights),
        minlength=0 if minlength is None else _arguments.scalar(_NAME, 'minlength', minlength),
        maxlength=None if maxlength is None else _arguments.scalar(_NAME, 'maxlength', maxlength),
        by_row=axis == -1,
        binary_output=bool(binary_output),
    )
    return result


# ConfusionMatrix


def _infer_confusion(
    labels: ArraySpec, predictions: ArraySpec, weights: ArraySpec, *, num_classes: int | None
) -> ArraySpec:
    given = f'labels of shape {list(labels.shape)}, predictions of shape {list(predictions.shape)}'
    if len(labels.shape) != 1 or _arguments.merged(labels.shape, predictions.shape) is None:
        raise errors.InvalidArgumentError(
            f'[{_CONFUSION}] {given} were given; shapes of all inputs must match and be 1-D; '
            f'reshape them',
            _CONFUSION,
        )
    if weights.shape and _arguments.merged(labels.shape, weights.shape) is None:
        raise errors.InvalidArgumentError(
            f'[{_CONFUSION}] Shapes {list(labels.shape)} and {list(weights.shape)} are '
            f'incompatible; give one weight per prediction',
            _CONFUSION,
        )
    if num_classes is None and labels.shape == (0,):
        raise errors.InvalidArgumentError(
            f'[{_CONFUSION}] {given} were given; without elements there is no greatest class; '
            f'give num_classes',
            _CONFUSION,
        )
    return ArraySpec((num_classes, num_classes), weights.dtype)


def _refuse_classes(xp: Any, labels: Array, predictions: Array, num_classes: int | None) -> None:
    for argument, classes in (('labels', labels), ('predictions', predictions)):
        _refuse_negative(xp, _CONFUSION, classes, f'`{argument}`')
        if num_classes is None or not classes.size:
            continue
        greatest = int(_index_checks.look(xp, xp.asarray(classes.max())))
        if greatest >= num_classes:
            raise errors.InvalidArgumentError(
                f'[{_CONFUSION}] `{argument}` out of bound: the greatest is {greatest}, and '
                f'num_classes is {num_classes}; correct one of them',
                _CONFUSION,
            )


def _confusion(
    xp: Any, labels: Array, predictions: Array, weights: Array, *, num_classes: int | None
) -> Array:
    if num_classes is None or _index_checks.may_look(xp):
        _refuse_classes(xp, labels, predictions, num_classes)
    classes = num_classes
    if classes is None:
        classes = int(xp.bincount(xp.concatenate([labels, predictions])).shape[0])
    inside = (labels >= 0) & (labels < classes) & (predictions >= 0) & (predictions < classes)
    rows = xp.where(inside, labels * classes + predictions, -1)
    values = xp.broadcast_to(weights, labels.shape)[:, None]
    total = _rows.sum_rows(xp, classes * classes, rows, values)
    return total.astype(weights.dtype).reshape((classes, classes))


def _confusion_kernel(
    kernels: 'Kernels',
    labels: Array,
    predictions: Array,
    weights: Array,
    *,
    num_classes: int | None,
) -> Array:
    result = _confusion(kernels.xp, labels, predictions, weights, num_classes=num_classes)
    if num_classes is not None:
        for argument, classes in (('labels', labels), ('predictions', predictions)):
            _row_kernels.report_outside(kernels, _CONFUSION, classes, num_classes, argument)
    return result


def _confusion_gradient(context: Any, gradient: Tensor) -> Gradients:
    labels, predictions, weights = context.inputs
    picked = gather_nd.gather_nd(gradient, array_join.stack([labels, predictions], axis=1))
    return None, None, picked if weights._shape else reduction.reduce_sum(picked)


CONFUSION_MATRIX = op_registry.register(
    OpDef(
        _CONFUSION,
        _infer_confusion,
        _confusion,
        _confusion_gradient,
        inputs='i i T',
        dtypes={'i': frozenset({_INT64}), 'T': dtypes.NUMERIC | dtypes.BOOLEAN},
        kernel=_confusion_kernel,
        wide=True,
    )
)


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """Counts the pairs of label and prediction; a row per label.

    Args:
        labels: the right classes from 0 on, 1-D; a last dimension of 1 may follow in one
            of the two.
        predictions: the classes predicted.
        num_classes: how many there are; None for the greatest plus 1.
        weights: what each prediction counts; None for 1.
        dtype: of the result; the weights are converted to it.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(num_classes, num_classes)``.

    Raises:
        ValueError: the shapes do not fit.
        InvalidArgumentError: a class is negative, or not below ``num_classes``. Where
            ``num_classes`` is given, a pair with such a class that comes from a card itself
            is left out, and reported when the host next waits for the card.
    """
    first = cast.cast(conversion.convert_to_tensor(labels), dtypes.int64)
    second = cast.cast(conversion.convert_to_tensor(predictions), dtypes.int64)
    if first.ndim == second.ndim + 1 and first._shape[-1] == 1:
        first = array_shape.squeeze(first, [-1])
    if second.ndim == first.ndim + 1 and second._shape[-1] == 1:
        second = array_shape.squeeze(second, [-1])
    counted = cast.cast(conversion.convert_to_tensor(1 if weights is None else weights), dtype)
    if weights is not None and not counted._shape:
        counted = array_shape.reshape(counted, [1])
    count = (
        None if num_classes is None else _arguments.scalar(_CONFUSION, 'num_classes', num_classes)
    )
    result: Tensor = executor.run(CONFUSION_MATRIX, first, second, counted, num_classes=count)
    return result
