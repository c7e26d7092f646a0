"""Many threads on the same variables: no write is lost, no read is torn or out of date."""

import concurrent.futures
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

SIZE = 20_000
"""Elements enough that NumPy lets other threads run in the middle of a write."""


@pytest.fixture(autouse=True)
def eager_switching() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


def together(*functions: Callable[[], Any]) -> None:
    """Runs functions at once, one thread each; raises what the first failing one raises."""
    start = threading.Barrier(len(functions))

    def begin(function: Callable[[], Any]) -> Any:
        start.wait(30)
        return function()

    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(begin, function) for function in functions]
        for future in futures:
            future.result()


def make(device: str, size: int = SIZE) -> tv.Variable:
    with tv.device(device):
        return tv.Variable(np.zeros(size, np.float32), name='v')


# Writers beside writers


def test_sixteen_thousand_additions_are_exact(every_device: str) -> None:
    v = make(every_device, 3)
    with tv.device(every_device):
        one = tv.ones([3])

    def add() -> None:
        for _ in range(2_000):
            v.assign_add(one)

    together(*[add] * 8)
    assert v.numpy().tolist() == [16_000.0] * 3
    assert v.version == 16_000


def test_sixteen_thousand_updates_are_exact(every_device: str) -> None:
    v = make(every_device, 3)

    def update() -> None:
        for _ in range(2_000):
            v.update(lambda value: value + 1.0)

    together(*[update] * 8)
    assert v.numpy().tolist() == [16_000.0] * 3
    assert v.version == 16_000


