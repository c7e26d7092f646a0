"""Writes through ops: in which order things happen, and what another thread may change."""

import threading
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import tape_entries, update
from tensorvar._device import switches
from tests.support import threads
from tests.support.writes import START, WRITES, Write, buffer_of


def make(device: str, **keywords: Any) -> tv.Variable:
    with tv.device(device):
        return tv.Variable(START, name='v', **keywords)


@pytest.mark.parametrize('way', WRITES, ids=repr)
def test_a_write_returns_the_variable(every_device: str, way: Write) -> None:
    v = make(every_device)
    version = v.version
    assert way.write(v) is v
    np.testing.assert_array_equal(v.numpy(), way.expected(START))
    assert v.version == version + 1


@pytest.mark.parametrize('way', WRITES, ids=repr)
def test_a_write_runs_where_the_variable_lives(simulated_gpus: list[str], way: Write) -> None:
    v = make('GPU:1')
    with tv.debugging.record_placement() as log, tv.device('GPU:0'):
        way.write(v)
    records = [record for record in log.records if record.variable == 'v:0']
    last = records[-1]
    assert (last.device, last.reason) == ('GPU:1', 'variable')
    np.testing.assert_array_equal(v.numpy(), way.expected(START))


def test_read_value_false_returns_none(every_device: str) -> None:
    v = make(every_device)
    assert v.assign(START, read_value=False) is None
    assert v.assign_add(START, read_value=False) is None
    assert v[0].assign([1.0, 1.0], read_value=False) is None


def test_a_value_of_another_device_is_brought(simulated_gpus: list[str]) -> None:
    v = make('GPU:0')
    with tv.device('GPU:1'):
        other = tv.Variable(START, name='other')
        delta = tv.constant(START)
    v.assign_add(other)
    v.assign_add(delta)
    np.testing.assert_array_equal(v.numpy(), START * 3)


