"""Writes keep the buffer while nobody holds it, and leave holders their value."""

import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import executor, variable_write
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OpDef
from tests.support.writes import START, WRITES, Write, buffer_of

each_write = pytest.mark.parametrize('way', WRITES, ids=repr)


def make(device: str) -> tv.Variable:
    with tv.device(device):
        return tv.Variable(START, name='v')


# In place


@each_write
def test_a_write_without_holder_keeps_the_buffer(every_device: str, way: Write) -> None:
    v = make(every_device)
    before = buffer_of(v)
    for _ in range(3):
        expected = way.expected(v.numpy())
        version = v.version
        way.write(v)
        np.testing.assert_array_equal(v.numpy(), expected)
        assert buffer_of(v) == before
        assert v.version == version + 1


@each_write
def test_a_write_keeps_the_buffer_under_a_recorder(every_device: str, way: Write) -> None:
    v = make(every_device)
    before = buffer_of(v)
    with tv.debugging.record_placement() as log:
        way.write(v)
    assert buffer_of(v) == before
    assert not [record for record in log.records if 'fresh buffer' in getattr(record, 'note', '')]


def test_a_value_of_another_shape_takes_a_fresh_buffer(every_device: str) -> None:
    with tv.device(every_device):
        v = tv.Variable([1.0, 2.0], shape=tv.TensorShape([None]))
    v.assign([1.0, 2.0, 3.0])
    before = buffer_of(v)
    v.assign([4.0, 5.0, 6.0])
    assert buffer_of(v) == before
    assert v.numpy().tolist() == [4.0, 5.0, 6.0]


def test_a_training_step_stays_in_place(every_device: str) -> None:
    v = make(every_device)
    before = buffer_of(v)
    for _ in range(3):
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(v * v)
        v.assign_sub(0.1 * tape.gradient(loss, v))
    assert buffer_of(v) == before


# Holders


def hold_tape(v: tv.Variable) -> Any:
    with tv.GradientTape(persistent=True) as tape:
        tv.reduce_sum(v * v)
    return tape


def value_on_tape(tape: Any) -> Any:
    reads = [outputs[0] for op, _, outputs, _ in tape._entries if op.name == 'ReadVariableOp']
    return reads[0].numpy()


class Holder:
    """Something that took the value: how it is taken, and how it is looked at later."""

    def __init__(self, name: str, take: Callable[[Any], Any], look: Callable[[Any], Any]) -> None:
        self.name = name
        self.take = take
        self.look = look

    def __repr__(self) -> str:
        return self.name


HOLDERS = (
    Holder('value', lambda v: v.value(), lambda held: held.numpy()),
    Holder('read_value', lambda v: v.read_value(), lambda held: held.numpy()),
    Holder('convert', tv.convert_to_tensor, lambda held: held.numpy()),
    Holder('view_of_tensor', lambda v: v.value()[0:3], lambda held: held.numpy()),
    Holder('transposed_view', lambda v: tv.transpose(v.value()), lambda held: held.numpy().T),
    Holder('reshaped', lambda v: tv.reshape(v, (6,)), lambda held: held.numpy().reshape(3, 2)),
    Holder('tape', hold_tape, value_on_tape),
    Holder(
        'indexed_slices',
        lambda v: tv.IndexedSlices(v.value(), [0, 1, 2]),
        lambda held: held.values.numpy(),
    ),
)
"""Those that keep the buffer itself."""

COPIES = (
    Holder('numpy', lambda v: v.numpy(), lambda held: held),
    Holder('slice', lambda v: v[0:3], lambda held: held.numpy()),
    Holder('gathered', lambda v: tv.gather(v, [0, 1, 2]), lambda held: held.numpy()),
    Holder('replica', lambda v: read_elsewhere(v), lambda held: held.numpy()),
    Holder('pickle', pickle.dumps, lambda held: pickle.loads(held).numpy()),
)
"""Those that have a copy of their own, whatever is written."""


