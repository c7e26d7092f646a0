import multiprocessing
import os
import threading
from typing import Any

import pytest

from tensorvar import config, errors
from tensorvar._device import configuration, device_scope, registry
from tests._device.conftest import Machine

Configuration = config.LogicalDeviceConfiguration


def limits() -> dict[str, int | None]:
    return {one.short: one.backend.limit for one in registry.devices()}


def test_physical_devices(machine: Machine) -> None:
    machine.free = [1, 1]
    found = config.list_physical_devices()
    assert [one.name for one in found] == [
        '/physical_device:CPU:0', '/physical_device:GPU:0', '/physical_device:GPU:1',
    ]  # fmt: skip
    assert found[1] == ('/physical_device:GPU:0', 'GPU')
    assert repr(found[1]) == "PhysicalDevice(name='/physical_device:GPU:0', device_type='GPU')"
    assert not found[1].simulated
    assert config.list_physical_devices('GPU') == found[1:]
    assert config.list_physical_devices('gpu') == []
    assert config.list_physical_devices('TPU') == []
    assert not registry.is_initialised()
    assert machine.discoveries == 1


def test_logical_devices(machine: Machine) -> None:
    machine.free = [1]
    assert config.list_logical_devices() == [('/device:CPU:0', 'CPU'), ('/device:GPU:0', 'GPU')]
    assert config.list_logical_devices('GPU') == [config.LogicalDevice('/device:GPU:0', 'GPU')]
    assert config.list_logical_devices('nothing') == []
    assert registry.is_initialised()


def test_several_logical_devices(machine: Machine) -> None:
    machine.free = [1, 1]
    cpu, first, second = config.list_physical_devices()
    assert config.get_logical_device_configuration(cpu) is None
    config.set_logical_device_configuration(cpu, [Configuration()] * 2)
    config.set_logical_device_configuration(first, [Configuration(memory_limit=1)])
    config.set_logical_device_configuration(first, [Configuration(2), Configuration(0.5)])
    assert config.get_logical_device_configuration(first) == [(2, None, None), (0.5, None, None)]
    mib = 2**20
    assert limits() == {
        'CPU:0': None, 'CPU:1': None, 'GPU:0': 2 * mib, 'GPU:1': mib // 2, 'GPU:2': None,
    }  # fmt: skip
    devices = registry.devices()
    assert [one.backend.several for one in devices] == [True, True, True, True, False]
    assert devices[2].physical is devices[3].physical
    assert devices[4].physical.ordinal == 1
    assert second.name.endswith('1')


def test_a_limit_for_the_cpu(machine: Machine) -> None:
    [cpu] = config.list_physical_devices('CPU')
    config.set_logical_device_configuration(cpu, [Configuration(memory_limit=64)])
    assert limits() == {'CPU:0': 64 * 2**20}


def test_an_empty_configuration_is_one_device(machine: Machine) -> None:
    [cpu] = config.list_physical_devices('CPU')
    config.set_logical_device_configuration(cpu, [])
    assert limits() == {'CPU:0': None}


@pytest.mark.parametrize(
    ('configured', 'error', 'message'),
    [
        (['CPU'], ValueError, "'CPU' was given"),
        (None, ValueError, 'a list is needed'),
        ('CPU:0', ValueError, 'a list is needed'),
        ([Configuration(0)], ValueError, 'memory_limit is 0'),
        ([Configuration(-1)], ValueError, 'memory_limit is -1'),
        ([Configuration(None, 1)], NotImplementedError, 'stream priorities'),
        ([Configuration(9000)], ValueError, 'add up to 8.8 GiB; Test Card has 8 GiB'),
        ([Configuration(5000), Configuration(5000)], ValueError, 'add up to'),
    ],
)
def test_bad_configurations(
    machine: Machine, configured: Any, error: type[Exception], message: str
) -> None:
    machine.free = [1]
    [gpu] = config.list_physical_devices('GPU')
    with pytest.raises(error, match=message):
        config.set_logical_device_configuration(gpu, configured)
    assert config.get_logical_device_configuration(gpu) is None


