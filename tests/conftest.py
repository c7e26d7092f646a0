"""Fixtures of the whole suite: devices of every kind, and nothing left behind.

Keep tensors and variables out of module globals and of ``parametrize``: the devices can
be configured anew only while no value lives.
"""

import gc
import itertools
import os
from collections.abc import Iterator

import hypothesis
import pytest

import tensorvar as tv
from tensorvar import pytest_fixtures
from tensorvar._device import physical, registry
from tensorvar.pytest_fixtures import every_device as every_device
from tensorvar.pytest_fixtures import simulated_gpus as simulated_gpus
from tests.support import devices, verify_rules

DEVICES = {
    'cpu': 'CPU:0',
    'second_cpu': 'CPU:1',
    'simulated_gpu': 'GPU:0',
    'real_gpu': 'GPU:0',
}

# What the user's shell says about devices must not decide what is tested.
for _name in [name for name in os.environ if name.startswith('TENSORVAR_')]:
    del os.environ[_name]

hypothesis.settings.register_profile(
    'suite',
    derandomize=True,
    deadline=None,
    # The same ones each time; `make soak` draws thousands of others.
    max_examples=60,
    stateful_step_count=30,
    # Examples need no fresh devices, and a slow machine is no failure.
    suppress_health_check=[
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.too_slow,
    ],
)
hypothesis.settings.register_profile(
    'soak',
    parent=hypothesis.settings.get_profile('suite'),
    derandomize=False,
    max_examples=5_000,
)
hypothesis.settings.load_profile('suite')


def pytest_collection_finish() -> None:
    """Takes what lives now out of the collector's sight; no tensor may be among it.

    Many tests collect, and would go through thousands of collected tests each time.
    """
    gc.collect()
    found = [value for value in gc.get_objects() if isinstance(value, tv.Tensor)]
    if found:
        # With a real GPU it would live there, and no test could configure the devices.
        raise pytest.UsageError(f'made while the tests were imported, not by a test: {found}')
    gc.freeze()


_FREEZE_AFTER = 500
_tests_run = itertools.count(1)


def pytest_runtest_setup() -> None:
    """Keeps what tests leave in caches, and pytest in reports, out of the collector's sight.

    Towards the end of the suite a collection would take a second otherwise. Between two tests:
    what a failure holds could never be freed any more, and no device be configured.
    """
    if next(_tests_run) % _FREEZE_AFTER == 0:
        pytest_fixtures.forget_last_failure()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope='session')
def real_gpus() -> int:
    """How many real GPUs this machine offers."""
    return len(registry.gpus().gpus)


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest, real_gpus: int) -> Iterator[None]:
    """Fails a test that leaves devices configured; hides real GPUs unless it wants one."""
    wants_gpu = request.node.get_closest_marker('gpu') is not None
    if wants_gpu and not real_gpus:
        pytest.skip(f'no real GPU: {registry.why_no_gpu()}')
    hide = real_gpus > 0 and not wants_gpu
    discover = registry._discover
    if hide:
        pytest_fixtures.reset_devices()
        reason = 'this test is not marked gpu'
        registry.set_gpu_discovery(lambda: physical.Discovery((), reason))
    yield
    found = devices.leaks()
    if found:
        devices.undo_leaks()
    if hide:
        pytest_fixtures.reset_devices()
        registry.set_gpu_discovery(discover)
    assert not found, f'left behind by the test: {", ".join(found)}'


@pytest.fixture(autouse=True)
def rules_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compares the result of every op that a test runs with the op's rule."""
    verify_rules.install(monkeypatch)


@pytest.fixture
def fresh_devices() -> Iterator[None]:
    """For tests that configure devices themselves: nothing is configured before or after."""
    pytest_fixtures.reset_devices()
    yield
    pytest_fixtures.reset_devices()


@pytest.fixture
def two_cpus(fresh_devices: None) -> tuple[str, str]:
    """Two logical devices on the CPU; gives their names."""
    [cpu] = tv.config.list_physical_devices('CPU')
    tv.config.set_logical_device_configuration(cpu, [tv.config.LogicalDeviceConfiguration()] * 2)
    return 'CPU:0', 'CPU:1'


@pytest.fixture(
    params=[
        'cpu',
        'second_cpu',
        'simulated_gpu',
        pytest.param('real_gpu', marks=pytest.mark.gpu),
    ]
)
def device(request: pytest.FixtureRequest) -> str:
    """The name of a device of each kind, one after the other; no scope is entered."""
    configure = {'second_cpu': 'two_cpus', 'simulated_gpu': 'simulated_gpus'}
    request.getfixturevalue(configure.get(request.param, 'fresh_devices'))
    return DEVICES[request.param]


@pytest.fixture
def values_checked(device: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Has a real card look at values at once, which all other devices do anyway."""
    on_card = request.node.get_closest_marker('gpu') is not None
    tv.debugging.set_synchronous(on_card)
    yield
    tv.debugging.set_synchronous(False)
