"""Which results of a segment go into buffers that are kept between calls, and which share one.

A buffer is free again when no value in it, and no view of such a value, is needed any
more. What the function returns, and views of it, are always fresh arrays.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._function import events, lowering
from tensorvar._function.events import Event, Op


class Buffers:
    """The buffers of one segment, given out in the order of its events."""

    def __init__(self) -> None:
        self._kinds: list[tuple[tuple[int, ...], Any]] = []
        self._in: dict[int, set[int]] = {}
        self._own: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._leaving: set[int] = set()
        self._canonical: Callable[[int], int] = int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._kinds)

    @property
    def nbytes(self) -> int:
        """Their bytes, all together."""
        return sum(array.nbytes for array in self.make())

    def make(self) -> tuple[Array, ...]:
        """A set of them."""
        return tuple(np.empty(shape, dtype) for shape, dtype in self._kinds)

    def plan(
        self,
        todo: Sequence[tuple[int, Event]],
        returned: Sequence[int],
        canonical: Callable[[int], int],
        kept: int,
    ) -> None:
        """Learns what is needed when.

        Args:
            todo: the events with their positions.
            returned: slots that the function returns.
            canonical: gives the slot that stands for a slot.
            kept: up to which event all values must stay whole.
        """
        self._canonical = canonical
        self._leaving = set(returned)
        for position, event in todo:
            for slot in map(canonical, (*event.inputs, *event.outputs)):
                self._last[slot] = max(position, self._last.get(slot, 0))
            if position < kept:
                for slot in map(canonical, event.outputs):
                    self._last[slot] = max(kept, self._last[slot])
        for _, event in reversed(todo):
            if _may_give_views(event) and not self._leaving.isdisjoint(
                map(canonical, event.outputs)
            ):
                self._leaving.update(map(canonical, event.inputs))

    def follow(self, event: Event) -> None:
        """Notes in which buffers the results of an event that got none may lie."""
        if not _may_give_views(event):
            return
        held: set[int] = set()
        for slot in map(self._canonical, event.inputs):
            held |= self._in.get(slot, set())
        for slot in event.outputs:
            self._in[slot] = set(held)

    def place(
        self, position: int, event: Op, shape: tuple[int, ...], dtype: Any, in_place: bool
    ) -> int | None:
        """The number of the buffer for the result of an event.

        Args:
            position: of the event.
            event: the event, with one result.
            shape: of the result.
            dtype: of the result.
            in_place: whether the result may go into an argument of its shape.

        Returns:
            The number; None if the result leaves the function.
        """
        slot = event.outputs[0]
        if slot in self._leaving:
            return None
        number = self._reused(position, event, (shape, dtype), in_place)
        if number is None:
            number = self._free(position, (shape, dtype))
        if number is None:
            number = len(self._kinds)
            self._kinds.append((shape, dtype))
        self._own[slot] = number
        self._in[slot] = {number}
        return number

    def _reused(self, position: int, event: Op, kind: Any, in_place: bool) -> int | None:
        """The buffer of an input that dies here."""
        if not in_place:
            return None
        for slot in map(self._canonical, event.inputs):
            number = self._own.get(slot)
            if number is not None and self._kinds[number] == kind:
                others = [
                    other for other, held in self._in.items()
                    if number in held and other != slot and self._last.get(other, 0) >= position
                ]  # fmt: skip
                if self._last.get(slot, 0) <= position and not others:
                    return number
        return None

    def _free(self, position: int, kind: Any) -> int | None:
        taken: set[int] = set()
        for slot, held in self._in.items():
            if self._last.get(slot, 0) >= position:
                taken |= held
        for number, known in enumerate(self._kinds):
            if known == kind and number not in taken:
                return number
        return None


def _may_give_views(event: Event) -> bool:
    if isinstance(event, Op):
        return event.op.name not in lowering.LOWERINGS
    return not isinstance(event, events.Copy)
