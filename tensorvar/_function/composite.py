"""What loops and choices between branches have in common: their parts."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import backward, conversion, dispatch, nest
from tensorvar._core.op_call import OpCall
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable import Variable
from tensorvar._device import call_site, placement, scope
from tensorvar._device.device import Device
from tensorvar._function import events, part, subtrace, taped
from tensorvar._function.part import Part
from tensorvar._function.subtrace import NoPartError, SubTrace

State = scope.ContextState | None


class CompositePlan(Protocol):
    """Runs a loop or a choice between branches."""

    @property
    def parts(self) -> Sequence[Part]:
        """Its parts."""

    def signature(self) -> tuple[Any, ...]:
        """What the same of a re-run has in common with it."""

    def run(self, arrays: Sequence[Array], state: State, keeps: bool) -> tuple[Array, ...]:
        """Runs it.

        Args:
            arrays: what it takes.
            state: the current scopes.
            keeps: whether its last result is needed, which a gradient starts from.
        """

    def interpret(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Runs it op by op, for tapes."""


class Body(NamedTuple):
    """A part with what its gradient needs.

    Attributes:
        code: the part.
        trace: what was written down.
        arguments: the tensors without data that it was called with.
        results: those that it gave.
        structure: the structure of its result, with True for a tensor.
        sources: stand for what it takes from outside and may be differentiated by.
        takes: how many captures it has.
    """

    code: Part
    trace: SubTrace
    arguments: tuple[Tensor, ...]
    results: tuple[Tensor, ...]
    structure: Any
    sources: tuple[Tensor, ...]
    takes: int


class Outside(NamedTuple):
    """What a part takes from outside while it is traced.

    Attributes:
        captured: a tensor for each of its captures.
        sources: a tensor for each of its sources.
        live: the variables that it writes.
    """

    captured: tuple[Tensor, ...]
    sources: tuple[Tensor, ...]
    live: tuple[Variable, ...]


def no_rule(*specs: ArraySpec) -> ArraySpec:
    """Stands for the rule and the forward of what is no op: it is never asked."""
    raise NotImplementedError('its parts have rules')


def body_of(
    function: Callable[..., Any], arguments: Sequence[Tensor], live: Sequence[Variable] = ()
) -> tuple[Body, Outside]:
    """Writes a function down.

    Args:
        function: takes tensors and returns a structure of tensors.
        arguments: tensors like those that it will take.
        live: variables that change between two runs of it.

    Raises:
        NoPartError: no part can do what it does.
    """

    def run(trace: SubTrace) -> tuple[list[Tensor], Any, list[Tensor]]:
        own = [trace.parameter(tensor._spec(), tensor._device) for tensor in arguments]
        result = function(*own)
        leaves = [leaf for leaf in nest.flatten(result) if leaf is not None]
        return own, result, [conversion.convert_to_tensor(leaf) for leaf in leaves]

    trace, (own, result, results) = subtrace.written_down(run, live, arguments)
    code = part.part_of(trace, results)
    sources = list(_sources(trace))
    outside = _outside(trace, sources)
    stand_ins = trace.release([*results, *sources])
    body = Body(
        code,
        trace,
        tuple(own),
        tuple(stand_ins[: len(results)]),
        nest.map_structure(lambda leaf: None if leaf is None else True, result),
        tuple(stand_ins[len(results) :]),
        len(trace.captures),
    )
    return body, outside


def _outside(trace: SubTrace, sources: Sequence[Any]) -> Outside:
    values = {id(variable): variable.value() for variable, _ in trace.reads}
    tensors = {id(value._array): values[id(variable)] for variable, value in trace.reads}
    for source in sources:
        if isinstance(source, Tensor):
            tensors.setdefault(id(source._array), source)
    return Outside(
        tuple(
            tensors[id(capture.array)]
            if id(capture.array) in tensors
            else wrap(capture.array, capture.device)
            for capture in trace.captures
        ),
        tuple(values[id(each)] if isinstance(each, Variable) else each for each in sources),
        trace.live,
    )


def _sources(trace: SubTrace) -> Iterator[Any]:
    captured = {id(capture.array) for capture in trace.captures}
    seen: set[int] = set()
    read = {id(variable) for variable, _ in trace.reads}
    for _, inputs, outputs, _ in trace.scribe.entries:
        for value in inputs:
            if id(value) in seen:
                continue
            seen.add(id(value))
            known = id(value) in read if isinstance(value, Variable) else (
                id(value._array) in captured
            )  # fmt: skip
            if known and backward.is_differentiable(value):
                yield value
        seen.update(map(id, outputs))


