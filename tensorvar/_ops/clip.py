"""Clipping by value, by norm, and by the norm of several tensors together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend import host_extremes, host_pieces
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import comparison, elementwise_binary, elementwise_unary, logical, loss
from tensorvar._ops._gradient_helpers import Gradients, sum_over, sum_to_shape, where, zeros_like


def _clip_rule(t: ArraySpec, clip_value_min: ArraySpec, clip_value_max: ArraySpec) -> ArraySpec:
    for name, bound in (('clip_value_min', clip_value_min), ('clip_value_max', clip_value_max)):
        if not _fits_into(bound.shape, t.shape):
            raise errors.InvalidArgumentError(
                f'[ClipByValue] t has shape {list(t.shape)}, {name} has shape '
                f'{list(bound.shape)}; the bounds broadcast to the shape of t, which they do not '
                f'change; give a scalar or a bound of the shape of t',
                'ClipByValue',
            )
    return t


def _fits_into(part: Sequence[int | None], whole: Sequence[int | None]) -> bool:
    pairs = zip(reversed(part), reversed(whole), strict=False)
    return len(part) <= len(whole) and all(a in (1, b) for a, b in pairs)


def _clip(xp: Any, t: Any, low: Any, high: Any) -> Any:
    if xp is np and t.size > host_extremes.FEW:
        result = host_extremes.minimum(t, high)
        return host_extremes.maximum(result, low, out=result)
    return xp.maximum(xp.minimum(t, high), low)


def _clip_gradient(context: Any, gradient: Tensor) -> Gradients:
    t, low, high = context.inputs
    nothing = zeros_like(gradient)
    below = comparison.less(elementwise_binary.minimum(t, high), low)
    above = logical.logical_and(comparison.greater(t, high), logical.logical_not(below))
    outside = logical.logical_or(below, above)
    return (
        where(outside, nothing, gradient) if context.needs[0] else None,
        sum_to_shape(where(below, gradient, nothing), low._shape) if context.needs[1] else None,
        sum_to_shape(where(above, gradient, nothing), high._shape) if context.needs[2] else None,
    )


CLIP_BY_VALUE = op_registry.register(
    OpDef(
        name='ClipByValue',
        infer=_clip_rule,
        forward=_clip,
        gradient=_clip_gradient,
        inputs='T T T',
        dtypes={'T': dtypes.REAL},
        grain=host_pieces.LIGHT,
    )
)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Clips values to an interval; nan stays.

    Args:
        t: real numbers, or ``IndexedSlices`` of them.
        clip_value_min: lower bound, of the dtype of ``t``; broadcasts to its shape.
        clip_value_max: upper bound, likewise; where the bounds cross, the lower one wins.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``t``, or ``IndexedSlices``.

    Raises:
        InvalidArgumentError: a bound has a shape that would enlarge ``t``, or the dtypes
            are wrong.
    """
    values = t.values if isinstance(t, IndexedSlices) else t
    clipped = executor.run(CLIP_BY_VALUE, values, clip_value_min, clip_value_max)
    return _like(t, clipped)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """Scales values down where their L2 norm is above a bound.

    The result is ``t * clip_norm / max(norm, clip_norm)``.

    Args:
        t: floating-point values, or ``IndexedSlices`` of them.
        clip_norm: largest norm, of rank 0 or broadcasting with ``t``; 0 or less gives 0.
        axes: axes over which a norm is taken; None for all.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``t``, or ``IndexedSlices``.

    Raises:
        InvalidArgumentError: ``clip_norm`` does not broadcast to ``t``, an axis is out of
            range, or the dtypes are wrong.
    """
    values = conversion.convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t)
    over = conversion.host_integers(axes, 'clip_by_norm', 'axes')
    over = _shapes.normalize_axes('clip_by_norm', over, len(values._shape))
    bound = conversion.convert_to_tensor(clip_norm, values.dtype)
    bound = elementwise_binary.maximum(bound, 0)
    squared = sum_over(values * values, over, keep=True)
    positive = comparison.greater(squared, 0)
    # The slope of the root is infinite at 0, so the root is taken of 1 there.
    norm = where(positive, elementwise_unary.sqrt(where(positive, squared, 1)), squared)
    scaled = values * bound
    if scaled._shape != values._shape:
        raise errors.InvalidArgumentError(
            f'[clip_by_norm] t has shape {list(values._shape)}, clip_norm has shape '
            f'{list(bound._shape)}; clip_norm broadcasts to the shape of t; give a scalar',
            'clip_by_norm',
        )
    return _like(t, _ratio(scaled, elementwise_binary.maximum(norm, bound)))


def _ratio(scaled: Tensor, norm: Tensor) -> Tensor:
    positive = comparison.greater(norm, 0)
    return where(positive, scaled / where(positive, norm, 1), scaled)


def _like(t: Any, values: Tensor) -> Any:
    if isinstance(t, IndexedSlices):
        return IndexedSlices(values, t.indices, t.dense_shape)
    return values


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The L2 norm of several tensors together: ``sqrt(sum of all squares)``.

    Args:
        t_list: a list of floating-point tensors, ``IndexedSlices`` or None, which is
            skipped.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of rank 0; float32 0 if there are no tensors.

    Raises:
        TypeError: ``t_list`` is no list.
        InvalidArgumentError: dtypes differ or are not floating-point.
    """
    halves = [loss.l2_loss(_values_of(t)) for t in _as_list(t_list, 'global_norm') if t is not None]
    if not halves:
        return conversion.constant(0.0)
    return elementwise_unary.sqrt(elementwise_binary.add_n(halves) * 2)


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """Scales several tensors down together where their common norm is above a bound.

    Each becomes ``t * clip_norm / max(global_norm, clip_norm)``; all become nan where
    the norm is not finite.

    Args:
        t_list: a list of floating-point tensors, ``IndexedSlices`` or None, which stays.
        clip_norm: largest norm, a number or a tensor of rank 0.
        use_norm: the norm, if it is known already; None to compute it.
        name: ignored; there for TensorFlow programs.

    Returns:
        The list of scaled values, and the norm before scaling.

    Raises:
        TypeError: ``t_list`` is no list.
        InvalidArgumentError: dtypes differ or are not floating-point.
    """
    items = _as_list(t_list, 'clip_by_global_norm')
    norm = global_norm(items) if use_norm is None else conversion.convert_to_tensor(use_norm)
    bound = conversion.convert_to_tensor(clip_norm, norm.dtype)
    # As in TensorFlow: 1 / norm is 0 for an infinite norm, which norm - norm turns into nan.
    inverse = elementwise_binary.minimum(1 / norm, 1 / bound)
    scale = bound * inverse + (norm - norm)
    return [None if t is None else _like(t, _values_of(t) * scale) for t in items], norm


def _values_of(t: Any) -> Tensor:
    return conversion.convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t)


def _as_list(t_list: Any, op: str) -> list[Any]:
    if isinstance(t_list, str) or not isinstance(t_list, Sequence):
        raise errors.InvalidTypeError(
            f'[{op}] a {type(t_list).__name__} was given; `t_list` should be a sequence of '
            f'tensors; put a single one into a list',
            op,
        )
    return list(t_list)