def read_elsewhere(v: tv.Variable) -> tv.Tensor:
    with tv.device('GPU:1'):
        return v.read_value()


@each_write
@pytest.mark.parametrize('holder', HOLDERS, ids=repr)
def test_a_holder_keeps_the_old_value(every_device: str, holder: Holder, way: Write) -> None:
    v = make(every_device)
    before = buffer_of(v)
    held = holder.take(v)
    way.write(v)
    np.testing.assert_array_equal(holder.look(held), START)
    np.testing.assert_array_equal(v.numpy(), way.expected(START))
    assert buffer_of(v) != before
    del held
    now = buffer_of(v)
    way.write(v)
    assert buffer_of(v) == now


@each_write
@pytest.mark.parametrize('holder', COPIES, ids=repr)
def test_a_copy_keeps_the_old_value_too(every_device: str, holder: Holder, way: Write) -> None:
    v = make(every_device)
    held = holder.take(v)
    way.write(v)
    np.testing.assert_array_equal(holder.look(held), START)
    np.testing.assert_array_equal(v.numpy(), way.expected(START))


@each_write
def test_a_dlpack_capsule_keeps_the_old_value(fresh_devices: None, way: Write) -> None:
    v = make('CPU:0')
    before = buffer_of(v)
    capsule = v.__dlpack__()
    way.write(v)
    # The capsule is a snapshot of its own, so the write stayed in place.
    assert buffer_of(v) == before
    # A consumer takes a capsule through an object that hands it out.
    exported = np.from_dlpack(_Exporter(capsule))
    np.testing.assert_array_equal(exported, START)


class _Exporter:
    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **keywords: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


@each_write
def test_another_threads_op_keeps_the_old_value(every_device: str, way: Write) -> None:
    v = make(every_device)
    before = buffer_of(v)
    running, go_on = threading.Event(), threading.Event()

    def forward(xp: Any, value: Any) -> Any:
        running.set()
        assert go_on.wait(30)
        return value + 0

    slow = OpDef('Slow', lambda value: value, forward, NOT_DIFFERENTIABLE)
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(executor.run(slow, v).numpy()))
    thread.start()
    assert running.wait(30)
    way.write(v)
    go_on.set()
    thread.join()
    np.testing.assert_array_equal(results[0], START)
    np.testing.assert_array_equal(v.numpy(), way.expected(START))
    assert buffer_of(v) != before


def test_the_record_says_that_the_buffer_was_held(every_device: str) -> None:
    v = make(every_device)
    held = v.value()
    with tv.debugging.record_placement() as log:
        v.assign_add(START)
    [record] = [record for record in log.records if getattr(record, 'variable', None) == 'v:0']
    assert record.note == 'written to a fresh buffer: the old one is held'
    np.testing.assert_array_equal(held.numpy(), START)


def test_a_variable_may_be_added_to_itself(every_device: str) -> None:
    v = make(every_device)
    v.assign_add(v)
    v.assign_sub(v[::-1])
    np.testing.assert_array_equal(v.numpy(), START * 2 - (START * 2)[::-1])
    v.assign(v)
    v.update(lambda value: value)
    np.testing.assert_array_equal(v.numpy(), START * 2 - (START * 2)[::-1])


def test_no_holder_is_left_by_a_read(every_device: str) -> None:
    v = make(every_device)
    before = buffer_of(v)
    gc.disable()
    try:
        v.numpy()
        repr(v)
        bool(tv.reduce_all(v == v))
        v[0]
        v + 1.0
        tv.matmul(v, v, transpose_b=True)
        with tv.GradientTape() as tape:
            y = tv.reduce_sum(tv.gather(v, [0, 1]) ** 2)
        tape.gradient(y, v)
        v.assign_add(START)
    finally:
        gc.enable()
    assert buffer_of(v) == before


# A write that does not come to its end


class Boom(Exception):
    """Raised by the tests in the middle of a write."""


