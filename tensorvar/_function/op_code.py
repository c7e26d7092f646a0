"""Writes the code of ops: calls of NumPy where there are some, else the op's own forward."""

import functools
import math
from typing import Any

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._core import device_kernels, host_large
from tensorvar._function import cross_entropy, events, fusion, liveness, lowering, spreading
from tensorvar._function.buffers import Buffers, Joined
from tensorvar._function.code import Code
from tensorvar._function.events import Event, Op
from tensorvar._function.values import Values

_LOSSES = 'SparseSoftmaxCrossEntropyWithLogits'
_SLOPE = 'SparseSoftmaxCrossEntropyBackprop'
_NAMED_RESULT = (np.maximum, np.minimum)


class OpWriter:
    """Writes the ops of one node.

    Args:
        code: gets the lines.
        values: of the node.
        buffers: gives buffers for results; None where every result is an own array.
    """

    def __init__(self, code: Code, values: Values, buffers: Buffers | None) -> None:
        self._code = code
        self._values = values
        self._buffers = buffers
        # What the slope of a cross entropy may use, by logits and labels.
        self._shared: dict[tuple[int, ...], str] = {}
        # Products that are done by one call, which stands where the first was.
        self._products: dict[int, tuple[fusion.Product, str]] = {}
        self._spread: dict[tuple[int, Any], Array] = {}
        # By result and operand the buffer in which the operand is spread.
        self._tiles: dict[tuple[int, int], str] = {}

    def name(self, slot: int) -> str:
        """The name of a value."""
        slot = self._values.canonical(slot)
        if slot in self._values.constants:
            return self._code.object(self._values.constants[slot], 'c')
        return f's{slot}'

    def join_products(
        self, todo: list[tuple[int, Event]], kept: int
    ) -> list[tuple[Joined, list[int]]]:
        """Puts values that are multiplied by one number side by side.

        Args:
            todo: the events with their positions.
            kept: up to which event all values must stay whole.

        Returns:
            The flat buffers, with the slots of the products in their parts.
        """
        buffers = self._buffers
        assert buffers is not None
        found = []

        def placed(event: Op) -> bool:
            return not buffers.leaves(event.outputs[0]) and self._lowered(event) is not None

        for group in fusion.scaled_together(
            todo, kept, self._values.canonical, self._values.constants, self._values.specs, placed
        ):
            kinds = [self._values.specs[product.value] for product in group]
            slots = [(product.value, product.event.outputs[0]) for product in group]
            joined = buffers.join(slots, kinds)
            number, times = self.name(group[0].number), self._code.object(np.multiply, 'f')
            for product in group:
                self._products[product.position] = product, ''
            call = f'{times}({number}, b{joined.flat}, b{joined.flat})'
            self._products[group[0].position] = group[0], call
            found.append((joined, [product.event.outputs[0] for product in group]))
        return found

    def write(self, position: int, event: Op) -> None:
        """Writes one op."""
        if event.op.name in (_LOSSES, _SLOPE) and self._cross_entropy(position, event):
            return
        if position in self._products:
            self._product(position, event)
            return
        call = self._lowered(event)
        if call is None:
            if self._buffers is not None:
                self._buffers.follow(event)
            self._forward(position, event)
            return
        if self._is_cut(event):
            call = self._cut(event, call)
        elif self._spread_operands(position, event):
            call = self._lowered(event) or call
        function = self._code.object(call.function, 'f')
        arguments = [call.arguments]
        if call.last is not None:
            arguments.append(self._code.object(call.last, 'c'))
        if self._buffers is not None:
            arguments += [f'b{n}' for n in self._buffers.scratch(position, call.scratch)]
        text = f'{function}({", ".join(arguments)}{call.keywords}'
        # By place it takes less time, which NumPy does not want of some.
        by_place = isinstance(call.function, np.ufunc) and call.function not in _NAMED_RESULT
        self._result(position, event, text, call.in_place, '' if by_place else 'out=')

    def _lowered(self, event: Op) -> lowering.Call | None:
        """A call of NumPy for an op, or None if its forward has to do it."""
        lower = lowering.LOWERINGS.get(event.op.name)
        if lower is None or event.detached or not liveness.on_numpy(event.device):
            return None
        if event.outputs[0] in self._values.permuted:
            # The forward gives it the order that an eager run has.
            return None
        specs = [self._values.specs[slot] for slot in event.inputs]
        names = [self._operand(event, slot) for slot in event.inputs]
        return lower(event, names, specs, self._values.specs[event.outputs[0]])

    def _is_cut(self, event: Op) -> bool:
        """Whether an op has arrays so large that it runs in pieces."""
        if not event.op.grain or not liveness.on_numpy(event.device):
            return False
        nbytes = max(_nbytes(self._values.specs[slot]) for slot in event.inputs)
        return host_large.is_worth_a_cut(event.op, nbytes)

    def _cut(self, event: Op, call: lowering.Call) -> lowering.Call:
        """The same call in pieces; what lies between its steps is as short as they are."""
        result = self._values.specs[event.outputs[0]]
        last = () if call.last is None else (call.last,)
        function = host_large.call_of(event.op, result, call.function, last)
        return call._replace(function=function, last=None, scratch=())

    def _product(self, position: int, event: Op) -> None:
        product, call = self._products[position]
        if call:
            self._code.emit(position, call)
        slot = event.outputs[0]
        assert self._buffers is not None
        self._buffers.place(position, event, *self._values.specs[slot], in_place=True)
        self._code.emit(position, f's{slot} = s{product.value}')

    def _spread_operands(self, position: int, event: Op) -> bool:
        """Gives operands the shape of the result; says whether there are such."""
        if self._buffers is None or event.op.name not in lowering.SPREADING:
            return False
        result = self._values.specs[event.outputs[0]][0]
        specs = {slot: self._values.specs[slot] for slot in event.inputs}
        found = {
            slot: spread
            for slot, (shape, _) in specs.items()
            if self._values.canonical(slot) not in self._values.constants
            and (spread := spreading.how_to(shape, result)) is not None
        }
        tiles = self._buffers.scratch(position, [(result, specs[slot][1]) for slot in found])
        for (slot, spread), tile in zip(found.items(), tiles, strict=True):
            names = {'value': self.name(slot), 'index': self._code.object(spread.index, 'c')}
            self._code.emit(position, spread.text.format(**names, tile=f'b{tile}'))
            self._tiles[event.outputs[0], slot] = f'b{tile}'
        return bool(found)

    def _operand(self, event: Op, slot: int) -> str:
        """An operand; a constant gets the shape of the result, which takes less time."""
        tile = self._tiles.get((event.outputs[0], slot))
        if tile is not None:
            return tile
        value = self._values.constants.get(slot)
        shape = self._values.specs[event.outputs[0]][0]
        if event.op.name not in lowering.SPREADING or value is None or value.shape == shape:
            return self.name(slot)
        if value.size == 1 or math.prod(shape) > lowering.FEW:
            return self.name(slot)
        # The dictionary keeps it, so that its name is its own.
        spread = self._spread.setdefault((slot, shape), np.broadcast_to(value, shape).copy())
        return self._code.object(spread, 'c')

    def _result(
        self, position: int, event: Op, text: str, in_place: bool, name: str = 'out='
    ) -> None:
        """Writes a call without its closing bracket, and that its result goes to ``name``."""
        slot = event.outputs[0]
        shape, dtype = self._values.specs[slot]
        buffer = None
        if self._buffers is not None:
            buffer = self._buffers.place(position, event, shape, dtype, in_place)
        if buffer is not None:
            self._code.emit(position, f's{slot} = {text}, {name}b{buffer})')
        elif shape:
            self._code.emit(position, f's{slot} = {text})')
        else:
            self._code.emit(position, f's{slot} = asarray({text}))')

    def _cross_entropy(self, position: int, event: Op) -> bool:
        """Writes the losses or their slope with shared exponentials, if that is possible."""
        logits = self._values.specs[event.inputs[0]]
        if not liveness.on_numpy(event.device) or len(logits[0]) != 2 or not logits[0][0]:
            return False
        if logits[1] not in lowering.REAL or event.inputs[0] in self._values.permuted:
            return False
        inputs = tuple(map(self._values.canonical, event.inputs))
        kept = self._shared.pop(inputs, None) if event.op.name == _SLOPE else None
        if kept is not None:
            self._result(position, event, f'slope({kept}', in_place=True)
            return True
        make = functools.partial(cross_entropy.scratch, *logits[0], logits[1])
        if self._buffers is None:
            kept = f'e{event.outputs[0]}'
            self._code.emit(position, f'{kept} = {self._code.object(make, "m")}()')
        else:
            kept = f'b{self._buffers.add(lambda made: make())}'
        names = ', '.join(map(self.name, event.inputs))
        forward = self._code.object(event.op.forward, 'f')
        losses = f'losses({names}, {kept}, {forward}'
        if event.op.name == _SLOPE:
            # The losses are of another plan, but not what they leave.
            self._code.emit(position, f'{losses})')
            self._result(position, event, f'slope({kept}', in_place=True)
            return True
        self._shared[inputs] = kept
        self._result(position, event, losses, in_place=True)
        return True

    def _forward(self, position: int, event: Op) -> None:
        """The op's own forward, as the executor calls it."""
        backend = event.device.backend
        kept_backend = self._code.object(backend, 'k')
        xp = self._code.object(backend.array_module, 'x')
        forward = device_kernels.choose(event.op, backend).forward
        if self._is_cut(event):
            forward = host_large.forward_of(event.op)
        names = [xp, *(self.name(slot) for slot in event.inputs)]
        for key, value in event.attributes.items():
            text = f'{self._code.object(value, "a")}'
            if key == events.STREAM:
                text = f'stream({event.op.name!r}, {text})'
            names.append(f'{key}={text}')
        if liveness.on_numpy(event.device):
            call = f'{self._code.object(forward, "f")}({", ".join(names)})'
        else:
            function = self._code.object(forward, 'f')
            call = f'{kept_backend}.call({function}, {", ".join(names)})'
        slots = ', '.join(f's{slot}' for slot in event.outputs)
        if len(event.outputs) == 1 and not event.detached:
            self._code.emit(position, f'{slots} = one_result({call}, {kept_backend})')
        else:
            text = f'results_of({call}, {kept_backend}, {event.detached})'
            self._code.emit(position, f'{slots}{"," if slots else "_"} = {text}')


def _nbytes(spec: lowering.Spec) -> int:
    shape, dtype = spec
    size: int = dtype.itemsize
    return math.prod(shape) * size
