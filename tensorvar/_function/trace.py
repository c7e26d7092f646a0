"""A run that is written down.

The Python function runs for real; the executor, the writes of variables and the looks
at values tell the trace what they do. On a *re-run* the trace starts with the log and the
values of a replay that came to a point it did not know: what the log has is compared and
handed back instead of being done again, and what follows is done and written down.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core.array_value import ArrayValue, CopyNeed, HostArray, Look
from tensorvar._core.op_call import OpCall
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.operands import Operand
from tensorvar._core.tensor import Tensor
from tensorvar._device import call_site, placement, scope
from tensorvar._device.call_site import CallSite
from tensorvar._device.device import Device
from tensorvar._function import comparison, events, refusals, taped
from tensorvar._function.events import Event
from tensorvar._function.prefix import Prefix, Rerun
from tensorvar._function.refusals import Divergence, Reason

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class Trace(scope.Scope):
    """Writes down one run.

    Args:
        prefix: what a replay has done of this run.
        first_creation: called with the line where a variable is made, before it is used.
        follows: whether to write down what comes after the prefix.
        for_tapes: whether to keep what tapes of the caller would note.
        notes_steps: whether there are such tapes, so that they note each step of loops; the
            first run of a plan decides that.

    Attributes:
        log: the events so far.
        values: arrays by slot.
        constants: slots of what came from outside.
        reason: why the run cannot be replayed, or None.
        made_variable: whether the run made a variable.
        scribe: has what tapes of the caller would note; None if that is not kept.
        notes_steps: see there.
        outside: the tapes of the caller.
    """

    is_rerunnable = True
    """Whether a run may have to do the same again."""

    __slots__ = (
        '_first_creation', '_follows', '_guards', '_recorders', '_rerun', '_slots', '_thread',
        'constants', 'log', 'made_variable', 'mismatch', 'notes_steps', 'outside', 'reason',
        'scribe', 'values',
    )  # fmt: skip

    def __init__(
        self,
        prefix: Prefix,
        first_creation: Callable[[CallSite], None],
        follows: bool = True,
        for_tapes: bool = False,
        notes_steps: bool = False,
    ) -> None:
        self._rerun = Rerun(prefix)
        self._first_creation = first_creation
        self._follows = follows
        self._slots: dict[int, int] = {}
        self._thread = threading.get_ident()
        self.constants: set[int] = set()
        self.log: list[Event] = []
        self.values: list[Array] = []
        self.made_variable = False
        self.mismatch: errors.FailedPreconditionError | None = None
        self.reason: Reason | None = None
        self.scribe = taped.Scribe() if for_tapes else None
        self.notes_steps = notes_steps
        self.outside: tuple[Any, ...] = ()

    def apply(self, state: scope.ContextState) -> None:
        """Makes every op take the full path, where it tells the trace."""
        state.trace = self
        self._guards, self._recorders = state.guards, state.recorders
        self.outside = state.tapes
        if self.scribe is not None:
            state.tapes = (*state.tapes, self.scribe)
        state.plain = False

    @property
    def usable(self) -> bool:
        """Whether the log holds the whole run."""
        return self._follows and self.reason is None and not self.made_variable

    # What the program does.

    def argument(self, array: Array) -> Array:
        """An argument of the function under its own slot."""
        return self._new_slot(array[...])

    def compute(
        self,
        call: OpCall,
        values: Sequence[Operand],
        specs: Sequence[ArraySpec],
        decision: placement.Decision,
    ) -> tuple[Sequence[Array], tuple[Array, ...]]:
        """An op runs; gives its operands, brought to its device, and its results."""
        arrays = call.bring(values, decision.device)

        def perform() -> tuple[Array, ...]:
            # What the forward of a random op reads and writes is no op of the program.
            with scope.Pushed(scope.untraced(call.state)):
                return call.compute(arrays, specs, decision)

        refusals.check_have_data(arrays)
        if not self._records(call.state):
            return arrays, perform()
        event = events.Op(
            call_site.user_call_site(),
            tuple(self._slot(array, decision.device) for array in arrays),
            op=call.op,
            attributes=call.attributes,
            device=decision.device,
            specs=tuple(specs),
            record=call.describe(values, specs, decision),
            scope=None if call.state is None else call.state.device_scope,
        )
        self._withhold(call)
        results = self._do(event, perform)
        if event.has_unknown_shape and self._records():
            outcome = tuple(array.shape for array in results)
            self._do(events.Shape(event.where, self.log[-1].outputs, outcome=outcome), tuple)
        return arrays, results

    def locate(self, value: ArrayValue) -> tuple[Array, Device]:
        """The array of a value where it lives, for a look at it or a snapshot of it."""
        if isinstance(value, Tensor):
            return value._located()
        need = CopyNeed('ReadVariableOp', 'value', None)
        return self.read(value, value._device, need), value._device

    def read(self, variable: Any, device: Device, need: CopyNeed) -> Array:
        """A variable is read where it lives, or as a replica on another device."""

        def perform() -> tuple[Array, ...]:
            return (variable._read_on(device, need),)

        if not self._records(need.state):
            return perform()[0]
        event = events.Read(
            call_site.user_call_site(),
            variable=ref(variable),
            home=variable._device,
            device=device,
            shape=variable._concrete,
            need=(need.op, need.operand, need.explicit),
        )
        return self._do(event, perform)[0]

    def copy(self, tensor: Tensor, device: Device, need: CopyNeed) -> Array:
        """A tensor is copied to another device."""

        def perform() -> tuple[Array, ...]:
            return (tensor._copied_to(device, need),)

        if not self._records(need.state):
            return perform()[0]
        event = events.Copy(
            call_site.user_call_site(),
            (self._slot(tensor._array, tensor._device),),
            source=tensor._device,
            device=device,
            need=(need.op, need.operand, need.explicit),
        )
        return self._do(event, perform)[0]

    def write(
        self,
        call: OpCall,
        values: Sequence[Operand],
        arrays: Sequence[Array],
        decision: placement.Decision,
        shape: tuple[int, ...],
        perform: Callable[[], bool | None],
    ) -> bool | None:
        """An op changes a variable, the first of its operands; gives what ``perform`` gives."""
        variable: Variable = values[0]  # type: ignore[assignment]
        refusals.check_have_data(arrays)
        if shape != variable._concrete:
            self.give_up('a variable changes its shape')
        if not self._records(call.state):
            return perform()
        kept: bool | None = True

        def perform_once() -> tuple[Array, ...] | None:
            nonlocal kept
            kept = perform()
            return () if kept is not None else None

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
        self._withhold(call)
        self._do(event, perform_once)
        return kept

    def _withhold(self, call: OpCall) -> None:
        """What a replay has done before a re-run is not reported again."""
        if self._rerun.is_reported:
            call.withhold()

    def check(self, values: Sequence[ArrayValue], check: Callable[..., None]) -> None:
        """Values of the host are looked at before an op takes them to a card."""
        located = [self.locate(value) for value in values]

        def perform() -> tuple[Array, ...]:
            check(*(array for array, _ in located))
            return ()

        slots = tuple(self._slot(*each) for each in located)
        event = events.Check(call_site.user_call_site(), slots, check=check)
        self.do_part(event, (), perform)

    def do_part(
        self, event: Event, specs: Sequence[ArraySpec], perform: Callable[[], Sequence[Array]]
    ) -> Sequence[Array]:
        """A loop or a choice between branches runs, or a check."""
        return self._do(event, perform) if self._records() else perform()

    def look(self, array: Array, device: Device, look: Look) -> HostArray:
        """The program sees a value; gives it on the host."""
        host: HostArray
        if self._rerun.is_a_look_at(self._slots.get(id(array))):
            # The replay has asked the guards, and told who listens.
            host = device.backend.to_host(array)
        else:
            host = look.host(array, device, scope.current())
        if not self._records() or host.size == 0:
            return host
        slot = self._slot(array, device)
        if slot in self.constants:
            return host
        if host.size > 1:
            self.give_up(f'{look.name} shows the program {host.size} elements of a value')
            return host
        where, outcome = call_site.user_call_site(), comparison.outcome(host)
        self._do(events.Look(where, (slot,), look=look, device=device, outcome=outcome), tuple)
        return host

    def created(self, variable: 'Variable') -> None:
        """The program made a variable."""
        self._first_creation(call_site.user_call_site())
        self._check_is_known('creation of a variable')
        self.made_variable = True
        self._forget()

    def give_up(self, text: str) -> None:
        """The program did something that no replay can do."""
        self._check_is_known(text)
        if not self.usable:
            return
        self.reason = Reason(text, call_site.user_call_site())
        self._forget()

    def follow_no_further(self) -> None:
        """What comes now is done, but not written down; another run may be."""
        self._check_is_known('a loop that a tape notes step by step')
        self._follows = False
        self._forget()

    def finish(self) -> None:
        """The function has returned.

        Raises:
            Divergence, FailedPreconditionError: it did less than its log says.
        """
        self._check_is_known('the end of the function')

    def slot_of(self, tensor: Tensor) -> int:
        """Where the trace has a tensor."""
        return self._slot(tensor._array, tensor._device)

    def last_line(self) -> CallSite:
        """The line of the last event."""
        return self.log[-1].where if self.log else call_site.user_call_site()

    # How it is written down.

    def _records(self, state: scope.ContextState | None = None) -> bool:
        """Whether the next event is compared or written down."""
        if self.mismatch is not None:
            raise self.mismatch
        if refusals.is_heard_otherwise(state, self._guards, self._recorders):
            self.give_up('a guard or recorder is opened in the function')
        if self._rerun:
            return True
        if not self.usable:
            self._forget()
            return False
        if threading.get_ident() != self._thread:
            self.give_up('ops run in another thread')
            return False
        return True

    def _forget(self) -> None:
        """Lets go of all values: a run that is not kept holds no more than an eager one."""
        self._slots.clear()
        self.values.clear()
        self._rerun.forget()
        if self.scribe is not None and (self.reason is not None or not self.outside):
            self.scribe.stop()

    def _do(self, event: Event, perform: Callable[[], Any]) -> tuple[Array, ...]:
        if self._rerun and self._is_known(event):
            return self._note(self._rerun.next, self._rerun.take())
        try:
            results = perform()
        except errors.ResourceExhaustedError:
            # An eager run would have let go of what nobody needs.
            self.give_up('a device is full')
            results = perform()
        except Exception:
            # Whether it happens is up to the data, and the function may catch it.
            self.give_up('an op fails')
            raise
        if results is None or not self.usable:
            return results or ()
        return self._note(event, results)

    def _note(self, event: Event, results: Sequence[Array]) -> tuple[Array, ...]:
        if isinstance(event, events.Read):
            # The program may also hold the array of the variable by other ways.
            results = [array[...] for array in results]
        first = len(self.values)
        arrays = tuple(self._new_slot(array) for array in results)
        event.outputs = tuple(range(first, len(self.values)))
        self.log.append(event)
        return arrays

    def _is_known(self, event: Event) -> bool:
        """Whether the log has an event; False where a re-run ends."""
        if comparison.equal(self._rerun.next.signature(), event.signature()):
            return True
        self._leave_log(event.text, event.where)
        return False

    def _check_is_known(self, text: str) -> None:
        """A thing that no log has may happen only after the prefix."""
        if self._rerun:
            self._leave_log(text, call_site.user_call_site())

    def _leave_log(self, text: str, where: CallSite) -> None:
        """Something else happens than what the log says.

        Raises:
            Divergence, FailedPreconditionError: nothing may.
        """
        known = self._rerun.next
        self._forget()
        if not self._rerun.has_effect:
            raise Divergence
        self.mismatch = refusals.mismatch(known.text, known.where, text, where)
        raise self.mismatch

    def _slot(self, array: Array, device: Device) -> int:
        slot = self._slots.get(id(array))
        if slot is not None:
            return slot
        refusals.check_have_data((array,))
        slot = len(self.values)
        known = self._rerun.value(slot)
        if known is not None and not comparison.same_constant(known, array, device):
            self._leave_log('another constant', call_site.user_call_site())
        self._slots[id(array)] = slot
        self.values.append(array)
        self.constants.add(slot)
        return slot

    def _new_slot(self, array: Array) -> Array:
        """Gives an array the next slot, and an object of its own by which it is known."""
        if id(array) in self._slots:
            array = array[...]
        self._slots[id(array)] = len(self.values)
        self.values.append(array)
        return array