@each_write
def test_a_failing_backend_changes_nothing(
    every_device: str, way: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make(every_device)
    before, version = buffer_of(v), v.version
    backend = v._device.backend
    call = backend.call

    def fail_on_write(function: Any, *args: Any, **kwargs: Any) -> Any:
        if v._array is None:
            raise Boom
        return call(function, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(backend, 'call', fail_on_write)
        with pytest.raises(Boom):
            way.write(v)
    assert buffer_of(v) == before
    np.testing.assert_array_equal(v.numpy(), START)
    assert v.version in (version, version + 1)
    way.write(v)
    np.testing.assert_array_equal(v.numpy(), way.expected(START))
    assert buffer_of(v) == before


@each_write
def test_a_failing_computation_aside_changes_nothing(
    every_device: str, way: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make(every_device)
    held = v.value()
    before, version = buffer_of(v), v.version
    backend = v._device.backend
    call = backend.call

    def fail_on_write(function: Any, *args: Any, **kwargs: Any) -> Any:
        result = call(function, *args, **kwargs)
        if v._array is None:
            raise Boom
        return result

    with monkeypatch.context() as patch:
        patch.setattr(backend, 'call', fail_on_write)
        with pytest.raises(Boom):
            way.write(v)
    assert buffer_of(v) == before
    assert v.version == version
    np.testing.assert_array_equal(held.numpy(), START)
    np.testing.assert_array_equal(v.numpy(), START)


def test_an_interrupt_after_the_write_makes_replicas_stale(
    simulated_gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make('GPU:0')
    np.testing.assert_array_equal(read_elsewhere(v).numpy(), START)
    backend = v._device.backend
    call = backend.call

    def interrupt_after(function: Any, *args: Any, **kwargs: Any) -> Any:
        call(function, *args, **kwargs)
        raise KeyboardInterrupt

    ones = tv.constant(np.ones_like(START))
    with monkeypatch.context() as patch:
        patch.setattr(backend, 'call', interrupt_after)
        with pytest.raises(KeyboardInterrupt):
            v.assign_add(ones)
    np.testing.assert_array_equal(v.numpy(), START + 1)
    np.testing.assert_array_equal(read_elsewhere(v).numpy(), START + 1)


def test_refused_values_change_nothing(every_device: str) -> None:
    v = make(every_device)
    version = v.version
    for refused in (
        lambda: v.assign([1.0]),
        lambda: v.assign(START.astype(np.float64) * 1e300),
        lambda: v.assign([[1.0, 2.0], [3.0]]),
        lambda: v.assign_add(tv.constant(START, tv.float64)),
        lambda: v[0].assign([1.0, 2.0, 3.0]),
        lambda: v[5].assign([1.0, 2.0]),
        lambda: v.scatter_add(tv.IndexedSlices([[1.0, 2.0]], [3])),
        lambda: v.scatter_update(tv.IndexedSlices([[1.0, 2.0]] * 2, [0, -1])),
        lambda: v.scatter_nd_add([[0], [3]], [[1.0, 2.0]] * 2),
    ):
        with pytest.raises((tv.errors.OpError, ValueError, IndexError, TypeError)):
            refused()
    np.testing.assert_array_equal(v.numpy(), START)
    assert v.version == version


# The machinery


def test_a_lone_array_is_recognised() -> None:
    probe = variable_write._Probe()
    assert variable_write.replace(probe, lambda array: None, lambda array: array)
    held = probe._array
    assert not variable_write.replace(probe, lambda array: None, lambda array: bytearray(2))
    assert held == bytearray(1)
    assert probe._array == bytearray(2)
    assert probe._version == 2
    assert variable_write.take(probe) == (bytearray(2), True)
    assert probe._array is None


def test_reading_in_the_middle_of_the_own_write_says_so(fresh_devices: None) -> None:
    v = make('CPU:0')
    held = v.value()

    def read_back(old: Any) -> Any:
        return v.numpy()

    with v._lock, pytest.raises(tv.errors.FailedPreconditionError, match='middle of its write'):
        variable_write.replace(v, None, read_back)
    np.testing.assert_array_equal(v.numpy(), held.numpy())
