"""The cross-device copy: the way taken, the guard asked, the record made."""

import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._backend import faults, guard, memory_ledger, transfer
from tensorvar._backend.base import Backend
from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._backend.simulated_backend import SimulatedBackend
from tensorvar._device import listeners, records, scope
from tensorvar._device._log import recorder
from tensorvar._device.device import Device

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def make(name: str, backend: Callable[[str], Backend]) -> Device:
    kind, _, index = name.partition(':')
    device = Device(kind, int(index))
    device.backend = backend(name)
    return device


class OtherKind(SimulatedBackend):
    """Stands for a backend that is no relative of the simulated one."""


CPU = make('CPU:0', NumpyBackend)
CPU1 = make('CPU:1', SimulatedBackend)
GPU = make('GPU:0', SimulatedBackend)
GPU1 = make('GPU:1', SimulatedBackend)
OTHER = make('GPU:2', OtherKind)


def array_on(device: Device) -> Any:
    return device.backend.from_host(VALUES)


def to_device(source: Device, destination: Device, explicit: bool = False, **more: Any) -> Any:
    array = more.pop('array', None)
    return transfer.to_device(
        array_on(source) if array is None else array,
        source,
        destination,
        explicit=explicit,
        op='MatMul',
        operand='a',
        state=scope.current(),
        **more,
    )


def from_host(destination: Device, explicit: bool = False) -> Any:
    return transfer.from_host(
        VALUES, destination, explicit=explicit, op='AddV2', operand='y', state=scope.current()
    )


def to_host(source: Device, explicit: bool = False) -> Any:
    return transfer.to_host(
        array_on(source), source, explicit=explicit, op='bool', operand='self',
        state=scope.current(),
    )  # fmt: skip


PAIRS = [
    (CPU, GPU, 'host_to_device'),
    (GPU, CPU, 'device_to_host'),
    (GPU, GPU1, 'device_to_device'),
    (GPU, OTHER, 'device_to_device'),
    (OTHER, GPU, 'device_to_device'),
    (CPU, CPU1, 'device_to_device'),
    (CPU1, CPU, 'device_to_device'),
    (CPU1, GPU, 'host_to_device'),
]


@pytest.mark.parametrize(('source', 'destination', 'direction'), PAIRS)
def test_every_way_copies_the_values(source: Device, destination: Device, direction: str) -> None:
    array = array_on(source)
    result = to_device(source, destination, array=array)
    assert type(result) is destination.backend.array_type
    assert result is not array
    np.testing.assert_array_equal(destination.backend.to_host(result), VALUES)
    assert transfer.direction(source, destination) == direction


@pytest.mark.parametrize(('source', 'destination', 'direction'), PAIRS)
def test_a_replica_is_refreshed_in_place(
    source: Device, destination: Device, direction: str
) -> None:
    replica = destination.backend.from_host(np.zeros_like(VALUES))
    assert to_device(source, destination, into=replica) is replica
    np.testing.assert_array_equal(destination.backend.to_host(replica), VALUES)


@pytest.mark.parametrize('device', [CPU, CPU1, GPU])
def test_host_data_there_and_back(device: Device) -> None:
    array = from_host(device)
    host = transfer.to_host(array, device, explicit=True, op='numpy', operand='self', state=None)
    assert host is not VALUES
    assert host.flags.writeable
    assert host.flags.owndata
    host[0, 0] = 7
    np.testing.assert_array_equal(device.backend.to_host(array), VALUES)


@pytest.mark.parametrize(('source', 'destination', 'direction'), PAIRS)
def test_an_implicit_copy_asks_the_guard_first(
    source: Device, destination: Device, direction: str
) -> None:
    array = array_on(source)
    other = next(each for each in ('device_to_host', 'host_to_device') if each != direction)
    refusing = guard.transfer_guard(**{direction: 'disallow'})
    refused = pytest.raises(errors.TransferError, match=rf'\[MatMul\].*{source.short}.*24 B')
    with faults.fail(destination.short, 'copy'), refusing, refused:
        to_device(source, destination, array=array)
    with guard.transfer_guard(**{other: 'disallow'}) as entered:
        to_device(source, destination, array=array)
    assert entered.used == 24


def test_explicit_copies_pass_and_are_not_charged() -> None:
    guard.set_device_policy('explicit')
    try:
        with guard.transfer_guard('disallow', budget=0) as entered:
            to_device(CPU, GPU, explicit=True)
            from_host(GPU, explicit=True)
            to_host(GPU, explicit=True)
    finally:
        guard.set_device_policy(None)
    assert entered.used == 0


