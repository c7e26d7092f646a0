"""Chains of elementwise ops on a GPU, each chain done by one generated kernel.

Ops that feed each other and give arrays of one shape form a chain. It is done where its
last op stands, and only what others need of it is ever an array. A chain ends before
whatever changes a variable, and before an op outside it that takes one of its values.
A re-run that needs the other values gets them computed by the ops themselves.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import device_kernels
from tensorvar._device.device import Device
from tensorvar._function import events, liveness, steps
from tensorvar._function.events import Event, Op
from tensorvar._function.tree import Spec

Entry = tuple[int, Event]
"""An event with its position."""

_FEWEST_STEPS = 2


@dataclass(slots=True, eq=False)
class Fused(Event):
    """Several ops that one kernel does.

    Attributes:
        run: takes arrays of the inputs and gives those of the outputs.
        title: says what it computes.
        begin: position of the event from which a re-run begins after an error in it; what
            comes between that and the event itself may be done twice.
    """

    run: Callable[..., tuple[Array, ...]] = field(kw_only=True)
    title: str = field(kw_only=True)
    begin: int = field(kw_only=True)


class Chains(NamedTuple):
    """What becomes of the events of a segment.

    Attributes:
        todo: the events, chains among them.
        left_out: the ops of chains, which are not done by themselves.
        values: slots of the results of chains, of those too that no array holds.
    """

    todo: list[Entry]
    left_out: list[tuple[int, Op]]
    values: frozenset[int]


@dataclass(slots=True, eq=False)
class _Chain:
    """A chain while it is found.

    Attributes:
        device: where it runs.
        shape: of all its results.
        members: the ops with their positions and steps.
        inputs: slots of what it takes from outside.
    """

    device: Device
    shape: tuple[int, ...]
    members: list[tuple[int, Op]]
    inputs: dict[int, None]


class Finder:
    """Finds the chains of one segment.

    Args:
        canonical: gives the slot that stands for a slot.
        specs: shapes and dtypes by slot.
        constants: constants by slot.
    """

    def __init__(
        self,
        canonical: Callable[[int], int],
        specs: Mapping[int, Spec],
        constants: Mapping[int, Array],
    ) -> None:
        self._canonical = canonical
        self._specs = specs
        self._constants = constants
        self._open: dict[int, _Chain] = {}
        self._found: list[_Chain] = []

    def find(self, todo: Sequence[Entry], returned: Sequence[int]) -> Chains:
        """Replaces ops by chains.

        Args:
            todo: the events with their positions.
            returned: slots that the function returns.
        """
        for position, event in todo:
            self._follow(position, event)
        self._close(list(self._open.values()))
        done: list[Entry] = []
        left_out: list[tuple[int, Op]] = []
        for chain in self._found:
            outputs = self._outputs(chain, todo, returned)
            if len(outputs) <= kernels_of(chain.device).most_outputs:
                used = _used(chain, outputs, self._canonical)
                done += self._done(used, outputs)
                left_out += chain.members
        places = {position for position, _ in left_out}
        done += [entry for entry in todo if entry[0] not in places]
        done.sort(key=lambda entry: entry[0])
        left_out.sort(key=lambda entry: entry[0])
        return Chains(done, left_out, frozenset(event.outputs[0] for _, event in left_out))

    def _follow(self, position: int, event: Event) -> None:
        if is_border(event):
            self._close(list(self._open.values()))
            return
        feeding = self._feeding(event)
        if not isinstance(event, Op) or not self._is_step(event):
            self._close(feeding)
            return
        shape = self._specs[event.outputs[0]][0]
        alike = [
            chain for chain in feeding if chain.device is event.device and chain.shape == shape
        ]
        self._close([chain for chain in feeding if chain not in alike])
        chain = self._joined(alike, position, event)
        for _, member in chain.members:
            self._open[member.outputs[0]] = chain

    def _feeding(self, event: Event) -> list[_Chain]:
        """The open chains that an event takes values of."""
        found = {}
        for slot in map(self._canonical, event.inputs):
            chain = self._open.get(slot)
            if chain is not None:
                found[id(chain)] = chain
        return list(found.values())

    def _is_step(self, event: Op) -> bool:
        if event.detached or event.has_unknown_shape or len(event.outputs) != 1:
            return False
        kernels = kernels_of(event.device)
        shape, dtype = self._specs[event.outputs[0]]
        if kernels is None or not math.prod(shape):
            return False
        given = [self._specs[slot][1] for slot in event.inputs]
        step = kernels.step(event.op.name, event.inputs, given, event.attributes, dtype)
        return step is not None

    def _joined(self, chains: Sequence[_Chain], position: int, event: Op) -> _Chain:
        """A chain of these with one more op; of that alone where they would be too many."""
        members = sorted(
            (member for chain in chains for member in chain.members), key=lambda each: each[0]
        )
        own = {member.outputs[0] for _, member in members}
        inputs = {slot: None for chain in chains for slot in chain.inputs}
        inputs |= {slot: None for slot in map(self._canonical, event.inputs) if slot not in own}
        shape = self._specs[event.outputs[0]][0]
        kernels = kernels_of(event.device)
        arrays = [slot for slot in inputs if not self._is_number(slot)]
        if len(members) >= kernels.most_steps or len(arrays) > kernels.most_inputs:
            self._close(chains)
            alone = dict.fromkeys(map(self._canonical, event.inputs))
            return _Chain(event.device, shape, [(position, event)], alone)
        return _Chain(event.device, shape, [*members, (position, event)], inputs)

    def _is_number(self, slot: int) -> bool:
        """Whether a value is a constant of one element."""
        return slot in self._constants and math.prod(self._specs[slot][0]) == 1

    def _close(self, chains: Sequence[_Chain]) -> None:
        """Lets chains get no more ops."""
        for chain in chains:
            slots = [member.outputs[0] for _, member in chain.members]
            if self._open.pop(slots[0], None) is None:
                continue
            for slot in slots[1:]:
                del self._open[slot]
            if len(chain.members) >= _FEWEST_STEPS:
                self._found.append(chain)

    def _outputs(self, chain: _Chain, todo: Sequence[Entry], returned: Sequence[int]) -> list[int]:
        """The values of a chain that others need."""
        inside = {position for position, _ in chain.members}
        needed = set(returned)
        for position, event in todo:
            if position not in inside:
                needed.update(map(self._canonical, event.inputs))
        slots = [event.outputs[0] for _, event in chain.members]
        return [slot for slot in slots if slot in needed]

    def _done(self, chain: _Chain, outputs: Sequence[int]) -> list[Entry]:
        """What is done for a chain; nothing if only a re-run can need its values."""
        if len(chain.members) < _FEWEST_STEPS:
            return list(chain.members)
        kernels = kernels_of(chain.device)
        slots = [event.outputs[0] for _, event in chain.members]
        numbers = {slot: number for number, slot in enumerate((*chain.inputs, *slots))}
        written = []
        for _, event in chain.members:
            given = [self._specs[slot][1] for slot in event.inputs]
            taken = [numbers[self._canonical(slot)] for slot in event.inputs]
            dtype = self._specs[event.outputs[0]][1]
            written.append(kernels.step(event.op.name, taken, given, event.attributes, dtype))
        formula = kernels.formula(
            tuple(self._specs[slot][1] for slot in chain.inputs),
            tuple(written),
            tuple(numbers[slot] for slot in outputs),
        )
        position, last = chain.members[-1]
        given_each_time = [slot for slot in chain.inputs if not self._is_number(slot)]
        constants = [
            self._constants[slot] if self._is_number(slot) else None for slot in chain.inputs
        ]
        members = [event for _, event in chain.members]
        run = Run(chain.device, formula, chain.shape, members, constants)
        title = kernels.title(formula)
        fused = Fused(last.where, tuple(given_each_time), run=run, title=title, begin=position)
        fused.outputs = tuple(outputs)
        return [(position, fused)]


def is_border(event: Event) -> bool:
    """Whether ops before an event may not be done after it."""
    movable = isinstance(event, Op | events.Read | events.Copy | events.Check | Fused)
    return not movable or liveness.has_effect(event)


def _used(chain: _Chain, outputs: Sequence[int], canonical: Callable[[int], int]) -> _Chain:
    """The part of a chain from which its outputs are made."""
    needed = set(outputs)
    members: list[tuple[int, Op]] = []
    for position, event in reversed(chain.members):
        if event.outputs[0] in needed:
            members.insert(0, (position, event))
            needed.update(map(canonical, event.inputs))
    inputs = {slot: None for slot in chain.inputs if slot in needed}
    return _Chain(chain.device, chain.shape, members, inputs)


class Run:
    """Runs a chain, by its kernel or, where there can be none, op by op.

    Args:
        device: where it runs.
        formula: what the kernel computes.
        shape: of the results.
        members: the ops.
        constants: for each input the array that it always is, which has one element; None
            for those that are given each time.
    """

    def __init__(
        self,
        device: Device,
        formula: Any,
        shape: tuple[int, ...],
        members: Sequence[Op],
        constants: Sequence[Array | None],
    ) -> None:
        self._backend = device.backend
        self._formula = formula
        self._kinds = [(shape, formula.dtype(number)) for number in formula.outputs]
        self._members = members
        self._constants = constants
        # Read once, so that the kernel gets them with its arguments. Here and not in a replay:
        # whoever waits for a card may hear of errors of ops before.
        numbers = {
            place: self._backend.to_host(array).tobytes()
            for place, array in enumerate(constants)
            if array is not None
        }
        self._kernel = kernels_of(device).prepare(formula, numbers)

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        """The results for the inputs that are given each time."""
        results: tuple[Array, ...] = self._backend.call(self._compute, arrays)
        return results

    def _compute(self, arrays: tuple[Array, ...]) -> tuple[Array, ...]:
        kernel = self._kernel
        if kernel is None:
            return self._one_by_one(arrays)
        empty = self._backend.array_module.empty
        results = tuple(empty(shape, dtype) for shape, dtype in self._kinds)
        try:
            kernel(results, arrays)
        except errors.NotFoundError as error:
            device_kernels.tell(f'ops run one by one on {self._backend.device}: {error}')
            self._kernel = None
            return self._one_by_one(arrays)
        return results

    def _one_by_one(self, arrays: Sequence[Array]) -> tuple[Array, ...]:
        given = iter(arrays)
        values = [next(given) if array is None else array for array in self._constants]
        for step, event in zip(self._formula.steps, self._members, strict=True):
            values.append(computed(event, [values[number] for number in step.inputs]))
        return tuple(values[number] for number in self._formula.outputs)


def kernels_of(device: Device) -> Any:
    """The kernels that do chains on a device, or None."""
    if not device.is_gpu:
        return None
    kernels: Any = device_kernels.find(device.backend)
    return kernels.fused if kernels.usable else None


def fill_in(left_out: Sequence[tuple[int, Op]], position: int, values: list[Array | None]) -> None:
    """Computes the values of chains that no array holds, for a re-run.

    Args:
        left_out: ops that were not done by themselves.
        position: before which event the values are needed.
        values: by slot; those that are there stay.
    """
    for place, event in left_out:
        slot = event.outputs[0]
        if place < position and values[slot] is None:
            arrays = [values[each] for each in event.inputs]
            values[slot] = event.device.backend.call(computed, event, arrays)


def computed(event: Op, arrays: Sequence[Array | None]) -> Array:
    """The result of an op by itself; to be called through the backend's ``call``."""
    backend = event.device.backend
    forward = device_kernels.choose(event.op, backend).forward
    result = forward(backend.array_module, *arrays, **event.attributes)
    return steps.one_result(result, backend)
