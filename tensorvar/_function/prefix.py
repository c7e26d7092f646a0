"""What a replay hands to a re-run."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tensorvar._backend.base import Array
from tensorvar._function import events, liveness
from tensorvar._function.events import Event


class Prefix(NamedTuple):
    """What a replay has done.

    Attributes:
        log: its events.
        values: its values by slot; those from outside are constants of the log.
        reported: whether recorders have heard of it.
        then: called once all of it is taken, before what stopped it is done again; or None.
    """

    log: Sequence[Event]
    values: list[Array]
    reported: bool = False
    then: Callable[[], None] | None = None


NOTHING = Prefix((), [])


class Rerun:
    """How far a re-run has come in what a replay has done.

    Args:
        prefix: what that is.
    """

    __slots__ = ('_log', '_position', '_prefix', '_values')

    def __init__(self, prefix: Prefix) -> None:
        self._prefix = prefix
        self._log = prefix.log
        self._values = prefix.values
        self._position = 0
        if not self:
            self._end()

    def __bool__(self) -> bool:
        """Whether there is more of it."""
        return self._position < len(self._log)

    @property
    def next(self) -> Event:
        """What has to come now."""
        return self._log[self._position]

    @property
    def is_reported(self) -> bool:
        """Whether there is more, of which recorders have heard."""
        return bool(self) and self._prefix.reported

    @property
    def has_effect(self) -> bool:
        """Whether anything of it, done or to come, must not happen twice."""
        return any(map(liveness.has_effect, self._prefix.log))

    def is_a_look_at(self, slot: int | None) -> bool:
        """Whether a look at a slot has to come now."""
        return bool(self) and isinstance(self.next, events.Look) and self.next.inputs == (slot,)

    def value(self, slot: int) -> Array | None:
        """What the replay had in a slot; None if that is not known."""
        return self._values[slot] if slot < len(self._values) else None

    def take(self) -> list[Array]:
        """The results of what comes now, which is done with that."""
        results = [self._values[slot] for slot in self.next.outputs]
        self._position += 1
        if not self:
            self._end()
        return results

    def _end(self) -> None:
        self.forget()
        if self._prefix.then is not None:
            self._prefix.then()

    def forget(self) -> None:
        """Lets go of all values.

        Calls under way still hold the list, but an op that comes now may need the memory.
        """
        self._values = []
        self._prefix.values.clear()
