"""The source of a node's program while it is written."""

from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class Code:
    """Lines, and the objects that they name.

    Args:
        names: objects by name.

    Attributes:
        variables: the variables that it names.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.variables: list[ref[Variable]] = []
        self._globals = dict(names)
        self._lines: list[str] = []
        self._positions: list[int] = []
        self._objects: dict[int, str] = {}
        self._numbers: dict[int, int] = {}

    def emit(self, position: int, line: str) -> None:
        """Adds a line, which belongs to the event at a position."""
        self._lines.append(f'    {line}')
        self._positions.append(position)

    def object(self, value: Any, letter: str) -> str:
        """The name of an object, which begins with a letter."""
        name = self._objects.get(id(value))
        if name is None:
            name = self._objects[id(value)] = f'{letter}{len(self._objects)}_'
            # Here it lives on, so that its number is its own.
            self._globals[name] = value
        return name

    def variable(self, variable: 'ref[Variable]') -> str:
        """The name of a variable."""
        # By identity: weak references compare by what they refer to.
        number = self._numbers.setdefault(id(variable), len(self.variables))
        if number == len(self.variables):
            self.variables.append(variable)
        return f'v{number}'

    def compiled(self, head: list[str]) -> tuple[Any, str, list[int]]:
        """The function ``segment``, its source, and by line the position of its event.

        Args:
            head: the first lines.
        """
        source = '\n'.join([*head, *self._lines, ''])
        exec(compile(source, '<plan of tv.function>', 'exec'), self._globals)
        return self._globals.pop('segment'), source, [-1] * len(head) + self._positions
