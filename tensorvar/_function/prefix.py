"""What a replay hands to a re-run."""

from collections.abc import Sequence
from typing import NamedTuple

from tensorvar._backend.base import Array
from tensorvar._function.events import Event


class Prefix(NamedTuple):
    """What a replay has done.

    Attributes:
        log: its events.
        values: its values by slot; those from outside are constants of the log.
        reported: whether recorders have heard of it.
    """

    log: Sequence[Event]
    values: Sequence[Array]
    reported: bool = False


NOTHING = Prefix((), ())
