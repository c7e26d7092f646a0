"""The records of random ops: one factory for each kind of draw.

The same draws come as ops of a seed or a ``Generator`` (``StatelessRandomNormalV2``),
and as ops with a stream of their own (``RandomStandardNormal``). Which numbers a draw
gets is said by its ``stream`` attribute; None is for draws without a seed.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._ops import distributions, permutation, unseeded
from tensorvar._ops.distributions import NumpyDType, Shape
from tensorvar._ops.random_seed import Stream

# TensorFlow moves a stream on by this many counters for each value drawn.
COUNTERS_PER_VALUE = 256

RANGE_DTYPES = frozenset({dtypes.int32.numpy, dtypes.int64.numpy})
FULL_RANGE_DTYPES = RANGE_DTYPES | {dtypes.uint32.numpy, dtypes.uint64.numpy}


class Distribution(NamedTuple):
    """The two ways to draw floats.

    Attributes:
        seeded: from a key and a counter.
        free: without a seed.
    """

    seeded: Callable[..., Array]
    free: Callable[..., Array]


UNIFORM = Distribution(distributions.uniform, unseeded.uniform)
NORMAL = Distribution(distributions.normal, unseeded.normal)
TRUNCATED_NORMAL = Distribution(distributions.truncated_normal, unseeded.truncated_normal)


def float_op(name: str, distribution: Distribution) -> OpDef:
    """Registers an op that draws floats."""

    def infer(*, shape: Shape, dtype: NumpyDType, stream: Stream | None) -> ArraySpec:
        _check_dtype(name, dtype, dtypes.FLOATING)
        return ArraySpec(_checked_shape(name, shape), dtype)

    def forward(xp: Any, *, shape: Shape, dtype: NumpyDType, stream: Stream | None) -> Array:
        if stream is None:
            return distribution.free(xp, shape, dtype)
        key, counter = stream.reserve(math.prod(shape) * COUNTERS_PER_VALUE)
        return distribution.seeded(xp, key, counter, shape, dtype)

    return op_registry.register(
        OpDef(name, infer, forward, NOT_DIFFERENTIABLE, inputs='', stateful=True)
    )


def integer_op(name: str, allowed: frozenset[NumpyDType]) -> OpDef:
    """Registers an op that draws integers in [low, high)."""

    def infer(
        *, shape: Shape, dtype: NumpyDType, stream: Stream | None, low: int, high: int
    ) -> ArraySpec:
        _check_dtype(name, dtype, allowed)
        shape = _checked_shape(name, shape)
        # As in TensorFlow, no value may come from an empty range, but none at all may.
        if low >= high and 0 not in shape:
            raise errors.InvalidArgumentError(
                f'[{name}] Need minval < maxval, got {low} >= {high}; '
                f'maxval itself is never drawn; make it larger',
                name,
            )
        return ArraySpec(shape, dtype)

    def forward(
        xp: Any, *, shape: Shape, dtype: NumpyDType, stream: Stream | None, low: int, high: int
    ) -> Array:
        if stream is None:
            return unseeded.integers(xp, shape, dtype, low, high)
        key, counter = stream.reserve(math.prod(shape) * COUNTERS_PER_VALUE)
        return distributions.integers(xp, key, counter, shape, dtype, low, high)

    return op_registry.register(
        OpDef(name, infer, forward, NOT_DIFFERENTIABLE, inputs='', stateful=True)
    )


def shuffle_op(name: str) -> OpDef:
    """Registers an op that shuffles its input along the first axis."""

    def infer(value: ArraySpec, *, stream: Stream | None) -> ArraySpec:
        return value

    def forward(xp: Any, value: Array, *, stream: Stream | None) -> Array:
        length = value.shape[0] if value.ndim else 1
        if length <= 1 or value.size <= 1:
            # TensorFlow takes nothing from the stream here.
            return value.copy()
        if stream is None:
            order = unseeded.permutation(xp, length)
        else:
            # One word for each swap, four words for each counter.
            key, counter = stream.reserve(-(-(length - 1) // 4))
            order = permutation.permutation(xp, key, counter, length)
        return xp.take(value, order, axis=0)

    return op_registry.register(OpDef(name, infer, forward, NOT_DIFFERENTIABLE, stateful=True))


def _check_dtype(op: str, dtype: NumpyDType, allowed: frozenset[NumpyDType]) -> None:
    if dtype not in allowed:
        names = ', '.join(d.name for d in dtypes.ALL if d.numpy in allowed)
        raise errors.InvalidTypeError(
            f'[{op}] dtype {dtypes.from_numpy(dtype).name} was asked for; allowed are {names}; '
            f'draw one of them and tv.cast it',
            op,
        )


def _checked_shape(op: str, shape: Shape) -> Shape:
    for dim in shape:
        if dim < 0:
            raise errors.InvalidArgumentError(
                f'[{op}] shape {list(shape)} was given: Dimension {dim} must be >= 0; '
                f'give every dimension',
                op,
            )
    return shape
