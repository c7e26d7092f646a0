"""Memory: given back at once, flat over many cycles, counted, limited and explained."""

import copy
import gc
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

START = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)


@pytest.fixture
def without_collector() -> Iterator[None]:
    """No cycle collector: what is not given back by reference counts stays."""
    gc.disable()
    gc.collect()
    # The rest of the suite need not be looked through again and again.
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


# One turn of each kind; nothing of it may remain.


def turn_tensor(v: tv.Variable) -> None:
    x = tv.constant([1.0, 2.0])
    y = tv.exp(x * 2.0)[0]
    y.numpy()


def turn_variable(v: tv.Variable) -> None:
    w = tv.Variable([1.0, 2.0], name='w')
    w.assign_add([1.0, 1.0])
    w.update(lambda value: value * 2.0)


def turn_tape(v: tv.Variable) -> None:
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.matmul(v, v, transpose_b=True))
    tape.gradient(loss, v)


def turn_persistent_tape(v: tv.Variable) -> None:
    with tv.GradientTape(persistent=True) as outer, tv.GradientTape() as inner:
        loss = tv.reduce_sum(v * v * v)
        first = inner.gradient(loss, v)
    outer.gradient(first, v)


def turn_unused_tape(v: tv.Variable) -> None:
    with tv.GradientTape() as tape:
        tape.watch(v)
        v * 2.0


def turn_sparse(v: tv.Variable) -> None:
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.gather(v, [0, 2]))
    v.scatter_sub(tape.gradient(loss, v))


def turn_slice(v: tv.Variable) -> None:
    part = v[0]
    part.assign([1.0, 2.0])
    del part
    v[1:, 0].assign(5.0)


def turn_view(v: tv.Variable) -> None:
    held = tv.transpose(tv.reshape(v.value(), (2, 3)))
    v.assign_add(START)
    list(held[0])


def turn_replica(v: tv.Variable) -> None:
    with tv.device('GPU:1'):
        v + 1.0
    v.assign(START)


def turn_move(v: tv.Variable) -> None:
    v.to_device('GPU:1').to_device('CPU:0').to_device('GPU:0')


def turn_copies(v: tv.Variable) -> None:
    copy.deepcopy(v)
    pickle.loads(pickle.dumps(v))
    v.ref()
    np.asarray(v)


def turn_constraint(v: tv.Variable) -> None:
    w = tv.Variable(START, constraint=lambda x: tv.maximum(x, 0.0), enforce_constraint=True)
    w.assign_sub(START)


def turn_error(v: tv.Variable) -> None:
    try:
        v.assign([1.0])
    except ValueError as error:
        str(error)
    try:
        v * tv.constant([1.0, 2.0, 3.0, 4.0])
    except ValueError as error:
        str(error)


def turn_scopes(v: tv.Variable) -> None:
    with tv.name_scope('a'), tv.device('GPU:1'), tv.transfer_guard('allow', budget='1MiB'):
        tv.Variable(v)


def turn_custom_gradient(v: tv.Variable) -> None:
    @tv.custom_gradient
    def double(x: Any) -> Any:
        return x * 2.0, lambda gradient: gradient * 2.0

    with tv.GradientTape() as tape:
        y = double(v)
    tape.gradient(y, v)


TURNS: dict[str, Callable[[tv.Variable], None]] = {
    name.removeprefix('turn_'): function
    for name, function in list(globals().items())
    if name.startswith('turn_')
}

each_turn = pytest.mark.parametrize('kind', TURNS)


@each_turn
def test_no_reference_cycle_is_made(
    simulated_gpus: list[str], without_collector: None, kind: str
) -> None:
    v = tv.Variable(START)
    turn = TURNS[kind]
    turn(v)
    gc.collect()
    for _ in range(20):
        turn(v)
    assert gc.collect() == 0


@each_turn
def test_what_is_dropped_is_given_back_at_once(
    simulated_gpus: list[str], without_collector: None, kind: str
) -> None:
    v = tv.Variable(START)
    turn = TURNS[kind]
    for _ in range(3):
        turn(v)
    before = charged()
    for _ in range(50):
        turn(v)
    assert charged() == before
    assert len(tv.debugging.live_variables()) == 1
    v._replicas.clear()
    del v
    assert set(charged().values()) == {0}


def charged() -> dict[str, int]:
    return {
        name: tv.config.get_memory_info(name)['current'] for name in ('CPU:0', 'GPU:0', 'GPU:1')
    }


