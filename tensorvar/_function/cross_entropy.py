"""The cross entropy of class numbers and its slope on NumPy, sharing what they compute.

Same bits as the forwards in ``_ops/sparse_loss.py``, which compute it twice.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar._backend import host_sums
from tensorvar._backend.base import Array
from tensorvar._ops import _index_checks

_INT32 = np.dtype(np.int32)
_UINT32 = np.dtype(np.uint32)
# A row for each class is only kept where that is not much memory.
_MOST_HITS = 256
# Up to so many elements a column is spread out by fetching each: NumPy's loops over short
# rows take longer, (32, 10) less a column 0.9 us and 0.7 us.
_MOST_FETCHED = 512


@dataclasses.dataclass(slots=True, eq=False)
class Scratch:
    """Arrays for one shape of logits.

    Attributes:
        classes: the numbers of the classes.
        begins: where each row begins in the flat logits.
        places: where the label of each row is in them.
        best: where the largest of each row is in them.
        largest: the largest of each row.
        column: the same as a column.
        chosen: the label of each row; its own copy, so that nothing else is held.
        shifted: the logits less the largest of their row.
        flat: the same in one row.
        raised: their exponentials.
        total: the sums of the exponentials, a column.
        totals: the same in a row.
        ones: what gives the sums by a product, for few classes; or None.
        hits: for each class a row with 1 at the class; None where there are many.
        hit: the rows of the labels.
        rows: the row of each element of the logits, for few of them; or None.
        tile: a column spread out.
    """

    classes: Array
    begins: Array
    places: Array
    best: Array
    largest: Array
    column: Array
    chosen: Array
    shifted: Array
    flat: Array
    raised: Array
    total: Array
    totals: Array
    ones: Array | None
    hits: Array | None
    hit: Array
    rows: Array | None
    tile: Array


def scratch(rows: int, classes: int, dtype: np.dtype[Any]) -> Scratch:
    """Arrays for logits of shape ``(rows, classes)``."""
    largest = np.empty(rows, dtype)
    shifted = np.empty((rows, classes), dtype)
    total = np.empty((rows, 1), dtype)
    begins = np.arange(rows, dtype=np.intp) * classes
    is_small = rows * classes <= _MOST_FETCHED
    return Scratch(
        classes=np.arange(classes, dtype=np.intp),
        begins=begins,
        places=np.empty(rows, np.intp),
        best=np.empty(rows, np.intp),
        largest=largest,
        column=largest.reshape(rows, 1),
        chosen=begins,
        shifted=shifted,
        flat=shifted.reshape(-1),
        raised=np.empty((rows, classes), dtype),
        total=total,
        totals=total.reshape(-1),
        ones=host_sums.ones_for((rows, classes), dtype, 1),
        hits=np.eye(classes, dtype=dtype) if classes <= _MOST_HITS else None,
        hit=np.empty((rows, classes), dtype),
        rows=np.arange(rows * classes).reshape(rows, classes) // classes if is_small else None,
        tile=np.empty((rows, classes) if is_small else 0, dtype),
    )


def losses(
    logits: Array,
    labels: Array,
    kept: Scratch,
    forward: Callable[..., Any],
    out: Array | None = None,
) -> Array:
    """The losses; leaves in ``kept`` what ``slope`` needs.

    Args:
        logits: of shape ``(rows, classes)``.
        labels: of shape ``(rows,)``.
        kept: see there.
        forward: of the op; words the error for labels that are no class.
        out: where the losses go.
    """
    kept.chosen = _checked(logits, labels, kept, forward)
    places = np.add(kept.begins, kept.chosen, kept.places)
    _raise(logits, kept)
    result = np.log(kept.totals, out)
    return np.subtract(result, kept.flat.take(places), result)


def _raise(logits: Array, kept: Scratch) -> None:
    """Exponentials and their sums."""
    # The largest is found faster by its place, which also finds the first nan.
    np.add(logits.argmax(1, kept.best), kept.begins, kept.best)
    logits.take(kept.best, None, kept.largest, 'clip')
    np.subtract(logits, _spread(kept.column, kept), kept.shifted)
    np.exp(kept.shifted, kept.raised)
    if kept.ones is None:
        np.add.reduce(kept.raised, axis=1, out=kept.totals)
    else:
        kept.raised.dot(kept.ones, kept.totals)


def _spread(column: Array, kept: Scratch) -> Array:
    """A column, or what stands for it beside the logits and takes less time."""
    if kept.rows is None:
        return column
    # Clipping spares NumPy a copy of what it has to undo if a place is wrong.
    return column.take(kept.rows, None, kept.tile, 'clip')


def _checked(logits: Array, labels: Array, kept: Scratch, forward: Callable[..., Any]) -> Array:
    """A copy of the labels; ``forward`` words the error where one is no class."""
    if labels.dtype is _INT32:
        try:
            # A negative label is a very large unsigned number.
            return kept.classes.take(labels.view(_UINT32))
        except IndexError:
            forward(np, logits, labels)
            raise
    if not _index_checks.are_inside(labels, logits.shape[1]):
        forward(np, logits, labels)
    return labels.copy()


def slope(kept: Scratch, out: Array | None = None) -> Array:
    """``softmax`` less 1 at the label.

    Args:
        kept: what ``losses`` has left.
        out: where the slope goes; an array of its own if None.
    """
    result = np.divide(kept.raised, _spread(kept.total, kept), out)
    if kept.hits is None:
        result.reshape(-1)[kept.places] -= 1
        return result
    kept.hits.take(kept.chosen, 0, kept.hit, 'clip')
    return np.subtract(result, kept.hit, result)


def slope_alone(logits: Array, labels: Array, kept: Scratch, out: Array | None = None) -> Array:
    """``slope`` where the losses are of another plan, which has checked the labels."""
    kept.chosen = labels.astype(np.intp)
    np.add(kept.begins, kept.chosen, kept.places)
    _raise(logits, kept)
    return slope(kept, out)
