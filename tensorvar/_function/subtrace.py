"""Writes down a part of a program, such as the body of a loop, without running it.

A function is called with values without data, and each op gives what its rule says. What
the part takes from outside becomes an argument of it. Variables that it does not write
are read once, outside, before it runs. The part can then run any number of times.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import ref

from tensorvar._backend.base import Array
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core.array_value import ArrayValue, CopyNeed, HostArray, Look
from tensorvar._core.op_call import OpCall
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.operands import Operand
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable import Variable
from tensorvar._device import call_site, placement, scope
from tensorvar._device.device import Device
from tensorvar._function import events, layout, taped
from tensorvar._function.events import Event


class NoPartError(BaseException):
    """No part of a plan can do what the program does, as where it looks at a value.

    No ``Exception``, so that no ``except`` of the user's function takes it.
    """


class _WrittenLaterError(BaseException):
    """The part writes a variable that was read outside."""

    def __init__(self, variable: Variable) -> None:
        self.variable = variable


class Capture(NamedTuple):
    """A value that a part takes from outside.

    Attributes:
        slot: where the part has it.
        array: its array.
        device: where it lies.
    """

    slot: int
    array: Array
    device: Device


class SubTrace(scope.Scope):
    """Takes the place of a trace while a part is written down.

    Args:
        live: the variables that change meanwhile, and so are read within the part.
        takes_permuted: whether arguments may lie in memory in another order than that of C.

    Attributes:
        scribe: has what tapes would note.
        live: see there.
        log: the events.
        parameters: slots of the arguments.
        captures: what else it takes.
        reads: each variable to be read outside, with what stands for its value.
    """

    is_rerunnable = False

    def __init__(self, live: Sequence[Variable] = (), takes_permuted: bool = False) -> None:
        self._takes_permuted = takes_permuted
        self.scribe = taped.Scribe()
        self.log: list[Event] = []
        self.parameters: list[int] = []
        self.captures: list[Capture] = []
        self.reads: list[tuple[Variable, Tensor]] = []
        self._reads_outside = True
        self.live = tuple(live)
        self._live = {id(variable) for variable in live}
        self._slots: dict[int, int] = {}
        # By slot; they live on, so that their numbers are their own.
        self._arrays: list[Array] = []

    def apply(self, state: scope.ContextState) -> None:
        """Makes every op ask here; no tape outside notes what does not run."""
        state.trace = self
        state.plain = False
        state.tapes = (self.scribe,)

    def continued(self) -> 'SubTrace':
        """Another one, which begins with what this one has written down."""
        new = SubTrace(takes_permuted=self._takes_permuted)
        # What it took from outside is settled.
        new._reads_outside = False
        new.log, new.parameters = list(self.log), list(self.parameters)
        new.captures = list(self.captures)
        new._slots, new._arrays = dict(self._slots), list(self._arrays)
        return new

    @property
    def has_permuted(self) -> bool:
        """Whether arrays of it may lie in memory in another order than that of C."""
        return (
            self._takes_permuted
            or layout.permutes(self.log)
            or not all(layout.is_of_c(capture.array) for capture in self.captures)
        )

    def parameter(self, spec: ArraySpec, device: Device) -> Tensor:
        """An argument of the part."""
        array = self._new(spec)
        self.parameters.append(self._slots[id(array)])
        return wrap(array, device)

    def slot_of(self, tensor: Tensor) -> int:
        """Where the part has a tensor."""
        return self._slot(tensor._array, tensor._device)

    def spec_of(self, slot: int) -> ArraySpec:
        """Shape and dtype of a value."""
        return ArraySpec(self._arrays[slot].shape, self._arrays[slot].dtype)

    # What the program does.

    def compute(
        self,
        call: OpCall,
        values: Sequence[Operand],
        specs: Sequence[ArraySpec],
        decision: placement.Decision,
    ) -> tuple[Sequence[Array], tuple[Array, ...]]:
        """The operands and the results of an op, without data."""
        call.withhold()
        if call.op.stateful or any(None in spec.shape for spec in specs):
            raise NoPartError
        arrays = call.bring(values, decision.device)
        event = events.Op(
            call_site.user_call_site(),
            tuple(self._slot(array, decision.device) for array in arrays),
            op=call.op,
            attributes=call.attributes,
            device=decision.device,
            specs=tuple(specs),
            record=call.describe(values, specs, decision),
        )
        return arrays, self.note(event, specs)

    def locate(self, value: ArrayValue) -> tuple[Array, Device]:
        """The array of a value where it lives."""
        if isinstance(value, Tensor):
            return value._located()
        need = CopyNeed('ReadVariableOp', 'value', None)
        return self.read(value, value._device, need), value._device

    def read(self, variable: Any, device: Device, need: CopyNeed) -> Array:
        """A variable is read where it lives."""
        if variable._device is not device:
            raise NoPartError
        if id(variable) in self._live:
            event = events.Read(
                call_site.user_call_site(),
                variable=ref(variable),
                home=device,
                device=device,
                shape=variable._concrete,
                need=(need.op, need.operand, need.explicit),
            )
            return self.note(event, [variable._spec()])[0]
        for known, value in self.reads:
            if known is variable:
                return value._array
        if not self._reads_outside:
            raise NoPartError
        spec = variable._spec()
        value = wrap(ShapeOnlyArray(spec.shape, spec.dtype), device)
        self.reads.append((variable, value))
        return value._array

    def copy(self, tensor: Tensor, device: Device, need: CopyNeed) -> Array:
        """A tensor is copied to another device."""
        event = events.Copy(
            call_site.user_call_site(),
            (self.slot_of(tensor),),
            source=tensor._device,
            device=device,
            need=(need.op, need.operand, need.explicit),
        )
        return self.note(event, [tensor._spec()])[0]

    def check(self, values: Sequence[ArrayValue], check: Callable[..., None]) -> None:
        """Values of the host that are known by now are looked at."""
        check(*(value._read() for value in values))

    def write(
        self,
        call: OpCall,
        values: Sequence[Operand],
        arrays: Sequence[Array],
        decision: placement.Decision,
        shape: tuple[int, ...],
        perform: Callable[[], bool | None],
    ) -> bool:
        """An op changes a variable, the first of its operands."""
        call.withhold()
        variable: Any = values[0]
        if shape != variable._concrete:
            raise NoPartError
        if id(variable) not in self._live:
            raise _WrittenLaterError(variable)
        event = events.Write(
            call_site.user_call_site(),
            tuple(self._slot(array, variable._device) for array in arrays),
            variable=ref(variable),
            shape=shape,
            op=call.op,
            attributes=call.attributes,
            device=variable._device,
            record=call.describe(values, (), decision, variable.name),
        )
        self.note(event, ())
        return True

    def look(self, array: Array, device: Device, look: Look) -> HostArray:
        """Refuses looks at values."""
        if type(array) is ShapeOnlyArray:
            array.refuse(look.name)
        raise NoPartError

    def created(self, variable: Variable) -> None:
        """Refuses the creation of variables."""
        raise NoPartError

    def give_up(self, text: str) -> None:
        """Refuses what no replay can do."""
        raise NoPartError

    def release(self, values: Sequence[Any]) -> list[Any]:
        """Lets go of everything outside, for which values without data stand from now on.

        Args:
            values: tensors and variables.

        Returns:
            What stands for each; itself for what comes from the part.
        """
        arrays: dict[int, Array] = {}
        old: list[Any] = []
        for place, capture in enumerate(self.captures):
            array = ShapeOnlyArray(capture.array.shape, capture.array.dtype)
            arrays[id(capture.array)] = array
            old.append(capture.array)
            del self._slots[id(capture.array)]
            self._slots[id(array)] = capture.slot
            self._arrays[capture.slot] = array
            self.captures[place] = capture._replace(array=array)
        found: dict[int, Tensor] = {}

        def own(value: Any) -> Any:
            if isinstance(value, Tensor) and id(value._array) not in arrays:
                return value
            if id(value) not in found:
                old.append(value)
                spec = value._spec()
                array = ShapeOnlyArray(spec.shape, spec.dtype)
                if isinstance(value, Tensor):
                    array = arrays[id(value._array)]
                found[id(value)] = wrap(array, value._device)
            return found[id(value)]

        self.scribe.entries[:] = [
            (op, tuple(map(own, inputs)), tuple(map(own, outputs)), attributes)
            for op, inputs, outputs, attributes in self.scribe.entries
        ]
        self.reads.clear()
        self.live = ()
        return list(map(own, values))

    # How it is written down.

    def note(self, event: Event, specs: Sequence[ArraySpec]) -> tuple[Array, ...]:
        """Writes an event down; gives its results."""
        results = tuple(map(self._new, specs))
        event.outputs = tuple(self._slots[id(array)] for array in results)
        self.log.append(event)
        return results

    def do_part(
        self, event: Event, specs: Sequence[ArraySpec], perform: Callable[[], Sequence[Array]]
    ) -> Sequence[Array]:
        """A part within the part."""
        return self.note(event, specs)

    def _new(self, spec: ArraySpec) -> Array:
        array = ShapeOnlyArray(spec.shape, spec.dtype)
        self._slots[id(array)] = len(self._arrays)
        self._arrays.append(array)
        return array

    def _slot(self, array: Array, device: Device) -> int:
        slot = self._slots.get(id(array))
        if slot is None:
            slot = self._slots[id(array)] = len(self._arrays)
            self._arrays.append(array)
            self.captures.append(Capture(slot, array, device))
        return slot


def written_down(
    run: Callable[[SubTrace], Any],
    live: Sequence[Variable] = (),
    arguments: Sequence[Tensor] = (),
) -> tuple[SubTrace, Any]:
    """A part, with what ``run`` gives.

    Args:
        run: runs the part under the trace that it is given.
        live: variables that change between two runs of the part.
        arguments: what the first run of it gets.

    Raises:
        NoPartError: no part can do this.
    """
    live = list(live)
    state = scope.current()
    outer = None if state is None else state.trace
    takes_permuted = isinstance(outer, SubTrace) and outer.has_permuted
    takes_permuted = takes_permuted or not all(
        layout.is_of_c(tensor._array) for tensor in arguments
    )
    while True:
        trace = SubTrace(live, takes_permuted)
        try:
            with trace:
                return trace, run(trace)
        except _WrittenLaterError as error:
            live.append(error.variable)
        except Exception as error:
            # What the program does with data may be fine.
            raise NoPartError from error
