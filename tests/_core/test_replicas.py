"""Copies of variables on other devices: one per version, charged, given back."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import faults, memory_ledger
from tests.support.writes import START, WRITES, Write

KIB = 1024


def make(device: str, value: Any = START, name: str = 'v') -> tv.Variable:
    with tv.device(device):
        return tv.Variable(value, name=name)


def read_on(v: tv.Variable, device: str) -> np.ndarray[Any, Any]:
    """Uses the variable on another device, where it is an implicit copy."""
    with tv.device(device):
        return (v + 0.0).numpy()  # type: ignore[no-any-return]


def implicit_copies(log: Any) -> list[Any]:
    return [copy for copy in log.copies if copy.variable == 'v:0' and copy.op != 'numpy']


def replica_of(v: tv.Variable, device: str) -> Any:
    [replica] = [one for place, one in v._replicas.items() if place.short == device]
    return replica


def used(device: str) -> int:
    return tv.config.get_memory_info(device)['current']


PAIRS = pytest.mark.parametrize(
    ('home', 'away'),
    [('CPU:0', 'GPU:0'), ('GPU:0', 'GPU:1'), ('GPU:0', 'CPU:0')],
)


@PAIRS
def test_a_thousand_reads_are_one_copy_and_hits(
    simulated_gpus: list[str], home: str, away: str
) -> None:
    v = make(home)
    with tv.debugging.record_placement() as log:
        for _ in range(1_000):
            read_on(v, away)
    copies = implicit_copies(log)
    assert [copy.cached for copy in copies] == [False] + [True] * 999
    assert {(copy.source, copy.destination, copy.nbytes) for copy in copies} == {(home, away, 24)}
    adds = [record for record in log.records if record.op == 'AddV2']
    assert [len(record.copies) for record in adds] == [1] * 1_000


@pytest.mark.parametrize('way', WRITES, ids=repr)
def test_every_write_makes_replicas_stale(simulated_gpus: list[str], way: Write) -> None:
    v = make('GPU:0')
    read_on(v, 'GPU:1')
    with tv.debugging.record_placement() as log:
        way.write(v)
        np.testing.assert_array_equal(read_on(v, 'GPU:1'), way.expected(START))
        np.testing.assert_array_equal(read_on(v, 'GPU:1'), way.expected(START))
    read = [copy for copy in implicit_copies(log) if copy.op == 'AddV2']
    assert [copy.cached for copy in read] == [False, True]


def test_a_move_makes_replicas_stale(simulated_gpus: list[str]) -> None:
    v = make('CPU:0')
    read_on(v, 'GPU:0')
    read_on(v, 'GPU:1')
    v.to_device('GPU:0')
    assert v._replicas == {}
    before = used('GPU:0')
    np.testing.assert_array_equal(read_on(v, 'GPU:0'), START)
    assert used('GPU:0') == before
    with tv.debugging.record_placement() as log:
        read_on(v, 'GPU:1')
    assert [(copy.source, copy.cached) for copy in implicit_copies(log)] == [('GPU:0', False)]


def test_a_refresh_writes_the_same_buffer(simulated_gpus: list[str]) -> None:
    v = make('CPU:0')
    read_on(v, 'GPU:0')
    buffer = id(replica_of(v, 'GPU:0')._array)
    charged = used('GPU:0')
    for step in range(1, 4):
        v.assign_add(START)
        np.testing.assert_array_equal(read_on(v, 'GPU:0'), START * (step + 1))
        assert id(replica_of(v, 'GPU:0')._array) == buffer
        assert used('GPU:0') == charged


def test_a_held_replica_is_not_written(simulated_gpus: list[str]) -> None:
    v = make('CPU:0')
    with tv.device('GPU:0'):
        held = v.read_value()
    v.assign(START * 2)
    np.testing.assert_array_equal(read_on(v, 'GPU:0'), START * 2)
    np.testing.assert_array_equal(held.numpy(), START)


def test_a_replica_of_another_shape_is_made_anew(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0], shape=tv.TensorShape([None]), name='v')
    assert read_on(v, 'GPU:0').tolist() == [1.0, 2.0]
    v.assign([1.0, 2.0, 3.0])
    assert read_on(v, 'GPU:0').tolist() == [1.0, 2.0, 3.0]


def test_replicas_are_charged_to_their_device(simulated_gpus: list[str]) -> None:
    home, away = used('GPU:0'), used('GPU:1')
    v = make('GPU:0')
    read_on(v, 'GPU:1')
    read_on(v, 'CPU:0')
    assert (used('GPU:0'), used('GPU:1')) == (home + 512, away + 512)
    # The CPU reports variables only.
    assert used('CPU:0') == 0
    del v
    assert (used('GPU:0'), used('GPU:1')) == (home, away)


def test_only_variables_have_replicas(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        t = tv.constant(START)
    with tv.debugging.record_placement() as log, tv.device('GPU:0'):
        for _ in range(3):
            t + 1.0
    assert [(copy.variable, copy.cached) for copy in log.copies] == [(None, False)] * 3


def test_variables_on_each_other_s_devices_share_nothing(simulated_gpus: list[str]) -> None:
    a, b = make('GPU:0'), make('GPU:1', START * 2)
    with tv.device('GPU:0'):
        np.testing.assert_array_equal((a + b).numpy(), START * 3)
    with tv.device('GPU:1'):
        np.testing.assert_array_equal((a + b).numpy(), START * 3)
    a.assign(b)
    np.testing.assert_array_equal(a.numpy(), START * 2)
    assert a._array is not b._replicas.get(a._device)._array


# A full device


@pytest.fixture
def small_gpu(fresh_devices: None) -> Iterator[None]:
    """One simulated GPU with room for sixteen values of a KiB."""
    tv.config.simulate_gpus(1, memory_limit='16KiB')
    yield
    tv.config.reset()


def fill(count: int) -> list[tv.Tensor]:
    with tv.device('GPU:0'):
        return [tv.zeros([256]) for _ in range(count)]


def kib(name: str) -> tv.Variable:
    return make('CPU:0', np.ones(256, np.float32), name)


def has_replica(v: tv.Variable) -> bool:
    return any(place.short == 'GPU:0' for place in v._replicas)


def replicate(v: tv.Variable) -> None:
    with tv.device('GPU:0'):
        v.read_value()


def test_a_full_device_takes_stale_replicas_first(small_gpu: None) -> None:
    fresh, stale = kib('fresh'), kib('stale')
    replicate(fresh)
    replicate(stale)
    stale.assign_add(tv.zeros([256]))
    kept = fill(14)
    with tv.debugging.record_placement() as log:
        kept += fill(1)
    assert (has_replica(fresh), has_replica(stale)) == (True, False)
    [event] = [event for event in log.events if event.event == 'eviction']
    assert (event.device, event.nbytes, event.detail) == ('GPU:0', KIB, 'stale replicas')
    with tv.debugging.record_placement() as log:
        kept += fill(1)
    assert not has_replica(fresh)
    [event] = [event for event in log.events if event.event == 'eviction']
    assert (event.device, event.nbytes, event.detail) == ('GPU:0', KIB, 'replicas')
    with pytest.raises(tv.errors.ResourceExhaustedError):
        fill(1)
    kept.pop()
    np.testing.assert_array_equal(read_on_cpu(fresh), np.ones(256))
    del kept


def read_on_cpu(v: tv.Variable) -> Any:
    return v.numpy()


def test_no_more_replicas_go_than_are_needed(small_gpu: None) -> None:
    variables = [kib(f'v{index}') for index in range(4)]
    for v in variables:
        replicate(v)
    kept = fill(12)
    kept += fill(1)
    assert [has_replica(v) for v in variables] == [False, True, True, True]
    del kept


def test_a_replica_in_use_does_not_count_as_given_back(small_gpu: None) -> None:
    held, idle = kib('held'), kib('idle')
    with tv.device('GPU:0'):
        holder = held.read_value()
    replicate(idle)
    kept = fill(14)
    with tv.debugging.record_placement() as log:
        kept += fill(1)
    [event] = [event for event in log.events if event.event == 'eviction']
    assert event.nbytes == KIB
    np.testing.assert_array_equal(holder.numpy(), np.ones(256))
    del kept, holder


def test_an_evicted_replica_comes_back(small_gpu: None) -> None:
    v = kib('v')
    replicate(v)
    kept = fill(16)
    assert not has_replica(v)
    del kept
    replicate(v)
    assert has_replica(v)


def test_release_memory_drops_replicas(small_gpu: None) -> None:
    v = kib('v')
    replicate(v)
    released = tv.config.release_memory('GPU:0')
    assert (released.released, released.held) == (KIB, 0)
    assert not has_replica(v)
    assert tv.config.release_memory('CPU:0').released == 0


def test_an_op_on_two_replicas_fits_or_fails_whole(small_gpu: None) -> None:
    a, b = kib('a'), kib('b')
    kept = fill(14)
    with pytest.raises(tv.errors.ResourceExhaustedError), tv.device('GPU:0'):
        a + b
    kept.pop()
    with tv.device('GPU:0'):
        assert float(tv.reduce_sum(a + b)) == 512.0
    del kept


# Faults and the state between


@pytest.mark.parametrize('kind', ['copy', 'allocate', 'lost'])
def test_a_failed_refresh_leaves_no_wrong_replica(simulated_gpus: list[str], kind: str) -> None:
    v = make('CPU:0')
    read_on(v, 'GPU:0')
    v.assign(START * 2)
    with tv.testing.fail('GPU:0', kind), pytest.raises(tv.errors.OpError):
        read_on(v, 'GPU:0')
    np.testing.assert_array_equal(read_on(v, 'GPU:0'), START * 2)


def test_a_copy_that_stops_halfway_is_never_read(
    simulated_gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make('CPU:0')
    read_on(v, 'GPU:0')
    v.assign(START * 2)
    [gpu] = [place for place in v._replicas if place.short == 'GPU:0']

    def half(target: Any, source: Any) -> None:
        target[0] = 99.0
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(gpu.backend, 'refresh', half)
        with pytest.raises(ConnectionError):
            read_on(v, 'GPU:0')
    np.testing.assert_array_equal(read_on(v, 'GPU:0'), START * 2)
    assert not faults.armed


def test_a_write_during_the_copy_makes_the_replica_stale(
    simulated_gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make('GPU:0')
    gpu_1 = make('GPU:1')._device
    copy_from = gpu_1.backend.copy_from

    def write_meanwhile(*args: Any) -> Any:
        copied = copy_from(*args)
        v.assign(START * 2)
        return copied

    with monkeypatch.context() as patch:
        patch.setattr(gpu_1.backend, 'copy_from', write_meanwhile)
        np.testing.assert_array_equal(read_on(v, 'GPU:1'), START)
    np.testing.assert_array_equal(read_on(v, 'GPU:1'), START * 2)


def test_a_variable_that_moves_here_meanwhile_keeps_no_replica(
    simulated_gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    v = make('GPU:0')
    gpu_1 = make('GPU:1')._device
    copy_from = gpu_1.backend.copy_from
    calls: list[Callable[[], Any]] = [lambda: v.to_device('GPU:1')]

    def move_meanwhile(*args: Any) -> Any:
        if calls:
            calls.pop()()
        return copy_from(*args)

    with monkeypatch.context() as patch:
        patch.setattr(gpu_1.backend, 'copy_from', move_meanwhile)
        np.testing.assert_array_equal(read_on(v, 'GPU:1'), START)
    assert v._replicas == {}
    assert used('GPU:1') == 512


def test_reclaimers_of_replicas_are_registered_in_order() -> None:
    stages = [stage for stage, reclaimer in memory_ledger._reclaimers]
    assert stages.index(memory_ledger.Stage.STALE_REPLICAS) < stages.index(
        memory_ledger.Stage.REPLICAS
    )
