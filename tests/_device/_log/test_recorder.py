"""Recordings: what is kept, exact totals, threads, assertions, files."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from tensorvar import errors
from tensorvar._device import listeners, scope
from tensorvar._device._log import recorder
from tensorvar._device._log.recording import PlacementLog, assert_lives_on
from tensorvar._device.device import Device
from tests.support import records as samples
from tests.support import threads


def log_of(*items: Any) -> PlacementLog:
    log = PlacementLog()
    for item in items:
        log.add(item)
    return log


def emit(item: Any) -> None:
    listeners.emit(item, scope.current())


class Value:
    """Anything with a device."""

    name = 'w:0'

    def __init__(self, device: str) -> None:
        self.device = device


def test_records_of_the_block_only() -> None:
    inside = [samples.placement(), samples.copy(), samples.event()]
    with recorder.record_placement() as log:
        state = scope.current()
        assert state is not None
        assert not state.plain
        for item in inside:
            emit(item)
    emit(samples.placement())
    assert (log.records, log.copies, log.events) == ([inside[0]], [inside[1]], [inside[2]])


def test_nested_recordings_both_hear() -> None:
    with recorder.record_placement() as outer:
        with recorder.record_placement() as inner:
            emit(samples.placement())
        emit(samples.placement())
    assert (len(outer.records), len(inner.records)) == (2, 1)


def test_memory_events_are_connected_during_a_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Any] = []
    monkeypatch.setattr(listeners, '_sink_setters', [history.append])
    with recorder.record_placement() as log:
        (sink,) = history
        sink('eviction', 'GPU:0', 512, 0, 'replica of w:0')
    assert history == [listeners.emit_event, None]
    assert [event.detail for event in log.events] == ['replica of w:0']


def test_a_recording_is_entered_once() -> None:
    recording = recorder.record_placement()
    with recording, pytest.raises(errors.FailedPreconditionError, match='entered before'):
        recording.__enter__()
    assert scope.current() is None


def test_the_ring_forgets_and_the_totals_do_not() -> None:
    log = PlacementLog(max_records=3)
    for number in range(10):
        log.add(samples.placement(nbytes=number))
        log.add(samples.copy())
    assert [record.nbytes for record in log.records] == [7, 8, 9]
    assert log.summary().ops[0].count == 10
    (total,) = log.summary().copies.values()
    assert (len(log.copies), total.count, total.nbytes) == (3, 10, 240)


@pytest.mark.parametrize('wrong', [-1, True, 1.5, 'all'])
def test_max_records_must_be_a_count(wrong: Any) -> None:
    text = r'^\[record_placement\] max_records is .*; allowed are whole numbers from 0; give'
    with pytest.raises(errors.InvalidArgumentError, match=text):
        recorder.record_placement(max_records=wrong)


def test_device_times_are_passed_on() -> None:
    with recorder.record_placement(device_times=True):
        assert listeners.wants_device_times(scope.current())


def test_threads_lose_no_record() -> None:
    log = PlacementLog(max_records=10)

    def work() -> None:
        for _ in range(2_000):
            log.add(samples.placement())

    threads.several(work, 4)
    assert log.summary().ops[0].count == 8_000


def test_a_finaliser_may_add_while_the_log_is_locked() -> None:
    log = PlacementLog()

    class Releases:
        def __del__(self) -> None:
            log.add(samples.event(event='release'))

    class Slow(list[Any]):
        """Stands for a ring that frees a cycle while it is written to."""

        def append(self, item: Any) -> None:
            cycle = [Releases()]
            cycle.append(cycle)  # type: ignore[arg-type]
            del cycle
            gc.collect()
            super().append(item)

    log._placements = Slow()  # type: ignore[assignment]
    log.add(samples.placement())
    assert len(log.records) == len(log.events) == 1


def test_assert_placed_of_an_op() -> None:
    log = log_of(samples.placement(), samples.placement(op='Add', device='CPU:0'))
    log.assert_placed('MatMul', '/device:gpu:0')
    log.assert_placed('Add', Device('CPU', 0))
    with pytest.raises(AssertionError, match=r"'Add' was expected on GPU:0 .* 1 on CPU:0 at train"):
        log.assert_placed('Add', 'GPU:0')


def test_assert_placed_of_a_variable_by_name() -> None:
    log = log_of(samples.placement(op='AssignVariableOp', variable='w:0', device='GPU:1'))
    log.assert_placed('w', 'GPU:1')
    log.assert_placed('w:0', 'GPU:1')
    with pytest.raises(AssertionError, match=r"'w' was expected on CPU:0 .* 1 on GPU:1"):
        log.assert_placed('w', 'CPU:0')


def test_assert_placed_of_a_value() -> None:
    value = Value('/job:localhost/replica:0/task:0/device:GPU:1')
    log_of().assert_placed(value, 'GPU:1')
    assert_lives_on(value, 'cuda:1')
    with pytest.raises(AssertionError, match='w:0 was expected on GPU:0 but lives on GPU:1'):
        log_of().assert_placed(value, 'GPU')


def test_assert_placed_of_something_unknown() -> None:
    with pytest.raises(AssertionError, match="no op or variable 'Mul' .* recorded were MatMul"):
        log_of(samples.placement()).assert_placed('Mul', 'GPU:0')
    with pytest.raises(AssertionError, match='recorded were no ops'):
        log_of().assert_placed('Mul', 'GPU:0')


@pytest.mark.parametrize('device', ['GPUO:0', 'GPU:auto', '/job:localhost'])
def test_assert_placed_needs_a_device_of_a_fixed_number(device: str) -> None:
    with pytest.raises(errors.InvalidArgumentError):
        log_of(samples.placement()).assert_placed('MatMul', device)


def test_repr_counts_and_says_where_to_look() -> None:
    log = log_of(samples.placement(), samples.copy(), samples.copy(cached=True))
    assert repr(log) == '<PlacementLog of 1 placements, 1 copies; see its summary()>'


def test_assert_no_copies() -> None:
    hit = samples.copy(cached=True)
    asked = samples.copy(op='numpy', operand='value', explicit=True)
    log_of(samples.placement(), hit).assert_no_copies()
    log_of(hit, asked).assert_no_copies(implicit_only=True)
    with pytest.raises(
        AssertionError, match=r'1 of value CPU:0 -> GPU:0 for numpy at train.py:12$'
    ):
        log_of(hit, asked).assert_no_copies()
    with pytest.raises(AssertionError, match='2 of a .*; and 3 more lines'):
        log_of(*(samples.copy(where=f'a.py:{n % 8}') for n in range(16))).assert_no_copies()


def test_json_lines_there_and_back(tmp_path: Path) -> None:
    copy = samples.copy(variable='w:0')
    items = [copy, samples.placement(copies=(copy,)), samples.event()]
    log = log_of(*items)
    log.to_jsonl(tmp_path / 'log.jsonl')
    read = recorder.read_jsonl(tmp_path / 'log.jsonl')
    assert (read.records, read.copies, read.events) == (log.records, log.copies, log.events)
    assert str(read.summary()) == str(log.summary())
    lines = [json.loads(line) for line in (tmp_path / 'log.jsonl').read_text().splitlines()]
    assert [line['type'] for line in lines] == ['header', 'copy', 'placement', 'event']


def test_json_lines_are_streamed_beyond_the_ring(tmp_path: Path) -> None:
    path = tmp_path / 'log.jsonl'
    with recorder.record_placement(max_records=1, jsonl=path) as log:
        for _ in range(5):
            emit(samples.placement())
    log.add(samples.placement())
    assert len(log.records) == 1
    assert len(recorder.read_jsonl(path).records) == 5


def test_a_file_that_cannot_be_made_leaves_nothing_open(tmp_path: Path) -> None:
    with pytest.raises(OSError, match='nowhere'):
        recorder.record_placement(jsonl=tmp_path / 'nowhere' / 'log').__enter__()
    assert scope.current() is None


def test_a_full_disk_fails_the_block_and_not_the_op(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def entry() -> PlacementLog:
        with recorder.record_placement(jsonl=tmp_path / 'log') as log:
            monkeypatch.setattr(log._sink, '_write', fail)
            emit(samples.placement())
            emit(samples.placement())
            seen.append(len(log.records))
        return log

    def fail(values: Any) -> None:
        raise OSError('disk full')

    seen: list[int] = []
    with pytest.raises(OSError, match='disk full'):
        entry()
    assert seen == [2]


def test_files_can_be_written_from_a_log(tmp_path: Path) -> None:
    log = log_of(samples.placement(), samples.placement(), samples.copy())
    log.to_chrome_trace(tmp_path / 'trace.json')
    assert json.loads((tmp_path / 'trace.json').read_text())['traceEvents']
    log.golden(tmp_path / 'golden.txt')
    log.golden(tmp_path / 'golden.txt')
    log.add(samples.placement(device='CPU:0'))
    with pytest.raises(AssertionError, match='CPU:0'):
        log.golden(tmp_path / 'golden.txt')