def test_every_way_of_writing_mixes(every_device: str) -> None:
    v = make(every_device, 4)
    rounds = 200

    def repeat(write: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(rounds):
                write()

        return run

    def enforced() -> None:
        v.assign_sub([1.0] * 4)
        v.assign_add(np.full(4, 2.0, np.float32))

    together(
        repeat(lambda: v.assign_add([1.0] * 4)),
        repeat(lambda: v.update(lambda value: value + 1.0)),
        repeat(lambda: v.scatter_add(tv.IndexedSlices([1.0] * 4, [0, 1, 2, 3]))),
        repeat(lambda: v.scatter_nd_add([[0], [1], [2], [3]], [1.0] * 4)),
        repeat(lambda: v.update(lambda value: v[1:].assign(value[1:]) + [1.0, 1.0, 1.0, 1.0])),
        repeat(enforced),
    )
    assert v.numpy().tolist() == [rounds * 6.0] * 4


def test_an_enforced_constraint_loses_no_write(every_device: str) -> None:
    with tv.device(every_device):
        v = tv.Variable(
            [0.0, 0.0], constraint=lambda value: tv.maximum(value, 0.0), enforce_constraint=True
        )

    def add() -> None:
        for _ in range(200):
            v.assign_add([1.0, -1.0])

    together(*[add] * 4)
    assert v.numpy().tolist() == [800.0, 0.0]


# Readers beside a writer


SOME = np.arange(0, SIZE, 20)


class Progress:
    """The latest write that has ended, and the latest that has begun."""

    def __init__(self) -> None:
        self.ended = 0
        self.begun = 0
        self.over = False


def uniform(host: Any) -> float:
    """The one number that all elements are."""
    low, high = host.min(), host.max()
    assert low == high, f'torn: {low} and {high} in one read'
    return float(low)


def by_tape(v: tv.Variable) -> float:
    with tv.GradientTape() as tape:
        y = v * 1.0
        kept = v.value()
        loss = tv.reduce_sum(v * v)
    gradient = uniform(tape.gradient(loss, v).numpy())
    assert uniform(y.numpy()) <= uniform(kept.numpy())
    return gradient / 2


def on_other_device(v: tv.Variable, device: str) -> float:
    with tv.device(device):
        return uniform(v.read_value().numpy())


READS: dict[str, Callable[[tv.Variable], float]] = {
    'numpy': lambda v: uniform(v.numpy()),
    'value': lambda v: uniform(v.value().numpy()),
    'operator': lambda v: uniform((v + 0.0).numpy()),
    'slice': lambda v: uniform(v[100:].numpy()),
    'view_of_value': lambda v: uniform(v.value()[100:].numpy()),
    'gather': lambda v: uniform(tv.gather(v, SOME).numpy()),
    'tape': by_tape,
    'replica_on_gpu_1': lambda v: on_other_device(v, 'GPU:1'),
    'replica_on_cpu': lambda v: on_other_device(v, 'CPU:0'),
    'asarray': lambda v: uniform(np.asarray(v)),
}


def read_beside_a_writer(device: str, read: Callable[[tv.Variable], float], reads: int) -> None:
    v = make(device)
    progress = Progress()
    with tv.device(device):
        one = tv.ones([SIZE])

    def write() -> None:
        while not progress.over:
            progress.begun += 1
            v.assign_add(one)
            progress.ended += 1

    def read_all() -> None:
        try:
            for _ in range(reads):
                at_least = progress.ended
                value = read(v)
                # It may be one that has begun since, never one that ended before.
                assert at_least <= value <= progress.begun
        finally:
            progress.over = True

    together(write, read_all, read_all)


@pytest.mark.parametrize('kind', READS)
def test_no_read_is_torn_or_old(every_device: str, kind: str) -> None:
    read_beside_a_writer(every_device, READS[kind], 400)


@pytest.mark.soak
@pytest.mark.parametrize('kind', READS)
def test_no_read_of_a_hundred_thousand_is_torn_or_old(every_device: str, kind: str) -> None:
    read_beside_a_writer(every_device, READS[kind], 50_000)


def test_a_writer_of_slices_tears_no_row(every_device: str) -> None:
    with tv.device(every_device):
        v = tv.Variable(np.zeros((4, SIZE), np.float32))
        rows = [tv.fill([SIZE], float(step)) for step in range(20)]
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            for row in rows:
                v[1].assign(row)
                v.scatter_update(tv.IndexedSlices(row[None], [2]))

    def read() -> None:
        try:
            for _ in range(100):
                host = v.numpy()
                for row in host:
                    uniform(row)
        finally:
            over.set()

    together(write, read)


# A variable on the move


def test_reads_and_writes_beside_moves(simulated_gpus: list[str]) -> None:
    v = make('GPU:0')
    progress = Progress()
    rounds = 60
    over = threading.Event()

    def move() -> None:
        while not over.is_set():
            for device in ('GPU:1', 'CPU:0', 'GPU:0'):
                v.to_device(device)

    def write() -> None:
        one = np.ones(SIZE, np.float32)
        for number in range(rounds):
            if number % 3 == 0:
                v.update(lambda value: value + 1.0)
            else:
                v.assign_add(one if number % 3 == 1 else tv.constant(one))

    def write_all() -> None:
        try:
            together(*[write] * 3)
        finally:
            over.set()

    def read() -> None:
        latest = 0.0
        reads = list(READS.values())
        while not over.is_set():
            for one_read in reads:
                value = one_read(v)
                assert value >= latest
                latest = value

    together(move, write_all, read, read)
    assert uniform(v.numpy()) == 3 * rounds
    assert progress.begun == 0


def move_beside_readers(v: tv.Variable) -> None:
    over = threading.Event()

    def move() -> None:
        try:
            for _ in range(200):
                v.to_device('GPU:1')
                v.to_device('GPU:0')
        finally:
            over.set()

    def read() -> None:
        while not over.is_set():
            on_other_device(v, 'GPU:1')
            on_other_device(v, 'CPU:0')

    together(move, read, read)


def test_a_moving_variable_leaves_no_charge(simulated_gpus: list[str]) -> None:
    move_beside_readers(make('GPU:0', 1000))
    for device in ('GPU:0', 'GPU:1', 'CPU:0'):
        assert tv.config.get_memory_info(device)['current'] == 0


# Replicas and memory


def test_one_copy_serves_all_threads(simulated_gpus: list[str]) -> None:
    v = make('GPU:0', 1000)
    with tv.debugging.record_placement() as log:
        read = tv.propagate(lambda: [on_other_device(v, 'GPU:1') for _ in range(50)])
        together(*[read] * 4)
    copies = [copy for copy in log.copies if copy.destination == 'GPU:1']
    assert len(copies) == 200
    assert sum(not copy.cached for copy in copies) == 1


def test_threads_that_fill_a_device_end_with_exact_counters(fresh_devices: None) -> None:
    tv.config.simulate_gpus(1, memory_limit='64KiB')
    with tv.device('CPU:0'):
        shared = tv.Variable(np.ones(1024, np.float32))
    refused = []

    def churn() -> None:
        for step in range(100):
            try:
                with tv.device('GPU:0'):
                    kept = [tv.Variable(tv.zeros([1024])) for _ in range(step % 4)]
                    kept[-1:] = [kept[-1] + shared] if kept else []
                    for one in kept:
                        assert uniform(one.numpy()) in (0.0, 1.0)
                del kept
            except tv.errors.ResourceExhaustedError:
                refused.append(step)

    together(*[churn] * 6)
    tv.config.release_memory('GPU:0')
    assert tv.config.get_memory_info('GPU:0')['current'] == 0
    assert uniform(shared.numpy()) == 1.0


def test_threads_create_and_list_variables(fresh_devices: None) -> None:
    def create() -> None:
        for number in range(300):
            v = tv.Variable(float(number), name=f'v{number}')
            assert any(one is v for one in tv.trainable_variables())
            assert tv.debugging.live_variables()

    together(*[create] * 4)
    assert tv.debugging.live_variables() == []
