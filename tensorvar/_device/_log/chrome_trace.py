"""Records as a Chrome trace, for https://ui.perfetto.dev and chrome://tracing.

Each device is a process; in it, each thread of the program has one track for ops and
one for copies to that device. An arrow leads from a copy to its op, a counter shows the
memory in use, and marks show evictions and full devices.
"""

import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from tensorvar import _version
from tensorvar._device import records

_Event = dict[str, Any]

_OPS = 'ops'
_COPIES = 'copies'
_DEVICE = 'measured on the device'
# Allocations and releases are the counter; only the rest is worth a mark.
_MARKS = frozenset({'eviction', 'out_of_memory'})


def write(path: str | os.PathLike[str], items: Iterable[records.Record]) -> None:
    """Writes a trace file.

    Args:
        path: the file; one that exists is overwritten.
        items: the records to show.
    """
    # json.dump would write in pure Python, several times as slowly.
    text = json.dumps(build(items), separators=(',', ':'))
    pathlib.Path(path).write_text(text, encoding='utf-8')


def build(items: Iterable[records.Record]) -> dict[str, Any]:
    """Makes the object of a trace file.

    Args:
        items: the records to show.

    Returns:
        JSON values in the trace event format; times are microseconds.
    """
    builder = _Builder()
    placements: dict[int, records.PlacementRecord] = {}
    copies: list[records.CopyRecord] = []
    for item in items:
        if isinstance(item, records.PlacementRecord):
            placements[item.id] = item
            builder.add_op(item)
        elif isinstance(item, records.CopyRecord):
            copies.append(item)
        else:
            builder.add_event(item)
    for copy in copies:
        if not copy.cached:
            builder.add_copy(copy, placements.get(copy.record_id or 0))
    return {
        'traceEvents': builder.metadata + builder.events,
        'displayTimeUnit': 'ms',
        'otherData': {
            'tool': 'tensorvar',
            'version': _version.VERSION,
            'schema': records.SCHEMA,
        },
    }


class _Builder:
    """Collects events, and numbers devices and tracks as they turn up."""

    def __init__(self) -> None:
        self.metadata: list[_Event] = []
        self.events: list[_Event] = []
        self._processes: dict[str, int] = {}
        self._threads: dict[int, int] = {}
        self._tracks: dict[tuple[int, str, int], int] = {}

    def add_op(self, op: records.PlacementRecord) -> None:
        kind = _OPS if op.clock == 'host' else _DEVICE
        args = {
            'reason': op.reason,
            'note': op.note,
            'where': op.where,
            'shapes': op.shapes,
            'dtype': op.dtype,
            'bytes': op.nbytes,
        }
        place = self._place(op.device, kind, op.thread)
        self._slice(op.op, 'op', place, op.start_ns, op.end_ns, args)
        self._memory(op.device, op.end_ns, op.memory_after)

    def add_copy(self, copy: records.CopyRecord, op: records.PlacementRecord | None) -> None:
        place = self._place(copy.destination, _COPIES, copy.thread)
        name = f'{copy.variable or copy.operand} {copy.source} -> {copy.destination}'
        args = {
            'op': copy.op,
            'bytes': copy.nbytes,
            'where': copy.where,
            'explicit': copy.explicit,
        }
        self._slice(name, 'copy', place, copy.start_ns, copy.end_ns, args)
        # An arrow needs both of its ends inside of slices, in order of time.
        if op is not None and op.clock == 'host' and op.end_ns >= copy.end_ns:
            to = self._place(op.device, _OPS, op.thread)
            flow = {'name': 'copy', 'cat': 'copy', 'id': copy.id}
            end = max(copy.end_ns, op.start_ns)
            self.events.append({'ph': 's', **flow, **place, 'ts': _microseconds(copy.start_ns)})
            self.events.append({'ph': 'f', 'bp': 'e', **flow, **to, 'ts': _microseconds(end)})

    def add_event(self, event: records.EventRecord) -> None:
        self._memory(event.device, event.time_ns, event.memory_after)
        if event.event in _MARKS:
            mark = {
                'ph': 'i',
                's': 'p',
                'name': event.event,
                'cat': 'memory',
                'ts': _microseconds(event.time_ns),
                'args': {'bytes': event.nbytes, 'where': event.where, 'detail': event.detail},
            }
            self.events.append({**mark, **self._place(event.device, _OPS, event.thread)})

    def _slice(
        self, name: str, category: str, place: _Event, start: int, end: int, args: _Event
    ) -> None:
        times = {'ts': _microseconds(start), 'dur': _microseconds(end - start)}
        self.events.append(
            {'ph': 'X', 'name': name, 'cat': category, **place, **times, 'args': args}
        )

    def _memory(self, device: str, time_ns: int, nbytes: int | None) -> None:
        if nbytes is not None:
            counter = {'ph': 'C', 'name': f'memory {device}', 'ts': _microseconds(time_ns)}
            process = {'pid': self._process(device)}
            self.events.append({**counter, **process, 'args': {'bytes': nbytes}})

    def _process(self, device: str) -> int:
        if device not in self._processes:
            process = self._processes[device] = len(self._processes) + 1
            self._name('process_name', device, {'pid': process})
        return self._processes[device]

    def _place(self, device: str, kind: str, thread: int) -> _Event:
        process = self._process(device)
        number = self._threads.setdefault(thread, len(self._threads) + 1)
        key = (process, kind, number)
        if key not in self._tracks:
            self._tracks[key] = len(self._tracks) + 1
            place = {'pid': process, 'tid': self._tracks[key]}
            self._name('thread_name', f'{kind}, thread {number}', place)
        return {'pid': process, 'tid': self._tracks[key]}

    def _name(self, event: str, name: str, place: _Event) -> None:
        self.metadata.append({'ph': 'M', 'name': event, **place, 'args': {'name': name}})


def _microseconds(nanoseconds: int) -> float:
    return nanoseconds / 1000
