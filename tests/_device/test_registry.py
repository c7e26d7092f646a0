import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest

from tensorvar import config, errors
from tensorvar._device import configuration, defaults, device_scope, registry
from tensorvar._device.device import Device
from tensorvar._device.inventory import Absent
from tensorvar._device.spec import DeviceSpec
from tests._device.conftest import NO_GPU, UUIDS, Machine
from tests.support import threads

ROOT = '/job:localhost/replica:0/task:0/device:'


def short(name: Any, outer: Any = None) -> str:
    found = registry.resolve(name, outer)
    return found.short if isinstance(found, Device) else f'no {found.requested}: {found.why}'


def test_importing_uses_nothing() -> None:
    program = (
        'import sys\n'
        'from tensorvar._device import registry, device_scope, defaults\n'
        'assert not registry.is_initialised()\n'
        'assert not {"cupy", "pynvml"} & set(sys.modules)'
    )
    subprocess.run([sys.executable, '-W', 'error', '-c', program], check=True, timeout=60)


def test_devices_and_backends(machine: Machine) -> None:
    machine.free = [1, 1]
    assert machine.made == []
    devices = registry.devices()
    assert [one.short for one in devices] == ['CPU:0', 'GPU:0', 'GPU:1']
    assert machine.made == ['CPU:0', 'GPU:0', 'GPU:1']
    assert registry.devices() is devices
    assert registry.cpu() is devices[0]
    assert registry.lookup('GPU', 1) is devices[2]
    assert registry.lookup('GPU', 2) is None
    assert devices[1].backend.device is devices[1]
    assert devices[1].physical is not None
    assert devices[1].physical.name == 'Test Card'


def test_initialised_once_by_many_threads(machine: Machine) -> None:
    machine.free = [1]
    barrier = threading.Barrier(8)
    found: list[tuple[Device, ...]] = []

    def ask() -> None:
        barrier.wait()
        found.append(registry.devices())

    threads.several(ask, 8)
    assert all(devices is found[0] for devices in found)
    assert machine.made == ['CPU:0', 'GPU:0']
    assert machine.discoveries == 1


def test_a_failed_start_changes_nothing(machine: Machine) -> None:
    def broken(device: Device, limit: int | None, several: bool) -> None:
        raise MemoryError('no backend')

    registry.set_backend_factory(broken)
    with pytest.raises(MemoryError, match='no backend'):
        registry.devices()
    assert not registry.is_initialised()
    config.threading.set_intra_op_parallelism_threads(2)
    registry.set_backend_factory(machine.make_backend)
    assert len(registry.devices()) == 1


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('GPU:1', 'GPU:1'), ('gpu:1', 'GPU:1'), ('/GPU:1', 'GPU:1'), ('/device:GPU:1', 'GPU:1'),
        ('cuda:1', 'GPU:1'), (ROOT + 'GPU:1', 'GPU:1'), ('GPU', 'GPU:0'), ('cuda', 'GPU:0'),
        ('CPU', 'CPU:0'), ('CPU:*', 'CPU:0'), ('', 'GPU:0'), (None, 'GPU:0'),
        ('/job:localhost/CPU:0', 'CPU:0'), (UUIDS[1], 'GPU:1'), (UUIDS[1].upper(), 'GPU:1'),
        ('GPU-11112', 'GPU:0'), (DeviceSpec(device_type='GPU', device_index=1), 'GPU:1'),
        (DeviceSpec(device_type='GPU'), 'GPU:0'),
        (config.LogicalDevice('/device:GPU:1', 'GPU'), 'GPU:1'),
        ('GPU:2', 'no GPU:2: the devices here are CPU:0, GPU:0, GPU:1'),
        ('CPU:1', 'no CPU:1: the devices here are CPU:0, GPU:0, GPU:1'),
        ('TPU:0', 'no TPU:0: tensorvar has no TPU devices'),
        ('tpu', 'no TPU:0: tensorvar has no TPU devices'),
    ],
)  # fmt: skip
def test_resolve(machine: Machine, name: Any, expected: str) -> None:
    machine.free = [1, 1]
    assert short(name) == expected
    assert short(name) == expected


def test_resolve_a_device(machine: Machine) -> None:
    machine.free = [1, 1]
    gone = registry.require('test', 'GPU:1')
    assert registry.resolve(gone) is gone
    registry.reset()
    machine.free = [1]
    assert isinstance(registry.resolve(gone), Absent)
    assert isinstance(registry.resolve('GPU:1'), Absent)


def test_open_parts_come_from_outside(machine: Machine) -> None:
    machine.free = [1, 1]
    outer = registry.lookup('GPU', 1)
    assert short('', outer) == 'GPU:1'
    assert short('GPU', outer) == 'GPU:1'
    assert short('CPU', outer) == 'CPU:0'
    assert short('/job:localhost', outer) == 'GPU:1'
    assert short(DeviceSpec(device_index=0), outer) == 'GPU:0'
    assert short('GPU:0', outer) == 'GPU:0'
    absent = registry.resolve('GPU:7')
    assert registry.resolve('', absent) is absent
    assert short('GPU', absent).startswith('no GPU:7')


