"""The cross entropy of class numbers and its slope on NumPy, sharing their exponentials.

Same bits as the forwards in ``_ops/sparse_loss.py``, which compute them twice.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar._backend.base import Array

Shared = tuple[Array, Array, Array]
_UNSIGNED = {4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}


def offsets(rows: int, classes: int) -> Array:
    """Where each row begins in the flat logits."""
    return np.arange(rows, dtype=np.intp) * classes


def losses(
    logits: Array, labels: Array, begins: Array, forward: Callable[..., Any]
) -> tuple[Array, Shared]:
    """The losses, and what ``slope`` needs.

    Args:
        logits: of shape ``(rows, classes)``.
        labels: of shape ``(rows,)``.
        begins: see ``offsets``.
        forward: of the op; words the error for labels that are no class.
    """
    # A negative label is a very large unsigned number.
    if np.maximum.reduce(labels.view(_UNSIGNED[labels.itemsize])) >= logits.shape[1]:
        forward(np, logits, labels)
    shifted = np.subtract(logits, np.maximum.reduce(logits, axis=1, keepdims=True))
    raised = np.exp(shifted)
    total = np.add.reduce(raised, axis=1, keepdims=True)
    places = np.add(begins, labels)
    result = np.log(total).reshape(-1)
    np.subtract(result, shifted.reshape(-1).take(places), out=result)
    return result, (raised, total, places)


def slope(shared: Shared) -> Array:
    """``softmax`` less 1 at the label; takes the array of the exponentials."""
    raised, total, places = shared
    np.divide(raised, total, out=raised)
    flat = raised.reshape(-1)
    flat[places] -= 1
    return raised
