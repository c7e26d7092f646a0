"""Plans on one card, run as CUDA graphs: one call in place of one for each op.

A plan whose work all belongs to one card is captured after a few replays. The graph reads
its arguments from buffers of its own, into which they are copied, and variables where they
are. It gives new values of variables to their buffers at its end, when all is read. A call
looks whether the variables' buffers are where they were, and captures anew where one is
not; results are copied out, as the graph writes them again the next time. The capture goes
by stand-ins of the variables, which nobody else can see.

Plain replays take over where that is not possible: while another thread runs the graph,
while somebody else holds a buffer that it would write, while faults are injected, and for
good where a capture fails. Recorders and tapes never meet a graph: for them a plan keeps
every value, which is another program.
"""

import contextlib
import logging
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tensorvar import _fork, errors
from tensorvar._backend import faults, memory_ledger
from tensorvar._backend.base import Array
from tensorvar._core import variable_write
from tensorvar._device import switches
from tensorvar._device.device import Device
from tensorvar._function import events, lowering, steps
from tensorvar._function.events import Event
from tensorvar._function.tree import Node

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

_logger = logging.getLogger('tensorvar.kernels')

WARM_UP = 2
"""Plain replays before the capture: they compile and choose kernels."""

FEWEST = 4
"""Ops and writes below which a graph saves nothing."""

MOST_CAPTURES = 8
"""How often one plan is captured because a variable has moved."""

MOST_GRAPHS = 64
"""How many there are at once; the one that was not used for longest goes."""

# Their kernels report to the host, once for each launch that they know of.
_PLAIN_KERNELS = frozenset({'MatMul', 'BatchMatMulV2', 'BatchMatMul'})


class _Captured(NamedTuple):
    """A graph and what it is tied to.

    Attributes:
        graph: the graph.
        places: addresses and shapes of the variables' buffers.
        inputs: where the arguments go; None for those that are not used.
        results: what the graph writes for the caller.
        empty: makes arrays of the card.
    """

    graph: Any
    places: tuple[tuple[int, tuple[int, ...]], ...]
    inputs: tuple[Array | None, ...]
    results: tuple[Array, ...]
    empty: Callable[..., Array]


class _NoCaptureError(Exception):
    """The plan is not what it was; nothing is wrong with it."""


class _StandIn:
    """Stands for a variable while a graph is captured.

    Args:
        variable: the variable.
        array: its buffer.
    """

    __slots__ = ('_array', '_concrete', '_device', '_lock', '_version')

    def __init__(self, variable: 'Variable', array: Array) -> None:
        self._array = array
        self._concrete = variable._concrete
        self._device = variable._device
        self._lock = contextlib.nullcontext()
        self._version = 0

    def _read(self) -> Array:
        return self._array

    def _located(self) -> tuple[Array, Device]:
        return self._array, self._device


def device_of(node: Node) -> Device | None:
    """The card to which all work of a whole plan belongs, or None."""
    if node.parent is not None or node.point is not None or node.outputs is None:
        return None
    places = {id(place): place for event in node.events for place in _places(event)}
    places |= {id(output.device): output.device for output in node.outputs.tensors}
    work = [event for event in node.events if isinstance(event, events.Op | events.Write)]
    if len(places) != 1 or len(work) < FEWEST:
        return None
    [place] = places.values()
    return place if place is not None and place.backend.captures else None


def _places(event: Event) -> Sequence[Device | None]:
    """The devices of an event; None is one of them if no graph can do it."""
    if isinstance(event, events.Check):
        # Of constants, or of values that are then copied, which no graph does.
        return ()
    if isinstance(event, events.Read):
        return (event.home, event.device)
    if isinstance(event, events.Write):
        return (event.device if event.op.name in lowering.WRITES else None,)
    if not isinstance(event, events.Op) or event.op.stateful or event.has_unknown_shape:
        return (None,)
    if event.op.kernel is not None and event.op.name not in _PLAIN_KERNELS:
        return (None,)
    return (event.device,)


