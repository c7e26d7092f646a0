"""What tapes of the caller note while a function is replayed.

A trace keeps what a tape around the whole function would note. From that comes code
which makes the same entries of the values of a replay, so that the caller's tapes
differentiate a replayed function as if it had run eagerly.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from weakref import ref

from tensorvar._backend.base import Array
from tensorvar._core import tape_entries
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OPS, ArraySpec, OpDef
from tensorvar._core.tape_entries import Entry
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable import Variable
from tensorvar._device import scope

_NOTES = {tape_entries.READ, tape_entries.COPY, tape_entries.ASSIGN, tape_entries.LOOK}


def _same(value: ArraySpec) -> ArraySpec:
    return value


_FORBIDDEN = OpDef('NotForTapes', _same, lambda xp, value: value, NOT_DIFFERENTIABLE)


def allow(op: OpDef) -> OpDef:
    """Makes an op without a rule of its own known: its entries hold nothing but values."""
    _NOTES.add(op)
    return op


def forbid(state: scope.ContextState | None) -> None:
    """Says that the run holds more than tapes could be told by a replay."""
    for tape in () if state is None else state.tapes:
        if isinstance(tape, Scribe):
            tape.write((_FORBIDDEN, (), (), {}))


def is_forbidden(entries: Sequence[Entry]) -> bool:
    """Whether ``forbid`` was called where these were noted."""
    return any(op is _FORBIDDEN for op, _, _, _ in entries)


def has_own_rules(entries: Sequence[Entry]) -> bool:
    """Whether the program brings gradients of its own, as by ``custom_gradient``."""
    return any(
        op not in _NOTES and op is not _FORBIDDEN and OPS.get(op.name) is not op
        for op, _, _, _ in entries
    )


class Scribe:
    """Takes the place of a tape.

    Attributes:
        entries: what it has noted.
        is_whole: whether that is all.
        write: notes an entry; called by the executor.
    """

    __slots__ = ('entries', 'is_whole', 'write')

    write: Callable[[Entry], None]

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.write = self.entries.append
        self.is_whole = True

    def stop(self) -> None:
        """Forgets everything, and notes nothing from now on."""
        self.entries.clear()
        self.write = _ignore
        self.is_whole = False


def _ignore(entry: Entry) -> None:
    """Notes nothing."""


class Notes(NamedTuple):
    """How the entries of a path are made of a replay of it.

    Attributes:
        make: ``make(values, arguments)`` gives the entries, and the tensors that the
            function returns; ``values`` are arrays by slot, ``arguments`` the tensors
            that it was given.
    """

    make: Callable[[Sequence[Array], Sequence[Tensor]], tuple[list[Entry], tuple[Tensor, ...]]]


def notes(
    entries: Sequence[Entry],
    returned: Iterable[Tensor],
    arguments: Sequence[Tensor],
    slot_of: Callable[[Tensor], int],
    constants: set[int],
) -> Notes | None:
    """Learns from what a trace has kept.

    Args:
        entries: what tapes would note.
        returned: the tensors that the function returned.
        arguments: the tensors that it was given.
        slot_of: gives the slot of a tensor.
        constants: slots of what came from outside.

    Returns:
        None if the entries hold more than values, as those of ``custom_gradient`` do.
    """
    if is_forbidden(entries) or has_own_rules(entries):
        return None
    return _Writer(arguments, slot_of, constants).notes(entries, returned)


class _Writer:
    """Writes the code that makes entries."""

    def __init__(
        self, arguments: Sequence[Tensor], slot_of: Callable[[Tensor], int], constants: set[int]
    ) -> None:
        self._slot_of = slot_of
        self._constants = constants
        self._globals: dict[str, Any] = {'wrap': wrap}
        self._lines: list[str] = []
        self._names = {id(tensor): f'a[{place}]' for place, tensor in enumerate(arguments)}

    def notes(self, entries: Sequence[Entry], returned: Iterable[Tensor]) -> Notes:
        made = []
        for op, inputs, outputs, attributes in entries:
            parts = (
                self._object(op),
                self._tuple(inputs),
                self._tuple(outputs),
                self._object(attributes),
            )
            made.append(f'        ({", ".join(parts)}),')
        results = self._tuple(returned)
        source = '\n'.join(
            ['def make(s, a):', *self._lines, '    return [', *made, f'    ], {results}', '']
        )
        exec(compile(source, '<tape entries of tv.function>', 'exec'), self._globals)
        return Notes(self._globals.pop('make'))

    def _tuple(self, values: Iterable[Any]) -> str:
        return f'({"".join(f"{self._value(value)}, " for value in values)})'

    def _value(self, value: Any) -> str:
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = self._new_name(value)
        return name

    def _new_name(self, value: Any) -> str:
        if isinstance(value, Variable):
            return f'{self._object(ref(value))}()'
        slot = self._slot_of(value)
        if slot in self._constants:
            return self._object(value)
        name = f't{len(self._lines)}'
        device = self._object(value._device)
        self._lines.append(f'    {name} = wrap(s[{slot}], {device})')
        return name

    def _object(self, value: Any) -> str:
        # The object in the globals keeps its identity from being given to another one.
        name = f'o{id(value)}'
        self._globals[name] = value
        return name


class Links:
    """The tapes of the caller while a function is traced with tensors of its own.

    Meanwhile each argument leads to the function's own tensor by a copy, so that whatever
    the function does with a tape of the caller is right. In the end the entries are as an
    eager run makes them.

    Args:
        tapes: of the caller.
        given: the tensors that the caller gave.
        own: the tensors that the function works on.
    """

    def __init__(
        self, tapes: Sequence[Any], given: Sequence[Tensor], own: Sequence[Tensor]
    ) -> None:
        self._given = {id(one): other for one, other in zip(own, given, strict=True)}
        self._begins = []
        for tape in tapes:
            self._begins.append((tape, tape._entries, len(tape._entries)))
            for one, other in zip(given, own, strict=True):
                tape.write((tape_entries.COPY, (one,), (other,), {}))
        self._count = len(own)

    def undo(self, entries: Sequence[Entry]) -> bool:
        """Puts what the caller gave in the place of the own tensors.

        Args:
            entries: what the function did.

        Returns:
            False if the function has used a tape of the caller, and nothing is undone.
        """
        for tape, noted, begin in self._begins:
            if tape._entries is not noted or len(noted) - begin != self._count + len(entries):
                return False
        for _, noted, begin in self._begins:
            noted[begin:] = [
                (op, tuple(map(self.given, inputs)), tuple(map(self.given, outputs)), attributes)
                for op, inputs, outputs, attributes in entries
            ]
        return True

    def given(self, value: Any) -> Any:
        """What the caller gave for an own tensor; anything else as it is."""
        return self._given.get(id(value), value)
