"""Devices that fail at every possible moment: nothing is lost, leaked or half done.

Each operation runs again and again, with the n-th use of a device failing, for every n
until it gets through. After each failure every variable holds a complete value that its
version tells, no slot is empty, exactly what lives is charged, and the operation works.
"""

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import faults, memory_ledger
from tensorvar._core import live
from tests.support.writes import INDICES, ROWS, START, WRITES

MOST_USES = 400
"""More uses of a device than any operation here needs."""


class World:
    """Variables on every device, one of them constrained, and a tensor."""

    def __init__(self) -> None:
        with tv.device('GPU:0'):
            self.a = tv.Variable(START, name='a')
            self.k = tv.Variable(
                START, name='k', constraint=lambda x: tv.minimum(x, 4.0), enforce_constraint=True
            )
            self.t = tv.constant(START)
        with tv.device('GPU:1'):
            self.b = tv.Variable(START * 2, name='b')
        with tv.device('CPU:0'):
            self.c = tv.Variable(START * 3, name='c')

    def values(self) -> dict[str, tuple[int, list[Any]]]:
        """Version and value of each variable."""
        return {v.name: (v.version, v.numpy().tolist()) for v in self.variables()}

    def variables(self) -> list[tv.Variable]:
        return [self.a, self.k, self.b, self.c]

    def check_slots(self) -> None:
        """Every slot holds an array of the device that the variable says."""
        for v in self.variables():
            if isinstance(v._array, np.ndarray):
                assert v._device.short == 'CPU:0'
            else:
                assert v._array.device == v._device.short

    def check_memory(self) -> None:
        """What lives is charged, and nothing else."""
        for name in ('GPU:0', 'GPU:1'):
            owners = [v for v in live.variables() if v._device.short == name]
            arrays = [v._array for v in owners] + [
                replica._array
                for v in live.variables()
                for place, replica in v._replicas.items()
                if place.short == name and replica._array is not None
            ]
            if name == 'GPU:0':
                arrays.append(self.t._array)
            expected = sum(memory_ledger.rounded(array.nbytes) for array in arrays)
            assert tv.config.get_memory_info(name)['current'] == expected, name
        on_cpu = [v._nbytes() for v in live.variables() if v._device.short == 'CPU:0']
        assert tv.config.get_memory_info('CPU:0')['current'] == sum(on_cpu)


def on(device: str, function: Callable[[World], Any]) -> Callable[[World], Any]:
    def under_scope(w: World) -> Any:
        with tv.device(device):
            return function(w)

    return under_scope


def refresh(w: World) -> None:
    """Makes a replica, makes it stale, and reads it again."""
    for _ in range(2):
        with tv.device('GPU:1'):
            w.a + w.b
        w.a.assign_add(START)


def gradient_step(w: World) -> None:
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.matmul(w.a, w.b, transpose_b=True) ** 2)
    for v, gradient in zip((w.a, w.b), tape.gradient(loss, [w.a, w.b]), strict=True):
        v.assign_sub(gradient * 0.001)


def sparse_step(w: World) -> None:
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.gather(w.a, INDICES) * ROWS)
    w.a.scatter_sub(tape.gradient(loss, w.a))


OPERATIONS: dict[str, Callable[[World], Any]] = {
    'create': on('GPU:0', lambda w: tv.Variable(START)),
    'create_from_tensor': on('GPU:0', lambda w: tv.Variable(w.t)),
    'create_from_other_device': on('GPU:0', lambda w: tv.Variable(w.b)),
    'constant': on('GPU:0', lambda w: tv.constant(START)),
    **{way.name: (lambda w, way=way: way.write(w.a)) for way in WRITES},
    **{f'constrained_{way.name}': (lambda w, way=way: way.write(w.k)) for way in WRITES},
    'assign_from_other_device': lambda w: w.a.assign(w.b),
    'assign_from_cpu': lambda w: w.a.assign_add(w.c),
    'assign_on_cpu': lambda w: w.c.assign_sub(w.a),
    'assign_with_holder': lambda w: (w.a.value(), w.a.assign_add(w.t)),
    'move_to_gpu_1': lambda w: w.a.to_device('GPU:1'),
    'move_to_cpu': lambda w: w.a.to_device('CPU:0'),
    'move_from_cpu': lambda w: w.c.to_device('GPU:0'),
    'tensor_to_device': lambda w: w.t.to_device('GPU:1'),
    'replica_read': on('GPU:1', lambda w: w.a + w.b),
    'replica_on_cpu': on('CPU:0', lambda w: w.a + w.c),
    'replica_from_cpu': on('GPU:0', lambda w: w.a + w.c),
    'replica_refresh': refresh,
    'matmul': lambda w: tv.matmul(w.a, w.a, transpose_b=True),
    'arithmetic': lambda w: tv.nn.softmax(w.a * 2.0 - w.t) / 3.0,
    'concat': lambda w: tv.concat([w.a, w.b, w.c], axis=0),
    'split': lambda w: tv.split(w.a, 3),
    'gather': lambda w: tv.gather(w.a, INDICES),
    'index': lambda w: w.a[1:, 0],
    'gradient_step': gradient_step,
    'sparse_step': sparse_step,
    'deepcopy': lambda w: copy.deepcopy(w.a),
    'deepcopy_of_a_tensor': lambda w: copy.deepcopy(w.t),
    'pickle': lambda w: pickle.loads(pickle.dumps(w.a)),
    'pickle_of_a_tensor': lambda w: pickle.loads(pickle.dumps(w.t)),
    'numpy': lambda w: w.a.numpy(),
    'asarray': lambda w: np.asarray(w.a),
    'repr': lambda w: repr(w.a),
    'bool': lambda w: bool(tv.reduce_all(w.a > 0.0)),
    'iterate': lambda w: [row.numpy() for row in w.a],
}

