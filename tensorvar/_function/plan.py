"""Replays what was traced: follows the tree as far as it goes."""

import dataclasses
import functools
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import index_reports
from tensorvar._device import call_site, listeners, registry, scope
from tensorvar._device.call_site import CallSite
from tensorvar._function import (
    comparison,
    events,
    liveness,
    locks,
    observed,
    prefix,
    results,
    segment,
    steps,
)
from tensorvar._function.events import Event
from tensorvar._function.last_call import Match
from tensorvar._function.segment import Program
from tensorvar._function.tree import Node, Outputs, Run, grow
from tensorvar._ops import generator_state, random_seed

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

State = scope.ContextState | None
Written = tuple['ref[Variable]', ...]


class Stop(NamedTuple):
    """A replay that came to a point that it does not know.

    Attributes:
        prefix: what it has done.
        follows: whether the rest of the run is worth writing down: a new branch is, an
            error is not.
        moved: whether a variable of the plan is gone, or no longer where it was.
    """

    prefix: prefix.Prefix
    follows: bool
    moved: bool = False


class Whole(NamedTuple):
    """What a replay gives that has kept all values.

    Attributes:
        values: arrays by slot.
        outputs: where the results go.
    """

    values: list[Array]
    outputs: Outputs


class Plan:
    """All that was seen of a function for one signature.

    Args:
        run: the first run.
        arguments: how many slots are arguments.
        notes_steps: see ``Trace``.

    Attributes:
        notes_steps: see there.
        match: recognises calls that it serves; made when the first is served.
    """

    def __init__(self, run: Run, arguments: int, notes_steps: bool = False) -> None:
        self.notes_steps = notes_steps
        self._arguments = arguments
        self.match: Match | None = None
        self._draws = False
        # Silences NumPy and words its errors; each step on another device has its own.
        self._call = registry.cpu().backend.call
        # The variables whose locks it takes, in their order.
        self._written: Written = ()
        # Does what ``replay`` does, at less cost; None where there are branches.
        self._straight: Callable[..., Any] | None = None
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
        # Before other threads can follow the new path, which needs its locks.
        self._learn(run.log)
        root = grow(root, run, self._arguments, segment.compile_node)
        self._straight = None
        if root.outputs is not None and not self._draws:
            give = results.giver(root.outputs)
            fail = functools.partial(_failed, root, self._call)
            handlers = locks.Handlers(give, fail, _moved)
            self._straight = locks.straight_run(root.program, self._written, handlers)
        return root

    def _learn(self, log: Sequence[Event]) -> None:
        """Learns what a path writes and draws."""
        written = list(self._written)
        for event in log:
            self._draws = self._draws or _draws_seed(event)
            written += _locked_by(event)
        found = locks.in_order(written)
        if len(found) > len(self._written):
            self._written = found

    @property
    def tapeable(self) -> bool:
        """Whether replays can tell tapes of the caller what they do."""
        return all(leaf.outputs is not None and leaf.outputs.notes for leaf in self.root.leaves())

    def replay(self, arrays: Sequence[Array], state: State) -> Any:
        """Runs the plan.

        Args:
            arrays: the arguments.
            state: the current scopes.

        Returns:
            The result of the function, or a ``Stop``.
        """
        straight = self._straight
        if straight is not None:
            return straight(arrays, state)
        return self._guarded(self._follow, arrays, state)

    def replay_whole(self, arrays: Sequence[Array], state: State) -> Whole | Stop:
        """Runs the plan and keeps all values, for recorders and tapes; recorders hear of it.

        Args:
            arrays: the arguments.
            state: the current scopes.
        """
        outcome: Whole | Stop = self._guarded(self._follow_whole, arrays, state)
        return outcome

    def _guarded(self, follow: Any, arrays: Sequence[Array], state: State) -> Any:
        """Follows the tree under the locks of all that it writes."""
        held = self._written
        variables = locks.living(held)
        if variables is None:
            return _moved()
        if not self._draws:
            return locks.under_locks(variables, self._call, follow, held, arrays, state)
        restore = random_seed.save_sequence()
        result = locks.under_locks(variables, self._call, follow, held, arrays, state)
        if isinstance(result, Stop):
            restore()
        return result

    def _follow(self, held: Written, arrays: Sequence[Array], state: State) -> Any:
        node = self.root
        values = list(arrays)
        log: list[Event] = []
        while True:
            program: Program = node.program
            values.extend(program.template)
            variables = locks.living(program.variables)
            buffers = program.take_buffers()
            try:
                given = (
                    steps.MOVED
                    if variables is None
                    else program.run(values, variables, buffers, state)
                )
            except Exception as error:
                stop = _stop(node, log, error, values)
                if stop is None:
                    raise
                return stop
            if isinstance(given, steps.Moved):
                return Stop(prefix.Prefix(log, values), follows=False, moved=True)
            if node.outputs is not None:
                if program.spare is not None:
                    program.spare.append(buffers)
                return results.rebuild(given, node.outputs)
            try:
                child = _next(node, log, values, state)
            except (errors.TransferError, index_reports.LateIndexError) as error:
                # The re-run words it.
                then = index_reports.restorer(error)
                return Stop(prefix.Prefix(log, values, then=then), False)
            # Another thread may have added a path which needs more locks than are held.
            if child is None or self._written is not held:
                return Stop(prefix.Prefix(log, values), True)
            node = child

    def _follow_whole(self, held: Written, arrays: Sequence[Array], state: State) -> Whole | Stop:
        node = self.root
        values = list(arrays)
        log: list[Event] = []
        heard = listeners.active(state)
        while True:
            values.extend(node.program.template)
            done = observed.run(node, values, state) if heard else _run_whole(node, values, state)
            if done == steps.GONE:
                return Stop(prefix.Prefix(log, values, heard), follows=False, moved=True)
            if done < len(node.events):
                log += node.events[:done]
                return Stop(prefix.Prefix(log, values, heard), follows=False)
            if node.outputs is not None:
                return Whole(values, node.outputs)
            try:
                child = _next(node, log, values, state)
            except errors.TransferError:
                return Stop(prefix.Prefix(log, values, heard), False)
            if child is None or self._written is not held or _is_untold(child, state):
                return Stop(prefix.Prefix(log, values, heard), True)
            node = child


