"""The trace file: fields that Perfetto needs, tracks, arrows and counters."""

import json
from pathlib import Path
from typing import Any

import pytest

from tensorvar._device._log import chrome_trace
from tests.support import records as samples


def events_of(*items: Any, phase: str | None = None) -> list[dict[str, Any]]:
    events = chrome_trace.build(items)['traceEvents']
    return [event for event in events if phase is None or event['ph'] == phase]


def test_an_op_is_a_complete_event_in_microseconds() -> None:
    (event,) = events_of(samples.placement(), phase='X')
    assert (event['name'], event['cat'], event['ts'], event['dur']) == ('MatMul', 'op', 1, 4)
    assert event['args']['reason'] == 'explicit'


def test_devices_are_processes_and_threads_have_tracks() -> None:
    items = [
        samples.placement(thread=1001),
        samples.placement(thread=1002),
        samples.placement(thread=1001, device='CPU:0'),
        samples.copy(thread=1001),
        samples.placement(thread=1001, clock='device'),
    ]
    named = {
        (event['name'], event['args']['name'], event['pid'])
        for event in events_of(*items, phase='M')
    }
    assert named == {
        ('process_name', 'GPU:0', 1),
        ('process_name', 'CPU:0', 2),
        ('thread_name', 'ops, thread 1', 1),
        ('thread_name', 'ops, thread 2', 1),
        ('thread_name', 'ops, thread 1', 2),
        ('thread_name', 'copies, thread 1', 1),
        ('thread_name', 'measured on the device, thread 1', 1),
    }
    tracks = [(event['pid'], event['tid']) for event in events_of(*items, phase='X')]
    assert len(set(tracks)) == len(items)


def test_an_arrow_leads_from_a_copy_to_its_op() -> None:
    op = samples.placement()
    copy = samples.copy(record_id=op.id)
    start, finish = (events_of(copy, op, phase=phase)[0] for phase in 'sf')
    assert start['id'] == finish['id']
    assert start['ts'] <= finish['ts']
    assert finish['bp'] == 'e'
    assert start['tid'] != finish['tid']


@pytest.mark.parametrize(
    'copy',
    [samples.copy(), samples.copy(record_id=10**9), samples.copy(record_id=1, cached=True)],
)
def test_a_copy_without_its_op_has_no_arrow(copy: Any) -> None:
    assert events_of(samples.placement(), copy, phase='s') == []


def test_replica_hits_are_not_shown() -> None:
    assert events_of(samples.copy(cached=True)) == []


def test_memory_is_a_counter() -> None:
    items = [samples.event(memory_after=512), samples.placement(memory_after=1024)]
    counters = events_of(*items, phase='C')
    assert [(each['name'], each['ts'], each['args']) for each in counters] == [
        ('memory GPU:0', 3, {'bytes': 512}),
        ('memory GPU:0', 5, {'bytes': 1024}),
    ]


def test_unusual_events_are_marks() -> None:
    items = [samples.event(), samples.event(event='out_of_memory', detail='3 holders')]
    (mark,) = events_of(*items, phase='i')
    assert (mark['name'], mark['s'], mark['args']['detail']) == ('out_of_memory', 'p', '3 holders')


def test_every_event_has_what_perfetto_needs(tmp_path: Path) -> None:
    op = samples.placement(memory_after=64)
    items: list[Any] = [op, samples.copy(record_id=op.id), samples.event(event='eviction')]
    chrome_trace.write(tmp_path / 'trace.json', items)
    trace = json.loads((tmp_path / 'trace.json').read_text())
    assert trace['displayTimeUnit'] == 'ms'
    assert {event['ph'] for event in trace['traceEvents']} == set('MXCsfi')
    for event in trace['traceEvents']:
        assert isinstance(event['pid'], int)
        assert event['ph'] in 'MC' or isinstance(event['tid'], int)
        assert event['ph'] == 'M' or isinstance(event['ts'], (int, float))
