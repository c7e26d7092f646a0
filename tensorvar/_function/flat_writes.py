"""Small variables that a plan changes alike, changed by one call.

The values that a plan adds to several variables may be the parts of one flat buffer (see
``fusion``). Where the arrays of the variables lie side by side in memory just like these
parts, one call of NumPy over the whole memory changes all of them.

Such an array is one of its own to everybody else. Its base is a ``Part``, no array, so that
views of it hold the array itself, and who holds a variable's value is still told by the
references to its array alone. Where somebody holds one, or a variable has got another
array, each is changed by itself, and now and then all move to memory of their own again.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tensorvar._backend import host_memory
from tensorvar._backend.base import Array
from tensorvar._function import buffers, events, liveness
from tensorvar._function.buffers import Joined, Kind
from tensorvar._function.events import Event

_CALLS = {'AssignAddVariableOp': 'add', 'AssignSubVariableOp': 'subtract'}
_LONGEST_PATIENCE = 256
_WORTH_A_MOVE = 8
"""Calls for each that finds the arrays apart."""
_NOTHING = np.empty(0)
_NOWHERE = object()
"""No array has this for its base."""


class Part:
    """A stretch of memory as NumPy asks for it.

    Args:
        flat: the memory, one array.
        begin: the first element.
        shape: of the part.

    Attributes:
        flat: the memory.
        begin: the first element.
    """

    __slots__ = ('__array_interface__', 'begin', 'flat')

    def __init__(self, flat: Array, begin: int, shape: tuple[int, ...]) -> None:
        self.flat = flat
        self.begin = begin
        address = flat.ctypes.data + begin * flat.itemsize
        self.__array_interface__ = {
            'version': 3, 'data': (address, False), 'shape': shape, 'typestr': flat.dtype.str,
        }  # fmt: skip


class SideBySide:
    """Where the arrays of a group of variables lie, if they lie side by side.

    The locks of the variables guard it.

    Args:
        kinds: shape and dtype of each.

    Attributes:
        memory: one array over the whole, and the parts that are bases of the arrays.
    """

    __slots__ = ('_apart', '_begins', '_kinds', '_moved', '_patience', '_size', 'memory')

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = tuple(kinds)
        self._begins, self._size = buffers.side_by_side(kinds)
        self._apart = 0
        self._moved = 0
        self._patience = 1
        self.memory: tuple[Array, tuple[object, ...]] = _NOTHING, (_NOWHERE,) * len(kinds)

    def gathered(self, arrays: tuple[Array, ...], version: int) -> tuple[Array, ...]:
        """Arrays that did not lie there; moved to new memory if that is worth it.

        It is where most calls since the last move found them there. If somebody keeps
        holding what is there, moving would be all that this does: then it waits for twice
        as many calls each time.

        Args:
            arrays: of the variables.
            version: of the first of them, before this call.

        Returns:
            Arrays of the same values.
        """
        if self._is_joined([array.base for array in arrays]):
            return arrays
        self._apart += 1
        if version - self._moved > _WORTH_A_MOVE * self._apart:
            self._patience = 1
        if self._apart < self._patience:
            return arrays
        self._moved = version
        self._apart, self._patience = 0, min(2 * self._patience, _LONGEST_PATIENCE)
        try:
            flat = host_memory.aligned((self._size,), self._kinds[0][1])
        except MemoryError:
            # Where they are will do.
            return arrays
        shapes = [shape for shape, _ in self._kinds]
        parts = tuple(map(Part, itertools.repeat(flat), self._begins, shapes))
        moved = tuple(map(np.asarray, parts))
        for new, old in zip(moved, arrays, strict=True):
            np.copyto(new, old)
        self.memory = flat, parts
        return moved

    def _is_joined(self, bases: Sequence[object]) -> bool:
        """Whether another plan, as of another batch size, has put them so; its memory will do."""
        parts = tuple(base for base in bases if isinstance(base, Part))
        if len(parts) < len(bases) or [part.begin for part in parts] != self._begins:
            return False
        flat = parts[0].flat
        if flat.size != self._size or any(part.flat is not flat for part in parts):
            return False
        self.memory = flat, parts
        return True


class Group(NamedTuple):
    """Writes that one call may do, where the first of them is done.

    Attributes:
        joined: the buffers of the values.
        writes: the writes, with their positions.
    """

    joined: Joined
    writes: tuple[tuple[int, events.Write], ...]

    def lines(self, variables: Sequence[str], memory: str) -> list[str]:
        """The source, as ``inline_write.lines`` writes it for one.

        Args:
            variables: their names.
            memory: the name of their ``SideBySide``.
        """
        call = _CALLS[self.writes[0][1].op.name]
        arrays = [f'a{number}' for number in range(len(variables))]
        parts = [f'p{number}' for number in range(len(variables))]
        slots = [f'{variable}._array' for variable in variables]
        together = ' and '.join(
            f'{array}.base is {part} and refs({array}) == ALONE'
            for array, part in zip(arrays, parts, strict=True)
        )
        lines = [
            # A write before may have left an array of these to this name.
            'array = None',
            'while writing._forking: writing._wait_for_fork()',
            f'flat, ({", ".join(parts)}) = {memory}.memory',
            f'{", ".join(arrays)} = {", ".join(slots)}',
            'try:',
            f'    {" = ".join(slots)} = None',
            f'    if {together}: {call}(flat, b{self.joined.flat}, flat)',
            '    else:',
        ]
        for array, number in zip(arrays, self.joined.parts, strict=True):
            lines += [
                f'        if refs({array}) == ALONE: {call}({array}, b{number}, {array})',
                f'        else: {array} = asarray({call}({array}, b{number}))',
            ]
        names = ', '.join(arrays)
        lines += [
            f'        {names} = {memory}.gathered(({names}), {variables[0]}._version)',
            'finally:',
        ]
        for variable, array in zip(variables, arrays, strict=True):
            lines += [f'    {variable}._version += 1', f'    {variable}._array = {array}']
        # Or a later write would take these names for somebody who holds them.
        return [*lines, f'del {names}']


def found(
    todo: Sequence[tuple[int, Event]],
    joined: Sequence[tuple[Joined, Sequence[int]]],
    canonical: Callable[[int], int],
) -> list[Group]:
    """The groups.

    Args:
        todo: the events with their positions.
        joined: the flat buffers, with the slots of the values in their parts.
        canonical: gives the slot that stands for a slot.
    """
    groups = (_group(todo, buffer, values, canonical) for buffer, values in joined)
    return [group for group in groups if group is not None]


def _group(
    todo: Sequence[tuple[int, Event]],
    joined: Joined,
    values: Sequence[int],
    canonical: Callable[[int], int],
) -> Group | None:
    """The writes of all the values in a flat buffer, if nothing else comes between them."""
    writes = [
        (position, event)
        for position, event in todo
        if isinstance(event, events.Write)
        and event.op.name in _CALLS
        and liveness.on_numpy(event.device)
        and canonical(event.inputs[0]) in values
    ]
    if [canonical(write.inputs[0]) for _, write in writes] != list(values):
        return None
    if len({id(write.variable()) for _, write in writes}) < len(writes):
        return None
    if len({write.op.name for _, write in writes}) > 1:
        return None
    own = {position for position, _ in writes}
    between = [
        event
        for position, event in todo
        if writes[0][0] < position < writes[-1][0] and position not in own
    ]
    # The products are done by then.
    if any(canonical(slot) not in values for event in between for slot in event.outputs or (-1,)):
        return None
    return Group(joined, tuple(writes))