def blocks() -> int:
    """How many blocks of memory Python has allocated, its lists of free tuples emptied."""
    assert gc.collect() == 0
    return sys.getallocatedblocks()


@each_turn
def test_memory_is_flat(simulated_gpus: list[str], without_collector: None, kind: str) -> None:
    v = tv.Variable(START)
    turn = TURNS[kind]
    turn(v)
    gc.collect()
    growth = []
    # Python and NumPy keep some freed blocks for later, up to a limit.
    while not growth or (growth[-1] > 20 and len(growth) < 20):
        before = blocks()
        for _ in range(100):
            turn(v)
        growth.append(blocks() - before)
    assert growth[-1] <= 20, growth


@pytest.mark.parametrize('kind', ['tensor', 'variable'])
def test_a_hundred_thousand_cycles_leave_nothing(
    fresh_devices: None, without_collector: None, kind: str
) -> None:
    def turn() -> None:
        if kind == 'variable':
            tv.Variable(1.0)
        else:
            x * 2.0

    x = tv.constant([1.0, 2.0])
    for _ in range(2_000):
        turn()
    gc.collect()
    before, resident = blocks(), resident_bytes()
    for _ in range(100_000):
        turn()
    assert blocks() - before < 100
    assert resident_bytes() - resident < 4 << 20
    assert charged_on_cpu() == 0


def charged_on_cpu() -> int:
    return tv.config.get_memory_info('CPU:0')['current']


@pytest.mark.soak
@each_turn
def test_a_hundred_thousand_cycles_of_each_kind_are_flat(
    simulated_gpus: list[str], without_collector: None, kind: str
) -> None:
    v = tv.Variable(START)
    turn = TURNS[kind]
    for _ in range(2_000):
        turn(v)
    gc.collect()
    in_use, resident, before = charged(), resident_bytes(), blocks()
    for _ in range(100_000):
        turn(v)
    assert charged() == in_use
    assert blocks() - before < 100
    assert resident_bytes() - resident < 4 << 20


def resident_bytes() -> int:
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


# Counters


def test_a_plain_cpu_counts_variables_only(fresh_devices: None) -> None:
    v = tv.Variable(np.zeros(1000))
    t = tv.zeros([1000])
    assert tv.config.get_memory_info('CPU:0') == {'current': 8000, 'peak': 8000}
    w = tv.Variable(t)
    assert tv.config.get_memory_info('CPU:0') == {'current': 12000, 'peak': 12000}
    del v, w
    assert tv.config.get_memory_info('CPU:0') == {'current': 0, 'peak': 12000}
    tv.config.reset_memory_stats('CPU:0')
    assert tv.config.get_memory_info('CPU:0') == {'current': 0, 'peak': 0}


def test_a_variable_that_grows_is_counted(fresh_devices: None) -> None:
    v = tv.Variable([1.0], shape=tv.TensorShape([None]))
    v.assign(np.zeros(100, np.float32))
    assert charged_on_cpu() == 400
    del v
    assert charged_on_cpu() == 0


def test_a_charged_device_counts_everything(simulated_gpus: list[str]) -> None:
    info = tv.config.get_memory_info
    v = tv.Variable(np.zeros(1000, np.float32))
    t = v + 1.0
    view = tv.reshape(t, (10, 100))
    # 4,000 bytes are 8 granules of 512.
    assert info('GPU:0')['current'] == 2 * 4096
    del t
    assert info('GPU:0')['current'] == 2 * 4096
    del view
    assert info('GPU:0')['current'] == 4096
    assert info('GPU:0')['peak'] >= 2 * 4096
    tv.config.reset_memory_stats('GPU:0')
    assert info('GPU:0')['peak'] == 4096
    v.to_device('CPU:0')
    assert (info('GPU:0')['current'], info('CPU:0')['current']) == (0, 4000)
    assert info('GPU:1') == {'current': 0, 'peak': 0}


def test_several_logical_cpus_count_everything(two_cpus: tuple[str, str]) -> None:
    with tv.device('CPU:1'):
        t = tv.zeros([1000])
    assert tv.config.get_memory_info('CPU:1')['current'] == 4096
    assert tv.config.get_memory_info('CPU:0')['current'] == 0
    with tv.device('CPU:0'):
        u = t + 1.0
    assert tv.config.get_memory_info('CPU:0')['current'] == 4096
    assert u.device.endswith('CPU:0')


