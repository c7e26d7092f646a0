"""The log of a recording: the latest records, totals of all, files and assertions."""

import collections
import os
import threading
from typing import Any

from tensorvar import _fork
from tensorvar._device import spec
from tensorvar._device._log import chrome_trace, export_jsonl, golden
from tensorvar._device._log.summary import Summary, Totals, summarize
from tensorvar._device.device import Device
from tensorvar._device.records import (
    CopyRecord,
    EventRecord,
    PlacementRecord,
    Record,
    short_where,
)

_SHOWN = 5

# One for all logs, so that a forked child can renew it.
_lock = threading.Lock()


class PlacementLog:
    """What a recording has heard: the latest records, and totals of all.

    The latest ``max_records`` records of each kind are kept; ``summary``, the
    assertions and ``golden`` use totals, which count every record.

    Args:
        max_records: how many placements, copies and events to keep of each.
        device_times: whether ops shall be timed on the device, which makes them wait.
    """

    def __init__(self, max_records: int = 1_000_000, device_times: bool = False) -> None:
        self.device_times = device_times
        self._placements: collections.deque[PlacementRecord]
        self._placements = collections.deque(maxlen=max_records)
        self._copies: collections.deque[CopyRecord]
        self._copies = collections.deque(maxlen=max_records)
        self._events: collections.deque[EventRecord]
        self._events = collections.deque(maxlen=max_records)
        self._totals = Totals()
        self._inbox: collections.deque[Record] = collections.deque()
        self._sink: export_jsonl.JsonLinesSink | None = None
        self._sink_error: OSError | None = None

    def add(self, record: Record) -> None:
        """Takes one record; any thread may call it, and a finaliser, too.

        Args:
            record: what happened.
        """
        # The inbox keeps this free of deadlock and of lost counts: a finaliser that
        # reports a release may interrupt this very thread while it holds the lock.
        self._inbox.append(record)
        lock = _lock
        if lock.acquire(blocking=False):
            try:
                self._drain()
            finally:
                lock.release()

    def __repr__(self) -> str:
        with _lock:
            self._drain()
            placements = self._totals.placements.total()
            copies = sum(total.count for total in self._totals.copies.values())
        return f'<PlacementLog of {placements:,} placements, {copies:,} copies; see its summary()>'

    @property
    def records(self) -> list[PlacementRecord]:
        """The latest placements, oldest first, as a new list."""
        with _lock:
            self._drain()
            return list(self._placements)

    @property
    def copies(self) -> list[CopyRecord]:
        """The latest copies and replica hits (``cached``), oldest first, as a new list."""
        with _lock:
            self._drain()
            return list(self._copies)

    @property
    def events(self) -> list[EventRecord]:
        """The latest memory events, oldest first, as a new list."""
        with _lock:
            self._drain()
            return list(self._events)

    def summary(self) -> Summary:
        """Totals of all records: ops by device, copies by line and by variable.

        Returns:
            The totals; printed, they are tables.
        """
        with _lock:
            self._drain()
            return summarize(self._totals)

    def to_jsonl(self, path: str | os.PathLike[str]) -> None:
        """Writes the kept records as JSON lines; ``read_jsonl`` reads them back.

        Args:
            path: the file; one that exists is overwritten.
        """
        export_jsonl.write(path, self._in_order())

    def to_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the kept records as a trace for https://ui.perfetto.dev.

        Args:
            path: the file; one that exists is overwritten.
        """
        chrome_trace.write(path, self._in_order())

    def assert_placed(self, what: Any, device: Any) -> None:
        """Checks where a variable or an op was.

        Args:
            what: a variable (or its name): it must live on ``device`` (or its recorded
                ops must have run there); or the name of an op, such as ``'MatMul'``:
                every recorded run must have been on ``device``.
            device: the device, in any spelling.

        Raises:
            AssertionError: it was elsewhere, or no such op or variable was recorded.
        """
        if not isinstance(what, str):
            assert_lives_on(what, device)
            return
        wanted = short_name(device)
        with _lock:
            self._drain()
            places = self._places_of(what)
            known = sorted({key.op for key in self._totals.placements})
        if not places:
            raise AssertionError(
                f'[assert_placed] no op or variable {what!r} was recorded; recorded were '
                f'{", ".join(known) or "no ops"}; run it inside of the recording'
            )
        wrong = {place: count for place, count in places.items() if place[0] != wanted}
        if wrong:
            shown = [
                f'{count:,} on {place}{f" at {where}" if where else ""}'
                for (place, where), count in sorted(wrong.items())[:_SHOWN]
            ]
            raise AssertionError(
                f'[assert_placed] {what!r} was expected on {wanted} but was placed '
                f'{"; ".join(shown)}'
            )

    def assert_no_copies(self, implicit_only: bool = False) -> None:
        """Checks that nothing was copied between devices. Replica hits are no copies.

        Args:
            implicit_only: leave out the copies that the program asked for, such as
                ``numpy()``.

        Raises:
            AssertionError: there were copies; the message lists their lines.
        """
        offending = []
        for key, total in self.summary().copies.items():
            count = total.count - total.explicit if implicit_only else total.count
            if count:
                offending.append(
                    f'{count:,} of {key.operand} {key.source} -> {key.destination} '
                    f'for {key.op} at {short_where(key.where)}'
                )
        if offending:
            more = len(offending) - _SHOWN
            rest = f'; and {more} more lines' if more > 0 else ''
            raise AssertionError(
                f'[assert_no_copies] there were copies: {"; ".join(offending[:_SHOWN])}{rest}'
            )

    def golden(self, path: str | os.PathLike[str], line_numbers: bool = True) -> None:
        """Compares the placements with a kept file, for CI.

        The file has one sorted line per (line of user code, op, device, reason). It is
        written when it does not exist or TENSORVAR_UPDATE_GOLDEN=1 is set.

        Args:
            path: the kept file.
            line_numbers: whether the lines of user code count, or only their files.

        Raises:
            AssertionError: the placements differ; the message is a diff.
        """
        with _lock:
            self._drain()
            placements = list(self._totals.placements)
        golden.check(path, placements, line_numbers)

    def stream_to(self, path: str | os.PathLike[str]) -> None:
        """Starts to write every further record to a file of JSON lines.

        Args:
            path: the file; one that exists is overwritten.
        """
        with _lock:
            self._sink = export_jsonl.JsonLinesSink(path)

    def close(self) -> None:
        """Finishes the file of ``stream_to``.

        Raises:
            OSError: the file could not be written, now or while recording.
        """
        with _lock:
            self._drain()
            sink, self._sink = self._sink, None
            error, self._sink_error = self._sink_error, None
        if sink is not None:
            sink.close()
        if error is not None:
            raise error

    def _drain(self) -> None:
        while self._inbox:
            record = self._inbox.popleft()
            if isinstance(record, PlacementRecord):
                self._placements.append(record)
            elif isinstance(record, CopyRecord):
                self._copies.append(record)
            else:
                self._events.append(record)
            self._totals.add(record)
            if self._sink is not None and self._sink_error is None:
                self._stream(self._sink, record)

    def _stream(self, sink: export_jsonl.JsonLinesSink, record: Record) -> None:
        try:
            sink.add(record)
        except OSError as error:
            # A full disk must not fail the op that is being recorded; close() raises.
            self._sink_error = error

    def _in_order(self) -> list[Record]:
        with _lock:
            self._drain()
            items: list[Record] = [*self._placements, *self._copies, *self._events]
        return sorted(items, key=lambda record: record.id)

    def _places_of(self, name: str) -> dict[tuple[str, str], int]:
        """Count of each (device, line) of an op, else of each device of a variable."""
        places: collections.Counter[tuple[str, str]] = collections.Counter()
        for key, count in self._totals.placements.items():
            if key.op == name:
                places[key.device, short_where(key.where)] += count
        if not places:
            names = {name, f'{name}:0'}
            for (variable, device), count in self._totals.variable_devices.items():
                if variable in names:
                    places[device, ''] += count
        return places


def assert_lives_on(value: Any, device: Any) -> None:
    """Checks where a variable or tensor is.

    Args:
        value: anything with a ``device``.
        device: the device, in any spelling.

    Raises:
        AssertionError: it is elsewhere.
    """
    wanted = short_name(device)
    actual = short_name(value.device)
    if actual != wanted:
        name = getattr(value, 'name', None) or type(value).__name__
        raise AssertionError(
            f'[assert_placed] {name} was expected on {wanted} but lives on {actual}'
        )


def short_name(device: Any) -> str:
    """The short name of a device, which need not exist on this machine.

    Args:
        device: a name in any spelling, a ``Device`` or a logical device.

    Returns:
        Such as ``'GPU:0'``.

    Raises:
        InvalidArgumentError: the text names no device of a fixed number.
    """
    if isinstance(device, Device):
        return device.short
    text = device if isinstance(device, str) else str(device.name)
    parts = spec.DeviceSpec.from_string(text)
    if parts.device_type is None:
        raise spec.bad_name(text, 'it has no device type', ())
    return f'{parts.device_type}:{parts.device_index or 0}'


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()