KINDS = ('allocate', 'copy', 'lost')


@pytest.fixture(autouse=True)
def two_gpus(simulated_gpus: list[str]) -> Iterator[None]:
    yield
    assert not faults.armed


def run(operation: Callable[[World], Any], world: World, device: str, kind: str, n: int) -> bool:
    """Whether the operation got through; whatever it raised or returned is dropped."""
    with tv.testing.fail(device, kind, after=n):
        try:
            operation(world)
            return True
        except tv.errors.OpError as error:
            message = str(error)
    assert 'asked for by tv.testing.fail' in message
    return False


def check_values(world: World, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Each variable is as before or as after, whole, and its version says which."""
    for name, (version, value) in world.values().items():
        if version == before[name][0]:
            assert value == before[name][1], name
        elif version == after[name][0]:
            assert value == after[name][1], name
        else:
            # Of several writes the first ones were done.
            assert before[name][0] < version < after[name][0], name


def sweep(operation: Callable[[World], Any], device: str, kind: str) -> int:
    clean = World()
    before = clean.values()
    operation(clean)
    after = clean.values()
    del clean
    for n in range(MOST_USES):
        world = World()
        count = len(live.variables())
        through = run(operation, world, device, kind, n)
        check_values(world, before, after)
        world.check_slots()
        world.check_memory()
        assert len(live.variables()) == count
        if through:
            assert world.values() == after
            return n
        if world.values() == before:
            operation(world)
            assert world.values() == after
        else:
            operation(world)
        world.check_slots()
        world.check_memory()
    raise AssertionError(f'not through after {MOST_USES} uses')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('name', OPERATIONS)
def test_every_moment_of_failure_on_the_first_gpu(name: str, kind: str) -> None:
    sweep(OPERATIONS[name], 'GPU:0', kind)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('device', ['GPU:1', 'CPU:0'])
@pytest.mark.parametrize(
    'name',
    [
        'create_from_other_device', 'assign_from_other_device', 'assign_from_cpu',
        'assign_on_cpu', 'move_to_gpu_1', 'move_to_cpu', 'move_from_cpu', 'tensor_to_device',
        'replica_read', 'replica_on_cpu', 'replica_from_cpu', 'replica_refresh', 'concat',
        'gradient_step', 'pickle',
    ],
)  # fmt: skip
def test_every_moment_of_failure_on_the_other_side(name: str, device: str, kind: str) -> None:
    sweep(OPERATIONS[name], device, kind)


def test_the_sweep_meets_many_moments() -> None:
    """The sweep would prove nothing if operations did not use the device."""
    assert sweep(OPERATIONS['assign'], 'GPU:0', 'allocate') >= 1
    assert sweep(OPERATIONS['replica_refresh'], 'GPU:0', 'copy') >= 2
    assert sweep(OPERATIONS['gradient_step'], 'GPU:0', 'allocate') >= 5
    assert sweep(OPERATIONS['scatter_nd_add'], 'GPU:0', 'lost') >= 3


def test_a_limit_met_at_every_size() -> None:
    """The same with a real limit instead of an injected fault, and with replicas to evict."""

    def step(w: World) -> None:
        refresh(w)
        gradient_step(w)

    world = World()
    used = tv.config.get_memory_info('GPU:0')['current']
    refused = 0
    for room in range(0, 64 * 512, 512):
        tv.config.set_memory_limit('GPU:0', used + room)
        before = world.values()
        try:
            step(world)
            break
        except tv.errors.ResourceExhaustedError:
            refused += 1
        assert len(before) == len(world.values())
        world.check_slots()
        world.check_memory()
        tv.config.release_memory('GPU:0')
    else:
        raise AssertionError('no room is enough')
    assert refused
    world.check_memory()


def test_a_lost_device_says_so_and_the_others_go_on() -> None:
    w = World()
    with tv.testing.fail('GPU:0', 'lost'):
        with pytest.raises(tv.errors.UnavailableError, match='GPU:0 was used, which is lost'):
            w.a.numpy()
        with pytest.raises(tv.errors.UnavailableError):
            w.a.assign(START)
        w.b.assign_add(START)
        w.c.assign_add(w.b)
    np.testing.assert_array_equal(w.a.numpy(), START)
    np.testing.assert_array_equal(w.b.numpy(), START * 3)
    np.testing.assert_array_equal(w.c.numpy(), START * 6)


def test_a_variable_dies_on_a_lost_device() -> None:
    w = World()
    with tv.testing.fail('GPU:0', 'lost'):
        del w.a
    w.a = tv.Variable(START)
    w.check_memory()