@pytest.mark.parametrize('value', ['CPU:0', None, config.PhysicalDevice('/physical_device:X', 'X')])
def test_something_that_is_no_physical_device(machine: Machine, value: Any) -> None:
    with pytest.raises(ValueError, match='list_physical_devices'):
        config.set_logical_device_configuration(value, [Configuration()])
    with pytest.raises(ValueError, match='list_physical_devices'):
        config.get_logical_device_configuration(value)
    with pytest.raises(ValueError, match='list_physical_devices'):
        config.get_device_details(value)


def test_visible_devices(machine: Machine) -> None:
    machine.free = [1, 1]
    cpu, first, second = config.list_physical_devices()
    config.set_visible_devices(first, 'GPU')
    assert config.get_visible_devices() == [cpu, first]
    config.set_visible_devices([second, first], 'GPU')
    assert config.get_visible_devices('GPU') == [second, first]
    assert config.get_visible_devices('CPU') == [cpu]
    assert [one.physical and one.physical.ordinal for one in registry.devices()] == [None, 1, 0]


def test_hiding_all_gpus(machine: Machine) -> None:
    machine.free = [1]
    config.set_visible_devices([], 'GPU')
    assert config.list_logical_devices('GPU') == []
    assert 'set_visible_devices' in config.why_no_gpu()
    assert len(config.list_physical_devices('GPU')) == 1


def test_visible_devices_of_all_types(machine: Machine) -> None:
    machine.free = [1, 1]
    cpu, _, second = config.list_physical_devices()
    config.set_visible_devices([cpu, second])
    assert config.get_visible_devices() == [cpu, second]


def test_bad_visible_devices(machine: Machine) -> None:
    machine.free = [1]
    cpu, gpu = config.list_physical_devices()
    with pytest.raises(ValueError, match="write for instance set_visible_devices.devices, 'GPU'"):
        config.set_visible_devices(gpu)
    with pytest.raises(ValueError, match='hide every CPU'):
        config.set_visible_devices([], 'CPU')
    with pytest.raises(ValueError, match='different devices'):
        config.set_visible_devices([gpu, gpu], 'GPU')
    with pytest.raises(ValueError, match='of the types'):
        config.set_visible_devices([cpu], 'GPU')
    with pytest.raises(ValueError, match="'GPU:0' was given"):
        config.set_visible_devices(['GPU:0'], 'GPU')  # type: ignore[list-item]
    with pytest.raises(ValueError, match='a list is needed'):
        config.set_visible_devices('GPU:0')  # type: ignore[arg-type]
    assert config.get_visible_devices() == [cpu, gpu]


def test_a_late_setting_names_the_line_of_first_use(machine: Machine) -> None:
    machine.free = [1, 1]
    cpu, first, _ = config.list_physical_devices()
    config.set_visible_devices([first], 'GPU')
    config.list_logical_devices()
    line = test_a_late_setting_names_the_line_of_first_use.__code__.co_firstlineno + 4
    for late in (
        lambda: config.set_visible_devices([], 'GPU'),
        lambda: config.set_logical_device_configuration(cpu, [Configuration()] * 2),
        lambda: config.simulate_gpus(2),
        lambda: config.threading.set_intra_op_parallelism_threads(3),
    ):
        with pytest.raises(RuntimeError, match='cannot be modified') as caught:
            late()
        assert isinstance(caught.value, errors.FailedPreconditionError)
        assert f'{__file__}:{line}' in str(caught.value)
    # The same again changes nothing, so it is not late.
    config.set_visible_devices([first], 'GPU')
    config.threading.set_intra_op_parallelism_threads(0)


def test_the_first_use_may_be_a_scope(machine: Machine) -> None:
    with device_scope.device('CPU:0'):
        pass
    assert configuration.first_use is not None
    assert configuration.first_use.path == __file__


