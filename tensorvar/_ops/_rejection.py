"""What draws by rejection share: a stream for each value, and work in portions.

TensorFlow sets aside 256 counters of the generator for each value. So values can be
drawn in any order, and those that were accepted need not wait for the others. All is
computed in float64, whatever the dtype of the result.
"""

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._ops import distributions, philox
from tensorvar._ops.random_seed import Stream

COUNTERS_PER_VALUE = 256

Shape = tuple[int, ...]

FLOAT64 = dtypes.float64.numpy
BOOL = dtypes.bool_.numpy
UINT64 = dtypes.uint64.numpy

# Values worked on at a time; it bounds temporary memory.
_AT_ONCE_ON_A_CARD = 1 << 19
_AT_ONCE_ON_THE_CPU = 1 << 14


def reserve(stream: Stream | None, counters: int) -> tuple[int, int]:
    """Key and first counter for a draw; from the operating system if there is no seed."""
    if stream is not None:
        return stream.reserve(counters)
    return int.from_bytes(os.urandom(8)), int.from_bytes(os.urandom(16))


def in_portions(xp: Any, count: int, draw: Callable[[int, int], Array]) -> Array:
    """A float64 vector filled by ``draw(start, stop)``."""
    result = xp.empty((count,), FLOAT64)
    at_once = _AT_ONCE_ON_THE_CPU if xp is np else _AT_ONCE_ON_A_CARD
    for start in range(0, count, at_once):
        stop = min(start + at_once, count)
        result[start:stop] = draw(start, stop)
    return result


def pairs_of_units(xp: Any, key: int, counter: int, offsets: Array) -> tuple[Array, Array]:
    """Two uniform values for each counter, in the order in which TensorFlow takes them."""
    units = distributions.unit_float64(xp, philox.words(xp, key, counter, offsets))
    return units[1], units[0]


def per_value(xp: Any, parameter: Array, samples: int, start: int, stop: int) -> Array:
    """The parameter of each value in ``[start, stop)``; all samples of one come together."""
    numbers = xp.arange(start, stop, dtype=dtypes.int64.numpy) // max(samples, 1)
    return xp.take(parameter, numbers)


def samples_first(xp: Any, values: Array, parameters: int, shape: Shape) -> Array:
    """Values in the order in which they are drawn, brought into the shape of the result."""
    samples = math.prod(shape) // max(parameters, 1)
    return values.reshape((parameters, samples)).transpose().reshape(shape)


def check_shape(op: str, shape: Shape) -> None:
    """Raises unless all dimensions are 0 or more."""
    if min(shape, default=0) < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] shape {list(shape)} was given: Dimension {min(shape)} must be >= 0; '
            f'give every dimension',
            op,
        )


def check_ends_with(op: str, shape: Shape, parameters: Any) -> None:
    """Raises unless the shape of a stateless draw ends with that of its parameters."""
    check_shape(op, shape)
    tail = shape[len(shape) - len(parameters) :] if parameters else ()
    if len(parameters) > len(shape) or any(
        dim not in (None, wanted) for dim, wanted in zip(parameters, tail, strict=True)
    ):
        raise errors.InvalidArgumentError(
            f'[{op}] Shape passed in must end with broadcasted shape of the parameters, but '
            f'{list(shape)} and {list(parameters)} were given; give '
            f'{["...", *parameters]}',
            op,
        )
