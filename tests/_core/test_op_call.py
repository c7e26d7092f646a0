"""The record of an op: every field, on every kind of device."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._backend.base import Timed
from tensorvar._core import op_call
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._device import records

F32 = np.dtype(np.float32)


def recorded(function: Callable[[], Any], **options: Any) -> records.PlacementRecord:
    """The record of the last op that ``function`` runs."""
    with tv.debugging.record_placement(**options) as log:
        function()
    return log.records[-1]


def constant(device: str, value: Any = ((1.0, 2.0), (3.0, 4.0)), dtype: Any = None) -> Any:
    with tv.device(device):
        return tv.constant(list(value), dtype)


# Fields


def test_what_where_and_why(device: str) -> None:
    x = constant(device)
    record = recorded(lambda: x @ x)
    assert record.op == 'MatMul'
    assert record.device == device
    assert record.reason == 'inputs'
    assert record.shapes == ((2, 2), (2, 2))
    assert record.dtype == record.compute_dtype == 'float32'
    assert record.nbytes == 16
    assert record.inputs_on == (device, device)
    assert record.copies == ()
    assert record.note == record.scope == ''
    assert record.variable is None
    assert record.schema == records.SCHEMA == 1
    assert record.clock == 'host'


def test_where_is_the_line_of_the_program() -> None:
    x = constant('CPU:0')
    record = recorded(lambda: x + x)
    line = recorded.__code__.co_firstlineno
    path, _, number = record.where.rpartition(':')
    assert path.endswith('test_op_call.py')
    assert int(number) > line


def test_times_of_the_host(device: str) -> None:
    x = constant(device)
    before = time.perf_counter_ns()
    record = recorded(lambda: x + x)
    after = time.perf_counter_ns()
    assert before <= record.start_ns < record.end_ns <= after


def test_every_kind_of_op_has_both_times() -> None:
    with tv.debugging.record_placement() as log:
        x = tv.constant([1.0, 2.0])
        v = tv.Variable(x, name='v')
        v.assign_add(x)
        v[0].assign(5.0)
        tv.gather(v, [0])
        tv.zeros([2])
        tv.random.normal([2])
        tv.split(x, 2)
    assert len(log.records) >= 8
    for record in log.records:
        assert 0 < record.start_ns <= record.end_ns, record.op


def test_ids_grow_and_belong_to_one_record() -> None:
    x = constant('CPU:0')
    with tv.debugging.record_placement() as log:
        for _ in range(3):
            x + x
    ids = [record.id for record in log.records]
    assert ids == sorted(set(ids))


def test_thread() -> None:
    x = constant('CPU:0')
    idents: list[int] = []

    def work() -> None:
        idents.append(threading.get_ident())
        x + x

    with tv.debugging.record_placement() as log:
        thread = threading.Thread(target=tv.propagate(work))
        thread.start()
        thread.join()
        x + x
    assert [record.thread for record in log.records] == [idents[0], threading.get_ident()]


def test_copies_and_where_the_inputs_were(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([[1.0, 2.0], [3.0, 4.0]], name='v')
    x = constant('GPU:1')
    with tv.device('GPU:0'):
        first = recorded(lambda: v @ x)
        second = recorded(lambda: v + [[1.0, 1.0], [1.0, 1.0]])
    assert first.inputs_on == ('CPU:0', 'GPU:1')
    routes = [(c.source, c.variable, c.operand, c.nbytes, c.cached) for c in first.copies]
    assert routes == [('CPU:0', 'v:0', 'a', 16, False), ('GPU:1', None, 'b', 16, False)]
    assert second.inputs_on == ('CPU:0', 'host')
    assert [(c.source, c.cached) for c in second.copies] == [('CPU:0', True), ('CPU:0', False)]
    for record in (first, second):
        assert record.variable == 'v:0'
        for copy in record.copies:
            assert copy.record_id == record.id
            assert copy.op == record.op
            assert record.start_ns <= copy.start_ns <= copy.end_ns <= record.end_ns


def test_scope_is_what_was_asked_for(simulated_gpus: list[str]) -> None:
    x = constant('CPU:0')
    with tv.device('/device:GPU:1'):
        assert recorded(lambda: x + x).scope == 'GPU:1'
    with tv.device('GPU:9', fallback='silent'):
        record = recorded(lambda: x + x)
    assert (record.scope, record.device, record.reason) == ('GPU:9', 'CPU:0', 'fallback')
    assert record.note.startswith('GPU:9')


def test_memory_after(simulated_gpus: list[str]) -> None:
    x = constant('GPU:0')
    kept: list[Any] = []
    record = recorded(lambda: kept.append(x + x))
    assert record.memory_after == tv.config.get_memory_info('GPU:0')['current'] == 1024


def test_half_precision_computes_wide(device: str) -> None:
    x = constant(device, dtype=tv.bfloat16)
    product = recorded(lambda: x @ x)
    assert (product.dtype, product.compute_dtype) == ('bfloat16', 'float32')
    total = recorded(lambda: x + x)
    assert (total.dtype, total.compute_dtype) == ('bfloat16', 'bfloat16')


def test_the_dtype_is_that_of_the_result() -> None:
    x = constant('CPU:0')
    assert recorded(lambda: x < x).dtype == 'bool'
    assert recorded(lambda: tv.cast(x, tv.int64)).nbytes == 32


def test_ops_without_inputs_show_their_result() -> None:
    for function in (lambda: tv.zeros([2, 3]), lambda: tv.constant([[1.0] * 3] * 2)):
        record = recorded(function)
        assert record.shapes == ((2, 3),)
        assert record.inputs_on == ()
        assert record.nbytes == 24
    assert recorded(lambda: tv.constant(1.0)).op == 'Const'


def test_several_results() -> None:
    x = constant('CPU:0', range(6), tv.float32)
    record = recorded(lambda: tv.split(x, 3))
    assert record.nbytes == 24


def test_an_op_that_fails_leaves_no_record() -> None:
    x = constant('CPU:0')
    with tv.debugging.record_placement() as log:
        with pytest.raises(errors.InvalidArgumentError):
            x + tv.ones([3])
        with tv.testing.fail('CPU:0', 'allocate'), pytest.raises(errors.ResourceExhaustedError):
            x + x
    assert 'AddV2' not in {record.op for record in log.records}


# The log


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, 'tensorvar.placement')
    return caplog


def test_the_line_of_the_log(simulated_gpus: list[str], lines: pytest.LogCaptureFixture) -> None:
    with tv.device('CPU:0'):
        a = tv.ones([2, 3])
    with tv.device('GPU:0'):
        b = tv.ones([3, 2])
        tv.debugging.set_log_device_placement(True)
        try:
            tv.matmul(a, b)
        finally:
            tv.debugging.set_log_device_placement(False)
    [line] = lines.messages
    number = test_the_line_of_the_log.__code__.co_firstlineno + 7
    assert line == (
        f'MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, test_op_call.py:{number}]  '
        f'copied a 24 B CPU:0 -> GPU:0'
    )


def test_a_scope_that_logs(simulated_gpus: list[str], lines: pytest.LogCaptureFixture) -> None:
    x = constant('GPU:0')
    x + x
    with tv.device('GPU:0', log=True):
        x * x
    x - x
    [line] = lines.messages
    assert line.startswith('Mul (2,2)x(2,2) float32 -> GPU:0  [explicit, test_op_call.py:')


def test_a_loop_is_one_line_and_a_count(lines: pytest.LogCaptureFixture) -> None:
    x = constant('CPU:0')
    tv.debugging.set_log_device_placement(True)
    try:
        for _ in range(5):
            x + x
    finally:
        tv.debugging.set_log_device_placement(False)
    assert len(lines.messages) == 2
    assert lines.messages[1].endswith('x 5 so far')


# Times of the device


class Clocked:
    """Lets a backend tell its own times."""

    def __init__(self, device: str, patch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        backend = constant(device)._device.backend

        def timed_call(function: Any, *args: Any, **kwargs: Any) -> Timed:
            self.calls += 1
            return Timed(backend.call(function, *args, **kwargs), 5_000, 7_000)

        patch.setattr(backend, 'timed_call', timed_call)


def test_times_of_a_device_that_has_a_clock(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clocked = Clocked(device, monkeypatch)
    x = constant(device)
    record = recorded(lambda: x + x, device_times=True)
    assert (record.clock, record.start_ns, record.end_ns) == ('device', 5_000, 7_000)
    assert clocked.calls == 1
    assert recorded(lambda: x + x).clock == 'host', 'only a recorder that asks makes ops wait'
    assert clocked.calls == 1


def test_times_of_a_device_without_a_clock(simulated_gpus: list[str]) -> None:
    for device in ('CPU:0', 'GPU:0'):
        x = constant(device)
        record = recorded(lambda x=x: x + x, device_times=True)
        assert record.clock == 'host'
        assert 0 < record.start_ns < record.end_ns


@pytest.mark.gpu
def test_times_of_a_card() -> None:
    x = constant('GPU:0', np.ones((512, 512), np.float32))
    x @ x
    record = recorded(lambda: x @ x, device_times=True)
    assert record.clock == 'device'
    assert 0 < record.end_ns - record.start_ns < 10**9


# Parts


def test_a_result_that_differs_from_its_rule_is_told() -> None:
    op = OpDef('Odd', lambda x: x, lambda xp, x: x, NOT_DIFFERENTIABLE)
    spec = ArraySpec((2,), F32)
    op_call.verify(op, [spec], [np.ones(2, F32)])
    op_call.verify(op, [ArraySpec((None,), F32)], [np.ones(2, F32)])
    for wrong in (np.ones(3, F32), np.ones((2, 1), F32), np.ones(2)):
        with pytest.raises(errors.InternalError, match=r'^\[Odd\] the rule says'):
            op_call.verify(op, [spec], [wrong])


def test_nobody_listens_nothing_is_kept() -> None:
    op = OpDef('Odd', lambda x: x, lambda xp, x: x, NOT_DIFFERENTIABLE)
    call = op_call.OpCall(op, {}, None)
    call.finish()
    call.report((), (), None)  # type: ignore[arg-type]
    assert call.need('x').copies is None
    assert call.need('x').record_id is None
