"""The gradient of a loop: its steps backwards."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorvar._backend.base import Array
from tensorvar._core import backward
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tape import GradientTape
from tensorvar._core.tensor import Tensor
from tensorvar._device import registry, scope
from tensorvar._device.device import Device
from tensorvar._function import composite, part, slopes, taped
from tensorvar._function.part import Part
from tensorvar._function.subtrace import NoPartError

if TYPE_CHECKING:
    from tensorvar._function.loops import Loop

State = scope.ContextState | None
Gradients = tuple[Tensor | None, ...]

SLOPE = OpDef('WhileGradient', composite.no_rule, composite.no_rule, NOT_DIFFERENTIABLE)
"""Stands for the steps backwards in records."""


def gradient(context: Any, *arriving: Any) -> Gradients:
    """The gradient of the op that stands for a loop."""
    state = scope.current()
    loop: Loop = context.attributes['plan']
    taken = context.inputs[: len(context.inputs) - len(loop.body.sources)]
    with slopes.unplaced(state):
        told = composite.notes_steps(state)
        slope = None if told else _slope_of(loop, context.needs[len(taken) :])
        if slope is None:
            found = _unrolled(loop, context, taken, arriving)
        else:
            found = _steps_back(slope, loop, context, taken, arriving)
    return tuple(slopes.as_placed(state, found))


def _slope_of(loop: 'Loop', needed: tuple[bool, ...]) -> 'LoopSlope | None':
    slope = loop.slopes.get(needed)
    if slope is None:
        try:
            slope = loop.slopes[needed] = LoopSlope(loop, needed)
        except NoPartError:
            return None
    return slope


def _steps_back(
    slope: 'LoopSlope',
    loop: 'Loop',
    context: Any,
    taken: Sequence[Tensor],
    arriving: Sequence[Any],
) -> Gradients:
    state = scope.current()
    taped.forbid(state)
    _, rows, _, captured = loop.split(taken)
    tensors = [context.outputs[-1], *rows, *captured, *slopes.weights(context, arriving)]
    given = iter(composite.perform(state, SLOPE, slope, tensors, slope.results(), False))
    leaving = [next(given) if known else None for known in slope.leaving]
    between = [None] * (len(taken) - len(leaving))
    by_source = [next(given) if known else None for known in slope.connected]
    return (*leaving, *between, *by_source)


class LoopSlope:
    """Runs the steps of a loop backwards.

    It takes the values that each step began with, the arrays that give rows, the captures
    of a step, and the gradients that arrive. It gives the gradients by the first values,
    by the arrays that give rows, and by the sources.

    Args:
        loop: the loop.
        needed: per source whether its gradient is needed.

    Attributes:
        leaving: per loop variable and array with rows, whether there is a gradient by it.
        connected: per source where the gradient by it lies; None if there is none.
    """

    def __init__(self, loop: 'Loop', needed: Sequence[bool]) -> None:
        body = loop.body
        arriving = [backward.is_differentiable(result) for result in body.results]
        always = [place for place in range(loop.variables) if arriving[place]]
        # The last step has no sums to add to.
        self._last = slopes.slope_of(body, arriving, needed, always)
        sums = self._last.connected
        self._others = slopes.slope_of(body, arriving, needed, always, sums)
        self._loop = loop
        self._arriving = arriving
        self.leaving, self.connected = self._last.leaving, self._last.connected
        self.parts: tuple[Part, ...] = (self._last.code, self._others.code)

    def signature(self) -> tuple[Any, ...]:
        """What the same gradient of a re-run has in common with it."""
        return (LoopSlope, *(each.signature() for each in self.parts))

    def results(self) -> list[tuple[ArraySpec, Device]]:
        """Shape, dtype and device of what it gives."""
        loop, body = self._loop, self._loop.body
        found = []
        for place, value in enumerate(body.arguments):
            if self.leaving[place]:
                spec = value._spec()
                if place >= loop.variables:
                    spec = ArraySpec((loop.steps, *spec.shape), spec.dtype)
                found.append((spec, value._device))
        return [*found, *self._sums()]

    def _sums(self) -> list[tuple[ArraySpec, Device]]:
        pairs = zip(self._loop.body.sources, self.connected, strict=True)
        return [(value._spec(), home) for value, home in pairs if home is not None]

    def run(self, arrays: Sequence[Array], state: State, keeps: bool) -> tuple[Array, ...]:
        """Runs the steps backwards; see ``composite.CompositePlan``."""
        return registry.cpu().backend.call(self._run, arrays, state)  # type: ignore[no-any-return]

    def _run(self, arrays: Sequence[Array], state: State) -> tuple[Array, ...]:
        loop, body = self._loop, self._loop.body
        begins, rest = arrays[0], arrays[1:]
        rows, rest = rest[: loop.rows], rest[loop.rows :]
        captured, weights = rest[: body.takes], list(rest[body.takes :])
        variables = sum(self._arriving[: loop.variables])
        slopes, by_step = weights[:variables], weights[variables:]
        sums: list[Array] = []
        of_rows: list[tuple[Array, ...]] = []
        row_count = sum(self.leaving[loop.variables :])
        with self._last.code.opened(state) as last, self._others.code.opened(state) as other:
            for place in range(len(begins) - 1, -1, -1):
                is_last = place == len(begins) - 1
                results = (last if is_last else other)([
                    *begins[place], *(row[place, ...] for row in rows),
                    *slopes, *(weight[place, ...] for weight in by_step), *sums, *captured,
                    *(self._last if is_last else self._others).code.constants,
                ])  # fmt: skip
                slopes = list(results[:variables])
                of_rows.append(results[variables : variables + row_count])
                sums = list(results[variables + row_count :])
        if not len(begins):
            sums = [part.zeros(spec, device) for spec, device in self._sums()]
        devices = [
            value._device
            for value, known in zip(body.arguments, self.leaving, strict=True) if known
        ][variables:]  # fmt: skip
        return (*slopes, *part.stacked(of_rows[::-1], devices), *sums)

    def interpret(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Refuses that: a gradient in a loop is not differentiated again."""
        raise composite.not_twice('while_loop')


def _unrolled(
    loop: 'Loop', context: Any, taken: Sequence[Tensor], arriving: Sequence[Any]
) -> Gradients:
    """The gradient by ops that tapes note, for gradients of it."""
    fresh = [
        slopes.copied(value) if backward.is_differentiable(value) else value
        for value in context.inputs
    ]
    sources = {
        id(value): new
        for value, new in zip(context.inputs[len(taken) :], fresh[len(taken) :], strict=True)
    }
    first, rows, for_condition, for_body = loop.split(taken)
    begin = len(first) + len(rows)
    captured = [sources.get(id(value), value) for value in (*for_condition, *for_body)]
    with GradientTape() as tape:
        tape.watch([value for value in fresh if backward.is_differentiable(value)])
        results = loop.interpret([*fresh[:begin], *captured])
    pairs = [
        (result, weight)
        for result, weight in zip(results, arriving, strict=True) if weight is not None
    ]  # fmt: skip
    found = tape.gradient(
        [result for result, _ in pairs], fresh, output_gradients=[weight for _, weight in pairs]
    )
    return tuple(map(slopes.dense, found))