@pytest.mark.parametrize(
    'name', ['/job:worker', '/job:worker/GPU:0', '/task:1', '/replica:2/CPU:0']
)
def test_another_process_is_refused(machine: Machine, name: str) -> None:
    with pytest.raises(ValueError, match='this process is /job:localhost/replica:0/task:0'):
        registry.resolve(name)


@pytest.mark.parametrize('name', ['GPUO', 'foo', 'CPU:-1', 'GPU 0', '/physical_device:CPU:0'])
def test_bad_names_list_the_devices(machine: Machine, name: str) -> None:
    config.simulate_gpus(1)
    with pytest.raises(ValueError, match='is no device name') as caught:
        registry.resolve(name)
    assert 'the devices here are CPU:0, GPU:0 (simulated)' in str(caught.value)


@pytest.mark.parametrize('value', [0, b'GPU:0', ['GPU:0'], 1.5, object(), int])
def test_no_names_at_all(machine: Machine, value: Any) -> None:
    with pytest.raises(ValueError, match='allowed are names, Device') as caught:
        registry.resolve(value)
    assert 'the devices here are CPU:0' in str(caught.value)


def test_a_physical_device_is_no_place(machine: Machine) -> None:
    with pytest.raises(ValueError, match='list_logical_devices'):
        registry.resolve(config.list_physical_devices()[0])


def test_auto_takes_the_card_with_the_most_free_memory(machine: Machine) -> None:
    machine.free = [5, 9]
    assert short('GPU:auto') == 'GPU:1'
    machine.free = [9, 9]
    assert short('GPU:auto') == 'GPU:0'
    config.set_memory_limit('GPU:0', 1 << 20)
    machine.free = [1 << 30, 1 << 29]
    assert short('GPU:auto') == 'GPU:1'


def test_auto_among_simulated_gpus(machine: Machine) -> None:
    config.simulate_gpus(2)
    assert short('GPU:auto') == 'GPU:0'
    registry.devices()[1].backend.current = 10
    assert short('GPU:auto') == 'GPU:1'
    registry.devices()[1].backend.current = 0
    config.set_memory_limit('GPU:0', 100)
    assert short('cuda:auto') == 'GPU:1'


def test_without_gpus_the_reason_is_given(machine: Machine) -> None:
    assert config.why_no_gpu() == NO_GPU
    assert short('GPU:0') == f'no GPU:0: {NO_GPU}'
    assert short('GPU:auto') == f'no GPU:auto: {NO_GPU}'
    assert short(UUIDS[0]) == f'no {UUIDS[0]}: {NO_GPU}'
    with pytest.raises(
        ValueError, match=r'\[move\] GPU:0 was asked for, but no NVIDIA driver'
    ) as caught:
        registry.require('move', 'GPU:0')
    assert 'the devices here are CPU:0' in str(caught.value)


def test_with_gpus_there_is_no_reason(machine: Machine) -> None:
    machine.free = [1]
    assert config.why_no_gpu() == ''
    registry.reset()
    config.simulate_gpus(1)
    assert config.why_no_gpu() == ''


def test_uuids(machine: Machine) -> None:
    machine.free = [1, 1]
    assert short('GPU-9999').startswith(
        'no GPU-9999: no visible card has this UUID: GPU:0 is gpu-11'
    )
    with pytest.raises(ValueError, match='it fits several cards'):
        registry.resolve('GPU-1111')


def test_a_uuid_means_the_first_logical_device_of_the_card(machine: Machine) -> None:
    machine.free = [1]
    [gpu] = config.list_physical_devices('GPU')
    config.set_logical_device_configuration(gpu, [config.LogicalDeviceConfiguration()] * 2)
    assert short(UUIDS[0]) == 'GPU:0'


def test_the_default_device(machine: Machine) -> None:
    assert defaults.get_default_device() == ROOT + 'CPU:0'
    registry.reset()
    machine.free = [1, 1]
    assert defaults.get_default_device() == ROOT + 'GPU:0'
    defaults.set_default_device('GPU:1')
    assert defaults.get_default_device() == ROOT + 'GPU:1'
    assert registry.default_device().short == 'GPU:1'
    assert short('GPU') == 'GPU:1'
    defaults.set_default_device(registry.cpu())
    assert defaults.current_device() == ROOT + 'CPU:0'
    defaults.set_default_device(None)
    assert defaults.get_default_device() == ROOT + 'GPU:0'


def test_the_default_device_may_be_chosen_first(machine: Machine) -> None:
    machine.free = [1, 1]
    defaults.set_default_device('cuda:1')
    assert not registry.is_initialised()
    with pytest.raises(ValueError, match="did you mean 'GPU:0'"):
        defaults.set_default_device('GPUO')
    assert defaults.get_default_device() == ROOT + 'GPU:1'