def _failed(root: Node, call: Any, error: Exception, values: list[Array]) -> Stop | None:
    """Where an error has stopped a plan of one node.

    No method: a plan that is dropped goes at once, without the cycle collector.

    Args:
        root: the node.
        call: of the backend; words the error if it is NumPy's for want of memory.
        error: what was raised.
        values: by slot.

    Raises:
        Exception: the error, where nothing is to be done again.
    """
    stop = _stop(root, [], error, values)
    if stop is None:
        call(_raise, error)
    return stop


def _stop(
    node: Node, log: Sequence[Event], error: BaseException, values: list[Array]
) -> Stop | None:
    """Where an error has stopped a node, or None if the function cannot run again.

    Args:
        node: the node.
        log: what was done before it.
        error: what was raised.
        values: by slot.
    """
    program: Program = node.program
    position = program.stop(error, values)
    if position is None or _is_under_way(node, position):
        return None
    done = [*log, *node.events[:position]]
    if position > program.kept and any(map(liveness.has_effect, done)):
        return None
    if position > program.kept:
        # No values are left. That makes no difference where all can be computed again.
        done, values = [], []
    # The re-run meets the same failure and words the error.
    then = index_reports.restorer(error)
    return Stop(prefix.Prefix(done, values, then=then), follows=False)


def _is_untold(node: Node, state: State) -> bool:
    """Whether tapes could not be told of a path, which another thread has just added."""
    has_tapes = state is not None and bool(state.tapes)
    return has_tapes and node.outputs is not None and node.outputs.notes is None


def _is_under_way(node: Node, position: int) -> bool:
    """Whether a part of an event may be done, so that no re-run may do it again."""
    event = node.events[position]
    return isinstance(event, events.Composite) and liveness.has_effect(event)


def _run_whole(node: Node, values: list[Array], state: State) -> int:
    """Runs a node and keeps every value; gives how many events were done."""
    if node.whole is None:
        node.whole = segment.compile_whole(node)
    program: Program = node.whole
    variables = locks.living(program.variables)
    if variables is None:
        return steps.GONE
    try:
        moved = isinstance(program.run(values, variables, (), state), steps.Moved)
    except Exception as error:
        position = program.stop(error, values)
        if position is None or _is_under_way(node, position):
            raise
        index_reports.put_back(error)
        return position
    return steps.GONE if moved else len(node.events)


def _next(node: Node, log: list[Event], values: Sequence[Array], state: State) -> Node | None:
    """The node after a branch point, None for a new outcome; adds to the log."""
    assert node.point is not None
    log += node.events
    outcome = _outcome(node.point, values, state)
    log.append(dataclasses.replace(node.point, outcome=outcome))
    return node.children.get(outcome)


def _moved() -> Stop:
    return Stop(prefix.NOTHING, follows=False, moved=True)


def _raise(error: Exception) -> None:
    raise error


def _outcome(point: events.Point, values: Sequence[Array], state: State) -> Any:
    if isinstance(point, events.Shape):
        return tuple(values[slot].shape for slot in point.inputs)
    array = values[point.inputs[0]]
    if liveness.on_numpy(point.device):
        return comparison.outcome(array)
    return comparison.outcome(point.look.host(array, point.device, state))


def _line_of(frame: types.FrameType) -> CallSite | None:
    """The line of a look that is done."""
    if frame.f_code is not _outcome.__code__:
        return None
    point: events.Point = frame.f_locals['point']
    return point.where


call_site.replays(_outcome.__code__.co_filename, _line_of)


def _locked_by(event: Event) -> 'list[ref[Variable]]':
    """The variables whose locks a replay holds because of an event."""
    if isinstance(event, events.Op):
        stream = event.attributes.get(events.STREAM)
        if isinstance(stream, generator_state.StateStream):
            # The draw takes this lock itself; taken out of order, two plans could block.
            return [ref(stream._state)]
    return [each.variable for each in events.accesses(event) if isinstance(each, events.Write)]


def _draws_seed(event: Event) -> bool:
    """Whether an event takes a seed from the global sequence."""
    if not isinstance(event, events.Op) or events.STREAM not in event.attributes:
        return False
    stream = event.attributes[events.STREAM]
    if isinstance(stream, random_seed.SeededStream):
        return stream.origin[1] is None
    return stream is None
