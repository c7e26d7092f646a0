"""Why a run is not replayed."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._device import scope
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


def mismatch(
    known: str, known_at: CallSite, text: str, where: CallSite
) -> errors.FailedPreconditionError:
    """The error for a re-run that does not do the same after steps that cannot be undone.

    Args:
        known: what the log has.
        known_at: in which line.
        text: what the program did.
        where: in which line.
    """
    return errors.FailedPreconditionError(
        f'[function] the function ran again because a value that it looks at is new, and did '
        f'not do the same again: {known} at {known_at}, then {text} at {where}; the '
        f'steps before are done, the rest is not; the path to a look may depend on tensors '
        f'and unchanged Python state alone; keep changing state out of the function'
    )


def is_heard_otherwise(
    state: scope.ContextState | None, guards: tuple[Any, ...], recorders: tuple[Any, ...]
) -> bool:
    """Whether a guard or a recorder was opened since a function was called.

    Args:
        state: the current scopes.
        guards: those of the call.
        recorders: those of the call.
    """
    if state is None:
        return False
    logs = state.device_scope is not None and state.device_scope.log
    return logs or state.guards != guards or state.recorders != recorders


def check_have_data(arrays: Iterable[Array]) -> None:
    """Refuses what a loop or a branch has left behind while it was written down.

    Args:
        arrays: what an op takes.

    Raises:
        InvalidTypeError: one of them has no data.
    """
    if any(type(array) is ShapeOnlyArray for array in arrays):
        raise errors.InvalidTypeError(
            '[function] a value is out of scope: it was made inside of a function that '
            'tv.while_loop, cond, map_fn or scan traces without running it, and is used outside; '
            'return it from that function'
        )
