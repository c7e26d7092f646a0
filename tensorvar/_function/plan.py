"""Replays what was traced: follows the tree as far as it goes."""

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from tensorvar._backend import transfer
from tensorvar._backend.base import Array
from tensorvar._device import registry, scope
from tensorvar._function import comparison, events, liveness, segment, steps
from tensorvar._function import trace as tracing
from tensorvar._function.events import Event
from tensorvar._function.segment import Program
from tensorvar._function.tree import Node, Outputs, Run, grow
from tensorvar._ops import generator_state, random_seed

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

MOST_NESTED = 16
"""How many ``with`` blocks Python allows in each other, less a few."""


class Stop(NamedTuple):
    """A replay that came to a point that it does not know.

    Attributes:
        prefix: what it has done.
        follows: whether the rest of the run is worth writing down: a new branch is, an
            error is not.
        moved: whether a variable of the plan is gone, or no longer where it was.
    """

    prefix: tracing.Prefix
    follows: bool
    moved: bool = False


class Results(NamedTuple):
    """What a replay gives.

    Attributes:
        arrays: the arrays of the tensors returned.
        outputs: where they go.
    """

    arrays: tuple[Array, ...]
    outputs: Outputs


class Plan:
    """All that was seen of a function for one signature.

    Args:
        run: the first run.
        arguments: how many slots are arguments.
    """

    def __init__(self, run: Run, arguments: int) -> None:
        self._arguments = arguments
        self._draws = False
        # Silences NumPy and words its errors; each step on another device has its own.
        self._call = registry.cpu().backend.call
        self._written: tuple[ref[Variable], ...] = ()
        self.root = self._grown(None, run)

    def add(self, run: Run) -> None:
        """Adds a path.

        Raises:
            TooManyError: a limit is reached.
        """
        self._grown(self.root, run)

    def _grown(self, root: Node | None, run: Run) -> Node:
        constants = set(run.constants)
        for event in run.log:
            if liveness.foldable(event, constants):
                constants.update(event.outputs)
        run = run._replace(constants=constants)
        root = grow(root, run, self._arguments, segment.compile_node)
        written: dict[int, Any] = {}
        for node in root.all_nodes():
            for event in node.events:
                self._draws = self._draws or _draws_seed(event)
                for reference in _locked_by(event):
                    written[id(reference())] = reference
        # Every thread takes the locks in this order.
        self._written = tuple(written[key] for key in sorted(written))
        self._run = _under_locks(len(written))
        return root

    def replay(self, arrays: Sequence[Array], state: scope.ContextState | None) -> Results | Stop:
        """Runs the plan.

        Args:
            arrays: the arguments.
            state: the current scopes.
        """
        written = _living(self._written)
        if written is None:
            return Stop(tracing.NOTHING, follows=False, moved=True)
        if not self._draws:
            return self._run(written, self._call, self._follow, arrays, state)  # type: ignore[no-any-return]
        restore = random_seed.save_sequence()
        result: Results | Stop = self._run(written, self._call, self._follow, arrays, state)
        if isinstance(result, Stop):
            restore()
        return result

    def _follow(self, arrays: Sequence[Array], state: scope.ContextState | None) -> Results | Stop:
        node = self.root
        values = list(arrays)
        log: list[Event] = []
        while True:
            program: Program = node.program
            values.extend(program.template)
            variables = _living(program.variables)
            buffers: tuple[Array, ...] = ()
            if program.spare is not None:
                buffers = program.spare.pop() if program.spare else program.new_buffers()
            try:
                results = (
                    steps.MOVED
                    if variables is None
                    else program.run(values, variables, buffers, state)
                )
            except Exception as error:
                position = program.position(error)
                if position is None or position > program.kept:
                    raise
                return Stop(tracing.Prefix([*log, *node.events[:position]], values), False)
            if isinstance(results, steps.Moved):
                return Stop(tracing.Prefix(log, values), follows=False, moved=True)
            if node.outputs is not None:
                if program.spare is not None:
                    program.spare.append(buffers)
                return Results(results, node.outputs)
            assert node.point is not None
            outcome = _outcome(node.point, values, state)
            log += [*node.events, dataclasses.replace(node.point, outcome=outcome)]
            child = node.children.get(outcome)
            if child is None:
                return Stop(tracing.Prefix(log, values), True)
            node = child


def _living(references: 'Sequence[ref[Variable]]') -> 'list[Variable] | None':
    """The variables, or None if one of them is gone."""
    variables = []
    for reference in references:
        variable = reference()
        if variable is None:
            return None
        variables.append(variable)
    return variables


@functools.cache
def _under_locks(count: int) -> Any:
    """A function that calls another under the locks of ``count`` variables.

    ``with`` alone is safe against an interrupt between taking a lock and noting it.
    """
    if count > MOST_NESTED:
        return _under_many_locks
    names = [f'v{number}' for number in range(count)]
    unpack = f'    {", ".join(names)}, = variables\n' if names else ''
    block = f'    with {", ".join(f"{name}._lock" for name in names)}:\n    ' if names else ''
    source = (
        f'def under_locks(variables, call, follow, arrays, state):\n{unpack}{block}'
        f'    return call(follow, arrays, state)\n'
    )
    made: dict[str, Any] = {}
    exec(compile(source, '<locks of tv.function>', 'exec'), made)
    return made['under_locks']


def _under_many_locks(
    variables: 'list[Variable]', call: Any, follow: Any, arrays: Any, state: Any
) -> Any:
    with contextlib.ExitStack() as locks:
        for variable in variables:
            locks.enter_context(variable._lock)
        return call(follow, arrays, state)


def _outcome(point: events.Point, values: Sequence[Array], state: Any) -> Any:
    if isinstance(point, events.Shape):
        return tuple(values[slot].shape for slot in point.inputs)
    array = values[point.inputs[0]]
    if liveness.on_numpy(point.device):
        return comparison.outcome(array)
    host = transfer.to_host(
        array, point.device, explicit=False, op=point.look, operand='value', state=state
    )
    return comparison.outcome(host)


def _locked_by(event: Event) -> 'list[ref[Variable]]':
    """The variables whose locks a replay holds because of an event."""
    if isinstance(event, events.Write):
        return [event.variable]
    if isinstance(event, events.Op):
        stream = event.attributes.get(events.STREAM)
        if isinstance(stream, generator_state.StateStream):
            # The draw takes this lock itself; taken out of order, two plans could block.
            return [ref(stream._state)]
    return []


def _draws_seed(event: Event) -> bool:
    """Whether an event takes a seed from the global sequence."""
    if not isinstance(event, events.Op) or events.STREAM not in event.attributes:
        return False
    stream = event.attributes[events.STREAM]
    if isinstance(stream, random_seed.SeededStream):
        return stream.origin[1] is None
    return stream is None