def packed(structure: Any, tensors: Sequence[Tensor]) -> Any:
    """A result with given tensors; None in it stays."""
    given = iter(tensors)
    leaves = [None if leaf is None else next(given) for leaf in nest.flatten(structure)]
    return nest.pack_sequence_as(structure, leaves)


def perform(
    state: scope.ContextState | None,
    op: OpDef,
    plan: CompositePlan,
    tensors: Sequence[Tensor],
    results: Sequence[tuple[ArraySpec, Device]],
    keeps: bool,
) -> tuple[Tensor, ...]:
    """Runs a loop or a choice, as one event where there is a trace.

    Args:
        state: the current scopes.
        op: what stands for it in records.
        plan: runs it.
        tensors: what it takes.
        results: shape, dtype and device of each result.
        keeps: whether the last result is needed.
    """
    arrays = [tensor._array for tensor in tensors]
    trace = None if state is None else state.trace
    device = results[0][1] if results else tensors[0]._device
    call = OpCall(op, {}, state)
    decision = placement.Decision(device, placement.INPUTS)
    specs = [spec for spec, _ in results]

    def run() -> tuple[Array, ...]:
        return plan.run(arrays, state, keeps)

    if trace is None:
        given: Sequence[Array] = run()
    else:
        event = events.Composite(
            call_site.user_call_site(),
            tuple(map(trace.slot_of, tensors)),
            op=op,
            plan=plan,
            device=device,
            record=call.describe(tensors, specs, decision),
        )
        given = trace.do_part(event, specs, run)
    call.finish()
    outputs = tuple(wrap(array, where) for array, (_, where) in zip(given, results, strict=True))
    if not isinstance(trace, SubTrace):
        call.report(tensors, outputs, decision)
    return outputs


def note_on_tapes(
    state: State, op: OpDef, tensors: Sequence[Tensor], outputs: Sequence[Tensor], plan: Any
) -> None:
    """One entry on every tape."""
    for tape in () if state is None else state.tapes:
        tape.write((op, tuple(tensors), tuple(outputs), {'plan': plan}))


def not_twice(op: str) -> errors.UnimplementedError:
    """The error for second derivatives through a gradient that a part itself takes."""
    return errors.UnimplementedError(
        f'[{op}] its body takes the gradient of a loop or a choice, which is to be differentiated '
        f'again; in a tv.function that is not possible; call the function without tv.function, '
        f'or take the inner gradient outside of the loop',
        op,
    )


def notes_steps(state: State) -> bool:
    """Whether some tape has to note what the parts do, and not only that they ran."""
    if state is None:
        return False
    trace = state.trace
    if trace is None or not trace.is_rerunnable:
        return any(not isinstance(tape, taped.Scribe) for tape in state.tapes)
    outside = set(map(id, trace.outside))
    own = [tape for tape in state.tapes if tape is not trace.scribe and id(tape) not in outside]
    if own or trace.notes_steps:
        return True
    if trace.outside and trace.scribe in state.tapes:
        # A run without tapes outside would not do the same.
        trace.follow_no_further()
        return True
    return False


def refuse_untold(state: State, bodies: Sequence[Body]) -> None:
    """Refuses parts that write variables or bring gradients, where a tape would have to know.

    Raises:
        NoPartError: there is a tape of the program, or a part around the gradients.
    """
    ruled = any(taped.has_own_rules(body.trace.scribe.entries) for body in bodies)
    if not ruled and not any(body.code.has_effect for body in bodies):
        return
    # In a part around it the ops themselves bring the gradients.
    if notes_steps(state) or (ruled and state is not None and isinstance(state.trace, SubTrace)):
        raise NoPartError
    taped.forbid(state)


def interpret(body: Body, arguments: Sequence[Tensor], captured: Sequence[Tensor]) -> list[Tensor]:
    """Runs a part op by op, for tapes.

    Args:
        body: the part; it writes nothing.
        arguments: its arguments.
        captured: its captures.

    Raises:
        UnimplementedError: there is a gradient of a loop in it.
    """
    values: dict[int, Tensor] = dict(enumerate([*arguments, *captured]))
    for event in body.code.events:
        inputs = [values[slot] for slot in event.inputs]
        if isinstance(event, events.Copy):
            results: Any = inputs[0]
        elif isinstance(event, events.Op):
            with backward.on(event.device):
                results = dispatch.run(event.op, *inputs, **event.attributes)
        elif isinstance(event, events.Composite):
            results = event.plan.interpret(inputs)
        else:
            raise errors.InternalError(f'[{event.text}] this part was not to be differentiated')
        outputs = results if type(results) is tuple else (results,)
        values.update(zip(event.outputs, outputs, strict=True))
    return [values[place] for place in body.code.places]
