"""Turns a node of the tree into straight-line Python code.

``s`` is the list of all values of the call, by slot; a value stays there while a re-run
may need it. ``v`` are the variables, ``b`` the buffers kept between calls, ``state`` the
current scopes. The code is generated because a call per step through a table would
cost as much as a small NumPy operation itself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._function import buffers, cross_entropy, events, liveness, lowering, steps
from tensorvar._function.events import Event, Op
from tensorvar._function.tree import Node

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


_LOSSES = 'SparseSoftmaxCrossEntropyWithLogits'
_SLOPE = 'SparseSoftmaxCrossEntropyBackprop'


class Program(NamedTuple):
    """The code of a node.

    Attributes:
        run: the generated function.
        source: its text.
        positions: by line of the text, which event it does.
        kept: before which event all values stay in ``s``.
        variables: what ``v`` is made of.
        new_buffers: makes ``b``.
        spare: sets of buffers that no call uses now; None where there are no buffers.
        template: what is appended to ``s`` before the run.
    """

    run: Callable[..., Any]
    source: str
    positions: list[int]
    kept: int
    variables: 'tuple[ref[Variable], ...]'
    new_buffers: Callable[[], tuple[Array, ...]]
    spare: list[tuple[Array, ...]] | None
    template: list[Array | None]

    def position(self, error: BaseException) -> int | None:
        """The event that raised an error, or None if it came from elsewhere."""
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code is self.run.__code__:
                return self.positions[traceback.tb_lineno - 1]
            traceback = traceback.tb_next
        return None


def compile_node(node: Node) -> Program:
    """The code of a node."""
    return _Writer(node).program()


class _Writer:
    """Writes the code of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._kept = liveness.last_kept(node)
        self._lines: list[str] = []
        self._positions: list[int] = []
        self._names: dict[int, int] = {}
        self._globals: dict[str, Any] = {
            'asarray': np.asarray, 'MOVED': steps.MOVED, 'write': steps.write,
            'write_by': steps.write_by, 'replica': steps.replica, 'copied': steps.copied,
            'one_result': steps.one_result, 'results_of': steps.results_of,
            'stream': steps.stream, 'losses': cross_entropy.losses,
            'slope': cross_entropy.slope,
        }  # fmt: skip
        self._objects: dict[int, str] = {}
        self._variables: list[ref[Variable]] = []
        self._numbers: dict[int, int] = {}
        self._local: set[int] = set()
        # Exponentials that the slope of a cross entropy may use, by logits and labels.
        self._shared: dict[tuple[int, ...], int] = {}
        self._buffers = buffers.Buffers()
        self._specs: dict[int, Any] = {}
        self._constants: dict[int, Array] = {}
        for each in node.path():
            self._specs.update(enumerate(each.arguments))
            for offset, spec in enumerate(each.specs):
                self._specs[each.first_slot + offset] = spec
                value = each.values[offset]
                if value is not None:
                    self._constants[each.first_slot + offset] = value

    def program(self) -> Program:
        needed = liveness.needed_events(self._node, self._kept)
        todo = [
            (position, event)
            for position, event in enumerate(self._node.events)
            if needed[position] and not self._is_folded(event)
        ]
        todo = [entry for entry in todo if not self._is_renamed(*entry)]
        deaths = liveness.deaths(self._node, todo, self._names)
        outputs = self._node.outputs.tensors if self._node.outputs else ()
        if self._node.point is None:
            self._buffers.plan(
                todo, [self._canonical(o.slot) for o in outputs], self._canonical, self._kept
            )
        self._write_head(todo)
        if self._kept < 0:
            self._forget()
        for position, event in todo:
            self._write_event(position, event)
            if position == self._kept and self._node.point is None:
                self._forget()
            self._free(position, deaths.get(position, ()))
        returned = ', '.join(self._name(o.slot) for o in outputs)
        self._emit(len(self._node.events), f'return ({returned}{"," if outputs else ""})')
        return self._compiled()

    def _compiled(self) -> Program:
        head = ['def segment(s, v, b, state):']
        if self._buffers.count:
            names = ', '.join(f'b{number}' for number in range(self._buffers.count))
            head.append(f'    {names}, = b')
        source = '\n'.join([*head, *self._lines, ''])
        code = compile(source, '<plan of tv.function>', 'exec')
        exec(code, self._globals)
        return Program(
            self._globals.pop('segment'),
            source,
            [0] * len(head) + self._positions,
            self._kept,
            tuple(self._variables),
            self._buffers.make,
            [] if self._buffers.count else None,
            list(self._node.values),
        )

    # Names.

    def _canonical(self, slot: int) -> int:
        return self._names.get(slot, slot)

    def _is_folded(self, event: Event) -> bool:
        return bool(event.outputs) and all(slot in self._constants for slot in event.outputs)

    def _is_renamed(self, position: int, event: Event) -> bool:
        """Whether the result is a value that is there already; only where nothing is kept."""
        if position < self._kept or not isinstance(event, Op) or event.detached:
            return False
        same = event.op.name in lowering.SAME_VALUE
        if event.op.name == 'Reshape':
            same = self._specs[event.inputs[0]] == self._specs[event.outputs[0]]
        if same and liveness.on_numpy(event.device):
            self._names[event.outputs[0]] = self._canonical(event.inputs[0])
        return event.outputs[0] in self._names if event.outputs else False

    def _name(self, slot: int) -> str:
        slot = self._canonical(slot)
        if slot in self._constants:
            return self._object(self._constants[slot], 'c')
        return f's{slot}'

    def _object(self, value: Any, letter: str) -> str:
        name = self._objects.get(id(value))
        if name is None:
            name = self._objects[id(value)] = f'{letter}{len(self._objects)}_'
            self._globals[name] = value
        return name

    def _variable(self, variable: Any) -> str:
        # By identity: weak references compare by what they refer to.
        number = self._numbers.setdefault(id(variable), len(self._variables))
        if number == len(self._variables):
            self._variables.append(variable)
        return f'v{number}'

    # Lines.

    def _emit(self, position: int, line: str) -> None:
        self._lines.append(f'    {line}')
        self._positions.append(position)

    def _write_head(self, todo: list[tuple[int, Event]]) -> None:
        """Checks the variables, reads those not yet written, and loads older values."""
        checked: dict[int, tuple[str, str, tuple[int, ...]]] = {}
        reads: list[str] = []
        written: set[int] = set()
        for _, event in todo:
            if isinstance(event, events.Read):
                checked.setdefault(id(event.variable), self._check_of(event))
                if id(event.variable) not in written and event.home is event.device:
                    name = self._variable(event.variable)
                    reads.append(f's{event.outputs[0]} = {name}._array')
                    reads.append(
                        f'if s{event.outputs[0]} is None: s{event.outputs[0]} = {name}._read()'
                    )
                    self._local.add(event.outputs[0])
            elif isinstance(event, events.Write):
                checked.setdefault(id(event.variable), self._check_of(event))
                written.add(id(event.variable))
        if self._variables:
            names = ', '.join(f'v{position}' for position in range(len(self._variables)))
            self._emit(0, f'{names}, = v')
        for line in reads:
            self._emit(0, line)
        for name, device, shape in checked.values():
            self._emit(
                0, f'if {name}._device is not {device} or {name}._concrete != {shape}: return MOVED'
            )
        first = self._node.first_slot
        used = {self._canonical(slot) for _, event in todo for slot in event.inputs}
        used |= {self._canonical(o.slot) for o in (self._node.outputs or ((), ()))[1]}
        for slot in sorted(used):
            if slot < first and slot not in self._constants:
                self._emit(0, f's{slot} = s[{slot}]')
                self._local.add(slot)

    def _check_of(self, event: events.Read | events.Write) -> tuple[str, str, tuple[int, ...]]:
        if isinstance(event, events.Write):
            home, shape = event.device, event.shape
        else:
            home, shape = event.home, self._specs[event.outputs[0]][0]
        return self._variable(event.variable), self._object(home, 'd'), shape

    def _write_event(self, position: int, event: Event) -> None:
        if isinstance(event, Op):
            self._write_op(position, event)
        elif isinstance(event, events.Read):
            self._write_read(position, event)
        elif isinstance(event, events.Copy):
            source, device = self._object(event.source, 'd'), self._object(event.device, 'd')
            self._emit(
                position,
                f's{event.outputs[0]} = copied({self._name(event.inputs[0])}, {source}, {device}, '
                f'{event.need!r}, state)',
            )
        elif isinstance(event, events.Write):
            self._write_write(position, event)
        for slot in event.outputs:
            self._local.add(slot)
            if position < self._kept:
                self._emit(position, f's[{slot}] = s{slot}')

    def _write_read(self, position: int, event: events.Read) -> None:
        slot, name = event.outputs[0], self._variable(event.variable)
        if event.home is not event.device:
            device = self._object(event.device, 'd')
            self._emit(position, f's{slot} = replica({name}, {device}, {event.need!r}, state)')
        elif slot not in self._local:
            self._emit(position, f's{slot} = {name}._read()')

    def _write_write(self, position: int, event: events.Write) -> None:
        name = self._variable(event.variable)
        values = [self._name(slot) for slot in event.inputs]
        ufunc = lowering.WRITES.get(event.op.name)
        if ufunc is not None and event.shape and liveness.on_numpy(event.device):
            self._emit(position, f'write_by({name}, {self._object(ufunc, "f")}, {values[0]})')
            return
        op, backend = self._object(event.op, 'o'), self._object(event.device.backend, 'k')
        attributes = self._object(event.attributes, 'a')
        self._emit(position, f'write({name}, {op}, {attributes}, {backend}, {", ".join(values)})')

    def _write_op(self, position: int, event: Op) -> None:
        if event.op.name in (_LOSSES, _SLOPE) and self._write_cross_entropy(position, event):
            return
        lowered = lowering.LOWERINGS.get(event.op.name)
        call = None
        if lowered is not None and liveness.on_numpy(event.device) and not event.detached:
            specs = [self._specs[slot] for slot in event.inputs]
            names = [self._name(slot) for slot in event.inputs]
            call = lowered(event, names, specs, self._specs[event.outputs[0]])
        if call is None:
            self._buffers.follow(event)
            self._write_forward(position, event)
            return
        slot, function = event.outputs[0], self._object(call.function, 'f')
        shape, dtype = self._specs[slot]
        last = '' if call.last is None else f', {self._object(call.last, "c")}'
        text = f'{function}({call.arguments}{last}{call.keywords}'
        buffer = None
        if self._node.point is None:
            buffer = self._buffers.place(position, event, shape, dtype, call.in_place)
        if buffer is not None:
            self._emit(position, f's{slot} = {text}, out=b{buffer})')
        elif shape:
            self._emit(position, f's{slot} = {text})')
        else:
            self._emit(position, f's{slot} = asarray({text}))')

    def _write_cross_entropy(self, position: int, event: Op) -> bool:
        """Writes the losses or their slope with shared exponentials, if that is possible."""
        logits = self._specs[event.inputs[0]]
        if not liveness.on_numpy(event.device) or len(logits[0]) != 2 or not logits[0][0]:
            return False
        if logits[1] not in lowering.REAL:
            return False
        inputs = tuple(map(self._canonical, event.inputs))
        slot = event.outputs[0]
        if event.op.name == _SLOPE:
            shared = self._shared.pop(inputs, None)
            if shared is not None:
                self._emit(position, f's{slot} = slope(e{shared})')
            return shared is not None
        self._shared[inputs] = slot
        begins = self._object(cross_entropy.offsets(*logits[0]), 'c')
        names = ', '.join(map(self._name, event.inputs))
        forward = self._object(event.op.forward, 'f')
        self._emit(position, f's{slot}, e{slot} = losses({names}, {begins}, {forward})')
        return True

    def _write_forward(self, position: int, event: Op) -> None:
        """The op's own forward, as the executor calls it."""
        backend = event.device.backend
        kept_backend = self._object(backend, 'k')
        xp = self._object(backend.array_module, 'x')
        forward = self._object(event.op.forward, 'f')
        names = [xp, *(self._name(slot) for slot in event.inputs)]
        for key, value in event.attributes.items():
            text = f'{self._object(value, "a")}'
            if key == events.STREAM:
                text = f'stream({event.op.name!r}, {text})'
            names.append(f'{key}={text}')
        if liveness.on_numpy(event.device):
            call = f'{forward}({", ".join(names)})'
        else:
            call = f'{kept_backend}.call({forward}, {", ".join(names)})'
        slots = ', '.join(f's{slot}' for slot in event.outputs)
        if len(event.outputs) == 1 and not event.detached:
            self._emit(position, f'{slots} = one_result({call}, {kept_backend})')
        else:
            text = f'results_of({call}, {kept_backend}, {event.detached})'
            self._emit(position, f'{slots}{"," if slots else "_"} = {text}')

    def _forget(self) -> None:
        """From here on nothing can need a re-run: values die when they are last used."""
        self._emit(max(self._kept, 0), 's.clear()')

    def _free(self, position: int, slots: Any) -> None:
        dead = [f's{slot}' for slot in sorted(slots) if slot in self._local]
        if dead:
            self._emit(position, f'del {", ".join(dead)}')
            self._local.difference_update(slots)
