"""What is known of the values of a node before it runs."""

from collections.abc import Sequence

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._function import events, liveness, lowering
from tensorvar._function.events import Event, Op
from tensorvar._function.lowering import Spec
from tensorvar._function.tree import Node

# Constants of so few elements are compared by them.
_FEW = 16


class Values:
    """Specs, constants, and which values stand for others.

    Args:
        node: the node.

    Attributes:
        specs: shapes and dtypes by slot.
        constants: arrays by slot.
        names: slots whose values another slot has too.
        permuted: slots whose arrays are in another order than that of C.
    """

    def __init__(self, node: Node) -> None:
        self.specs: dict[int, Spec] = {}
        self.constants: dict[int, Array] = {}
        self.names: dict[int, int] = {}
        self.permuted: set[int] = set()
        for each in node.path():
            self.specs.update(enumerate(each.arguments))
            self.permuted.update(each.permuted)
            for offset, spec in enumerate(each.specs):
                self.specs[each.first_slot + offset] = spec
                value = each.values[offset]
                if value is not None:
                    self.constants[each.first_slot + offset] = value
        self._merge_constants()

    def canonical(self, slot: int) -> int:
        """The slot that stands for a slot."""
        while slot in self.names:
            slot = self.names[slot]
        return slot

    def is_folded(self, event: Event) -> bool:
        """Whether all results of an event are constants, or a check is one of constants."""
        if isinstance(event, events.Check):
            return all(slot in self.constants for slot in event.inputs)
        return bool(event.outputs) and all(slot in self.constants for slot in event.outputs)

    def rename(self, position: int, event: Event, kept: int) -> bool:
        """Whether the result of an event is a value that is there already.

        Args:
            position: of the event.
            event: the event.
            kept: up to which event all values must stay whole.
        """
        if position < kept or not isinstance(event, Op) or event.detached:
            return False
        same = event.op.name in lowering.SAME_VALUE
        if event.op.name == 'Reshape':
            same = self.specs[event.inputs[0]] == self.specs[event.outputs[0]]
        if same and liveness.on_numpy(event.device):
            self.names[event.outputs[0]] = self.canonical(event.inputs[0])
        return event.outputs[0] in self.names if event.outputs else False

    def share(self, todo: Sequence[tuple[int, Event]]) -> dict[int, Event]:
        """Lets equal events share one result.

        Args:
            todo: the events with their positions.

        Returns:
            By position the events whose results are those of an earlier event.
        """
        known: dict[object, Event] = {}
        writes: dict[int, int] = {}
        shared: dict[int, Event] = {}
        for position, event in todo:
            for access in events.accesses(event):
                if isinstance(access, events.Write):
                    number = id(access.variable)
                    writes[number] = writes.get(number, 0) + 1
            key = self._key(event, writes)
            first = None if key is None else known.setdefault(key, event)
            if first is not None and first is not event:
                shared[position] = first
                self.names.update(zip(event.outputs, first.outputs, strict=True))
        self.names = {slot: self.canonical(slot) for slot in self.names}
        return shared

    def _key(self, event: Event, writes: dict[int, int]) -> object:
        """What equal events have in common; None for those that run each time."""
        if isinstance(event, events.Read):
            number = id(event.variable)
            return (events.Read, number, writes.get(number, 0), event.home, event.device)
        if not isinstance(event, Op) or event.op.stateful or event.has_unknown_shape:
            return None
        inputs = tuple(map(self.canonical, event.inputs))
        attributes = tuple(sorted(event.attributes.items()))
        try:
            # Equal numbers may be of different types, such as 1 and True.
            hash(attributes)
        except TypeError:
            return None
        return (event.op, inputs, attributes, repr(attributes), event.device, event.detached)

    def _merge_constants(self) -> None:
        known: dict[object, int] = {}
        for slot, array in self.constants.items():
            if type(array) is np.ndarray and array.size <= _FEW and array.dtype.kind != 'O':
                key = array.shape, array.strides, array.dtype, array.tobytes()
                first = known.setdefault(key, slot)
                if first != slot:
                    self.names[slot] = first
