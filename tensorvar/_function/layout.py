"""In which order the dimensions of NumPy's arrays lie in memory.

The result of an elementwise op gets the order of its arguments, and sums add up in that
order. So a plan keeps the order that an eager run has, or the last bits would differ.
"""

from collections.abc import Sequence

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._function import events
from tensorvar._function.events import Event

_PERMUTING = frozenset({'Einsum', 'MatrixDiagPartV3', 'ReverseSequence', 'Svd', 'Transpose'})
"""Ops that may give another order than that of C where they take this one."""


def is_of_c(array: Array) -> bool:
    """Whether an array lies in memory without gaps in the order of C, or on no host."""
    return type(array) is not np.ndarray or array.flags.c_contiguous


def order_of(array: Array) -> tuple[int, ...]:
    """The order of the dimensions of an array of NumPy; empty if it is that of C."""
    strides = [
        abs(stride) for stride, size in zip(array.strides, array.shape, strict=True) if size > 1
    ]
    order = sorted(range(len(strides)), key=lambda place: -strides[place])
    if order == list(range(len(strides))) and 0 not in strides:
        return ()
    # What is repeated in memory follows the order of other arguments.
    return (*order, *(place for place, stride in enumerate(strides) if not stride))


def has_order(shape: Sequence[int | None]) -> bool:
    """Whether arrays of a shape can have several orders."""
    return 0 not in shape and sum(size != 1 for size in shape) > 1


def permutes(log: Sequence[Event]) -> bool:
    """Whether values of a part that only has shapes may have another order than that of C."""
    return any(
        event.op.name in _PERMUTING
        if isinstance(event, events.Op)
        else isinstance(event, events.Composite)
        and any(permutes(part.events) for part in event.plan.parts)
        for event in log
    )