def test_simulated_gpus(machine: Machine) -> None:
    machine.free = [1]
    config.simulate_gpus(1)
    config.simulate_gpus(2, memory_limit='64MiB')
    [first, second] = config.list_physical_devices('GPU')
    assert first.simulated
    assert repr(second) == (
        "PhysicalDevice(name='/physical_device:GPU:1', device_type='GPU', simulated=True)"
    )
    assert limits() == {'CPU:0': None, 'GPU:0': 64 * 2**20, 'GPU:1': 64 * 2**20}
    logical = config.list_logical_devices('GPU')
    assert repr(logical[0]) == (
        "LogicalDevice(name='/device:GPU:0', device_type='GPU', simulated=True)"
    )
    assert logical[0] == ('/device:GPU:0', 'GPU')
    assert logical[0].simulated
    details = config.get_device_details(first)
    assert details['simulated'] is True
    assert details['device_name'] == 'simulated GPU 0'
    assert details['total_memory'] == 64 * 2**20
    assert 'compute_capability' not in details
    assert machine.discoveries == 0
    config.simulate_gpus(2, memory_limit='64MiB')


def test_simulated_gpus_from_the_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', '3')
    monkeypatch.setenv('TENSORVAR_SIMULATED_GPU_MEMORY', '1 MiB')
    assert len(config.list_physical_devices('GPU')) == 3
    config.simulate_gpus(1)
    assert limits() == {'CPU:0': None, 'GPU:0': 2**20}


