"""The placement log: lines of the Python logger ``tensorvar.placement``.

One line per (line of user code, op, device, reason), then counts::

    MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, train.py:12]  copied a 24 B CPU:0 -> GPU:0
    MatMul -> GPU:0  [explicit, train.py:12]  x 1,000 so far, copied 23.4 KiB
    numpy  [explicit copy, train.py:13]  copied value 16 B GPU:0 -> CPU:0

Counts are written when an op has run 10, 100, 1,000, ... times, when the log is
switched off, and at interpreter exit (see ``counted_log``).
"""

from tensorvar import _sizes
from tensorvar._device import records, switches
from tensorvar._device._log import counted_log

_log = counted_log.CountedLog('tensorvar.placement')


def set_log_device_placement(enabled: bool) -> None:
    """Turns the log of placements and copies on or off, for all threads.

    It works at any time, also after the first op, and leaves soft placement alone;
    both differ from TensorFlow. The lines go to the Python logger
    ``tensorvar.placement`` with level INFO; where no logging is configured, to
    standard error. ``with tv.device(..., log=True)`` logs one scope only.

    Args:
        enabled: whether to log. False also writes the counts that are left and
            forgets the lines, so that switching on again starts anew.
    """
    switches.set_switch(switches.LOG_PLACEMENT, bool(enabled))
    if not enabled:
        _log.reset()


def get_log_device_placement() -> bool:
    """Whether placements are logged for the whole process.

    Returns:
        What ``set_log_device_placement`` was last called with; False at first.
    """
    return switches.is_on(switches.LOG_PLACEMENT)


def add(record: records.Record) -> None:
    """Logs a placement, or a copy that belongs to no op; leaves out anything else.

    Args:
        record: what happened.
    """
    if isinstance(record, records.PlacementRecord):
        key = (record.where, record.op, record.device, record.reason)
        nbytes = sum(copy.nbytes for copy in record.copies if not copy.cached)
        _log.add(key, lambda: placement_line(record), lambda: _brief(record), nbytes)
    elif isinstance(record, records.CopyRecord) and record.record_id is None and not record.cached:
        copy_key = (record.where, record.op, record.source, record.destination)
        _log.add(copy_key, lambda: _copy_line(record), lambda: _brief_copy(record), record.nbytes)


def placement_line(record: records.PlacementRecord) -> str:
    """The line of one placement, as the log shows it.

    Args:
        record: the placement.

    Returns:
        For instance ``MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, train.py:12]``,
        and the copies made.
    """
    dtype = record.dtype
    if record.compute_dtype != dtype:
        dtype = f'{dtype} (computed in {record.compute_dtype})'
    words = [record.op, 'x'.join(map(_shape, record.shapes)), dtype, '->', record.device]
    line = f'{" ".join(filter(None, words))}  {_why(record)}'
    copied = [_copy(copy) for copy in record.copies if not copy.cached]
    return f'{line}  copied {", ".join(copied)}' if copied else line


def _brief(record: records.PlacementRecord) -> str:
    return f'{record.op} -> {record.device}  {_why(record)}'


def _why(record: records.PlacementRecord) -> str:
    reason = f'{record.reason}: {record.note}' if record.note else record.reason
    return f'[{reason}, {records.short_where(record.where)}]'


def _copy_line(record: records.CopyRecord) -> str:
    return f'{_brief_copy(record)}  copied {_copy(record)}'


def _brief_copy(record: records.CopyRecord) -> str:
    kind = 'explicit copy' if record.explicit else 'implicit copy'
    return f'{record.op}  [{kind}, {records.short_where(record.where)}]'


def _copy(copy: records.CopyRecord) -> str:
    what = copy.variable or copy.operand
    return f'{what} {_sizes.format_bytes(copy.nbytes)} {copy.source} -> {copy.destination}'


def _shape(shape: tuple[int | None, ...]) -> str:
    sizes = ['?' if size is None else str(size) for size in shape]
    return f'({sizes[0]},)' if len(sizes) == 1 else f'({",".join(sizes)})'
