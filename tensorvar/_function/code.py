"""The source of a node's program while it is written."""

import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from tensorvar._device import call_site
from tensorvar._device.call_site import CallSite
from tensorvar._function.events import Event

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


_PATH = '<plan of tv.function>'
_SITES = 'sites'
"""A global of generated code: by line of it the line of the user."""


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

    def compiled(self, head: list[str], events: Sequence[Event]) -> tuple[Any, str, list[int]]:
        """The function ``segment``, its source, and by line the position of its event.

        Args:
            head: the first lines.
            events: by position.
        """
        source = '\n'.join([*head, *self._lines, ''])
        positions = [-1] * len(head) + self._positions
        self._globals[_SITES] = [
            events[position].where if 0 <= position < len(events) else None
            for position in positions
        ]
        exec(compile(source, _PATH, 'exec'), self._globals)
        return self._globals.pop('segment'), source, positions


def _line_of(frame: types.FrameType) -> CallSite | None:
    """The line whose event a frame of ``segment`` does."""
    sites: list[CallSite | None] = frame.f_globals[_SITES]
    return sites[frame.f_lineno - 1]


call_site.replays(_PATH, _line_of)
