"""Files of JSON lines: their header, and what damaged ones do."""

import json
from pathlib import Path

import pytest

from tensorvar import errors
from tensorvar._device import records
from tensorvar._device._log import export_jsonl
from tests.support import records as samples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'log.jsonl'


def test_the_first_line_is_a_header(path: Path) -> None:
    export_jsonl.write(path, [])
    header = json.loads(path.read_text())
    assert header['type'] == 'header'
    assert (header['schema'], header['tool']) == (records.SCHEMA, 'tensorvar')
    assert header['version'][0].isdecimal()
    assert list(export_jsonl.read(path)) == []


def test_there_and_back(path: Path) -> None:
    items: list[records.Record] = [
        samples.placement(copies=(samples.copy(),)),
        samples.copy(),
        samples.event(),
    ]
    export_jsonl.write(path, items)
    assert list(export_jsonl.read(path)) == items


def test_a_last_line_cut_short_is_left_out(path: Path) -> None:
    items: list[records.Record] = [samples.copy(), samples.event()]
    export_jsonl.write(path, items)
    path.write_text(path.read_text()[:-20])
    assert list(export_jsonl.read(path)) == items[:1]


def test_lines_of_an_unknown_type_are_left_out(path: Path) -> None:
    export_jsonl.write(path, [])
    with path.open('a') as file:
        file.write('{"type":"weather"}\n')
    assert list(export_jsonl.read(path)) == []


@pytest.mark.parametrize('line', ['not json\n', '[1]\n', '3\n'])
def test_a_damaged_line_is_named(path: Path, line: str) -> None:
    export_jsonl.write(path, [samples.copy()])
    with path.open('a') as file:
        file.write(line)
    with pytest.raises(errors.DataLossError, match='line 3 of'):
        list(export_jsonl.read(path))


@pytest.mark.parametrize('text', ['{"type":"copy"}\n', 'loss 0.3\n'])
def test_a_file_without_a_header_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(errors.DataLossError, match='line 1 of'):
        list(export_jsonl.read(path))


def test_a_newer_schema_is_refused(path: Path) -> None:
    header = {**export_jsonl.header(), 'schema': records.SCHEMA + 1, 'version': '9.9'}
    path.write_text(json.dumps(header) + '\n')
    with pytest.raises(errors.UnimplementedError, match=r'written by version 9\.9'):
        list(export_jsonl.read(path))
