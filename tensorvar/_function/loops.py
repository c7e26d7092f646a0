"""Loops within a trace: one step of the plan, however often they turn."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import backward, conversion, dispatch, nest
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import registry, scope
from tensorvar._device.device import Device
from tensorvar._function import composite, loop_gradient, part, taped
from tensorvar._function.composite import Body, Outside
from tensorvar._function.part import Part
from tensorvar._function.subtrace import NoPartError
from tensorvar._ops import array_join, random_seed

State = scope.ContextState | None
HISTORY = np.dtype(object)


class Loop:
    """A loop whose steps are parts.

    It takes the first values of the loop variables, arrays of which each step gets one
    row, and the captures of its parts. It gives the last values, one array for each
    further result of a step with a row for each step, and the values that each step began
    with.

    Args:
        body: takes the loop variables and the rows.
        condition: takes the loop variables; None where the steps are counted.
        variables: how many loop variables there are.
        rows: how many arrays give rows.
        steps: the most steps, or None.

    Attributes:
        body: see there.
        variables: see there.
        rows: see there.
        steps: see there.
        slopes: gradients, by which sources they are needed for.
    """

    def __init__(
        self, body: Body, condition: Body | None, variables: int, rows: int, steps: int | None
    ) -> None:
        self.body = body
        self.variables = variables
        self.rows = rows
        self._condition = condition
        self.steps = steps
        self.slopes: dict[tuple[bool, ...], loop_gradient.LoopSlope] = {}
        self.parts: tuple[Part, ...] = (body.code,)
        if condition is not None:
            self.parts = (condition.code, body.code)

    def signature(self) -> tuple[Any, ...]:
        """What the same loop of a re-run has in common with it."""
        parts = tuple(each.signature() for each in self.parts)
        return (Loop, parts, self.variables, self.rows, self.steps)

    def results(self) -> list[tuple[ArraySpec, Device]]:
        """Shape, dtype and device of what it gives."""
        found = [(tensor._spec(), tensor._device) for tensor in self.body.results]
        for place in range(self.variables, len(found)):
            spec, device = found[place]
            found[place] = ArraySpec((self.steps, *spec.shape), spec.dtype), device
        return [*found, (ArraySpec((None,), HISTORY), registry.cpu())]

    def split(self, taken: Sequence[Any]) -> tuple[Sequence[Any], ...]:
        """Loop variables, rows, captures of the condition, and captures of the body."""
        first, second = self.variables, self.variables + self.rows
        third = second if self._condition is None else second + self._condition.takes
        return taken[:first], taken[first:second], taken[second:third], taken[third:]

    def run(self, arrays: Sequence[Array], state: State, keeps: bool) -> tuple[Array, ...]:
        """Runs the loop; see ``composite.CompositePlan``."""
        return part.call_under_locks(  # type: ignore[no-any-return]
            self.parts, self._run, arrays, state, keeps
        )

    def _run(self, arrays: Sequence[Array], state: State, keeps: bool) -> tuple[Array, ...]:
        values, rows, for_condition, for_body = map(list, self.split(arrays))
        count = 0
        kept: list[tuple[Array, ...]] = []
        given: list[tuple[Array, ...]] = []
        asked = None if self._condition is None else self._condition.code
        with self.body.code.opened(state) as step, part.opened(asked, state) as ask:
            while count != self.steps:
                if ask is not None and not self._is_true(ask([*values, *for_condition])[0], state):
                    break
                if keeps:
                    kept.append(tuple(values))
                results = step([*values, *(row[count, ...] for row in rows), *for_body])
                values = list(results[: self.variables])
                given.append(results[self.variables :])
                count += 1
        devices = [tensor._device for tensor in self.body.results[self.variables :]]
        return (*values, *part.stacked(given, devices), history(kept))

    def _is_true(self, answer: Array, state: State) -> bool:
        assert self._condition is not None
        device = self._condition.results[0]._device
        return part.is_true(answer, device, state)

    def interpret(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Runs the loop op by op, for tapes."""
        values, rows, for_condition, for_body = map(list, self.split(tensors))
        count = 0
        given: list[list[Tensor]] = []
        while count != self.steps:
            if self._condition is not None:
                (answer,) = composite.interpret(self._condition, values, for_condition)
                if not answer:
                    break
            taken = [_row(row, count) for row in rows]
            results = composite.interpret(self.body, [*values, *taken], for_body)
            values = results[: self.variables]
            given.append(results[self.variables :])
            count += 1
        columns = [_column(values) for values in zip(*given, strict=True)]
        return (*values, *columns, wrap(history([()] * count), registry.cpu()))


def _row(rows: Tensor, number: int) -> Tensor:
    """A row where its array lies."""
    with backward.on_device(rows):
        row: Tensor = rows[number]
    return row


