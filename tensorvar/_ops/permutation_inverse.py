"""The inverse of permutations."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _index_checks

_INDEX_TYPES = frozenset({dtypes.int32.numpy, dtypes.int64.numpy})


def _infer(x: ArraySpec) -> ArraySpec:
    if not x.shape:
        raise errors.InvalidArgumentError(
            '[InvertPermutation] a scalar was given; a permutation is a vector; reshape it',
            'InvertPermutation',
        )
    return x


def _forward(xp: Any, x: Array) -> Array:
    host = _index_checks.look(xp, x)
    wanted = np.arange(host.shape[-1])
    if not (np.sort(host, axis=-1) == wanted).all():
        raise errors.InvalidArgumentError(
            f'[InvertPermutation] values that are no permutation were given; each number from 0 '
            f'to {host.shape[-1] - 1} must come once, so that none is duplicated or outside; '
            f'correct them',
            'InvertPermutation',
        )
    return xp.argsort(x, axis=-1).astype(x.dtype)


INVERT_PERMUTATION = op_registry.register(
    OpDef(
        'InvertPermutation',
        _infer,
        _forward,
        NOT_DIFFERENTIABLE,
        dtypes={'T': _INDEX_TYPES},
    )
)


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The permutations that undo those along the last axis.

    Args:
        x: int32 or int64, each number from 0 on once. TensorFlow takes a vector alone.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``: ``y[x[i]] = i``.

    Raises:
        InvalidArgumentError: a number is missing, doubled or out of range; another dtype.
    """
    result: Tensor = executor.run(INVERT_PERMUTATION, x)
    return result
