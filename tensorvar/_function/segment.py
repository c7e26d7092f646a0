"""Turns a node of the tree into straight-line Python code.

A node first reads its variables and sees whether they are where they were. If no variable
at all has moved since it last looked (``moves.count``), one comparison says so.

``s`` is the list of all values of the call, by slot: those of the nodes before, and after
the node those that later nodes, a re-run or tapes need. While a node runs its values are
local names, ``s7`` for slot 7; if it fails they are found by these. ``v`` are the
variables, ``b`` the buffers kept between calls, ``state`` the current scopes. The code is
generated because a call per step through a table would cost as much as a small NumPy
operation itself.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from tensorvar._backend import host_pieces
from tensorvar._backend.base import Array
from tensorvar._core import moves
from tensorvar._function import (
    chains,
    cross_entropy,
    epilogues,
    events,
    flat_writes,
    graphs,
    inline_write,
    liveness,
    lowering,
    steps,
)
from tensorvar._function.buffers import Buffers
from tensorvar._function.code import Code
from tensorvar._function.events import Event, Op
from tensorvar._function.op_code import OpWriter
from tensorvar._function.tree import Node
from tensorvar._function.values import Values

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class Program(NamedTuple):
    """The code of a node.

    Attributes:
        run: the generated function.
        source: its text.
        positions: by line of the text, which event it does; -1 before all.
        kept: before which event all values stay in ``s``.
        variables: what ``v`` is made of.
        new_buffers: makes ``b``.
        spare: sets of buffers that no call uses now; None where there are no buffers.
        template: what is appended to ``s`` before the run.
        left_out: ops whose values no array holds; see ``chains``.
        begins: by event where a re-run begins after an error in it, if not with that event.
    """

    run: Callable[..., Any]
    source: str
    positions: list[int]
    kept: int
    variables: 'tuple[ref[Variable], ...]'
    new_buffers: Callable[[], tuple[Array, ...]]
    spare: list[tuple[Array, ...]] | None
    template: list[Array | None]
    left_out: list[tuple[int, Op]]
    begins: dict[int, int]

    def take_buffers(self) -> tuple[Array, ...]:
        """A set of buffers that no other call uses."""
        try:
            return self.spare.pop() if self.spare else self.new_buffers()
        except IndexError:
            # Another thread has taken the last one in between.
            return self.new_buffers()

    def stop(self, error: BaseException, values: list[Array | None]) -> int | None:
        """Where an error stopped it, with the values so far put into their slots.

        Args:
            error: what was raised.
            values: by slot.

        Returns:
            The event from which a re-run begins, or, where no values are left for one, the
            event that raised it; None if it came from elsewhere.
        """
        traceback = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if frame.f_code is self.run.__code__:
                # What comes before the events is done again with the first.
                position = max(self.positions[traceback.tb_lineno - 1], 0)
                if position <= self.kept:
                    position = self.begins.get(position, position)
                    for name, value in frame.f_locals.items():
                        if name[0] == 's' and name[1:].isdigit():
                            values[int(name[1:])] = value
                    chains.fill_in(self.left_out, position, values)
                return position
            traceback = traceback.tb_next
        return None


def compile_node(node: Node) -> Program:
    """The code of a node; on a card it becomes a graph after a while."""
    program = _Writer(node).program()
    device = graphs.device_of(node)
    if device is None:
        return program
    return program._replace(run=graphs.GraphedRun(program.run, node, device, program.variables))


def compile_whole(node: Node) -> Program:
    """The code of a node that keeps every value, and none in a buffer of the plan."""
    return _Writer(node, whole=True).program()


def compile_part(node: Node) -> Program:
    """The code of a part, of which no re-run ever gets values back."""
    return _Writer(node, kept=-1).program()


class _Writer:
    """Writes the code of one node."""

    def __init__(self, node: Node, whole: bool = False, kept: int | None = None) -> None:
        self._node = node
        self._kept = liveness.last_kept(node) if kept is None else kept
        if whole:
            self._kept = len(node.events)
        # What comes after the node, or a tape, gets all values.
        self._stores = whole or node.point is not None
        self._code = Code({
            **inline_write.NAMES, 'MOVED': steps.MOVED, 'write': steps.write,
            'replica': steps.replica, 'copied': steps.copied, 'one_result': steps.one_result,
            'results_of': steps.results_of, 'stream': steps.stream,
            'losses': cross_entropy.losses, 'slope': cross_entropy.slope,
            'moves': moves,
            'seen': [None],
        })  # fmt: skip
        self._values = Values(node)
        self._buffers = None if self._stores else Buffers()
        self._ops = OpWriter(self._code, self._values, self._buffers)
        self._local: set[int] = set()
        self._used: set[int] = set()
        self._left_out: list[tuple[int, Op]] = []
        self._begins: dict[int, int] = {}
        # The lines of writes that are done with the first of them.
        self._together: dict[int, list[str]] = {}
        # Values that died before a re-run could be excluded.
        self._dead: set[int] = set()

    def program(self) -> Program:
        needed = liveness.needed_events(self._node, self._kept)
        todo = [
            (position, event)
            for position, event in enumerate(self._node.events)
            if needed[position] and not self._values.is_folded(event)
        ]
        todo = [entry for entry in todo if not self._values.rename(*entry, self._kept)]
        shared = self._values.share(todo)
        done = [entry for entry in todo if entry[0] not in shared]
        if not self._stores:
            done, todo = self._chained(done, todo, shared)
        deaths = liveness.deaths(self._node, done, self._values.names)
        outputs = self._node.outputs.tensors if self._node.outputs else ()
        if self._buffers is not None:
            canonical = self._values.canonical
            returned = [canonical(output.slot) for output in outputs]
            self._buffers.plan(done, returned, canonical, self._kept)
            joined = self._ops.join_products(done, self._kept)
            self._write_together(flat_writes.found(done, joined, canonical))
        self._used = {slot for _, event in done for slot in event.inputs}
        self._write_head(done)
        if self._kept < 0:
            self._forget()
        for position, event in todo:
            if position in shared:
                self._write_shared(position, event)
            else:
                self._write_event(position, event)
            if position == self._kept and self._node.point is None:
                self._forget()
            self._free(position, deaths.get(position, ()))
        if self._stores:
            self._store(todo)
        names = ', '.join(self._ops.name(output.slot) for output in outputs)
        self._code.emit(len(self._node.events), f'return ({names}{"," if outputs else ""})')
        return self._compiled()

    def _chained(
        self, done: list[tuple[int, Event]], todo: list[tuple[int, Event]], shared: dict[int, Event]
    ) -> tuple[list[tuple[int, Event]], list[tuple[int, Event]]]:
        """What is done, and that with equal events, with one event for ops that are fused."""
        outputs = self._node.outputs.tensors if self._node.outputs else ()
        canonical = self._values.canonical
        returned = [canonical(output.slot) for output in outputs]
        specs = self._values.specs
        products = epilogues.Finder(canonical, specs).find(done, returned)
        finder = chains.Finder(canonical, specs, self._values.constants)
        found = finder.find(products.todo, returned)
        fused = products.values | found.values
        # No array is there to be given a second name.
        unnamed = [
            (position, event)
            for position, event in todo
            if isinstance(event, Op)
            and position in shared
            and not fused.isdisjoint(map(canonical, event.outputs))
        ]
        left_out = [*products.left_out, *found.left_out, *unnamed]
        self._left_out = sorted(left_out, key=operator.itemgetter(0))
        equal = [entry for entry in todo if entry[0] in shared and entry not in unnamed]
        return found.todo, sorted([*found.todo, *equal], key=operator.itemgetter(0))

    def _compiled(self) -> Program:
        head = ['def segment(s, v, b, state):']
        count = 0 if self._buffers is None else self._buffers.count
        if count:
            head.append(f'    {", ".join(f"b{number}" for number in range(count))}, = b')
        run, source, positions = self._code.compiled(head, self._node.events)
        return Program(
            run,
            source,
            positions,
            self._kept,
            tuple(self._code.variables),
            tuple if self._buffers is None else self._buffers.make,
            [] if count else None,
            list(self._node.values),
            self._left_out,
            self._begins,
        )

    def _write_head(self, todo: list[tuple[int, Event]]) -> None:
        """Checks the variables, reads those not yet written, and loads older values."""
        checks: dict[int, str] = {}
        reads: list[str] = []
        again: list[str] = []
        written: set[int] = set()
        for _, event in todo:
            for access in events.accesses(event):
                name, where = self._code.variable(access.variable), self._place_of(access)
                differs = f'{name}._device is not {where} or {name}._concrete != {access.shape}'
                checks.setdefault(id(access.variable), f'if {differs}: return MOVED')
                if isinstance(access, events.Write):
                    written.add(id(access.variable))
            if not isinstance(event, events.Read) or event.home is not event.device:
                continue
            if id(event.variable) not in written:
                name, where = self._code.variable(event.variable), self._place_of(event)
                local = f's{event.outputs[0]}'
                reads.append(f'{local} = {name}._array')
                reads.append(f'if {local} is None: {local} = {name}._read()')
                again.append(f'{local}, place = {name}._located()')
                again.append(
                    f'if place is not {where} or {local}.shape != {event.shape}: return MOVED'
                )
                self._local.add(event.outputs[0])
        if checks:
            names = ', '.join(f'v{position}' for position in range(len(self._code.variables)))
            lines = [
                f'{names}, = v',
                'now = moves.count',
                *reads,
                'if now != seen[0] or moves.count != now:',
                *(f'    {line}' for line in (*again, *checks.values())),
                '    if now >= 0: seen[0] = now',
            ]
            for line in lines:
                self._code.emit(-1, line)
        first = self._node.first_slot
        used = {self._values.canonical(slot) for _, event in todo for slot in event.inputs}
        used |= {self._values.canonical(o.slot) for o in (self._node.outputs or ((), ()))[1]}
        for slot in sorted(used):
            if slot < first and slot not in self._values.constants:
                self._code.emit(-1, f's{slot} = s[{slot}]')
                self._local.add(slot)

    def _place_of(self, event: events.Read | events.Write) -> str:
        return self._code.object(
            event.home if isinstance(event, events.Read) else event.device, 'd'
        )

    def _write_event(self, position: int, event: Event) -> None:
        if isinstance(event, Op):
            self._ops.write(position, event)
        elif isinstance(event, events.Read):
            self._write_read(position, event)
        elif isinstance(event, events.Copy):
            value = self._ops.name(event.inputs[0])
            places = ', '.join(self._code.object(d, 'd') for d in (event.source, event.device))
            call = f'copied({value}, {places}, {event.need!r}, state)'
            self._code.emit(position, f's{event.outputs[0]} = {call}')
        elif isinstance(event, events.Check):
            values = ', '.join(self._ops.name(slot) for slot in event.inputs)
            self._code.emit(position, f'{self._code.object(event.check, "c")}({values})')
        elif isinstance(event, events.Write):
            self._write_write(position, event)
        elif isinstance(event, events.Composite):
            self._write_composite(position, event)
        elif isinstance(event, chains.Fused):
            self._write_fused(position, event)
        self._local.update(event.outputs)

    def _write_shared(self, position: int, event: Event) -> None:
        """Gives the results of an equal event a second name where somebody may ask for it."""
        if self._stores or position < self._kept:
            for slot in event.outputs:
                self._code.emit(position, f's{slot} = s{self._values.canonical(slot)}')
                self._local.add(slot)
                self._dead.add(slot)

    def _write_read(self, position: int, event: events.Read) -> None:
        slot, name = event.outputs[0], self._code.variable(event.variable)
        if event.home is not event.device:
            device = self._code.object(event.device, 'd')
            self._code.emit(position, f's{slot} = replica({name}, {device}, {event.need!r}, state)')
        elif slot not in self._local:
            self._code.emit(position, f's{slot} = {name}._read()')

    def _write_composite(self, position: int, event: events.Composite) -> None:
        values = ''.join(f'{self._ops.name(slot)}, ' for slot in event.inputs)
        slots = ''.join(f's{slot}, ' for slot in event.outputs) or '_'
        # Its last result is what a gradient needs of it; that can be much.
        keeps = self._stores or not self._used.isdisjoint(event.outputs[-1:])
        run = self._code.object(event.plan.run, 'p')
        self._code.emit(position, f'{slots} = {run}([{values}], state, {keeps})')
        if self._buffers is not None:
            self._buffers.follow(event)

    def _write_fused(self, position: int, event: chains.Fused) -> None:
        self._begins[position] = event.begin
        values = ', '.join(self._ops.name(slot) for slot in event.inputs)
        slots = ', '.join(f's{slot}' for slot in event.outputs)
        run = self._code.object(event.run, f'fused_{event.title}_')
        self._code.emit(position, f'{slots}, = {run}({values})')

    def _write_write(self, position: int, event: events.Write) -> None:
        if position in self._together:
            for line in self._together[position]:
                self._code.emit(position, line)
            return
        name = self._code.variable(event.variable)
        values = [self._ops.name(slot) for slot in event.inputs]
        if event.op.name in lowering.WRITES and liveness.on_numpy(event.device):
            write = lowering.WRITES[event.op.name]
            in_place, fresh = (text.format(value=values[0]) for text in write[:2])
            if math.prod(event.shape) * self._itemsize(event) >= host_pieces.LARGE:
                in_place = f'in_pieces({write.piece}, array, ({values[0]},)) or {in_place}'
            for line in inline_write.lines(name, in_place, fresh):
                self._code.emit(position, line)
            return
        op, backend = self._code.object(event.op, 'o'), self._code.object(event.device.backend, 'k')
        attributes = self._code.object(event.attributes, 'a')
        self._code.emit(
            position, f'write({name}, {op}, {attributes}, {backend}, {", ".join(values)})'
        )

    def _write_together(self, groups: Sequence[flat_writes.Group]) -> None:
        for group in groups:
            kinds = [self._values.specs[write.inputs[0]] for _, write in group.writes]
            memory = self._code.object(flat_writes.SideBySide(kinds), 'g')
            names = [self._code.variable(write.variable) for _, write in group.writes]
            self._together.update({position: [] for position, _ in group.writes})
            self._together[group.writes[0][0]] = group.lines(names, memory)

    def _itemsize(self, event: events.Write) -> int:
        size: int = self._values.specs[event.inputs[0]][1].itemsize
        return size

    def _forget(self) -> None:
        """From here on nothing can need a re-run: values die when they are last used."""
        self._code.emit(self._kept, 's.clear()')

    def _free(self, position: int, slots: Any) -> None:
        self._dead.update(slots)
        if position >= self._kept:
            dead = [f's{slot}' for slot in sorted(self._dead) if slot in self._local]
            if dead:
                self._code.emit(position, f'del {", ".join(dead)}')
            self._local -= self._dead
            self._dead.clear()

    def _store(self, todo: list[tuple[int, Event]]) -> None:
        """Puts the values of the node into their slots."""
        slots = [slot for _, event in todo for slot in event.outputs]
        if slots:
            places = ', '.join(f's[{slot}]' for slot in slots)
            names = ', '.join(f's{slot}' for slot in slots)
            self._code.emit(len(self._node.events), f'{places}, = {names},')
