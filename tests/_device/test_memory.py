"""Limits of memory, and what says how much of it is in use."""

import pytest

from tensorvar import config
from tensorvar._device import registry
from tests._device.conftest import Machine


def limits() -> dict[str, int | None]:
    return {one.short: one.backend.limit for one in registry.devices()}


def test_memory_growth(machine: Machine) -> None:
    machine.free = [1]
    cpu, gpu = config.list_physical_devices()
    config.experimental.set_memory_growth(gpu, True)
    assert config.experimental.get_memory_growth(gpu) is True
    with pytest.warns(UserWarning, match='set_memory_limit'):
        config.experimental.set_memory_growth(gpu, False)
    with pytest.raises(ValueError, match='allowed are GPUs only'):
        config.experimental.set_memory_growth(cpu, True)
    with pytest.raises(ValueError, match='allowed are GPUs only'):
        config.experimental.get_memory_growth(cpu)


def test_memory_limit_before_the_first_use(machine: Machine) -> None:
    machine.free = [5, 9]
    config.set_memory_limit('CPU:0', '1GiB')
    config.set_memory_limit('cuda:0', 4096)
    config.set_memory_limit('GPU:auto', '3MiB')
    assert not registry.is_initialised()
    assert limits() == {'CPU:0': 2**30, 'GPU:0': 4096, 'GPU:1': 3 * 2**20}


def test_memory_limit_after_the_first_use(machine: Machine) -> None:
    machine.free = [1]
    registry.devices()
    config.set_memory_limit('GPU:0', '4GiB')
    assert limits()['GPU:0'] == 4 << 30
    config.set_memory_limit('GPU:0', None)
    assert limits()['GPU:0'] is None
    with pytest.raises(RuntimeError):
        config.set_memory_limit('CPU:0', '4GiB')


@pytest.mark.parametrize('initialised', [False, True])
def test_memory_limit_of_an_absent_device(machine: Machine, initialised: bool) -> None:
    if initialised:
        registry.devices()
    with pytest.raises(
        ValueError, match=r'\[set_memory_limit\] GPU:0 was asked for, but no NVIDIA'
    ):
        config.set_memory_limit('GPU:0', '4GiB')
    with pytest.raises(ValueError, match=r"^\[set_memory_limit\] 'GPUO' is no device name"):
        config.set_memory_limit('GPUO', '4GiB')
    with pytest.raises(ValueError, match=r"^\[set_memory_limit\] 'four'"):
        config.set_memory_limit('CPU:0', 'four')
    with pytest.raises(ValueError, match='sizes above 0'):
        config.set_memory_limit('CPU:0', 0)


def test_memory_info(machine: Machine) -> None:
    backend = registry.cpu().backend
    backend.current, backend.peak = 24, 48
    assert config.get_memory_info('/cpu:0') == {'current': 24, 'peak': 48}
    assert config.experimental.get_memory_usage('CPU') == 24
    config.reset_memory_stats('CPU:0')
    assert config.get_memory_info('CPU:0') == {'current': 24, 'peak': 24}
    with pytest.raises(ValueError, match=r'\[get_memory_info\] GPU:3 was asked for'):
        config.get_memory_info('GPU:3')
    with pytest.raises(ValueError, match=r"^\[get_memory_info\] 'foo' is no device name"):
        config.get_memory_info('foo')


def test_release_memory(machine: Machine) -> None:
    machine.free = [1]
    gpu = registry.require('test', 'GPU:0')
    gpu.backend.released = 3 << 20
    freed = config.release_memory('GPU:0')
    assert str(freed) == 'GPU:0: released 3 MiB; nothing is held'
    gpu.backend.current = 512
    assert 'still held, by tensors' in str(config.release_memory('GPU:0'))
    machine.living = [f'w{index}:0 24 B on GPU:0' for index in range(12)] + ['c:0 on CPU:0']
    freed = config.release_memory('GPU:0')
    assert (freed.device, freed.released, freed.held) == ('GPU:0', 3 << 20, 512)
    assert len(freed.holders) == 12
    assert '512 B still held by:\n  w0:0 24 B on GPU:0\n' in repr(freed)
    assert 'and 2 more' in repr(freed)
    try:
        raise MemoryError
    except MemoryError:
        assert config.release_memory('GPU:0').released == 3 << 20
