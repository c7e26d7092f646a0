"""Which results of a segment go into buffers that are kept between calls, and which share one.

A buffer is free again when no value in it, and no view of such a value, is needed any
more. What the function returns, and views of it, are always fresh arrays.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tensorvar._backend import host_memory
from tensorvar._function import events, lowering
from tensorvar._function.events import Event, Op

Kind = tuple[tuple[int, ...], Any]
"""A shape and a dtype."""

Make = Callable[[Sequence[Any]], Any]

_NO_ARRAY: Kind = ((), None)


class Joined(NamedTuple):
    """A flat buffer and its parts, by their numbers."""

    flat: int
    parts: tuple[int, ...]


class Buffers:
    """The buffers of one segment, given out in the order of its events."""

    def __init__(self) -> None:
        self._kinds: list[Kind] = []
        self._others: dict[int, Make] = {}
        self._parts: dict[int, int] = {}
        self._in: dict[int, set[int]] = {}
        # For each buffer where the last value in it is needed last, and by how many of them.
        self._until: dict[int, tuple[int, int]] = {}
        # The same as a heap of (where, buffer), with what has been overtaken still in it.
        self._ends: list[tuple[int, int]] = []
        self._idle: dict[Kind, list[int]] = {}
        self._own: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._leaving: set[int] = set()
        self._canonical: Callable[[int], int] = int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._kinds)

    def make(self) -> tuple[Any, ...]:
        """A set of them."""
        made: list[Any] = []
        for number, kind in enumerate(self._kinds):
            make = self._others.get(number)
            made.append(host_memory.aligned(*kind) if make is None else make(made))
        return tuple(made)

    def add(self, make: Make) -> int:
        """The number of something else that each set has one of.

        Args:
            make: makes it, given what the set has before it.
        """
        number = len(self._kinds)
        self._kinds.append(_NO_ARRAY)
        self._others[number] = make
        return number

    def join(self, groups: Sequence[Sequence[int]], kinds: Sequence[Kind]) -> Joined:
        """Gives values parts of a flat buffer, which no other value gets.

        Args:
            groups: for each part the slots of the values that lie there, one after the other.
            kinds: for each part its shape and dtype.
        """
        begins, size = side_by_side(kinds)
        # What lies between the parts is computed with them.
        flat = self.add(lambda made: host_memory.aligned((size,), kinds[0][1]))
        parts = []
        for slots, (shape, _), begin in zip(groups, kinds, begins, strict=True):
            parts.append(self.add(_part(flat, begin, shape)))
            self._parts.update(dict.fromkeys(slots, parts[-1]))
        return Joined(flat, tuple(parts))

    def scratch(self, position: int, kinds: Sequence[Kind]) -> list[int]:
        """The numbers of buffers that are only used within one event, all different."""
        numbers = [self._taken(position, kind) for kind in kinds]
        for number in numbers:
            self._give_back(number)
        return numbers

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
            if may_give_views(event) and not self._leaving.isdisjoint(
                map(canonical, event.outputs)
            ):
                self._leaving.update(map(canonical, event.inputs))

    def leaves(self, slot: int) -> bool:
        """Whether a value, or a view of it, is returned by the function."""
        return self._canonical(slot) in self._leaving

    def follow(self, event: Event) -> None:
        """Notes in which buffers the results of an event that got none may lie."""
        if not may_give_views(event):
            return
        held: set[int] = set()
        for slot in map(self._canonical, event.inputs):
            held |= self._in.get(slot, set())
        for slot in event.outputs:
            self._hold(slot, held)

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
        part = self._parts.get(slot)
        if part is not None:
            self._hold(slot, {part})
            return part
        number = self._reused(position, event, (shape, dtype), in_place)
        if number is None:
            number = self._taken(position, (shape, dtype))
        self._own[slot] = number
        self._hold(slot, {number})
        return number

    def _reused(self, position: int, event: Op, kind: Kind, in_place: bool) -> int | None:
        """The buffer of an input that dies here."""
        if not in_place:
            return None
        for slot in map(self._canonical, event.inputs):
            number = self._own.get(slot)
            # Nothing but this input may lie there and be needed as long.
            if (
                number is not None
                and self._kinds[number] == kind
                and self._until[number] == (position, 1)
            ):
                return number
        return None

    def _new(self, kind: Kind) -> int:
        self._kinds.append(kind)
        return len(self._kinds) - 1

    def _hold(self, slot: int, numbers: set[int]) -> None:
        """Notes that a value lies in these buffers."""
        self._in[slot] = numbers
        last = self._last.get(slot, 0)
        for number in numbers:
            until, values = self._until.get(number, (-1, 0))
            if last > until:
                self._until[number] = last, 1
                heapq.heappush(self._ends, (last, number))
            elif last == until:
                self._until[number] = until, values + 1

    def _taken(self, position: int, kind: Kind) -> int:
        """A buffer in which nothing lies that is needed at a position or later."""
        while self._ends and self._ends[0][0] < position:
            until, number = heapq.heappop(self._ends)
            if self._until[number][0] == until:
                self._give_back(number)
        idle = self._idle.get(kind)
        return heapq.heappop(idle) if idle else self._new(kind)

    def _give_back(self, number: int) -> None:
        heapq.heappush(self._idle.setdefault(self._kinds[number], []), number)


def side_by_side(kinds: Sequence[Kind]) -> tuple[list[int], int]:
    """Where arrays of one dtype begin in one flat array, and how long that is."""
    step = max(host_memory.LINE // kinds[0][1].itemsize, 1)
    begins = []
    end = 0
    for shape, _ in kinds:
        begins.append(end)
        end += -(-math.prod(shape) // step) * step
    return begins, end


def _part(flat: int, begin: int, shape: tuple[int, ...]) -> Make:
    end = begin + math.prod(shape)
    return lambda made: made[flat][begin:end].reshape(shape)


def may_give_views(event: Event) -> bool:
    """Whether results of an event may lie in the buffers of its inputs."""
    if isinstance(event, Op):
        return event.op.name not in lowering.LOWERINGS
    return not isinstance(event, events.Copy)
