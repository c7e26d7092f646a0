"""Exact totals over all records, kept while they come in, and their tables.

The ring of a recorder forgets old records; these totals do not. Their size grows with
the lines of user code and the variables, not with the number of ops.
"""

import collections
import dataclasses
import textwrap
from collections.abc import Iterable, Sequence

from tensorvar import _sizes, _tables
from tensorvar._device import records

_NUMBERS = ('count', 'copies', 'bytes', 'explicit', 'saved', 'saved bytes')


@dataclasses.dataclass(slots=True)
class CopyTotal:
    """How often and how much one line, or one variable, was copied.

    Attributes:
        count: copies made.
        nbytes: bytes copied.
        explicit: how many of the copies the program asked for.
        hits: reads that found a replica and needed no copy.
        saved: bytes that the hits did not have to copy.
    """

    count: int = 0
    nbytes: int = 0
    explicit: int = 0
    hits: int = 0
    saved: int = 0

    def add(self, copy: records.CopyRecord) -> None:
        """Counts one copy, or one hit."""
        if copy.cached:
            self.hits += 1
            self.saved += copy.nbytes
        else:
            self.count += 1
            self.nbytes += copy.nbytes
            self.explicit += copy.explicit


@dataclasses.dataclass(slots=True)
class EventTotal:
    """How often one kind of memory event happened, and with how many bytes."""

    count: int = 0
    nbytes: int = 0


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class PlacementKey:
    """What makes two placements the same for the totals and for a golden file."""

    where: str
    op: str
    device: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class CopyKey:
    """A line of user code, what it copies, and between which devices."""

    where: str
    op: str
    operand: str
    source: str
    destination: str


class Totals:
    """Exact counts over every record that was added.

    Attributes:
        placements: count of each (line, op, device, reason).
        variable_devices: count of the ops on each (variable, device).
        copies: totals by line, operand and devices; the operand is the variable's
            name where there is one.
        variables: totals by variable.
        events: totals by (event, device).
    """

    def __init__(self) -> None:
        self.placements: collections.Counter[PlacementKey] = collections.Counter()
        self.variable_devices: collections.Counter[tuple[str, str]] = collections.Counter()
        self.copies: dict[CopyKey, CopyTotal] = collections.defaultdict(CopyTotal)
        self.variables: dict[str, CopyTotal] = collections.defaultdict(CopyTotal)
        self.events: dict[tuple[str, str], EventTotal] = collections.defaultdict(EventTotal)

    def add(self, record: records.Record) -> None:
        """Counts one record."""
        if isinstance(record, records.PlacementRecord):
            key = PlacementKey(record.where, record.op, record.device, record.reason)
            self.placements[key] += 1
            if record.variable is not None:
                self.variable_devices[record.variable, record.device] += 1
        elif isinstance(record, records.CopyRecord):
            self._add_copy(record)
        else:
            total = self.events[record.event, record.device]
            total.count += 1
            total.nbytes += record.nbytes

    def _add_copy(self, copy: records.CopyRecord) -> None:
        operand = copy.variable or copy.operand
        key = CopyKey(copy.where, copy.op, operand, copy.source, copy.destination)
        self.copies[key].add(copy)
        if copy.variable is not None:
            self.variables[copy.variable].add(copy)


@dataclasses.dataclass(frozen=True, slots=True)
class OpRow:
    """One op on one device: how often, and for which reasons."""

    op: str
    device: str
    count: int
    reasons: dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """Totals of a recording; ``str`` gives them as tables.

    Attributes:
        ops: one row per op and device, the most frequent first.
        copies: totals by line of user code, the most bytes first.
        variables: totals by variable, with the copies that replicas saved.
        events: totals by (event, device).
    """

    ops: list[OpRow]
    copies: dict[CopyKey, CopyTotal]
    variables: dict[str, CopyTotal]
    events: dict[tuple[str, str], EventTotal]

    def __str__(self) -> str:
        parts = [self._ops_table(), self._copies_table()]
        if self.variables:
            parts.append(self._variables_table())
        if self.events:
            parts.append(self._events_table())
        return '\n\n'.join(parts)

    def __repr__(self) -> str:
        return str(self)

    def _ops_table(self) -> str:
        total = sum(row.count for row in self.ops)
        rows = [
            (
                row.op,
                row.device,
                f'{row.count:,}',
                ', '.join(f'{reason} {count:,}' for reason, count in row.reasons.items()),
            )
            for row in self.ops
        ]
        return _table(f'Placements: {total:,}', ('op', 'device', 'count', 'reasons'), rows)

    def _copies_table(self) -> str:
        rows = [
            (
                records.short_where(key.where),
                key.op,
                key.operand,
                f'{key.source} -> {key.destination}',
                f'{total.count:,}',
                _sizes.format_bytes(total.nbytes),
                f'{total.explicit:,}',
                f'{total.hits:,}',
            )
            for key, total in self.copies.items()
        ]
        names = ('line', 'op', 'operand', 'from -> to', 'copies', 'bytes', 'explicit', 'saved')
        return _table(self._copies_title(), names, rows)

    def _copies_title(self) -> str:
        totals = self.copies.values()
        made = sum(total.count for total in totals)
        title = f'Copies between devices: {made:,}'
        if made:
            nbytes = sum(total.nbytes for total in totals)
            explicit = sum(total.explicit for total in totals)
            title += f' ({_sizes.format_bytes(nbytes)}), {explicit:,} of them explicit'
        hits = sum(total.hits for total in totals)
        if hits:
            saved = sum(total.saved for total in totals)
            title += f'; replicas saved {hits:,} more ({_sizes.format_bytes(saved)})'
        return title

    def _variables_table(self) -> str:
        rows = [
            (
                name,
                f'{total.count:,}',
                _sizes.format_bytes(total.nbytes),
                f'{total.hits:,}',
                _sizes.format_bytes(total.saved),
            )
            for name, total in self.variables.items()
        ]
        names = ('variable', 'copies', 'bytes', 'saved', 'saved bytes')
        return _table('Copies of variables', names, rows)

    def _events_table(self) -> str:
        rows = [
            (event, device, f'{total.count:,}', _sizes.format_bytes(total.nbytes))
            for (event, device), total in self.events.items()
        ]
        return _table('Memory events', ('event', 'device', 'count', 'bytes'), rows)


def summarize(totals: Totals) -> Summary:
    """Sorts totals into a summary of their own.

    Args:
        totals: the counts; they may go on changing afterwards.

    Returns:
        Copies of the totals, in the order of the tables.
    """
    return Summary(
        ops=_op_rows(totals.placements.items()),
        copies={
            key: dataclasses.replace(total)
            for key, total in sorted(
                totals.copies.items(), key=lambda item: (-item[1].nbytes, item[0])
            )
        },
        variables={
            name: dataclasses.replace(total) for name, total in sorted(totals.variables.items())
        },
        events={key: dataclasses.replace(total) for key, total in sorted(totals.events.items())},
    )


def _op_rows(placements: Iterable[tuple[PlacementKey, int]]) -> list[OpRow]:
    reasons: dict[tuple[str, str], collections.Counter[str]] = {}
    for key, count in placements:
        reasons.setdefault((key.op, key.device), collections.Counter())[key.reason] += count
    rows = [
        OpRow(op, device, counter.total(), dict(counter.most_common()))
        for (op, device), counter in reasons.items()
    ]
    return sorted(rows, key=lambda row: (-row.count, row.op, row.device))


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return title
    return f'{title}\n{textwrap.indent(_tables.format_table(names, rows, _NUMBERS), "  ")}'
