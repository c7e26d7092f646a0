"""A part of a program that a plan runs as one step, any number of times."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import ref

from tensorvar._backend import transfer
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.tensor import Tensor
from tensorvar._core.variable import Variable
from tensorvar._device import registry, scope
from tensorvar._device.device import Device
from tensorvar._function import events, layout, liveness, locks, segment
from tensorvar._function.events import Event
from tensorvar._function.segment import Program
from tensorvar._function.subtrace import SubTrace
from tensorvar._function.tree import Node, Output, Outputs

State = scope.ContextState | None


class Part(NamedTuple):
    """The code of a part.

    Attributes:
        program: takes the arguments, then the captures.
        events: what it does, with slots that begin with these.
        constants: the last of its captures, which are the same for each run.
        outputs: shapes and dtypes of its results.
        places: slots of its results.
    """

    program: Program
    events: list[Event]
    constants: tuple[Array, ...]
    outputs: tuple[ArraySpec, ...]
    places: tuple[int, ...]

    def signature(self) -> tuple[Any, ...]:
        """What the same part of a re-run has in common with this one."""
        return (*(event.signature() for event in self.events), self.outputs)

    @property
    def has_effect(self) -> bool:
        """Whether it changes a variable."""
        return any(map(liveness.has_effect, self.events))

    @contextlib.contextmanager
    def opened(self, state: State) -> 'Iterator[Any]':
        """Gives a function that runs it on a list of arrays.

        Args:
            state: the current scopes.
        """
        program = self.program
        variables = [_living(reference) for reference in program.variables]
        buffers = program.take_buffers()
        run, template = program.run, program.template

        def run_once(arrays: list[Array]) -> tuple[Array, ...]:
            results: tuple[Array, ...] = run(arrays + template, variables, buffers, state)
            return results

        yield run_once
        if program.spare is not None:
            program.spare.append(buffers)


def _living(reference: 'ref[Variable]') -> Variable:
    variable = reference()
    # The plan around the part holds it.
    assert variable is not None
    return variable


def part_of(trace: SubTrace, results: Sequence[Tensor], known: int | None = None) -> Part:
    """The code of what a trace has written down.

    Args:
        trace: the trace.
        results: the tensors that the part gives.
        known: how many of its captures are given for each run; None for all.
    """
    outputs = [trace.slot_of(tensor) for tensor in results]
    order = [*trace.parameters, *(capture.slot for capture in trace.captures)]
    count = len(order)
    others = [slot for event in trace.log for slot in event.outputs]
    places = {slot: place for place, slot in enumerate([*order, *others])}
    log = [_renumbered(event, places) for event in trace.log]
    specs: list[Any] = [trace.spec_of(slot) for slot in (*order, *others)]
    node = Node(
        None,
        log,
        count,
        [None] * len(others),
        specs[count:],
        specs[:count],
        _permuted(trace, specs),
        None,
        Outputs(
            None,
            tuple(
                Output(places[slot], tensor._device)
                for slot, tensor in zip(outputs, results, strict=True)
            ),
            is_one=False,
        ),
    )
    return Part(
        segment.compile_part(node),
        log,
        () if known is None else tuple(capture.array for capture in trace.captures[known:]),
        tuple(specs[places[slot]] for slot in outputs),
        tuple(places[slot] for slot in outputs),
    )


def _permuted(trace: SubTrace, specs: Sequence[ArraySpec]) -> frozenset[int]:
    """The slots whose arrays may be in another order than that of C."""
    if not trace.has_permuted:
        return frozenset()
    return frozenset(slot for slot, spec in enumerate(specs) if layout.has_order(spec.shape))


def _renumbered(event: Event, places: Mapping[int, int]) -> Event:
    # Other parts begin with the same events and number them otherwise.
    event = copy.copy(event)
    event.inputs = tuple(places[slot] for slot in event.inputs)
    event.outputs = tuple(places[slot] for slot in event.outputs)
    return event


def opened(part: Part | None, state: State) -> 'contextlib.AbstractContextManager[Any]':
    """What ``Part.opened`` gives; None where there is no part."""
    return contextlib.nullcontext() if part is None else part.opened(state)


def stacked(steps: Sequence[Sequence[Array]], devices: Sequence[Device]) -> list[Array]:
    """An array for each result of the steps, with a row for each step."""
    columns = []
    for column, device in zip(zip(*steps, strict=True), devices, strict=True):
        backend = device.backend
        columns.append(backend.call(backend.array_module.stack, column))
    return columns


def zeros(spec: ArraySpec, device: Device) -> Array:
    """An array of zeros."""
    return device.backend.call(device.backend.array_module.zeros, spec.shape, spec.dtype)


def is_true(answer: Array, device: Device, state: State) -> bool:
    """Whether a value with one element holds; a look at it."""
    if not liveness.on_numpy(device):
        answer = transfer.to_host(
            answer, device, explicit=False, op='bool', operand='value', state=state
        )
    return bool(answer.item())


def call_under_locks(parts: Sequence[Part], function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function under the locks of the variables that parts write."""
    # Silences NumPy and words its errors.
    call = registry.cpu().backend.call
    return locks.under_locks(_written_by(parts), call, function, *args)


def _written_by(parts: Sequence[Part]) -> list[Variable]:
    """The variables that parts write, in the order in which their locks are taken."""
    written: dict[int, Variable] = {}
    for part in parts:
        for event in part.events:
            for access in events.accesses(event):
                if isinstance(access, events.Write):
                    variable = _living(access.variable)
                    written[id(variable)] = variable
    return [written[number] for number in sorted(written)]
