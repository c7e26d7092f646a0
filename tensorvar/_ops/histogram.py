"""Histograms with bins of equal width."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _rows, _value_checks

_NAME, _BINS = 'HistogramFixedWidth', 'HistogramFixedWidthBins'
_FLOAT64 = dtypes.float64.numpy
_INT64 = dtypes.int64.numpy
_COUNTED = frozenset(d.numpy for d in (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64))


def _check(op: str, value_range: ArraySpec, nbins: int) -> None:
    if value_range.shape not in ((2,), (None,)):
        raise errors.InvalidArgumentError(
            f'[{op}] value_range should be a vector of 2 elements, but has shape '
            f'{list(value_range.shape)}; give the least and the greatest value',
            op,
        )
    if nbins < 1:
        raise errors.InvalidArgumentError(
            f"[{op}] nbins should be a positive number, but got '{nbins}'; give the number of bins",
            op,
        )


def _infer(
    values: ArraySpec, value_range: ArraySpec, *, nbins: int, dtype: np.dtype[Any]
) -> ArraySpec:
    _check(_NAME, value_range, nbins)
    return ArraySpec((nbins,), dtype)


def _forward(
    xp: Any, values: Array, value_range: Array, *, nbins: int, dtype: np.dtype[Any]
) -> Array:
    low, high = value_range[:1], value_range[1:]
    message = 'value_range should satisfy value_range[0] < value_range[1]; give them in order'
    # On a card, too, as counting waits for it.
    _value_checks.refuse_where(xp, ~(low < high), _NAME, message, waits=True)
    message = 'Histogram values must not contain NaN, but some do; mask them first'
    _value_checks.refuse_where(xp, values != values, _NAME, message, waits=True)
    above = xp.maximum(values.reshape((-1,)), low) - low
    width = (high - low).astype(_FLOAT64) / nbins
    # What lies beyond an end counts in the bin there.
    places = xp.minimum(above.astype(_FLOAT64) / width, nbins - 1).astype(_INT64)
    return xp.bincount(places, minlength=nbins)[:nbins].astype(dtype)


def _infer_bins(values: ArraySpec, value_range: ArraySpec, *, nbins: int) -> ArraySpec:
    _check(_BINS, value_range, nbins)
    return ArraySpec(values.shape, dtypes.int32.numpy)


def _bins(xp: Any, values: Array, value_range: Array, *, nbins: int) -> Array:
    low, high = value_range[0], value_range[1]
    scaled = (values - low) / (high - low)
    places = xp.floor(scaled * xp.asarray(nbins, values.dtype))
    last = xp.asarray(nbins - 1, values.dtype)
    return xp.minimum(xp.maximum(places, xp.zeros_like(last)), last).astype(dtypes.int32.numpy)


HISTOGRAM = op_registry.register(
    OpDef(_NAME, _infer, _forward, NOT_DIFFERENTIABLE, inputs='T T', dtypes={'T': _COUNTED})
)
HISTOGRAM_BINS = op_registry.register(
    OpDef(
        _BINS, _infer_bins, _bins, NOT_DIFFERENTIABLE, inputs='T T', dtypes={'T': dtypes.FLOATING}
    )
)


def histogram_fixed_width(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """Counts values in bins of equal width.

    Args:
        values: int32, int64, float32 or float64, of any shape.
        value_range: the lower end of the first and the upper end of the last bin, of the
            same dtype. Values beyond count in the bin at that end.
        nbins: how many bins there are.
        dtype: of the result, int32 or int64.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor with the count of each bin.

    Raises:
        InvalidArgumentError: the range is empty; no bins; NaN among the values; a wrong
            dtype or shape.

    Example:
        >>> import tensorvar as tv
        >>> tv.histogram_fixed_width([-1.0, 0.0, 1.5, 9.0], [0.0, 2.0], nbins=2).numpy().tolist()
        [2, 2]
    """
    wanted = dtypes.as_dtype(dtype)
    if wanted.numpy not in _rows.INDICES:
        raise errors.InvalidTypeError(
            f'[{_NAME}] dtype {wanted.name} was given; allowed are int32 and int64; tv.cast the '
            f'result',
            _NAME,
        )
    result: Tensor = executor.run(
        HISTOGRAM,
        values,
        value_range,
        nbins=_arguments.scalar(_NAME, 'nbins', nbins),
        dtype=wanted.numpy,
    )
    return result


def histogram_fixed_width_bins(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """The bin of each value, for ``histogram_fixed_width``.

    Args:
        values: floating-point values of any shape.
        value_range: the lower end of the first and the upper end of the last bin, of the
            same dtype.
        nbins: how many bins there are.
        dtype: accepted for TensorFlow's sake; the result is int32, as it is there.
        name: accepted for TensorFlow's sake.

    Returns:
        An int32 tensor of the shape of ``values``.

    Raises:
        InvalidArgumentError: no bins; a wrong dtype or shape.
    """
    result: Tensor = executor.run(
        HISTOGRAM_BINS, values, value_range, nbins=_arguments.scalar(_BINS, 'nbins', nbins)
    )
    return result