@pytest.mark.parametrize('held', [False, True])
def test_tensors_of_the_host_are_written_at_once(
    monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    v = make('CPU:0')
    rows = tv.IndexedSlices(tv.constant(START[:1]), tv.constant([1]))
    before = v.value() if held else None
    address = buffer_of(v)
    with monkeypatch.context() as patch:
        patch.setattr(update, '_update_full', lambda *_: pytest.fail('the full path was taken'))
        assert v.scatter_add(rows) is v
    expected = START.copy()
    expected[1] += START[0]
    np.testing.assert_array_equal(v.numpy(), expected)
    assert v.version == 1
    assert (buffer_of(v) == address) is not held
    if before is not None:
        np.testing.assert_array_equal(before.numpy(), START)


def test_a_write_that_somebody_follows_takes_the_full_path() -> None:
    v = make('CPU:0')
    rows = tv.IndexedSlices(tv.constant(START[:1]), tv.constant([1]))
    with tv.debugging.record_placement() as log:
        v.scatter_add(rows)
    assert [record.op for record in log.records] == ['ResourceScatterAdd']
    with tv.GradientTape() as tape:
        v.scatter_add(rows)
        assert [op for op, *_ in tape._entries] == [tape_entries.ASSIGN]


# A constraint that is enforced


@pytest.mark.parametrize('way', WRITES, ids=repr)
def test_the_constraint_holds_after_every_write(every_device: str, way: Write) -> None:
    v = make(every_device, constraint=lambda x: tv.minimum(x, 4.0), enforce_constraint=True)
    version = v.version
    way.write(v)
    np.testing.assert_array_equal(v.numpy(), np.minimum(way.expected(START), 4))
    assert v.version == version + 1


def test_a_constraint_that_raises_changes_nothing(every_device: str) -> None:
    def refuse(value: Any) -> Any:
        raise ValueError('no')

    v = make(every_device, constraint=refuse, enforce_constraint=True)
    version = v.version
    with pytest.raises(ValueError, match='no'):
        v.assign_add(START)
    assert v.version == version
    np.testing.assert_array_equal(v.numpy(), START)


def test_a_constraint_of_another_shape_changes_nothing(every_device: str) -> None:
    v = make(every_device, constraint=lambda value: value[0], enforce_constraint=True)
    with pytest.raises(tv.errors.InvalidArgumentError, match='Shape mismatch'):
        v.assign_add(START)
    np.testing.assert_array_equal(v.numpy(), START)


# update


def test_update_holds_the_lock(every_device: str) -> None:
    v = make(every_device)
    inside, written = threading.Event(), threading.Event()

    def write() -> None:
        assert inside.wait(30)
        v.assign(START * 100)
        written.set()

    def function(value: Any) -> Any:
        inside.set()
        assert not written.wait(0.05)
        return value + 1.0

    thread = threading.Thread(target=write)
    thread.start()
    v.update(function)
    thread.join()
    np.testing.assert_array_equal(v.numpy(), START * 100)


def test_update_may_write_and_read_the_variable_itself(every_device: str) -> None:
    v = make(every_device)

    def function(value: Any) -> Any:
        v.assign_add(START)
        return value + v

    v.update(function)
    np.testing.assert_array_equal(v.numpy(), START * 3)


def test_an_update_that_raises_changes_nothing(every_device: str) -> None:
    v = make(every_device)
    before = buffer_of(v)
    with pytest.raises(ZeroDivisionError):
        v.update(lambda value: 1 // 0)
    np.testing.assert_array_equal(v.numpy(), START)
    v.assign_add(START)
    assert buffer_of(v) == before


def test_two_updates_that_read_each_other_s_variable_end(simulated_gpus: list[str]) -> None:
    a, b = make('GPU:0'), make('GPU:1')
    both = threading.Barrier(2)

    def bump(pair: tuple[tv.Variable, tv.Variable]) -> None:
        mine, other = pair

        def function(value: Any) -> Any:
            both.wait(30)
            return value + other * 0.0 + 1.0

        mine.update(function)

    threads.each(bump, [(a, b), (b, a)])
    np.testing.assert_array_equal(a.numpy(), START + 1)
    np.testing.assert_array_equal(b.numpy(), START + 1)


# Another thread changes the variable while the values are being brought


def meanwhile(monkeypatch: pytest.MonkeyPatch, v: tv.Variable, action: Any) -> None:
    """Lets ``action`` run once, when host data is there for a write of ``v``."""
    backend = v._device.backend
    actions = [action]

    def then_act(place: Any) -> Any:
        def placed(host: Any) -> Any:
            array = place(host)
            while actions:
                actions.pop()()
            return array

        return placed

    for name in ('from_host', 'adopt'):
        monkeypatch.setattr(backend, name, then_act(getattr(backend, name)))


@pytest.mark.parametrize('way', [way for way in WRITES if way.name != 'update'], ids=repr)
@pytest.mark.parametrize('enforced', [False, True])
def test_a_move_before_the_write_is_noticed(
    simulated_gpus: list[str], monkeypatch: pytest.MonkeyPatch, way: Write, enforced: bool
) -> None:
    v = make('GPU:0', constraint=lambda value: value, enforce_constraint=enforced)
    with monkeypatch.context() as patch:
        meanwhile(patch, v, lambda: v.to_device('GPU:1'))
        way.write(v)
    assert v.device.endswith('GPU:1')
    assert v._array.device == 'GPU:1'
    np.testing.assert_array_equal(v.numpy(), way.expected(START))


def test_another_shape_before_the_write_is_noticed(
    every_device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tv.device(every_device):
        v = tv.Variable([1.0], shape=tv.TensorShape([None]))
    with monkeypatch.context() as patch:
        meanwhile(patch, v, lambda: v.assign([1.0, 2.0, 3.0]))
        # By itself the sum would broadcast, which assign_add never does.
        with pytest.raises(tv.errors.InvalidArgumentError, match='shapes must be equal'):
            v.assign_add(np.array([1.0], np.float32))
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


def test_synchronous_writes_are_waited_for(
    every_device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make(every_device)
    waited: list[bool] = []
    monkeypatch.setattr(v._device.backend, 'synchronize', lambda: waited.append(True))
    v.assign_add(START)
    assert not waited
    switches.set_switch(switches.SYNCHRONOUS, True)
    try:
        v.assign_add(START)
    finally:
        switches.set_switch(switches.SYNCHRONOUS, False)
    assert waited
    np.testing.assert_array_equal(v.numpy(), START * 3)
