"""``record_placement``: every placement, copy and memory event of a ``with`` block."""

import os

from tensorvar import errors
from tensorvar._device import listeners, scope
from tensorvar._device._log import export_jsonl, recording


class Recorder(scope.Scope):
    """The ``with`` block of ``record_placement``; gives its ``PlacementLog``."""

    __slots__ = ('_entered', '_jsonl', '_log')

    def __init__(
        self, log: recording.PlacementLog, jsonl: str | os.PathLike[str] | None = None
    ) -> None:
        self._entered = False
        self._jsonl = jsonl
        self._log = log

    def apply(self, state: scope.ContextState) -> None:
        """Adds the log to the listeners and takes ops off the fast path."""
        state.recorders = (*state.recorders, self._log)
        state.plain = False

    def __enter__(self) -> recording.PlacementLog:  # type: ignore[override]
        if self._entered:
            raise errors.FailedPreconditionError(
                '[record_placement] this recording was entered before; allowed is once, as '
                'it has one log; call record_placement() again'
            )
        if self._jsonl is not None:
            self._log.stream_to(self._jsonl)
        self._entered = True
        super().__enter__()
        listeners.watch()
        return self._log

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        listeners.unwatch()
        self._log.close()


def record_placement(
    max_records: int = 1_000_000,
    device_times: bool = False,
    jsonl: str | os.PathLike[str] | None = None,
) -> Recorder:
    """Records where every op runs, why, and what is copied, in a ``with`` block.

    Args:
        max_records: how many placements, copies and memory events to keep of each;
            totals count all of them.
        device_times: time ops on the device. Each op then waits for its end.
        jsonl: a file that every record is written to while it happens.

    Returns:
        A context manager that gives a ``PlacementLog``.

    Raises:
        InvalidArgumentError: ``max_records`` is no whole number from 0.

    Example:
        >>> import tensorvar as tv
        >>> with tv.debugging.record_placement() as log:
        ...     y = tv.constant([1.0, 2.0]) * 2
        >>> log.assert_no_copies()
    """
    if isinstance(max_records, bool) or not isinstance(max_records, int) or max_records < 0:
        raise errors.InvalidArgumentError(
            f'[record_placement] max_records is {max_records!r}; allowed are whole numbers from 0; '
            f'give how many records to keep'
        )
    return Recorder(recording.PlacementLog(max_records, device_times), jsonl)


def read_jsonl(path: str | os.PathLike[str]) -> recording.PlacementLog:
    """Reads a file of JSON lines back into a log, with its totals.

    Args:
        path: a file of ``PlacementLog.to_jsonl`` or of ``record_placement(jsonl=...)``.

    Returns:
        A log with all records of the file.

    Raises:
        DataLossError: the file is damaged, other than by a last line cut short.
        UnimplementedError: the file was written by a newer version.
    """
    log = recording.PlacementLog()
    for record in export_jsonl.read(path):
        log.add(record)
    return log