def test_host_data_and_reads_are_guarded_on_a_gpu_only() -> None:
    with guard.transfer_guard('disallow'):
        from_host(CPU)
        from_host(CPU1)
        to_host(CPU)
        to_host(CPU1)
        with pytest.raises(errors.TransferError, match=r"'y' lies on CPU:0 .* on GPU:0"):
            from_host(GPU)
        with pytest.raises(errors.TransferError, match=r"'self' lies on GPU:0 .* on CPU:0"):
            to_host(GPU)


def test_the_policy_concerns_operands_that_are_tensors() -> None:
    guard.set_device_policy('explicit')
    try:
        from_host(GPU)
        to_host(GPU)
        with pytest.raises(errors.TransferError, match='set_device_policy'):
            to_device(CPU, GPU)
    finally:
        guard.set_device_policy(None)


def test_a_copy_is_recorded_once() -> None:
    with recorder.record_placement() as log:
        to_device(CPU, GPU, variable='w:0', record_id=7)
        from_host(GPU, explicit=True)
        to_host(GPU)
        from_host(CPU)
        to_host(CPU)
    first, second, third = log.copies
    assert (first.source, first.destination, first.nbytes) == ('CPU:0', 'GPU:0', 24)
    assert (first.op, first.operand, first.variable) == ('MatMul', 'a', 'w:0')
    assert (first.record_id, first.explicit, first.cached) == (7, False, False)
    assert first.where.startswith(f'{__file__}:')
    assert 0 < first.start_ns <= first.end_ns
    assert (second.source, second.destination, second.explicit) == ('CPU:0', 'GPU:0', True)
    assert (third.source, third.destination, third.op) == ('GPU:0', 'CPU:0', 'bool')


def test_the_record_goes_to_the_op_that_asks() -> None:
    copies: list[records.CopyRecord] = []
    with recorder.record_placement() as log:
        to_device(CPU, GPU, copies=copies)
    assert log.copies == copies
    to_device(CPU, GPU, copies=copies)
    assert len(copies) == 2


def test_no_record_is_made_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(records, 'CopyRecord')
    to_device(CPU, GPU)
    from_host(GPU)
    to_host(GPU)
    hit(CPU, GPU)


def hit(source: Device, destination: Device, **more: Any) -> None:
    transfer.report_hit(
        array_on(destination), source, destination, op='MatMul', operand='a', variable='w:0',
        state=scope.current(), **more,
    )  # fmt: skip


def test_a_replica_hit_is_recorded_and_is_no_copy() -> None:
    copies: list[records.CopyRecord] = []
    with guard.transfer_guard('disallow'), recorder.record_placement() as log:
        hit(CPU, GPU, copies=copies)
    log.assert_no_copies()
    assert log.copies == copies
    assert (copies[0].cached, copies[0].nbytes, copies[0].variable) == (True, 24, 'w:0')


def test_the_memory_of_a_copy_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, '_sink_setters', [memory_ledger.set_event_sink])
    array = array_on(CPU)
    with recorder.record_placement() as log:
        before = GPU.backend.memory_info().current
        to_device(CPU, GPU, array=array)
    (made,) = log.events
    assert (made.event, made.device, made.nbytes) == ('allocation', 'GPU:0', 512)
    assert made.memory_after == before + 512
    assert made.where == log.copies[0].where


def test_a_failed_copy_is_not_recorded() -> None:
    array = array_on(CPU)
    failing = faults.fail('GPU:0', 'copy')
    with recorder.record_placement() as log, failing, pytest.raises(errors.InternalError):
        to_device(CPU, GPU, array=array)
    assert log.copies == []


def test_no_reference_is_kept() -> None:
    array = array_on(GPU)
    before = sys.getrefcount(array)
    gc.disable()
    try:
        with recorder.record_placement():
            result = to_device(GPU, GPU1, array=array)
        assert sys.getrefcount(array) == before
        used = GPU1.backend.memory_info().current
        del result
        assert GPU1.backend.memory_info().current < used
    finally:
        gc.enable()


def test_a_host_array_is_let_go_at_once() -> None:
    host = VALUES.copy()
    gone = weakref.ref(host)
    kept = transfer.from_host(host, GPU, explicit=True, op='Const', operand='value', state=None)
    del host
    assert gone() is None
    assert kept.nbytes == 24