# Limits


def test_a_limit_in_mebibytes_on_logical_cpus(fresh_devices: None) -> None:
    [cpu] = tv.config.list_physical_devices('CPU')
    limits = [tv.config.LogicalDeviceConfiguration(memory_limit=limit) for limit in (1, None)]
    tv.config.set_logical_device_configuration(cpu, limits)
    with tv.device('CPU:0'):
        kept = tv.zeros([1 << 18])
        with pytest.raises(tv.errors.ResourceExhaustedError, match=r' 1 MiB \(1048576 bytes\)'):
            tv.zeros([1])
    with tv.device('CPU:1'):
        tv.zeros([1 << 20])
    del kept


@pytest.fixture
def small_gpu(fresh_devices: None) -> Iterator[None]:
    tv.config.simulate_gpus(1, memory_limit='1MiB')
    yield
    tv.config.reset()


def test_a_full_device_says_who_holds_it(small_gpu: None) -> None:
    big = tv.Variable(np.zeros(150_000, np.float32), name='big')
    little = tv.Variable(np.zeros(1_000, np.float32), name='little')
    with tv.device('CPU:0'):
        table = tv.Variable(np.zeros(50_000, np.float32), name='table')
    with tv.device('GPU:0'):
        held = table.read_value()
    with pytest.raises(tv.errors.ResourceExhaustedError) as caught:
        tv.zeros([1 << 18])
    text = str(caught.value)
    line = big._created()
    assert text.startswith('[allocate] 1 MiB (1048576 bytes) were asked for on GPU:0')
    assert f'big:0 585.9 KiB ({line})' in text
    assert f'little:0 3.9 KiB ({little._created()})' in text
    assert text.index('big:0') < text.index('little:0')
    assert "tv.config.set_memory_limit('GPU:0', ...)" in text
    # The error is at hand, with all its frames, and a small allocation succeeds.
    assert tv.zeros([100]).device.endswith('GPU:0')
    assert isinstance(caught.value, MemoryError)
    del held, caught


def test_release_memory_works_while_the_error_is_handled(small_gpu: None) -> None:
    with tv.device('CPU:0'):
        table = tv.Variable(np.zeros(50_000, np.float32), name='table')
    kept = [tv.zeros([100_000]) for _ in range(2)]
    with tv.device('GPU:0'):
        table.read_value()
    try:
        # What can be given up was given up already, so nothing is left to release.
        tv.zeros([1 << 18])
    except tv.errors.ResourceExhaustedError:
        kept.pop()
        release = tv.config.release_memory('GPU:0')
        assert release.held == tv.config.get_memory_info('GPU:0')['current'] == 400_384
        assert str(release) == 'GPU:0: released 0 B; 391 KiB still held, by tensors'
        again = tv.zeros([100_000])
    assert again.shape == (100_000,)
    del kept, again


def test_release_memory_names_who_still_holds(small_gpu: None) -> None:
    w = tv.Variable(np.zeros(1_000, np.float32), name='w')
    release = tv.config.release_memory('GPU:0')
    assert release.holders == (f'w:0 (1000,) float32 4000 B on GPU:0, created at {w._created()}',)


def test_training_goes_on_after_a_batch_that_was_too_large(small_gpu: None) -> None:
    w = tv.Variable(np.ones((100, 10), np.float32), name='w')

    def step(rows: int) -> None:
        x = tv.ones([rows, 100])
        with tv.GradientTape() as tape:
            loss = tv.reduce_mean(tv.matmul(x, w) ** 2)
        w.assign_sub(0.001 * tape.gradient(loss, w))

    step(100)
    before = tv.config.get_memory_info('GPU:0')['current']
    for _ in range(3):
        with pytest.raises(tv.errors.ResourceExhaustedError):
            step(2_500)
        assert w.version == 1
    step(100)
    assert w.version == 2
    assert tv.config.get_memory_info('GPU:0')['current'] == before


def test_a_limit_may_be_raised_later(small_gpu: None) -> None:
    with pytest.raises(tv.errors.ResourceExhaustedError):
        tv.zeros([1 << 19])
    tv.config.set_memory_limit('GPU:0', '4MiB')
    assert tv.zeros([1 << 19]).shape == (1 << 19,)
    tv.config.set_memory_limit('GPU:0', None)
    assert tv.zeros([1 << 20]).shape == (1 << 20,)
