import asyncio
import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tensorvar import config, errors
from tensorvar._device import defaults, device_scope, registry, scope
from tensorvar._device.device_scope import device
from tensorvar._device.spec import DeviceSpec
from tests._device.conftest import NO_GPU, UUIDS, Machine


@pytest.fixture
def three_cpus(machine: Machine) -> Machine:
    [cpu] = config.list_physical_devices('CPU')
    config.set_logical_device_configuration(cpu, [config.LogicalDeviceConfiguration()] * 3)
    return machine


def now() -> str:
    return defaults.current_device().rpartition('device:')[2]


def entered() -> device_scope.DeviceScope:
    state = scope.current()
    assert state is not None
    found = state.device_scope
    assert isinstance(found, device_scope.DeviceScope)
    return found


def inside(*names: Any) -> str:
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(device(name))
        return now()


def count_warnings(enter: Callable[[], Any]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        enter()
    return caught


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        (['CPU:2'], 'CPU:2'), (['CPU:1', 'CPU:2'], 'CPU:2'), (['CPU:1', ''], 'CPU:1'),
        (['CPU:1', '/job:localhost'], 'CPU:1'), (['CPU:1', 'CPU'], 'CPU:1'),
        (['CPU:1', '/device:CPU:*'], 'CPU:1'), (['CPU:1', '/job:localhost/task:0'], 'CPU:1'),
        (['CPU:1', '/replica:0'], 'CPU:1'), (['CPU:1', None], 'CPU:0'), ([None, 'CPU:1'], 'CPU:1'),
        (['CPU:1', None, 'CPU'], 'CPU:0'), (['CPU:1', None, ''], 'CPU:0'), ([''], 'CPU:0'),
        (['CPU'], 'CPU:0'), (['CPU:1', DeviceSpec()], 'CPU:1'),
        (['CPU:1', DeviceSpec(device_type='CPU')], 'CPU:1'),
        (['CPU:1', DeviceSpec(device_index=2)], 'CPU:2'), (['CPU:2', '/cpu:0'], 'CPU:0'),
    ],
)  # fmt: skip
def test_nesting(three_cpus: Machine, names: list[Any], expected: str) -> None:
    assert inside(*names) == expected
    assert scope.current() is None


def test_device_objects(three_cpus: Machine) -> None:
    for name in (registry.devices()[2], config.list_logical_devices()[2], 'CPU:2'):
        assert inside(name) == 'CPU:2'


def test_what_the_state_holds(three_cpus: Machine) -> None:
    with device('/device:CPU:1', log=True) as opened:
        state = scope.current()
        assert state is not None
        assert state.device is registry.lookup('CPU', 1)
        assert state.device_scope is opened
        assert not state.plain
        assert opened.log
        assert (opened.requested, opened.text) == ('CPU:1', 'CPU:1')
        assert not opened.is_fallback
        assert repr(opened) == "<tv.device('CPU:1')>"
    with device(None):
        state = scope.current()
        assert state is not None
        assert state.device is None
        assert state.plain
        assert entered().requested == ''


def test_an_open_name_is_resolved_on_entering(three_cpus: Machine) -> None:
    reused = device('CPU')
    assert reused.requested == 'CPU'
    for outer in ('CPU:1', 'CPU:2'):
        with device(outer), reused:
            assert now() == outer
            assert entered().requested == outer
    with reused:
        assert now() == 'CPU:0'


def test_reuse_and_reentry(three_cpus: Machine) -> None:
    one, two = device('CPU:1'), device('CPU:2')
    with one, two, one:
        assert now() == 'CPU:1'
        with two:
            assert now() == 'CPU:2'
        assert now() == 'CPU:1'
    assert now() == 'CPU:0'


def test_blocks_of_one_name_share_a_scope_while_the_devices_stay(three_cpus: Machine) -> None:
    first = device('CPU:1')
    assert device('CPU:1') is first
    assert device('CPU:1', log=True) is not first
    with first, device('CPU:2'), device('CPU:1'):
        assert now() == 'CPU:1'
        assert inside('CPU:1', 'CPU:0') == 'CPU:0'
        assert now() == 'CPU:1'
    assert now() == 'CPU:0'
    config.reset()
    with device('CPU:1', fallback='silent'):
        assert now() == 'CPU:0'
    assert device('CPU:1') is not first


