"""Who hears of records, and when memory events are connected at all."""

from collections.abc import Callable
from typing import Any

import pytest

from tensorvar._device import listeners, scope, switches
from tests.support import records as samples


class Listener(scope.Scope):
    """A scope with one recorder, which collects."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def add(self, record: Any) -> None:
        self.heard.append(record)

    def apply(self, state: scope.ContextState) -> None:
        state.recorders = (*state.recorders, self)


class Sinks:
    """A source of memory events."""

    def __init__(self) -> None:
        self.history: list[Any] = []

    def set_sink(self, sink: Callable[..., None] | None) -> None:
        self.history.append(sink)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Sinks:
    monkeypatch.setattr(listeners, '_sink_setters', [])
    sinks = Sinks()
    listeners.register_event_source(sinks.set_sink)
    return sinks


def test_nobody_listens_at_first() -> None:
    assert not listeners.active(scope.current())
    assert not listeners.active(scope.EMPTY)


def test_every_recorder_hears_a_record() -> None:
    outer, inner = Listener(), Listener()
    record = samples.placement()
    with outer:
        with inner:
            assert listeners.active(scope.current())
            listeners.emit(record, scope.current())
        listeners.emit(record, scope.current())
    listeners.emit(record, scope.current())
    assert (len(outer.heard), len(inner.heard)) == (2, 1)


def test_the_switch_makes_everything_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches, 'flags', switches.LOG_PLACEMENT)
    assert listeners.active(None)


def test_device_times_are_wanted_if_one_recorder_wants_them() -> None:
    plain, timed = Listener(), Listener()
    timed.device_times = True  # type: ignore[attr-defined]
    assert not listeners.wants_device_times(None)
    with plain:
        assert not listeners.wants_device_times(scope.current())
        with timed:
            assert listeners.wants_device_times(scope.current())


def test_an_event_goes_to_the_recorders_with_the_line_of_user_code() -> None:
    listener = Listener()
    listeners.emit_event('allocation', 'GPU:0', 512, 1024, 'w:0')
    with listener:
        listeners.emit_event('allocation', 'GPU:0', 512, 1024, 'w:0')
    (event,) = listener.heard
    assert (event.device, event.nbytes, event.memory_after) == ('GPU:0', 512, 1024)
    assert event.where.startswith(__file__)


def test_sources_are_connected_only_while_somebody_watches(source: Sinks) -> None:
    assert source.history == []
    listeners.watch()
    listeners.watch()
    listeners.unwatch()
    assert source.history == [listeners.emit_event]
    listeners.unwatch()
    assert source.history == [listeners.emit_event, None]


def test_a_source_registered_while_somebody_watches_is_connected(source: Sinks) -> None:
    late = Sinks()
    listeners.watch()
    listeners.register_event_source(late.set_sink)
    listeners.unwatch()
    assert late.history == [listeners.emit_event, None]
