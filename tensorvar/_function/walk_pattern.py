"""Recognises a walk that a plan was made of, by code written for that walk.

It asks what ``gradient_plans`` puts in the key of a walk, and finds the arrays on the way:
a third of the time that the key takes, which is of the order of a small op's.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from tensorvar._core.op_registry import OpDef
from tensorvar._core.tape_entries import READ, WATCH, Entry
from tensorvar._core.tensor import Tensor
from tensorvar._function import layout

Recogniser = Callable[[Sequence[Entry], Sequence[Any], Sequence[Any]], list[Any] | None]


class Place(NamedTuple):
    """Where a tensor stands in the entries.

    Attributes:
        entry: position of the entry.
        part: 1 for its inputs, 2 for its outputs.
        position: among these.
    """

    entry: int
    part: int
    position: int


def recogniser(
    entries: Sequence[Entry],
    targets: Sequence[Any],
    sources: Sequence[Any],
    places: Iterable[Place],
) -> Recogniser | None:
    """What recognises walks like this one.

    Args:
        entries: what the tape recorded.
        targets: tensors or variables.
        sources: tensors or variables.
        places: of the tensors whose arrays are asked for.

    Returns:
        A function of the same three that gives the arrays, or None for another walk. None
        if a target or a source takes part in no entry.
    """
    writer = _Writer()
    for number, entry in enumerate(entries):
        writer.add(number, entry)
    wanted = [writer.known(value) for value in (*targets, *sources)]
    if None in wanted:
        return None
    steps: Sequence[Any] = entries
    asked = [writer.known(steps[entry][part][at]) for entry, part, at in places]
    return writer.function(
        [name or '' for name in wanted[: len(targets)]],
        [name or '' for name in wanted[len(targets) :]],
        [f'{name}._array' for name in asked],
    )


class _Writer:
    """Writes the code: one assignment takes all entries apart, then follow the questions."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._globals: dict[str, Any] = {
            'Tensor': Tensor,
            'WATCH': WATCH,
            'is_of_c': layout.is_of_c,
            'order_of': layout.order_of,
        }
        self._constants: dict[int, str] = {}
        self._patterns: list[str] = []
        self._ops: list[str] = []
        self._questions: list[str] = []

    def known(self, value: Any) -> str | None:
        """The name of a value that an entry has."""
        return self._names.get(id(value))

    def add(self, number: int, entry: Entry) -> None:
        """Takes an entry into the code."""
        op, inputs, outputs, attributes = entry
        if not outputs and op is not WATCH:
            # Kept for ``explain`` alone.
            self._patterns.append(f'(o{number}, _, p{number}, _)')
            self._ops.append(f'o{number} is WATCH or p{number}')
            return
        given = [self._value(f'x{number}_{at}', value) for at, value in enumerate(inputs)]
        made = [self._result(f'y{number}_{at}', op, value) for at, value in enumerate(outputs)]
        self._patterns.append(f'(o{number}, {_tuple(given)}, {_tuple(made)}, a{number})')
        self._ops.append(f'o{number} is not {self._constant(op)}')
        self._ask_attributes(f'a{number}', op, attributes)

    def _value(self, name: str, value: Any) -> str:
        """An input: met before, or from outside."""
        before = self._names.get(id(value))
        if before is not None:
            self._questions.append(f'{name} is not {before}')
            return name
        self._names[id(value)] = name
        if type(value) is Tensor:
            self._questions.append(f'type({name}) is not Tensor')
            self._ask_spec(name, value)
        else:
            self._questions.append(f'{name}._trainable is not {value._trainable}')
            dtype = self._constant(value._numpy_dtype)
            self._questions.append(f'{name}._numpy_dtype is not {dtype}')
        return name

    def _result(self, name: str, op: OpDef, value: Any) -> str:
        self._names[id(value)] = name
        if op is READ:
            self._ask_spec(name, value)
        return name

    def _ask_spec(self, name: str, tensor: Tensor) -> None:
        array = tensor._array
        self._questions += [
            f'{name}._array.shape != {tuple(array.shape)}',
            f'{name}._array.dtype is not {self._constant(array.dtype)}',
            f'{name}._device.backend is not {self._constant(tensor._device.backend)}',
        ]
        if not layout.has_order(array.shape):
            return
        if layout.is_of_c(array):
            self._questions.append(f'not is_of_c({name}._array)')
        else:
            self._questions.append(f'order_of({name}._array) != {layout.order_of(array)}')

    def _ask_attributes(self, name: str, op: OpDef, attributes: dict[str, Any]) -> None:
        if not attributes or attributes is op.plain:
            self._questions.append(f'{name} and {name} is not {self._constant(op.plain)}')
            return
        self._questions.append(f'len({name}) != {len(attributes)}')
        for key, value in attributes.items():
            self._questions.append(_differs(f'{name}[{key!r}]', value))

    def _constant(self, value: Any) -> str:
        name = self._constants.setdefault(id(value), f'c{len(self._constants)}')
        self._globals[name] = value
        return name

    def function(
        self, targets: Sequence[str], sources: Sequence[str], arrays: Sequence[str]
    ) -> Recogniser:
        """The function; ``targets`` and ``sources`` are names."""
        wanted = [('t', targets), ('s', sources)]
        asked = [
            f'{letter}{at} is not {name}'
            for letter, names in wanted
            for at, name in enumerate(names)
        ]
        apart = f'len({{{", ".join(f"id({name})" for name in self._names.values())}}})'
        lines = [
            'def recognise(entries, targets, sources):',
            '    try:',
            *(
                f'        {_tuple([f"{letter}{at}" for at in range(len(names))])} = {source}'
                for (letter, names), source in zip(wanted, ('targets', 'sources'), strict=True)
            ),
            f'        {_tuple(self._patterns)} = entries',
            *(
                f'        if {question}: return None'
                for question in (*self._ops, *asked, *self._questions)
            ),
            # Values that differ in the plan may not be one here, nor the other way round.
            f'        if {apart} != {len(self._names)}: return None' if self._names else '',
            f'        return [{", ".join(arrays)}]',
            # Other counts, a variable for a tensor or the reverse, other attributes.
            '    except (ValueError, TypeError, AttributeError, KeyError):',
            '        return None',
            '',
        ]
        exec(compile('\n'.join(lines), '<walk of a tape>', 'exec'), self._globals)
        # Not left in its own globals, a circle that only the collector would find.
        made: Recogniser = self._globals.pop('recognise')
        return made


def _tuple(names: Sequence[str]) -> str:
    return f'({", ".join(names)},)' if names else '()'


def _differs(found: str, value: Any) -> str:
    """The question whether an attribute is another one."""
    if value is None or isinstance(value, bool):
        return f'{found} is not {value}'
    if isinstance(value, int | str):
        return f'type({found}) is not {type(value).__name__} or {found} != {value!r}'
    # Zero equals minus zero, and 1 equals True; their texts differ.
    return f'repr({found}) != {repr(value)!r}'
