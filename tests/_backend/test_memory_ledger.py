"""The ledger: rounding, limit, order of giving up memory, error text, events."""

import threading

import pytest

from tensorvar import errors
from tensorvar._backend import memory_ledger
from tensorvar._backend.memory_ledger import Holder, MemoryLedger, Stage
from tests.support import threads


@pytest.fixture
def register_reclaimer(monkeypatch):
    monkeypatch.setattr(memory_ledger, '_reclaimers', list(memory_ledger._reclaimers))
    return memory_ledger.register_reclaimer


@pytest.fixture
def events(monkeypatch):
    seen = []
    monkeypatch.setattr(memory_ledger, '_event_sink', None)
    memory_ledger.set_event_sink(lambda *event: seen.append(event))
    return seen


@pytest.fixture
def holders(monkeypatch):
    listed = []
    monkeypatch.setattr(memory_ledger, '_holders', None)
    memory_ledger.set_holders(lambda device: list(listed))
    return listed


@pytest.mark.parametrize(
    ('nbytes', 'charged'), [(0, 0), (1, 512), (511, 512), (512, 512), (513, 1024)]
)
def test_charges_are_rounded_up_to_512_bytes(nbytes, charged):
    ledger = MemoryLedger('GPU:0')
    assert ledger.charge(nbytes) == charged
    assert ledger.current == charged


def test_peak_stays_until_it_is_reset():
    ledger = MemoryLedger('GPU:0')
    ledger.release(ledger.charge(2048))
    ledger.charge(512)
    assert (ledger.current, ledger.peak) == (512, 2048)
    ledger.reset_peak()
    assert ledger.peak == 512


def test_a_charge_may_fill_the_limit_exactly():
    ledger = MemoryLedger('GPU:0', 1024)
    ledger.charge(1024)
    assert ledger.current == ledger.limit == 1024


def test_a_refused_charge_changes_nothing_and_a_small_one_fits_after_it():
    ledger = MemoryLedger('GPU:0', 2048)
    ledger.charge(1024)
    with pytest.raises(errors.ResourceExhaustedError):
        ledger.charge(1025)
    assert (ledger.current, ledger.peak) == (1024, 1024)
    ledger.charge(1024)
    assert ledger.current == 2048


def test_a_new_limit_holds_at_once():
    ledger = MemoryLedger('GPU:0')
    ledger.charge(4096)
    ledger.set_limit(1024)
    with pytest.raises(errors.ResourceExhaustedError):
        ledger.charge(1)
    ledger.set_limit(None)
    assert ledger.limit is None
    ledger.charge(1)


def test_a_negative_limit_is_refused():
    with pytest.raises(errors.InvalidArgumentError, match=r'\[set_memory_limit\] -1 bytes'):
        MemoryLedger('GPU:0', -1)


def test_memory_is_asked_back_in_the_documented_order(register_reclaimer):
    order = []
    for stage in (Stage.POOL, Stage.REPLICAS, Stage.STALE_REPLICAS, Stage.IDLE_PLANS):

        def note(device, missing, stage=stage):
            order.append((stage, device, missing))
            return 0

        register_reclaimer(stage, note)
    ledger = MemoryLedger('GPU:1', 512)
    ledger.charge(512)
    with pytest.raises(errors.ResourceExhaustedError):
        ledger.charge(1000)
    assert order == [(stage, 'GPU:1', 1024) for stage in sorted(Stage)]


def test_no_more_is_given_up_than_is_needed(register_reclaimer, events):
    ledger = MemoryLedger('GPU:0', 1024)
    stale = [ledger.charge(512)]
    ledger.charge(512)

    def drop_stale(device, missing):
        freed = stale.pop()
        ledger.release(freed)
        return freed

    register_reclaimer(Stage.STALE_REPLICAS, drop_stale)
    register_reclaimer(Stage.REPLICAS, lambda device, missing: pytest.fail('not needed'))
    ledger.charge(100)
    assert ledger.current == 1024
    assert ('eviction', 'GPU:0', 512, 512, 'stale replicas') in events


def test_reclaimers_run_without_the_ledgers_lock(register_reclaimer):
    ledger = MemoryLedger('GPU:0', 512)
    ledger.charge(512)

    def release_on_another_thread(device, missing):
        thread = threading.Thread(target=ledger.release, args=(512,))
        thread.start()
        thread.join(timeout=10)
        assert not thread.is_alive()
        return 512

    register_reclaimer(Stage.REPLICAS, release_on_another_thread)
    ledger.charge(512)
    assert ledger.current == 512


def test_the_error_lists_the_largest_holders_and_the_rest(holders):
    holders += [Holder('b:0', 1024, 'train.py:3'), Holder('w:0', 2048, 'train.py:2')]
    ledger = MemoryLedger('GPU:0', 4096)
    ledger.charge(4096)
    with pytest.raises(errors.ResourceExhaustedError) as caught:
        ledger.charge(5000)
    text = str(caught.value)
    assert '[allocate] 4.9 KiB (5000 bytes) were asked for on GPU:0' in text
    assert '4 KiB are in use (' in text
    assert (
        'w:0 2 KiB (train.py:2), b:0 1 KiB (train.py:3), tensors and other values 1 KiB'
    ) in text
    assert "tv.config.set_memory_limit('GPU:0', ...)" in text
    assert isinstance(caught.value, MemoryError)


def test_the_error_lists_nothing_where_nothing_is_held():
    with pytest.raises(errors.ResourceExhaustedError, match='where 0 B are in use; '):
        MemoryLedger('GPU:0', 512).charge(5000)


def test_many_holders_are_summed_up(holders):
    holders += [Holder(f'v{i}:0', 512, 'a.py:1') for i in range(20)]
    ledger = MemoryLedger('GPU:0', 512 * 20)
    ledger.charge(512 * 20)
    with pytest.raises(errors.ResourceExhaustedError, match='12 smaller holders 6 KiB'):
        ledger.charge(1)


def test_events_tell_of_allocations_and_full_devices(events):
    ledger = MemoryLedger('GPU:0', 1024)
    ledger.charge(100)
    with pytest.raises(errors.ResourceExhaustedError):
        ledger.charge(1024)
    assert events == [
        ('allocation', 'GPU:0', 512, 512, ''),
        ('out_of_memory', 'GPU:0', 1024, 512, 'limit 1024'),
    ]


def test_threads_lose_no_update():
    ledger = MemoryLedger('GPU:0', 512 * 64)

    def work():
        for _ in range(2000):
            ledger.release(ledger.charge(512))

    threads.several(work, 4)
    assert ledger.current == 0
    assert ledger.peak <= 512 * 4
