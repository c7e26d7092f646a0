"""Choices between two branches within a trace: one step of the plan, whichever is taken."""

from collections.abc import Callable, Sequence
from typing import Any

from tensorvar._backend.base import Array
from tensorvar._core import backward, dispatch, nest
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tape import GradientTape
from tensorvar._core.tensor import Tensor
from tensorvar._device import registry, scope
from tensorvar._device.device import Device
from tensorvar._function import composite, part, slopes, taped
from tensorvar._function.composite import Body
from tensorvar._function.part import Part
from tensorvar._function.subtrace import NoPartError
from tensorvar._ops import random_seed

State = scope.ContextState | None
Gradients = tuple[Tensor | None, ...]


class Choice:
    """Takes one of two branches.

    It takes the condition, then the captures of both branches. It gives the results of
    the branch that is taken.

    Args:
        branches: what is done where the condition holds, and where it does not.
        sources: what it may be differentiated by, with values from outside.
        places: for each branch, which of them its own sources are.
        device: where the condition lies.

    Attributes:
        branches: see there.
        sources: shape and dtype of each.
        places: see there.
        device: see there.
        slopes: gradients, by which sources they are needed for.
    """

    def __init__(
        self,
        branches: tuple[Body, Body],
        sources: Sequence[Tensor],
        places: Sequence[Sequence[int]],
        device: Device,
    ) -> None:
        self.branches = branches
        self.sources = [value._spec() for value in sources]
        self.places = places
        self.slopes: dict[tuple[bool, ...], ChoiceSlope] = {}
        self.device = device
        self.parts: tuple[Part, ...] = tuple(branch.code for branch in branches)

    def signature(self) -> tuple[Any, ...]:
        """What the same choice of a re-run has in common with it."""
        return (Choice, *(each.signature() for each in self.parts))

    @property
    def takes(self) -> int:
        """How many captures it takes after the condition."""
        return sum(branch.takes for branch in self.branches)

    def run(self, arrays: Sequence[Array], state: State, keeps: bool) -> tuple[Array, ...]:
        """Takes a branch; see ``composite.CompositePlan``."""
        return part.call_under_locks(  # type: ignore[no-any-return]
            self.parts, self._run, arrays, state
        )

    def _run(self, arrays: Sequence[Array], state: State) -> tuple[Array, ...]:
        taken, captured = self.taken(part.is_true(arrays[0], self.device, state), arrays[1:])
        with self.parts[taken].opened(state) as branch:
            return branch(list(captured))  # type: ignore[no-any-return]

    def taken(self, holds: bool, captured: Sequence[Any]) -> tuple[int, Sequence[Any]]:
        """The number of a branch and its captures."""
        first = self.branches[0].takes
        return (0, captured[:first]) if holds else (1, captured[first:])

    def interpret(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Takes a branch op by op, for tapes."""
        taken, captured = self.taken(bool(tensors[0]), tensors[1:])
        return tuple(composite.interpret(self.branches[taken], (), captured))


def _gradient(context: Any, *arriving: Any) -> Gradients:
    state = scope.current()
    choice: Choice = context.attributes['plan']
    begin = 1 + choice.takes
    with slopes.unplaced(state):
        told = composite.notes_steps(state)
        slope = None if told else _slope_of(choice, context.needs[begin:])
        if slope is None:
            found = _unrolled(choice, context, begin, arriving)
        else:
            found = _by_sources(slope, context, begin, arriving)
    return (*([None] * begin), *slopes.as_placed(state, found))


def _slope_of(choice: Choice, needed: tuple[bool, ...]) -> 'ChoiceSlope | None':
    slope = choice.slopes.get(needed)
    if slope is None:
        try:
            slope = choice.slopes[needed] = ChoiceSlope(choice, needed)
        except NoPartError:
            return None
    return slope


def _by_sources(
    slope: 'ChoiceSlope', context: Any, begin: int, arriving: Sequence[Any]
) -> Gradients:
    state = scope.current()
    taped.forbid(state)
    tensors = [*context.inputs[:begin], *slopes.weights(context, arriving)]
    given = iter(composite.perform(state, SLOPE, slope, tensors, slope.results(), False))
    return tuple(next(given) if known else None for known in slope.connected)


class ChoiceSlope:
    """The gradient of the branch that was taken, and zeros for the other.

    It takes what the choice takes, and the gradients that arrive. It gives the gradients
    by the sources of both branches.

    Args:
        choice: the choice.
        needed: per source whether its gradient is needed.

    Attributes:
        connected: per source shape, dtype and device of the gradient by it; None if there is
            none.

    Raises:
        NoPartError: no part can do this, as where a gradient lies elsewhere in each branch.
    """

    def __init__(self, choice: Choice, needed: Sequence[bool]) -> None:
        self._choice = choice
        found: list[slopes.Slope] = []
        # By branch, the numbers of the sources that it gives gradients by.
        self._given: list[list[int]] = []
        homes: dict[int, Device] = {}
        for branch, places in zip(choice.branches, choice.places, strict=True):
            arriving = [backward.is_differentiable(result) for result in branch.results]
            slope = slopes.slope_of(branch, arriving, [needed[place] for place in places])
            found.append(slope)
            given = {
                place: home
                for place, home in zip(places, slope.connected, strict=True) if home is not None
            }  # fmt: skip
            self._given.append(list(given))
            if any(homes.setdefault(place, home) is not home for place, home in given.items()):
                # An eager run has it elsewhere in each branch.
                raise NoPartError
        self.connected = tuple(
            (spec, homes[place]) if place in homes else None
            for place, spec in enumerate(choice.sources)
        )
        self.parts: tuple[Part, ...] = tuple(slope.code for slope in found)

    def signature(self) -> tuple[Any, ...]:
        """What the same gradient of a re-run has in common with it."""
        return (ChoiceSlope, *(each.signature() for each in self.parts))

    def results(self) -> list[tuple[ArraySpec, Device]]:
        """Shape, dtype and device of what it gives."""
        return [known for known in self.connected if known is not None]

    def run(self, arrays: Sequence[Array], state: State, keeps: bool) -> tuple[Array, ...]:
        """Differentiates the branch; see ``composite.CompositePlan``."""
        return registry.cpu().backend.call(self._run, arrays, state)  # type: ignore[no-any-return]

    def _run(self, arrays: Sequence[Array], state: State) -> tuple[Array, ...]:
        choice = self._choice
        end = 1 + choice.takes
        number, captured = choice.taken(
            part.is_true(arrays[0], choice.device, state), arrays[1:end]
        )
        code = self.parts[number]
        with code.opened(state) as differentiate:
            found = differentiate([*arrays[end:], *captured, *code.constants])
        by_source = dict(zip(self._given[number], found, strict=True))
        return tuple(
            by_source[place] if place in by_source else part.zeros(*known)
            for place, known in enumerate(self.connected) if known is not None
        )  # fmt: skip

    def interpret(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Refuses that: a gradient in a part is not differentiated again."""
        raise composite.not_twice('cond')


def _unrolled(choice: Choice, context: Any, begin: int, arriving: Sequence[Any]) -> Gradients:
    """The gradient by ops that tapes note, for gradients of it."""
    fresh = [slopes.copied(value) for value in context.inputs[begin:]]
    sources = {id(value): new for value, new in zip(context.inputs[begin:], fresh, strict=True)}
    taken = [sources.get(id(value), value) for value in context.inputs[:begin]]
    with GradientTape() as tape:
        tape.watch(fresh)
        results = choice.interpret(taken)
    pairs = [
        (result, weight)
        for result, weight in zip(results, arriving, strict=True) if weight is not None
    ]  # fmt: skip
    found = tape.gradient(
        [result for result, _ in pairs], fresh, output_gradients=[weight for _, weight in pairs]
    )
    return tuple(map(slopes.dense, found))


CHOICE = taped.allow(OpDef('If', composite.no_rule, composite.no_rule, _gradient))
"""Stands for a choice in records and on tapes."""

SLOPE = OpDef('IfGradient', composite.no_rule, composite.no_rule, NOT_DIFFERENTIABLE)
"""Stands for the gradient of a choice in records."""


def choose(
    state: State, pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]
) -> Any:
    """``tv.cond`` within a trace.

    Args:
        state: the current scopes.
        pred: the condition, with one element.
        true_fn: what is done where it holds.
        false_fn: what is done elsewhere.

    Returns:
        The result; NotImplemented if no part of a plan can do it.
    """
    restore = random_seed.save_sequence()
    try:
        choice, captured, sources = _made(state, pred, true_fn, false_fn)
    except NoPartError:
        restore()
        return NotImplemented
    tensors = [pred, *captured]
    first = choice.branches[0]
    results = [(tensor._spec(), tensor._device) for tensor in first.results]
    outputs = composite.perform(state, CHOICE, choice, tensors, results, False)
    composite.note_on_tapes(state, CHOICE, [*tensors, *sources], outputs, choice)
    return composite.packed(first.structure, outputs)


