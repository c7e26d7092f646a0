import copy
import pickle
import threading

from tensorvar._device import registry, simulation
from tensorvar._device.device import Device, intern
from tests._device.conftest import Machine
from tests.support import threads


def test_names() -> None:
    device = intern('GPU', 3)
    assert device.kind == 'GPU'
    assert device.index == 3
    assert device.is_gpu
    assert device.short == 'GPU:3'
    assert device.full == '/job:localhost/replica:0/task:0/device:GPU:3'
    assert repr(device) == '<Device GPU:3>'
    assert not intern('CPU', 0).is_gpu


def test_one_object_per_kind_and_index() -> None:
    assert intern('GPU', 3) is intern('GPU', 3)
    assert intern('GPU', 3) is not intern('CPU', 3)


def test_copies_are_the_same_object() -> None:
    device = intern('CPU', 0)
    assert copy.copy(device) is device
    assert copy.deepcopy([device])[0] is device
    assert pickle.loads(pickle.dumps(device)) is device


def test_threads_get_one_object() -> None:
    found: list[Device] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(intern('CPU', 987))

    threads.several(ask, 8)
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_a_simulated_device_says_so(machine: Machine) -> None:
    simulation.simulate_gpus(1)
    cpu, gpu = registry.devices()
    assert gpu.simulated
    assert gpu.label == 'GPU:0 (simulated)'
    assert repr(gpu) == '<Device GPU:0 (simulated)>'
    assert not cpu.simulated


def test_a_device_is_the_same_object_after_a_reset(machine: Machine) -> None:
    before = registry.cpu()
    registry.reset()
    assert registry.cpu() is before