def test_a_scope_left_out_of_order(three_cpus: Machine) -> None:
    outer, inner, innermost = device('CPU:1'), device('CPU:2'), device('CPU')
    outer.__enter__()
    inner.__enter__()
    innermost.__enter__()
    inner.__exit__(None, None, None)
    assert now() == 'CPU:1'
    innermost.__exit__(None, None, None)
    outer.__exit__(None, None, None)
    assert scope.current() is None


def test_an_exception_leaves_the_scope(three_cpus: Machine) -> None:
    with pytest.raises(KeyError), device('CPU:1'):
        raise KeyError
    assert now() == 'CPU:0'


def test_threads_start_without_a_scope(three_cpus: Machine) -> None:
    found = []
    with device('CPU:1'):
        for target in (lambda: found.append(now()), scope.propagate(lambda: found.append(now()))):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert found == ['CPU:0', 'CPU:1']


def test_tasks_keep_their_own_scope(three_cpus: Machine) -> None:
    async def work(name: str) -> list[str]:
        seen = []
        with device(name):
            for _ in range(3):
                seen.append(now())
                await asyncio.sleep(0)
        return [*seen, now()]

    async def main() -> list[list[str]]:
        return await asyncio.gather(work('CPU:1'), work('CPU:2'))

    assert asyncio.run(main()) == [['CPU:1'] * 3 + ['CPU:0'], ['CPU:2'] * 3 + ['CPU:0']]


def test_a_scope_outlives_a_reset(machine: Machine) -> None:
    config.simulate_gpus(1)
    kept = device('GPU:0')
    with kept:
        assert now() == 'GPU:0'
    config.reset()
    with pytest.warns(errors.PlacementWarning, match='GPU:0 was asked for'), kept:
        assert now() == 'CPU:0'
    config.reset()
    config.simulate_gpus(1)
    with kept:
        assert not entered().is_fallback


def test_an_absent_device_warns_once_per_line(machine: Machine) -> None:
    def enter() -> None:
        for _ in range(5):
            with device('gpu:0'):
                assert now() == 'CPU:0'
            with device('gpu:0'):
                pass

    first, second = count_warnings(enter)
    line = enter.__code__.co_firstlineno + 2
    assert first.category is errors.PlacementWarning
    assert (first.filename, first.lineno, second.lineno) == (__file__, line, line + 2)
    assert str(first.message) == (
        f'test_device_scope.py:{line}: GPU:0 was asked for, but {NO_GPU}; CPU:0 is used instead'
    )
    assert count_warnings(enter) == []


def test_what_an_absent_device_leaves_in_the_state(machine: Machine) -> None:
    with device('GPU:3', fallback='silent') as opened:
        state = scope.current()
        assert state is not None
        assert state.device is registry.cpu()
        assert state.device_scope.is_fallback
        assert opened.requested == 'GPU:3'
        assert opened.text == f'GPU:3 was asked for, but {NO_GPU}'


def test_modes(machine: Machine) -> None:
    def enter(**options: Any) -> None:
        with device('GPU:0', **options):
            pass

    assert count_warnings(lambda: enter(fallback='silent')) == []
    assert len(count_warnings(lambda: enter(fallback='warn'))) == 1
    with pytest.raises(ValueError, match='the devices here are CPU:0') as caught:
        enter(fallback='error')
    assert isinstance(caught.value, errors.InvalidArgumentError)
    assert scope.current() is None
    config.set_soft_device_placement(False)
    with pytest.raises(ValueError, match='GPU:0 was asked for'):
        enter()
    assert count_warnings(lambda: enter(fallback='silent')) == []


def test_soft_placement_is_asked_on_entering(machine: Machine) -> None:
    kept = device('GPU:0')
    config.set_soft_device_placement(False)
    with pytest.raises(ValueError, match='GPU:0'), kept:
        pass
    config.set_soft_device_placement(True)
    assert len(count_warnings(lambda: kept.__enter__().__exit__())) == 1


