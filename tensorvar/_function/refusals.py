"""Why a run is not replayed."""

from typing import NamedTuple

from tensorvar._device.call_site import CallSite


class Divergence(BaseException):
    """A re-run does not do what its log says, and nothing was written: run eagerly.

    No ``Exception``, so that no ``except`` of the user's function takes it.
    """


class Reason(NamedTuple):
    """Why a run cannot be replayed.

    Attributes:
        text: what the program did.
        where: in which line.
    """

    text: str
    where: CallSite
