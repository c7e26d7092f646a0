"""Records as values: numbers, JSON, and back."""

import json

import pytest

from tensorvar._device import records
from tests.support import records as samples


@pytest.mark.parametrize(
    'record',
    [
        samples.placement(copies=(samples.copy(),), inputs_on=('CPU:0', 'GPU:0'), note='n'),
        samples.placement(shapes=((None, 3), ()), memory_after=4096, variable='w:0'),
        samples.copy(variable='w:0', cached=True, explicit=True, record_id=7),
        samples.event(memory_after=None, detail='replica of w:0'),
    ],
)
def test_a_record_survives_json(record: records.Record) -> None:
    values = json.loads(json.dumps(record.to_dict()))
    assert type(record).from_dict(values) == record


def test_unknown_keys_are_left_out() -> None:
    record = samples.copy()
    assert records.CopyRecord.from_dict({**record.to_dict(), 'colour': 'red'}) == record


def test_the_type_stands_first() -> None:
    for record, name in (
        (samples.placement(), 'placement'),
        (samples.copy(), 'copy'),
        (samples.event(), 'event'),
    ):
        assert next(iter(record.to_dict().items())) == ('type', name)


def test_later_records_have_larger_numbers() -> None:
    reserved = records.next_id()
    first, second = samples.copy(), samples.event()
    assert reserved < first.id < second.id
    assert samples.placement(id=reserved).id == reserved


def test_short_where_leaves_the_folder_out() -> None:
    assert records.short_where('/home/me/train.py:12') == 'train.py:12'
    assert records.short_where('<stdin>:1') == '<stdin>:1'
