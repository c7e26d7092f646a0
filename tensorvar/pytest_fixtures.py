"""Fixtures for the tests of programs that use tensorvar.

Load them in a ``conftest.py`` with ``pytest_plugins = ['tensorvar.pytest_fixtures']``.
"""

import gc
import sys
from collections.abc import Iterator

import pytest

from tensorvar import config, errors

SIMULATED = 2


@pytest.fixture
def simulated_gpus() -> Iterator[list[str]]:
    """Two simulated GPUs for one test; gives their names.

    Values that the test leaves behind are collected; if some still live then, the
    teardown fails and names them.
    """
    reset_devices()
    config.simulate_gpus(SIMULATED)
    yield [f'GPU:{index}' for index in range(SIMULATED)]
    reset_devices()


@pytest.fixture(params=['CPU:0', 'GPU:0'])
def every_device(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once per kind of device: the CPU and a simulated GPU; gives its name."""
    reset_devices()
    config.simulate_gpus(SIMULATED)
    yield request.param
    reset_devices()


def reset_devices() -> None:
    """Forgets the device configuration, also after a test that failed.

    Raises:
        FailedPreconditionError: values live that the cycle collector cannot free.
    """
    forget_last_failure()
    try:
        config.reset()
    except errors.FailedPreconditionError:
        gc.collect()
        config.reset()


def forget_last_failure() -> None:
    """Drops what pytest keeps of a failure for debuggers, and with it all its locals."""
    for name in ('last_exc', 'last_type', 'last_value', 'last_traceback'):
        if hasattr(sys, name):
            delattr(sys, name)
