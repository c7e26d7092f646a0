"""Products of several values with one number, done by a single call.

``v.assign_sub(rate * slope)`` for each of many variables multiplies many small arrays by
the same number. If their buffers are parts of one flat buffer, one call does it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tensorvar._backend.base import Array
from tensorvar._function import buffers, liveness
from tensorvar._function.events import Event, Op
from tensorvar._function.lowering import Spec

MOST_ELEMENTS = 1 << 16
"""Above, the call takes longer than what it saves."""


class Product(NamedTuple):
    """A product of a number and a value that is not used afterwards.

    Attributes:
        position: of its event.
        event: the event.
        number: slot of the number.
        value: slot of the value.
    """

    position: int
    event: Op
    number: int
    value: int


def scaled_together(
    todo: Sequence[tuple[int, Event]],
    begin: int,
    canonical: Callable[[int], int],
    constants: Mapping[int, Array],
    specs: Mapping[int, Spec],
    placed: Callable[[Op], bool],
) -> list[list[Product]]:
    """Groups of products that one call may do, where the first of them is done.

    Args:
        todo: the events with their positions.
        begin: the first position after which no re-run can need a value.
        canonical: gives the slot that stands for a slot.
        constants: constants by slot.
        specs: shapes and dtypes by slot.
        placed: whether the result of an event goes into a buffer.
    """
    made: dict[int, tuple[int, Event]] = {}
    uses: dict[int, list[tuple[int, Event]]] = {}
    groups: dict[tuple[bytes, object], list[Product]] = {}
    for position, event in todo:
        for slot in map(canonical, event.inputs):
            uses.setdefault(slot, []).append((position, event))
        for slot in event.outputs:
            made[slot] = position, event
        product = _product(position, event, canonical, constants)
        if product is None or position <= begin or not placed(product.event):
            continue
        dtype = specs[product.value][1]
        groups.setdefault((constants[product.number].tobytes(), dtype), []).append(product)
    found = []
    for group in groups.values():
        first = group[0].position
        kept = [
            product for product in group
            if _may_come_first(product, first, begin, made, uses, placed)
        ]  # fmt: skip
        elements = sum(math.prod(specs[product.value][0]) for product in kept)
        if len(kept) > 1 and elements <= MOST_ELEMENTS:
            found.append(kept)
    return found


def _product(
    position: int, event: Event, canonical: Callable[[int], int], constants: Mapping[int, Array]
) -> Product | None:
    if not isinstance(event, Op) or event.op.name != 'Mul' or not liveness.on_numpy(event.device):
        return None
    first, second = map(canonical, event.inputs)
    for number, value in ((first, second), (second, first)):
        if number in constants and constants[number].shape == () and value not in constants:
            return Product(position, event, number, value)
    return None


def _may_come_first(
    product: Product,
    first: int,
    begin: int,
    made: Mapping[int, tuple[int, Event]],
    uses: Mapping[int, Sequence[tuple[int, Event]]],
    placed: Callable[[Op], bool],
) -> bool:
    """Whether a product may be done at ``first``, in the buffer of its value."""
    if product.value not in made:
        return False
    position, maker = made[product.value]
    if not isinstance(maker, Op) or len(maker.outputs) != 1 or not begin < position < first:
        return False
    others = [use for use in uses[product.value] if use[1] is not product.event]
    if len(others) != len(uses[product.value]) - 1 or not placed(maker):
        return False
    return all(use < first and not buffers.may_give_views(event) for use, event in others)