class GraphedRun:
    """The program of a plan, as ``Program.run``.

    Args:
        run: the generated function.
        node: the only one of the plan.
        device: the card.
        variables: what the function calls ``v``.
    """

    def __init__(
        self,
        run: Callable[..., Any],
        node: Node,
        device: Device,
        variables: 'Sequence[weakref.ref[Variable]]',
    ) -> None:
        self._run = run
        # An error is looked for in the frames of this code.
        self.__code__ = run.__code__
        self._device = device
        self._arguments = node.arguments
        used = {slot for event in node.events for slot in event.inputs}
        assert node.outputs is not None
        used.update(output.slot for output in node.outputs.tensors)
        self._used = [slot in used for slot in range(len(node.arguments))]
        written = [id(event.variable) for event in node.events if isinstance(event, events.Write)]
        self._writes = [written.count(id(reference)) for reference in variables]
        self._written = [place for place, count in enumerate(self._writes) if count]
        self._turns = 0
        self._captures = 0
        self._captured: _Captured | None = None
        self._lock = threading.Lock()
        _all.add(self)

    def __call__(
        self, s: list[Array], v: 'Sequence[Variable]', b: tuple[Array, ...], state: Any
    ) -> Any:
        """The results; see ``segment``."""
        self._turns += 1
        if self._turns <= WARM_UP or self._captures > MOST_CAPTURES:
            return self._run(s, v, b, state)
        # With a switch on, ops look at values, or somebody listens to them.
        if faults.armed or switches.flags:
            return self._run(s, v, b, state)
        if not self._lock.acquire(blocking=False):
            return self._run(s, v, b, state)
        try:
            results = self._by_graph(s, v, b, state)
        finally:
            self._lock.release()
        return self._run(s, v, b, state) if results is None else results

    @property
    def state(self) -> str:
        """What has become of it, for printed plans."""
        if self._captures > MOST_CAPTURES:
            return 'no CUDA graph: it could not be captured, or its variables moved too often'
        return 'a CUDA graph' if self._captured is not None else 'no CUDA graph yet'

    @property
    def nbytes(self) -> int:
        """Bytes that the graph keeps."""
        captured = self._captured
        if captured is None:
            return 0
        buffers = (each for each in captured.inputs if each is not None)
        return int(captured.graph.nbytes) + sum(int(each.nbytes) for each in buffers)

    def stay_plain(self) -> None:
        """Has all further replays be plain ones."""
        self._captures = MOST_CAPTURES + 1

    def release(self, device: str) -> int:
        """Gives the graph up if it is idle and on a device; tells how many bytes it kept."""
        if self._device.short != device or not self._lock.acquire(blocking=False):
            return 0
        try:
            nbytes = self.nbytes
            self._captured = None
        finally:
            self._lock.release()
        return nbytes

    def renew(self) -> None:
        """Gives the graph up without calling CUDA, in a forked child."""
        self._lock = threading.Lock()
        _abandoned.append(self._captured)
        self._captured = None

    def _by_graph(
        self, s: list[Array], v: 'Sequence[Variable]', b: tuple[Array, ...], state: Any
    ) -> tuple[Array, ...] | None:
        """The results of a launch; None if there was none."""
        arrays = [variable._array for variable in v]
        if any(held is None for held in arrays):
            # Another thread is writing it.
            return None
        if any(variable._device is not self._device for variable in v):
            return None
        places = tuple([(held.data.ptr, held.shape) for held in arrays])
        captured = self._captured
        if captured is None or captured.places != places:
            captured = self._captured = None
            # The variable itself is one more that holds it. Looked at again at the launch.
            if all(_held(arrays, place) == _ALONE + 1 for place in self._written):
                captured = self._capture(s, v, b, state, arrays, places)
        if captured is None:
            return None
        _recent(self)
        return self._launched(captured, s, v, arrays)

    def _launched(
        self, captured: _Captured, s: list[Array], v: 'Sequence[Variable]', arrays: list[Array]
    ) -> tuple[Array, ...] | None:
        call = self._device.backend.call
        try:
            # All that can fail comes before the graph changes a variable.
            fresh: list[Array] = call(_prepared, captured, s)
        except errors.ResourceExhaustedError:
            # A plain replay says at which op, and asks for less at once.
            return None
        begun = False
        while variable_write._forking:
            variable_write._wait_for_fork()
        try:
            for place in self._written:
                v[place]._array = None
            if all(_held(arrays, place) == _ALONE for place in self._written):
                begun = True
                call(_launch, captured, fresh)
        finally:
            for place in self._written:
                # A count too many costs a copy, one too few a wrong value.
                v[place]._version += self._writes[place] * begun
                v[place]._array = arrays[place]
        return tuple(fresh) if begun else None

    def _capture(
        self,
        s: list[Array],
        v: 'Sequence[Variable]',
        b: tuple[Array, ...],
        state: Any,
        arrays: list[Array],
        places: tuple[tuple[int, tuple[int, ...]], ...],
    ) -> _Captured | None:
        backend = self._device.backend
        self._captures += 1
        inputs = tuple(
            backend.empty(*spec) if used else None
            for spec, used in zip(self._arguments, self._used, strict=True)
        )
        values = [*inputs, *s[len(inputs) :]]
        stand_ins = [_StandIn(variable, array) for variable, array in zip(v, arrays, strict=True)]
        written = self._written

        def record() -> tuple[Array, ...]:
            results = self._run(values, stand_ins, b, state)
            if isinstance(results, steps.Moved):
                raise _NoCaptureError
            # What the caller gets must not change with the variables.
            theirs = {id(arrays[place].data.mem) for place in written}
            results = tuple(
                backend.copy(each) if id(each.data.mem) in theirs else each for each in results
            )
            for place in written:
                new = stand_ins[place]._array
                if new is not arrays[place]:
                    backend.call(backend.array_module.copyto, arrays[place], new)
            return results

        try:
            graph, results = backend.capture(record)
        except (_NoCaptureError, errors.ResourceExhaustedError):
            return None
        except (errors.OpError, RuntimeError, ValueError, TypeError) as error:
            self.stay_plain()
            line = str(error).partition('\n')[0]
            _logger.info('a plan on %s stays without a graph: %s', self._device.short, line)
            return None
        self._captured = _Captured(graph, places, inputs, results, backend.array_module.empty)
        return self._captured