@pytest.mark.filterwarnings('error')
def test_warnings_that_are_errors_come_every_time(machine: Machine) -> None:
    for _ in range(2):
        with pytest.raises(errors.PlacementWarning), device('GPU:0'):
            pass
        assert scope.current() is None


def test_inner_scopes_of_an_absent_device(machine: Machine) -> None:
    def enter() -> None:
        with device('GPU:1'):
            with device(''):
                assert entered().is_fallback
                assert entered().requested == 'GPU:1'
            with device('GPU'):
                assert entered().requested == 'GPU:1'
            with device('CPU'):
                assert now() == 'CPU:0'
                assert not entered().is_fallback

    assert [one.lineno - enter.__code__.co_firstlineno for one in count_warnings(enter)] == [1, 5]


def test_leaving_out_of_order_warns_no_more(machine: Machine) -> None:
    def enter() -> None:
        outer, absent = device('CPU:0'), device('GPU')
        outer.__enter__()
        absent.__enter__()
        outer.__exit__()
        assert entered().is_fallback
        absent.__exit__()

    assert len(count_warnings(enter)) == 1


def test_a_type_without_index(machine: Machine) -> None:
    machine.free = [1, 1]
    assert inside('GPU:1', 'GPU') == 'GPU:1'
    assert inside('CPU:0', 'GPU') == 'GPU:0'
    assert inside('cuda') == 'GPU:0'
    assert inside('GPU:1', 'CPU', 'GPU') == 'GPU:0'
    config.set_default_device('GPU:1')
    assert inside('GPU') == 'GPU:1'


def test_auto(machine: Machine) -> None:
    machine.free = [1 << 30, 3 << 30]
    with device('GPU:auto') as opened:
        assert now() == 'GPU:1'
        assert opened.requested == 'GPU:auto'
        assert opened.text == 'GPU:auto took GPU:1 (3 GiB free)'
        with device('GPU'):
            assert now() == 'GPU:1'
    machine.free = [3 << 30, 1 << 30]
    assert inside('GPU:auto') == 'GPU:0'


def test_auto_without_a_card(machine: Machine) -> None:
    with device('GPU:auto', fallback='silent') as opened:
        assert opened.text == f'GPU:auto was asked for, but {NO_GPU}'


def test_uuid(machine: Machine) -> None:
    machine.free = [1, 1]
    assert inside(UUIDS[1]) == 'GPU:1'


@pytest.mark.parametrize('name', ['cuda0', 'XPU:0', 'foo', 'CPU 0', ' CPU:0', 'CPU:0:0', 'CPU:-1'])
def test_a_bad_name_fails_at_the_with_line(machine: Machine, name: str) -> None:
    with pytest.raises(ValueError, match=r'\[device\].*the devices here are CPU:0'):
        device(name, fallback='silent')


def test_another_job_fails_at_the_with_line(machine: Machine) -> None:
    with pytest.raises(ValueError, match='this process is'), device('/job:worker'):
        pass
    assert scope.current() is None


@pytest.mark.parametrize('name', [0, b'CPU:0', ['CPU:0'], object(), int])
def test_no_name_at_all(machine: Machine, name: Any) -> None:
    with pytest.raises(ValueError, match='allowed are names'):
        device(name)


def test_a_function_is_refused(machine: Machine) -> None:
    def choose(op: object) -> str:
        return 'CPU:0'

    for function in (choose, lambda op: 'CPU:0', len, machine.discover):
        with pytest.raises(RuntimeError, match='name a device'):
            device(function)


def test_bad_options(machine: Machine) -> None:
    with pytest.raises(ValueError, match="'warn', 'error', 'silent'"):
        device('CPU:0', fallback='loud')  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='log is 1'):
        device('CPU:0', log=1)  # type: ignore[arg-type]


def test_a_generator_leaks_its_scope_until_it_resumes(three_cpus: Machine) -> None:
    def generator() -> Iterator[str]:
        with device('CPU:1'):
            yield now()
        yield now()

    running = generator()
    assert next(running) == 'CPU:1'
    assert now() == 'CPU:1'
    assert next(running) == 'CPU:0'
    assert now() == 'CPU:0'
