"""What a trace writes down: one event for each thing that a run does.

Values are numbered in the order in which they appear: the arguments first, then
results and whatever comes from outside as it is first used. Such a number is called a
slot. The same program on the same values gives the same numbers, so a re-run is
compared with its log event by event.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

from tensorvar._core import array_value
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._device import placement
from tensorvar._device.call_site import CallSite
from tensorvar._device.device import Device
from tensorvar._device.device_scope import DeviceScope
from tensorvar._device.records import PlacementRecord

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

Slots = tuple[int, ...]

STREAM = 'stream'
"""The attribute that says where a random op takes its numbers from."""


@dataclass(slots=True, eq=False)
class Event:
    """Something that a run did.

    Attributes:
        where: the line of user code.
        inputs: slots of the values it took.
        outputs: slots of the values it gave.
    """

    where: CallSite
    inputs: Slots = ()
    outputs: Slots = field(default=(), init=False)

    def signature(self) -> tuple[Any, ...]:
        """What the same event of a re-run has in common with this one."""
        return (type(self), self.inputs)

    @property
    def text(self) -> str:
        """What it was, for errors and printed plans."""
        return type(self).__name__.lower()


@dataclass(slots=True, eq=False)
class Op(Event):
    """An op ran.

    Attributes:
        op: its record.
        attributes: its attributes.
        device: where it ran.
        specs: shapes and dtypes of its results by its rule.
        record: what its placement record says.
        scope: the innermost device scope, or None.
    """

    op: OpDef = field(kw_only=True)
    attributes: dict[str, Any] = field(kw_only=True)
    device: Device = field(kw_only=True)
    specs: tuple[ArraySpec, ...] = field(kw_only=True)
    record: PlacementRecord = field(kw_only=True)
    scope: DeviceScope | None = field(kw_only=True, default=None)

    def signature(self) -> tuple[Any, ...]:
        attributes = {key: value for key, value in self.attributes.items() if key != STREAM}
        return (Op, self.inputs, self.op, attributes, self.device)

    @property
    def text(self) -> str:
        return self.op.name

    @property
    def detached(self) -> bool:
        """Whether views among its results are copied, so that none pins a variable's buffer."""
        return self.record.reason == placement.VARIABLE

    @property
    def has_unknown_shape(self) -> bool:
        """Whether only the data decides the shape of a result."""
        return any(None in spec.shape for spec in self.specs)


@dataclass(slots=True, eq=False)
class Check(Event):
    """Values of the host were looked at before an op took them to a card.

    Attributes:
        check: takes their arrays, and refuses what the op does not take.
    """

    check: Callable[..., None] = field(kw_only=True)


@dataclass(slots=True, eq=False)
class Read(Event):
    """A variable was read, where it lives or as a replica on another device.

    Attributes:
        variable: the variable, held weakly.
        home: where it lived.
        device: where its value was needed.
        shape: its shape.
        need: op, operand and whether the copy was asked for, if it was one.
    """

    variable: 'ref[Variable]' = field(kw_only=True)
    home: Device = field(kw_only=True)
    device: Device = field(kw_only=True)
    shape: tuple[int, ...] = field(kw_only=True)
    need: tuple[str, str, bool] = field(kw_only=True)

    def signature(self) -> tuple[Any, ...]:
        # Weak references compare by what they refer to, and variables by their elements.
        return (Read, id(self.variable), self.home, self.device)

    @property
    def text(self) -> str:
        variable = self.variable()
        return f'read of {variable.name if variable is not None else "a variable"!r}'


@dataclass(slots=True, eq=False)
class Copy(Event):
    """A tensor was copied to another device.

    Attributes:
        source: where it was.
        device: where it went.
        need: op, operand and whether the copy was asked for.
    """

    source: Device = field(kw_only=True)
    device: Device = field(kw_only=True)
    need: tuple[str, str, bool] = field(kw_only=True)

    def signature(self) -> tuple[Any, ...]:
        return (Copy, self.inputs, self.source, self.device)


@dataclass(slots=True, eq=False)
class Write(Event):
    """An op changed a variable.

    Attributes:
        variable: the variable, held weakly.
        op: the record of the op.
        attributes: its attributes.
        device: where the variable lived.
        shape: its shape, before and after.
        record: what its placement record says.
    """

    variable: 'ref[Variable]' = field(kw_only=True)
    shape: tuple[int, ...] = field(kw_only=True)
    op: OpDef = field(kw_only=True)
    attributes: dict[str, Any] = field(kw_only=True)
    device: Device = field(kw_only=True)
    record: PlacementRecord = field(kw_only=True)

    def signature(self) -> tuple[Any, ...]:
        return (Write, self.inputs, id(self.variable), self.op, self.attributes, self.device)

    @property
    def text(self) -> str:
        return self.op.name


@dataclass(slots=True, eq=False)
class Composite(Event):
    """A loop or a choice between branches ran.

    Attributes:
        op: what stands for it in records and on tapes.
        plan: runs it, a ``composite.CompositePlan``.
        device: where it ran.
        record: what its placement record says.
    """

    op: OpDef = field(kw_only=True)
    plan: Any = field(kw_only=True)
    device: Device = field(kw_only=True)
    record: PlacementRecord = field(kw_only=True)

    def signature(self) -> tuple[Any, ...]:
        return (Composite, self.inputs, self.op, self.plan.signature(), self.device)

    @property
    def text(self) -> str:
        return self.op.name


@dataclass(slots=True, eq=False)
class Look(Event):
    """The program saw the one element of a value: a branch point.

    Attributes:
        look: how.
        device: where the value was.
        outcome: what was seen.
    """

    look: array_value.Look = field(kw_only=True)
    device: Device = field(kw_only=True)
    outcome: Any = field(kw_only=True)

    def signature(self) -> tuple[Any, ...]:
        # A value seen again is the same, however it is looked at.
        return (Look, self.inputs)


@dataclass(slots=True, eq=False)
class Shape(Event):
    """The program saw shapes that only the data decides: a branch point.

    Attributes:
        outcome: the shapes.
    """

    outcome: Any = field(kw_only=True)


Point = Look | Shape


def accesses(event: Event) -> Iterator[Read | Write]:
    """Reads and writes of variables, also by the parts of a loop or a choice."""
    if isinstance(event, Read | Write):
        yield event
    elif isinstance(event, Composite):
        for part in event.plan.parts:
            for inner in part.events:
                yield from accesses(inner)
