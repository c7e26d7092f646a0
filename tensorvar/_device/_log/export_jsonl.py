"""Records as JSON lines: one object per line, told apart by their key ``type``.

The first line is a header with the version of the format and of the library. The
copies of an op stand in its own line and as lines of type ``copy``; whoever adds up
bytes uses the latter.
"""

import io
import json
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tensorvar import _version, errors
from tensorvar._device import records

_READERS: dict[str, Callable[[Mapping[str, Any]], records.Record]] = {
    'placement': records.PlacementRecord.from_dict,
    'copy': records.CopyRecord.from_dict,
    'event': records.EventRecord.from_dict,
}


def header() -> dict[str, Any]:
    """The object of the first line."""
    return {
        'type': 'header',
        'schema': records.SCHEMA,
        'tool': 'tensorvar',
        'version': _version.VERSION,
    }


class JsonLinesSink:
    """A file to which records are appended as they come.

    Lines are buffered; ``close`` writes the rest. A program that is killed leaves a
    file that ``read`` still reads, up to the last whole line.

    Args:
        path: file to create; one that exists is overwritten.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: io.TextIOWrapper = pathlib.Path(path).open('w', encoding='utf-8')
        self._write(header())

    def add(self, record: records.Record) -> None:
        """Appends one record."""
        self._write(record.to_dict())

    def close(self) -> None:
        """Writes what is buffered and closes the file."""
        self._file.close()

    def _write(self, values: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(values, separators=(',', ':')) + '\n')


def write(path: str | os.PathLike[str], items: Iterable[records.Record]) -> None:
    """Writes a file of records.

    Args:
        path: file to create; one that exists is overwritten.
        items: the records, in the order to write them.
    """
    sink = JsonLinesSink(path)
    try:
        for item in items:
            sink.add(item)
    finally:
        sink.close()


def read(path: str | os.PathLike[str]) -> Iterator[records.Record]:
    """Reads what ``write`` or a ``JsonLinesSink`` wrote.

    A last line without a line end, as a killed program leaves it, is left out. So are
    lines of a type that this version does not know.

    Args:
        path: the file.

    Yields:
        The records, in the order of the file.

    Raises:
        DataLossError: the file has no header, or a line is no JSON object.
        UnimplementedError: a newer version of the format.
    """
    with pathlib.Path(path).open(encoding='utf-8') as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                _check_header(path, line)
            elif line.endswith('\n'):
                values = _parse(path, number, line)
                reader = _READERS.get(values.get('type', ''))
                if reader is not None:
                    yield reader(values)


def _check_header(path: str | os.PathLike[str], line: str) -> None:
    values = _parse(path, 1, line)
    if values.get('type') != 'header':
        raise _damaged(path, 1)
    if values['schema'] > records.SCHEMA:
        raise errors.UnimplementedError(
            f'[read_jsonl] {path} has schema {values["schema"]}, written by version '
            f'{values["version"]}; this version ({_version.VERSION}) reads schemas up to '
            f'{records.SCHEMA}; read it with the version that wrote it'
        )


def _parse(path: str | os.PathLike[str], number: int, line: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise _damaged(path, number) from error
    if not isinstance(values, dict):
        raise _damaged(path, number)
    return values


def _damaged(path: str | os.PathLike[str], number: int) -> errors.DataLossError:
    return errors.DataLossError(
        f'[read_jsonl] line {number} of {path} is not what tensorvar writes; allowed are a '
        f'header line and one JSON object per line; record again'
    )