def test_zero_simulated_gpus_are_the_real_ones(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.free = [1]
    monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', '2')
    config.simulate_gpus(0)
    assert [one.simulated for one in config.list_physical_devices('GPU')] == [False]


@pytest.mark.parametrize('text', ['two', '-1', '1.5'])
def test_a_bad_number_in_the_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', text)
    with pytest.raises(ValueError, match='TENSORVAR_SIMULATE_GPUS'):
        config.list_physical_devices()


def test_a_bad_size_in_the_environment(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', '1')
    monkeypatch.setenv('TENSORVAR_SIMULATED_GPU_MEMORY', 'much')
    with pytest.raises(ValueError, match=r"\[TENSORVAR_SIMULATED_GPU_MEMORY\].*'much'"):
        registry.devices()
    monkeypatch.delenv('TENSORVAR_SIMULATED_GPU_MEMORY')
    assert limits() == {'CPU:0': None, 'GPU:0': None}


@pytest.mark.parametrize('count', [-1, 1.0, '2', True, None])
def test_a_bad_number_of_simulated_gpus(machine: Machine, count: Any) -> None:
    with pytest.raises(ValueError, match='the count is'):
        config.simulate_gpus(count)


@pytest.mark.parametrize('limit', ['0MiB', 'much', -1])
def test_a_bad_limit_of_simulated_gpus(machine: Machine, limit: Any) -> None:
    with pytest.raises(ValueError, match=r'\[simulate_gpus\]'):
        config.simulate_gpus(1, memory_limit=limit)
    with pytest.raises(TypeError, match=r'\[simulate_gpus\]'):
        config.simulate_gpus(1, memory_limit=1.5)  # type: ignore[arg-type]


def test_logical_devices_share_a_simulated_card(machine: Machine) -> None:
    config.simulate_gpus(1, memory_limit='64MiB')
    [gpu] = config.list_physical_devices('GPU')
    with pytest.raises(ValueError, match='simulated GPU 0 has 64 MiB'):
        config.set_logical_device_configuration(gpu, [Configuration(64), Configuration()])
    config.set_logical_device_configuration(gpu, [Configuration(16)] + [Configuration()] * 2)
    mib = 2**20
    assert limits() == {'CPU:0': None, 'GPU:0': 16 * mib, 'GPU:1': 24 * mib, 'GPU:2': 24 * mib}


def test_simulating_forgets_what_was_said_of_gpus(machine: Machine) -> None:
    machine.free = [1, 1]
    cpu, first, _ = config.list_physical_devices()
    config.set_visible_devices([first], 'GPU')
    config.set_logical_device_configuration(first, [Configuration(1)])
    config.set_logical_device_configuration(cpu, [Configuration(7)])
    config.set_memory_limit('GPU:0', '1MiB')
    config.simulate_gpus(2)
    assert limits() == {'CPU:0': 7 * 2**20, 'GPU:0': None, 'GPU:1': None}


def test_device_details(machine: Machine) -> None:
    machine.free = [77]
    cpu, gpu = config.list_physical_devices()
    assert config.get_device_details(cpu) == {}
    assert config.get_device_details(gpu) == {
        'device_name': 'Test Card',
        'compute_capability': (9, 0),
        'pci_bus_id': '00000000:00:00.0',
        'uuid': 'GPU-11112222-3333-4444-5555-666677778888',
        'driver_version': '570.1',
        'total_memory': 8 << 30,
        'free_memory': 77,
        'kernels': 'not used yet',
    }


def test_peer_matrix(machine: Machine) -> None:
    machine.free = [1, 1]
    asked: list[list[int]] = []

    def routes(ordinals: Any) -> dict[tuple[int, int], str]:
        asked.append(list(ordinals))
        return {(0, 0): 'peer', (1, 1): 'peer', (0, 1): 'broken', (1, 0): 'unknown'}

    registry.set_peer_routes(routes)
    _, first, _ = config.list_physical_devices()
    config.set_logical_device_configuration(first, [Configuration()] * 2)
    matrix = config.peer_matrix()
    assert asked == [[0, 1]]
    assert matrix['GPU:0', 'GPU:1'] == 'peer'
    assert matrix['GPU:0', 'GPU:2'] == 'broken'
    assert matrix['GPU:2', 'GPU:1'] == 'unknown'
    assert len(matrix) == 6
    lines = repr(matrix).splitlines()
    assert lines[0].split() == ['from', '/', 'to', 'GPU:0', 'GPU:1', 'GPU:2']
    assert lines[1].split() == ['GPU:0', '-', 'peer', 'broken']


def test_peer_matrix_of_simulated_gpus(machine: Machine) -> None:
    config.simulate_gpus(2)
    assert config.peer_matrix() == {
        ('GPU:0', 'GPU:1'): 'simulated', ('GPU:1', 'GPU:0'): 'simulated',
    }  # fmt: skip


def test_peer_matrix_without_gpus(machine: Machine) -> None:
    assert str(config.peer_matrix()) == 'fewer than two GPUs'


def test_stream(machine: Machine) -> None:
    machine.free = [1]
    assert config.stream('GPU:0') == 'stream of GPU:0'
    with config.stream('CPU:0'):
        pass
    with pytest.raises(ValueError, match=r'\[stream\] GPU:1'):
        config.stream('GPU:1')


def test_stream_of_a_simulated_gpu(machine: Machine) -> None:
    config.simulate_gpus(1)
    with config.stream('GPU:0'):
        pass


def test_soft_placement(machine: Machine) -> None:
    assert config.get_soft_device_placement() is True
    config.set_soft_device_placement(False)
    assert config.get_soft_device_placement() is False
    for wrong in (1, 'yes', None):
        with pytest.raises(TypeError, match='set_soft_device_placement'):
            config.set_soft_device_placement(wrong)  # type: ignore[arg-type]
    registry.reset()
    assert config.get_soft_device_placement() is True


def test_threads(machine: Machine) -> None:
    threads = config.threading
    assert threads.get_inter_op_parallelism_threads() == 0
    assert threads.get_intra_op_parallelism_threads() == 0
    threads.set_inter_op_parallelism_threads(2)
    threads.set_intra_op_parallelism_threads(4)
    assert threads.get_inter_op_parallelism_threads() == 2
    assert threads.get_intra_op_parallelism_threads() == 4
    for wrong in (-1, 'a', 1.5, True):
        with pytest.raises(ValueError, match='whole numbers'):
            threads.set_intra_op_parallelism_threads(wrong)  # type: ignore[arg-type]


def test_experimental_names_are_the_same_functions() -> None:
    experimental = config.experimental
    assert experimental.VirtualDeviceConfiguration is config.LogicalDeviceConfiguration
    assert experimental.set_virtual_device_configuration is config.set_logical_device_configuration
    assert experimental.list_physical_devices is config.list_physical_devices
    assert experimental.get_memory_info is config.get_memory_info
    assert experimental.get_device_policy() == 'silent'


def _simulate_in_child(result: Any) -> None:
    config.simulate_gpus(1)
    result.put(configuration.lock.acquire(blocking=False))


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_the_lock_is_renewed_in_a_forked_child(machine: Machine) -> None:
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with configuration.lock:
            held.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    context = multiprocessing.get_context('fork')
    result = context.Queue()
    child = context.Process(target=_simulate_in_child, args=(result,))
    child.start()
    try:
        assert result.get(timeout=30) is True
    finally:
        leave.set()
        child.join()
        thread.join()
