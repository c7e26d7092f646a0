"""``log_poisson_loss``: the negative logarithm of a Poisson likelihood."""

import math
from typing import Any

from tensorvar import errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, comparison, exponential, logical, where


def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> Tensor:
    """``exp(log_input) - targets * log_input``.

    Args:
        targets: floating-point counts.
        log_input: logarithms of the expected counts, of the shape and dtype of ``targets``.
        compute_full_loss: whether Stirling's approximation of ``log(targets!)`` is added
            for targets above 1.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of the inputs.

    Raises:
        InvalidArgumentError: shapes or dtypes differ.
    """
    logs = conversion.convert_to_tensor(log_input)
    counts = conversion.convert_to_tensor(targets)
    if len(logs._shape) != len(counts._shape) or not all(
        map(_arguments.same_dim, logs._shape, counts._shape)
    ):
        raise errors.InvalidArgumentError(
            f'[log_poisson_loss] `log_input` and `targets` must have the same shape, received '
            f'({logs.shape} vs {counts.shape}); reshape or broadcast one of them',
            'log_poisson_loss',
        )
    loss: Tensor = exponential.exp(logs) - logs * counts
    if not compute_full_loss:
        return loss
    small = logical.logical_and(
        comparison.greater_equal(counts, 0), comparison.less_equal(counts, 1)
    )
    # The logarithm of 0 must not reach the gradient of targets that do not use it.
    safe = where.where(small, 1, counts)
    stirling = safe * exponential.log(safe) - safe + 0.5 * exponential.log(2 * math.pi * safe)
    full: Tensor = loss + where.where(small, 0, stirling)
    return full
