"""What the library says about itself: placements, copies and memory events.

The executor makes one ``PlacementRecord`` per op, the copy function one ``CopyRecord``
per copy between devices, and the memory ledgers one ``EventRecord`` per allocation,
eviction or out-of-memory, each only while somebody listens (see ``listeners``).

Devices are written short (``'GPU:0'``), lines of user code as ``'path/train.py:12'``,
times in nanoseconds of ``time.perf_counter_ns``. Records are values: nobody changes
one after it was emitted. They are not frozen, because that doubles their cost.
"""

import dataclasses
import itertools
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

SCHEMA = 1

_ids = itertools.count(1)


def next_id() -> int:
    """A number that no other record of this process has; larger means later."""
    return next(_ids)


def short_where(where: str) -> str:
    """``'train.py:12'`` for ``'/home/me/train.py:12'``."""
    return os.path.basename(where)


@dataclasses.dataclass(slots=True, kw_only=True)
class CopyRecord:
    """One copy between devices, or one that a replica made unnecessary.

    Attributes:
        source: the device copied from, such as ``'CPU:0'``.
        destination: the device copied to.
        nbytes: bytes copied; for a replica hit, bytes that needed no copy.
        variable: name of the variable copied, or None.
        operand: name of the op's argument, such as ``'a'``.
        where: line of user code.
        op: name of the op that needed the copy.
        cached: a replica was there already, so nothing was copied.
        explicit: the program asked for this copy.
        record_id: ``id`` of the op's ``PlacementRecord``, or None outside of an op.
        start_ns: when the copy was started.
        end_ns: when the call returned; device copies may still be under way.
        id: number of this record.
        thread: ``threading.get_ident()`` of the thread that asked.
    """

    source: str
    destination: str
    nbytes: int
    variable: str | None
    operand: str
    where: str
    op: str
    cached: bool = False
    explicit: bool = False
    record_id: int | None = None
    start_ns: int = 0
    end_ns: int = 0
    id: int = dataclasses.field(default_factory=next_id)
    thread: int = dataclasses.field(default_factory=threading.get_ident)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, with ``type`` first."""
        return {'type': 'copy', **_values(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'CopyRecord':
        """The record that ``to_dict`` wrote; unknown keys are left out."""
        return cls(**_known(cls, values))


@dataclasses.dataclass(slots=True, kw_only=True)
class PlacementRecord:
    """One op that ran: where, why there, and what had to be copied.

    Attributes:
        op: name of the op, such as ``'MatMul'``.
        device: where it ran, such as ``'GPU:0'``.
        reason: one of the words of ``placement``: ``'explicit'``, ``'inputs'``, ...
        shapes: shapes of the inputs; of the result where there is no input.
        dtype: name of the result's element type.
        compute_dtype: name of the type computed in, such as float32 for bfloat16.
        where: line of user code.
        scope: the device scope asked for, such as ``'GPU:0'``; '' outside of one.
        start_ns: when the op was started, its copies included; with the clock
            ``'device'``, when the device began to compute.
        end_ns: when the call returned, or the device was done (see ``clock``).
        clock: ``'host'``, or ``'device'`` for times that the device measured.
        copies: the copies this op needed; they are emitted on their own, too.
        nbytes: bytes of the results.
        memory_after: bytes in use on ``device`` after the op; None if unknown.
        inputs_on: the device of each input, before copies; ``'host'`` for host data.
        note: more about the reason; for a fallback what was asked for, and why not.
        variable: name of the variable that the op creates, reads or changes, or None.
        id: number of this record; take it from ``next_id`` before the copies are made.
        thread: ``threading.get_ident()`` of the thread that ran it.
        schema: version of this list of fields.
    """

    op: str
    device: str
    reason: str
    shapes: tuple[tuple[int | None, ...], ...]
    dtype: str
    compute_dtype: str
    where: str
    scope: str = ''
    start_ns: int = 0
    end_ns: int = 0
    clock: str = 'host'
    copies: tuple[CopyRecord, ...] = ()
    nbytes: int = 0
    memory_after: int | None = None
    inputs_on: tuple[str, ...] = ()
    note: str = ''
    variable: str | None = None
    id: int = dataclasses.field(default_factory=next_id)
    thread: int = dataclasses.field(default_factory=threading.get_ident)
    schema: int = SCHEMA

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, with ``type`` first."""
        values = {'type': 'placement', **_values(self)}
        values['copies'] = [_values(copy) for copy in self.copies]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'PlacementRecord':
        """The record that ``to_dict`` wrote; unknown keys are left out."""
        known = _known(cls, values)
        known['shapes'] = tuple(tuple(shape) for shape in known['shapes'])
        known['copies'] = tuple(CopyRecord.from_dict(copy) for copy in known['copies'])
        known['inputs_on'] = tuple(known['inputs_on'])
        return cls(**known)


@dataclasses.dataclass(slots=True, kw_only=True)
class EventRecord:
    """Something that happened to a device's memory.

    Attributes:
        event: ``'allocation'``; ``'eviction'`` (a full device took something back);
            ``'out_of_memory'``; ``'release'`` (``release_memory`` was called). An array
            that goes out of use is no event.
        device: short name of the device.
        nbytes: bytes concerned.
        where: line of user code; '' if there is none.
        memory_after: bytes in use on the device afterwards; None if unknown.
        detail: for people, such as what an eviction took back.
        id: number of this record.
        thread: ``threading.get_ident()`` of the thread it happened on.
        time_ns: when it happened.
    """

    event: str
    device: str
    nbytes: int
    where: str = ''
    memory_after: int | None = None
    detail: str = ''
    id: int = dataclasses.field(default_factory=next_id)
    thread: int = dataclasses.field(default_factory=threading.get_ident)
    time_ns: int = dataclasses.field(default_factory=time.perf_counter_ns)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, with ``type`` first."""
        return {'type': 'event', **_values(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'EventRecord':
        """The record that ``to_dict`` wrote; unknown keys are left out."""
        return cls(**_known(cls, values))


Record = PlacementRecord | CopyRecord | EventRecord


def _values(record: Record) -> dict[str, Any]:
    # dataclasses.asdict copies every value deeply, which is ten times as slow.
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def _known(cls: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field.name: values[field.name] for field in dataclasses.fields(cls) if field.name in values
    }
