"""Cross products of vectors in space."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32


def _infer(a: ArraySpec, b: ArraySpec) -> ArraySpec:
    merged = _arguments.merged(a.shape, b.shape)
    if merged is None or not merged:
        raise errors.InvalidArgumentError(
            f'[Cross] shapes {list(a.shape)} and {list(b.shape)} were given; both inputs must be '
            f'of same shape and of rank 1 or more; use tv.broadcast_to',
            'Cross',
        )
    if merged[-1] not in (3, None):
        raise errors.FailedPreconditionError(
            f'[Cross] vectors of shape {list(merged)} were given; cross products are only defined '
            f'for 3-element vectors along the last axis; pad them with zeros',
            'Cross',
        )
    return ArraySpec(merged, a.dtype)


@in_float32
def _forward(xp: Any, a: Array, b: Array) -> Array:
    x1, y1, z1 = a[..., 0], a[..., 1], a[..., 2]
    x2, y2, z2 = b[..., 0], b[..., 1], b[..., 2]
    parts = (y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
    return xp.stack(parts, axis=-1)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    a, b = context.inputs
    return cross(b, gradient), cross(gradient, a)


CROSS = op_registry.register(
    OpDef(
        'Cross',
        _infer,
        _forward,
        _gradient,
        inputs='T T',
        dtypes={'T': dtypes.REAL},
        wide=True,
    )
)


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """Cross products of the 3-element vectors along the last axis.

    Args:
        a: real numbers.
        b: of the shape and dtype of ``a``; nothing is broadcast.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``a``.

    Raises:
        InvalidArgumentError: the shapes differ, or scalars, or a dtype that is not real.
        FailedPreconditionError: the last axis is not 3 long.
    """
    result: Tensor = executor.run(CROSS, a, b)
    return result
