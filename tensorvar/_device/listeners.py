"""Who hears of placements, copies and memory events.

There are two kinds of listener: recorders (any object with ``add(record)``, listed in
the context state) and the placement log (switched on for the process, or for one
device scope). ``active`` is asked first, so that nobody builds a record for nobody.

Memory events come from below: the ledgers of the backends have a sink that is None as
long as no recorder is open, so that an allocation costs nothing extra. The backends
register how to set that sink; ``watch`` and ``unwatch`` count the recorders.
"""

import threading
from collections.abc import Callable

from tensorvar import _fork
from tensorvar._device import call_site, records, scope, switches
from tensorvar._device._log import placement_logger

EventSink = Callable[[str, str, int, int, str], None]
"""Takes (event, device, nbytes, bytes in use afterwards, detail)."""

SinkSetter = Callable[[EventSink | None], None]

_lock = threading.Lock()
_sink_setters: list[SinkSetter] = []
_watchers = 0


def active(state: scope.ContextState | None) -> bool:
    """Whether anybody wants records made under this state.

    Args:
        state: the current context state, from ``scope.current()``.

    Returns:
        True if a recorder is open or placements are logged.
    """
    if switches.flags & switches.LOG_PLACEMENT:
        return True
    return state is not None and (bool(state.recorders) or _scope_logs(state))


def wants_device_times(state: scope.ContextState | None) -> bool:
    """Whether a recorder asked for times measured on the device."""
    if state is None:
        return False
    return any(getattr(recorder, 'device_times', False) for recorder in state.recorders)


def emit(record: records.Record, state: scope.ContextState | None) -> None:
    """Hands a record to every listener of this state.

    Args:
        record: what happened.
        state: the context state it happened under.
    """
    if state is not None:
        for recorder in state.recorders:
            recorder.add(record)
    if switches.flags & switches.LOG_PLACEMENT or (state is not None and _scope_logs(state)):
        placement_logger.add(record)


def emit_event(
    event: str,
    device: str,
    nbytes: int,
    memory_after: int | None = None,
    detail: str = '',
) -> None:
    """Makes an ``EventRecord`` and hands it to the recorders of the current state.

    Args:
        event: one of the words in ``records.EventRecord``.
        device: short name of the device.
        nbytes: bytes concerned.
        memory_after: bytes in use on the device afterwards; None if unknown.
        detail: more, for people.
    """
    state = scope.current()
    if state is None or not state.recorders:
        return
    where = str(call_site.user_call_site())
    record = records.EventRecord(
        event=event,
        device=device,
        nbytes=nbytes,
        where=where,
        memory_after=memory_after,
        detail=detail,
    )
    for recorder in state.recorders:
        recorder.add(record)


def register_event_source(set_sink: SinkSetter) -> None:
    """Tells how a source of memory events takes its sink.

    Args:
        set_sink: called with ``emit_event`` when the first recorder opens, and with
            None when the last one closes.
    """
    with _lock:
        _sink_setters.append(set_sink)
        if _watchers:
            set_sink(emit_event)


def watch() -> None:
    """Says that a recorder opened; the first one connects the event sources."""
    global _watchers
    with _lock:
        _watchers += 1
        if _watchers == 1:
            for set_sink in _sink_setters:
                set_sink(emit_event)


def unwatch() -> None:
    """Says that a recorder closed; the last one disconnects the event sources."""
    global _watchers
    with _lock:
        _watchers -= 1
        if _watchers == 0:
            for set_sink in _sink_setters:
                set_sink(None)


def _scope_logs(state: scope.ContextState) -> bool:
    return state.device_scope is not None and state.device_scope.log


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()