def test_the_default_device_from_the_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.free = [1]
    monkeypatch.setenv('TENSORVAR_DEFAULT_DEVICE', 'cpu')
    assert defaults.current_device() == ROOT + 'CPU:0'
    defaults.set_default_device('GPU:0')
    assert defaults.current_device() == ROOT + 'GPU:0'
    defaults.set_default_device(None)
    assert defaults.current_device() == ROOT + 'CPU:0'


def test_a_bad_default_device_in_the_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TENSORVAR_DEFAULT_DEVICE', 'fast one')
    with pytest.raises(ValueError, match=r"^\[TENSORVAR_DEFAULT_DEVICE\] 'fast one' is no"):
        registry.devices()
    assert not registry.is_initialised()


@pytest.mark.parametrize('initialised', [False, True])
def test_an_absent_default_device(machine: Machine, initialised: bool) -> None:
    if initialised:
        registry.devices()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        defaults.set_default_device('GPU:3')
        assert defaults.get_default_device() == ROOT + 'CPU:0'
    line = test_an_absent_default_device.__code__.co_firstlineno + 6
    [warning] = caught
    assert warning.category is errors.PlacementWarning
    assert (warning.filename, warning.lineno) == (__file__, line)
    assert 'GPU:3 was asked for' in str(warning.message)


def test_an_absent_default_device_without_soft_placement(machine: Machine) -> None:
    machine.free = [1]
    defaults.set_soft_device_placement(False)
    defaults.set_default_device('GPU:0')
    registry.devices()
    with pytest.raises(ValueError, match='the devices here are CPU:0, GPU:0'):
        defaults.set_default_device('GPU:3')
    assert defaults.get_default_device() == ROOT + 'GPU:0'


def test_current_device_follows_the_scope(machine: Machine) -> None:
    machine.free = [1]
    assert defaults.current_device() == ROOT + 'GPU:0'
    with device_scope.device('CPU:0'):
        assert defaults.current_device() == ROOT + 'CPU:0'
        assert defaults.get_default_device() == ROOT + 'GPU:0'
        with device_scope.device(None):
            assert defaults.current_device() == ROOT + 'GPU:0'
        assert defaults.current_device() == ROOT + 'CPU:0'
    assert defaults.current_device() == ROOT + 'GPU:0'


def test_reset_forgets_everything(machine: Machine) -> None:
    config.simulate_gpus(2, memory_limit='1MiB')
    config.set_soft_device_placement(False)
    config.set_default_device('GPU:1')
    assert defaults.current_device() == ROOT + 'GPU:1'
    config.reset()
    machine.free = [1]
    assert configuration.first_use is None
    assert config.get_soft_device_placement() is True
    assert defaults.current_device() == ROOT + 'GPU:0'
    assert [one.label for one in registry.devices()] == ['CPU:0', 'GPU:0']
    config.reset()
    config.reset()


def test_reset_refuses_while_variables_live(machine: Machine) -> None:
    registry.devices()
    machine.living = [
        f'w{index}:0 (2,) float32 8 B on CPU:0, train.py:{index}' for index in range(12)
    ]
    with pytest.raises(RuntimeError, match='w0:0 .* train.py:0') as caught:
        config.reset()
    assert isinstance(caught.value, errors.FailedPreconditionError)
    assert 'w9:0' in str(caught.value)
    assert 'w10:0' not in str(caught.value)
    assert 'and 2 more' in str(caught.value)
    assert registry.is_initialised()


def test_reset_refuses_while_tensors_live(machine: Machine) -> None:
    config.simulate_gpus(2)
    registry.devices()[2].backend.current = 512
    machine.living = ['GPU:1:0 (2,) float32 8 B on GPU:0, created at train.py:1']
    with pytest.raises(RuntimeError, match='512 B of tensors on GPU:1'):
        config.reset()


@pytest.mark.parametrize('initialised', [False, True])
def test_a_default_device_that_is_none(machine: Machine, initialised: bool) -> None:
    if initialised:
        registry.devices()
    with pytest.raises(ValueError, match=r"^\[set_default_device\] 'GPUO' is no device name"):
        config.set_default_device('GPUO')
    assert defaults.current_device() == ROOT + 'CPU:0'


def test_reset_refuses_inside_of_a_scope(machine: Machine) -> None:
    with (
        device_scope.device('CPU:0'),
        pytest.raises(RuntimeError, match=r"tv.device\('CPU:0'\) is open"),
    ):
        config.reset()
    config.reset()


def test_reset_warns_anew(machine: Machine) -> None:
    def enter() -> int:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            with device_scope.device('GPU:0'):
                pass
        return len(caught)

    assert [enter(), enter()] == [1, 0]
    config.reset()
    assert [enter(), enter()] == [1, 0]