def _prepared(captured: _Captured, s: list[Array]) -> list[Array]:
    """Brings the arguments to the graph; gives places for the results."""
    for buffer, argument in zip(captured.inputs, s, strict=False):
        if buffer is not None:
            buffer[...] = argument
    return [captured.empty(each.shape, each.dtype) for each in captured.results]


def _launch(captured: _Captured, fresh: Sequence[Array]) -> None:
    captured.graph.launch()
    for result, written in zip(fresh, captured.results, strict=True):
        result[...] = written


def _held(arrays: Sequence[Array], place: int) -> int:
    """How many references there are to an array of a list."""
    return sys.getrefcount(arrays[place])


_ALONE = _held([object()], 0)
"""What it is for an array that only the list holds."""


_all: 'weakref.WeakSet[GraphedRun]' = weakref.WeakSet()
_used_lately: 'OrderedDict[int, weakref.ref[GraphedRun]]' = OrderedDict()
_used_lock = threading.Lock()

_abandoned: list[_Captured | None] = []
"""What a forked child inherited: kept, as destroying it would call CUDA."""


def runs() -> list[GraphedRun]:
    """The programs that are graphs, or may become some."""
    return list(_all)


def _recent(run: GraphedRun) -> None:
    """Notes the use of a graph, and gives one up that was not used for long."""
    number = id(run)
    oldest: weakref.ref[GraphedRun] | None = None
    with _used_lock:
        _used_lately.pop(number, None)
        _used_lately[number] = weakref.ref(run)
        if len(_used_lately) > MOST_GRAPHS:
            _, oldest = _used_lately.popitem(last=False)
    idle = None if oldest is None else oldest()
    if idle is not None:
        idle.release(idle._device.short)


def _release(device: str, missing: int) -> int:
    freed = 0
    for run in runs():
        if freed >= missing > 0:
            break
        freed += run.release(device)
    return freed


memory_ledger.register_reclaimer(memory_ledger.Stage.IDLE_PLANS, _release)


@_fork.in_child
def _renew_all() -> None:
    global _used_lock
    _used_lock = threading.Lock()
    for run in runs():
        run.renew()