def _made(
    state: State, pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]
) -> tuple[Choice, list[Tensor], list[Tensor]]:
    """A choice, its captures and its sources.

    Raises:
        NoPartError: no part of a plan can do it.
    """
    first, outside_first = composite.body_of(true_fn, ())
    second, outside_second = composite.body_of(false_fn, (), outside_first.live)
    if len(outside_second.live) > len(outside_first.live):
        # A value from outside would keep the buffer that the other branch writes.
        first, outside_first = composite.body_of(true_fn, (), outside_second.live)
    kinds = [[leaf is None for leaf in nest.flatten(each.structure)] for each in (first, second)]
    if kinds[0] != kinds[1]:
        raise NoPartError
    try:
        nest.assert_same_structure(first.structure, second.structure)
    except (ValueError, TypeError) as error:
        raise NoPartError from error
    for one, other in zip(first.results, second.results, strict=True):
        if one._spec() != other._spec() or one._device is not other._device:
            raise NoPartError
    composite.refuse_untold(state, (first, second))
    both = outside_first.sources, outside_second.sources
    sources = list({id(value): value for values in both for value in values}.values())
    numbers = {id(value): place for place, value in enumerate(sources)}
    places = [[numbers[id(value)] for value in values] for values in both]
    choice = Choice((first, second), sources, places, pred._device)
    return choice, [*outside_first.captured, *outside_second.captured], sources


dispatch.choose = choose
