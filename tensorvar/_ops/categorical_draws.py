"""Draws of classes, given the logarithms of their chances."""

import math
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    _arguments,
    _rejection,
    _rows,
    distributions,
    random_seed,
    searchsorted,
    stateless_random,
)
from tensorvar._ops._rejection import FLOAT64
from tensorvar._ops.random_seed import Stream

_NAME, _STATELESS = 'Multinomial', 'StatelessMultinomial'


def _forward(
    xp: Any,
    logits: Array,
    *,
    num_samples: int,
    output_dtype: np.dtype[Any],
    stream: Stream | None,
) -> Array:
    batch = logits.shape[0]
    # TensorFlow sets this much aside: two words for each float64, in whole counters.
    words = -(-num_samples // 4) * 4 * 2 * batch
    key, counter = _rejection.reserve(stream, words * _rejection.COUNTERS_PER_VALUE)
    if batch == 0 or num_samples == 0:
        return xp.zeros((batch, num_samples), output_dtype)
    wide = logits.astype(FLOAT64)
    possible = xp.isfinite(wide)
    lowest = xp.full((), -math.inf, FLOAT64)
    greatest = xp.max(xp.where(possible, wide, lowest), axis=1, keepdims=True)
    chances = xp.where(possible, xp.exp(wide - greatest), xp.zeros((), FLOAT64))
    sums = xp.cumsum(chances, axis=1)
    units = distributions.uniform(xp, key, counter, (batch, num_samples), FLOAT64)
    drawn = searchsorted.search_rows(xp, sums, units * sums[:, -1:], 'right')
    return drawn.astype(output_dtype)


def _register(name: str) -> OpDef:
    def infer(
        logits: ArraySpec, *, num_samples: int, output_dtype: np.dtype[Any], stream: Stream | None
    ) -> ArraySpec:
        if len(logits.shape) != 2:
            raise errors.InvalidArgumentError(
                f'[{name}] logits should be a matrix, got shape {list(logits.shape)}; give one row '
                f'per distribution',
                name,
            )
        if num_samples < 0:
            raise errors.InvalidArgumentError(
                f'[{name}] num_samples should be non-negative, got {num_samples}', name
            )
        if logits.shape[1] == 0:
            raise errors.InvalidArgumentError(
                f'[{name}] num_classes should be positive, got 0 (shape {list(logits.shape)}); '
                f'give at least one class',
                name,
            )
        return ArraySpec((logits.shape[0], num_samples), output_dtype)

    return op_registry.register(
        OpDef(
            name,
            infer,
            _forward,
            NOT_DIFFERENTIABLE,
            dtypes={'T': dtypes.FLOATING},
            stateful=True,
        )
    )


MULTINOMIAL = _register(_NAME)
STATELESS_MULTINOMIAL = _register(_STATELESS)


def _arguments_of(op: str, num_samples: Any, dtype: Any) -> tuple[int, np.dtype[Any]]:
    wanted = dtypes.as_dtype(dtypes.int64 if dtype is None else dtype)
    if wanted.numpy not in _rows.INDICES:
        raise errors.InvalidTypeError(
            f'[{op}] Argument `dtype` got invalid value {wanted.name}. Accepted dtypes are int32 '
            f'and int64; tv.cast the result',
            op,
        )
    return _arguments.scalar(op, 'num_samples', num_samples), wanted.numpy


def categorical(
    logits: Any,
    num_samples: Any,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws classes.

    With a seed the classes are those of TensorFlow on its CPU, on every device. (There,
    large batches are cut up by the number of cores, and their numbers depend on it.)

    Args:
        logits: floating-point, of shape ``(batch, classes)``: logarithms of the chances,
            up to a constant in each row. A class that is not finite is never drawn.
        num_samples: how many classes to draw for each row.
        dtype: of the result, int64 (the default) or int32.
        seed: see ``normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(batch, num_samples)``. Where a row has no class to draw, the
        number of classes.

    Raises:
        ValueError: another ``dtype``.
        InvalidArgumentError: no matrix, no classes, or a negative number of samples.
    """
    count, wanted = _arguments_of(_NAME, num_samples, dtype)
    kind = _arguments.spec_of(logits).dtype
    stream = random_seed.stream(_NAME, seed, kind, wanted)
    result: Tensor = executor.run(
        MULTINOMIAL, logits, num_samples=count, output_dtype=wanted, stream=stream
    )
    return result


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Draws classes; the same seed gives the same ones. See ``categorical``.

    Args:
        logits: floating-point, of shape ``(batch, classes)``.
        num_samples: how many classes to draw for each row.
        seed: see ``stateless_normal``.
        dtype: of the result, int64 or int32.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``(batch, num_samples)``.

    Raises:
        ValueError: another ``dtype``.
        InvalidArgumentError: no matrix, no classes, or a bad seed.
    """
    count, wanted = _arguments_of(_STATELESS, num_samples, dtype)
    result: Tensor = executor.run(
        STATELESS_MULTINOMIAL,
        logits,
        num_samples=count,
        output_dtype=wanted,
        stream=stateless_random.fixed_stream(_STATELESS, seed),
    )
    return result
