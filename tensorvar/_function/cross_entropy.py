"""The cross entropy of class numbers and its slope on NumPy, sharing what they compute.

Same bits as the forwards in ``_ops/sparse_loss.py``, which compute it twice.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tensorvar._backend import host_sums
from tensorvar._backend.base import Array
from tensorvar._function import spreading
from tensorvar._ops import _index_checks

_INT32 = np.dtype(np.int32)
_UINT32 = np.dtype(np.uint32)
# A row for each class is only kept where that is not much memory.
_MOST_HITS = 256


class _ForLosses(NamedTuple):
    """What ``losses`` writes into, and what it takes from; a tuple is unpacked fast.

    Attributes:
        classes: the numbers of the classes.
        begins: where each row begins in the flat logits, twice.
        columns: in which columns are the largest of each row and its label.
        best: the first row of this.
        chosen: the second row of this.
        places: where these are in the flat logits.
        picked: what is there.
        largest: the first row of this.
        labelled: the second row of this.
        column: the largest as a column.
        rows: the row of each element of the logits where that is how a column is spread; or None.
        tile: a column spread out.
        shifted: the logits less the largest of their row.
        raised: their exponentials.
        ones: what gives their sums by a product, for few classes; or None.
        totals: the sums.
    """

    classes: Array
    begins: Array
    columns: Array
    best: Array
    chosen: Array
    places: Array
    picked: Array
    largest: Array
    labelled: Array
    column: Array
    rows: Array | None
    tile: Array
    shifted: Array
    raised: Array
    ones: Array | None
    totals: Array


class _ForSlope(NamedTuple):
    """What ``losses`` leaves for ``slope``.

    Attributes:
        raised: see there.
        total: the sums as a column.
        rows: see there.
        tile: see there.
        chosen: the labels.
        places: where they are in the flat logits.
        hits: for each class a row with 1 at the class; None where there are many.
        hit: the rows of the labels.
    """

    raised: Array
    total: Array
    rows: Array | None
    tile: Array
    chosen: Array
    places: Array
    hits: Array | None
    hit: Array


Scratch = tuple[_ForLosses, _ForSlope]
"""Arrays for one shape of logits."""


def scratch(rows: int, classes: int, dtype: np.dtype[Any]) -> Scratch:
    """Arrays for logits of shape ``(rows, classes)``."""
    columns, places = (np.empty((2, rows), np.intp) for _ in range(2))
    picked = np.empty((2, rows), dtype)
    raised = np.empty((rows, classes), dtype)
    total = np.empty((rows, 1), dtype)
    spread = spreading.how_to((rows, 1), (rows, classes))
    row_of = None if spread is None else spread.index
    tile = np.empty(0 if spread is None else (rows, classes), dtype)
    for_losses = _ForLosses(
        classes=np.arange(classes, dtype=np.intp),
        begins=np.tile(np.arange(rows, dtype=np.intp) * classes, (2, 1)),
        columns=columns,
        best=columns[0],
        chosen=columns[1],
        places=places,
        picked=picked,
        largest=picked[0],
        labelled=picked[1],
        column=picked[0].reshape(rows, 1),
        rows=row_of,
        tile=tile,
        shifted=np.empty((rows, classes), dtype),
        raised=raised,
        ones=host_sums.ones_for((rows, classes), dtype, 1),
        totals=total.reshape(-1),
    )
    for_slope = _ForSlope(
        raised=raised,
        total=total,
        rows=row_of,
        tile=tile,
        chosen=columns[1],
        places=places[1],
        hits=np.eye(classes, dtype=dtype) if classes <= _MOST_HITS else None,
        hit=np.empty((rows, classes), dtype),
    )
    return for_losses, for_slope


def losses(
    logits: Array,
    labels: Array,
    kept: Scratch,
    forward: Callable[..., Any],
    out: Array | None = None,
) -> Array:
    """The losses; leaves in ``kept`` what ``slope`` needs.

    One frame, and few calls: for 32 rows of 10 classes a call takes as long as its work.

    Args:
        logits: of shape ``(rows, classes)``.
        labels: of shape ``(rows,)``.
        kept: see there.
        forward: of the op; words the error for labels that are no class.
        out: where the losses go.
    """
    (
        classes, begins, columns, best, chosen, places, picked, largest, labelled,
        column, rows, tile, shifted, raised, ones, totals,
    ) = kept[0]  # fmt: skip
    if labels.dtype is _INT32:
        try:
            # A negative label is a very large unsigned number.
            classes.take(labels.view(_UINT32), None, chosen)
        except IndexError:
            forward(np, logits, labels)
            raise
    else:
        _copy_checked(logits, labels, chosen, forward)
    # The largest is found faster by its place, which also finds the first nan.
    logits.argmax(1, best)
    np.add(columns, begins, places)
    # Clipping spares NumPy a copy of what it has to undo if a place is wrong.
    logits.take(places, None, picked, 'clip')
    if rows is not None:
        column = column.take(rows, None, tile, 'clip')
    np.subtract(logits, column, shifted)
    np.exp(shifted, raised)
    if ones is None:
        np.add.reduce(raised, axis=1, out=totals)
    else:
        raised.dot(ones, totals)
    np.subtract(labelled, largest, labelled)
    result = np.log(totals, out)
    return np.subtract(result, labelled, result)


def _copy_checked(logits: Array, labels: Array, chosen: Array, forward: Callable[..., Any]) -> None:
    """Copies labels; ``forward`` words the error where one is no class."""
    if not _index_checks.are_inside(labels, logits.shape[1]):
        forward(np, logits, labels)
    np.copyto(chosen, labels)


def slope(kept: Scratch, out: Array | None = None) -> Array:
    """``softmax`` less 1 at the label.

    Args:
        kept: what ``losses`` has left.
        out: where the slope goes; an array of its own if None.
    """
    raised, total, rows, tile, chosen, places, hits, hit = kept[1]
    if rows is not None:
        total = total.take(rows, None, tile, 'clip')
    result = np.divide(raised, total, out)
    if hits is None:
        result.reshape(-1)[places] -= 1
        return result
    return np.subtract(result, hits.take(chosen, 0, hit, 'clip'), result)