def _column(values: Sequence[Tensor]) -> Tensor:
    """What the steps have given, where that lies."""
    with backward.on_device(values[0]):
        return array_join.stack(list(values))


def history(kept: Sequence[tuple[Array, ...]]) -> Array:
    """An array whose elements are the values that each step began with."""
    made = np.empty(len(kept), HISTORY)
    for place, values in enumerate(kept):
        made[place] = values
    return made


WHILE = taped.allow(OpDef('While', composite.no_rule, composite.no_rule, loop_gradient.gradient))
"""Stands for a loop in records and on tapes."""


def while_loop(
    state: State,
    condition: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    most: int | None,
) -> Any:
    """``tv.while_loop`` within a trace.

    Args:
        state: the current scopes.
        condition: takes the loop variables and gives a truth value.
        body: takes the loop variables and gives new ones.
        loop_vars: the first values.
        most: the most steps, or None.

    Returns:
        The last loop variables; NotImplemented if no part of a plan can do it.
    """
    first = [conversion.convert_to_tensor(leaf) for leaf in nest.flatten(loop_vars)]

    def step(*values: Tensor) -> Any:
        result = body(*nest.pack_sequence_as(loop_vars, list(values)))
        nest.assert_same_structure(list(loop_vars), list(result))
        return result

    def goes_on(*values: Tensor) -> Any:
        answer = condition(*nest.pack_sequence_as(loop_vars, list(values)))
        if not isinstance(answer, ArrayValue) or answer._spec().shape not in ((), (1,)):
            raise NoPartError
        return answer

    def made() -> tuple[Loop, Outside]:
        turned, outside = composite.body_of(step, first)
        _check_same(turned.results, first)
        asked, before = composite.body_of(goes_on, first, outside.live)
        if asked.code.has_effect:
            raise NoPartError
        captured = (*before.captured, *outside.captured)
        return Loop(turned, asked, len(first), 0, most), outside._replace(captured=captured)

    found = _made(state, made)
    if found is None:
        return NotImplemented
    return nest.pack_sequence_as(loop_vars, _run(state, *found, first))


def _check_same(results: Sequence[Tensor], first: Sequence[Tensor]) -> None:
    """Refuses loop variables that change shape, dtype or device, or are None."""
    if len(results) != len(first):
        raise NoPartError
    for result, value in zip(results, first, strict=True):
        if result._spec() != value._spec() or result._device is not value._device:
            raise NoPartError


def _made(state: State, make: Callable[[], tuple[Loop, Outside]]) -> tuple[Loop, Outside] | None:
    """A loop with what it takes from outside, or None if no part can do it."""
    restore = random_seed.save_sequence()
    try:
        loop, outside = make()
        composite.refuse_untold(state, [loop.body])
    except NoPartError:
        restore()
        return None
    return loop, outside


def _run(state: State, loop: Loop, outside: Outside, given: Sequence[Tensor]) -> list[Tensor]:
    """Runs a loop and tells tapes; gives the last values, then the rows of all steps.

    Args:
        state: the current scopes.
        loop: the loop.
        outside: what it takes from outside.
        given: the first values, and the arrays that give rows.
    """
    tensors = [*given, *outside.captured]
    keeps = state is not None and any(not isinstance(t, taped.Scribe) for t in state.tapes)
    outputs = composite.perform(state, WHILE, loop, tensors, loop.results(), keeps)
    composite.note_on_tapes(state, WHILE, [*tensors, *outside.sources], outputs, loop)
    return list(outputs[:-1])


def over_rows(
    state: State,
    step: Callable[..., Any],
    first: Sequence[Tensor],
    rows: Sequence[Tensor],
) -> tuple[Any, list[Tensor]] | None:
    """A step for each row, as in ``tv.map_fn`` and ``tv.scan``.

    Args:
        state: the current scopes.
        step: takes the values so far and a row of each array; gives a list of the new
            values, and a structure of what else it gives.
        first: the first values.
        rows: arrays with one first dimension.

    Returns:
        The structure of what else a step gives, and the last values with an array of all
        rows for each of its leaves; None if no part of a plan can do it.
    """
    count = rows[0]._shape[0]
    if not count:
        return None
    examples = [
        wrap(ShapeOnlyArray(each._shape[1:], each._spec().dtype), each._device) for each in rows
    ]

    def made() -> tuple[Loop, Outside]:
        body, outside = composite.body_of(step, [*first, *examples])
        _check_same(body.results[: len(first)], first)
        if any(leaf is None for leaf in nest.flatten(body.structure)):
            raise NoPartError
        return Loop(body, None, len(first), len(rows), count), outside

    found = _made(state, made)
    if found is None:
        return None
    return found[0].body.structure[1], _run(state, *found, [*first, *rows])


dispatch.while_loop = while_loop
dispatch.over_rows = over_rows
