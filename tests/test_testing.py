"""``tv.testing`` and its pytest fixtures, as other projects use them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tensorvar as tv
from tensorvar import pytest_fixtures
from tests.support.source_tree import ROOT

CONFTEST = "pytest_plugins = ['tensorvar.pytest_fixtures']\n"


def run_pytest(folder: Path, tests: str) -> str:
    """Runs pytest in a project of its own; gives the last lines of its output."""
    (folder / 'conftest.py').write_text(CONFTEST)
    (folder / 'test_it.py').write_text(f'import tensorvar as tv\n{tests}')
    finished = subprocess.run(
        [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '-rA', '--tb=short', '.'],
        capture_output=True,
        text=True,
        cwd=folder,
        env={'PYTHONPATH': str(ROOT), 'PATH': '', 'CUDA_VISIBLE_DEVICES': ''},
        timeout=100,
        check=False,
    )
    return finished.stdout + finished.stderr


def test_fixtures_give_devices_and_clean_up(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
def test_two_gpus(simulated_gpus):
    assert simulated_gpus == ['GPU:0', 'GPU:1']
    for name in simulated_gpus:
        with tv.device(name):
            tv.testing.assert_placed(tv.Variable([1.0]), name)

def test_each(every_device):
    with tv.device(every_device):
        tv.testing.assert_placed(tv.constant([1.0]) + 1.0, every_device)

def test_afterwards_nothing_is_simulated():
    assert tv.config.list_physical_devices('GPU') == []
""",
    )
    assert '4 passed' in output
    assert 'test_each[CPU:0]' in output
    assert 'test_each[GPU:0]' in output


def test_a_failing_test_does_not_spoil_the_next(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
def test_fails(simulated_gpus):
    variable = tv.Variable([1.0])
    assert variable.numpy() == 2.0

def test_next(simulated_gpus):
    assert tv.debugging.live_variables() == []
""",
    )
    assert '1 failed, 1 passed' in output, output
    assert 'error' not in output.splitlines()[-1]


def test_a_failure_is_forgotten_and_its_locals_with_it() -> None:
    sys.last_value = ValueError()
    pytest_fixtures.forget_last_failure()
    assert not hasattr(sys, 'last_value')


def test_a_value_that_outlives_its_test_is_named(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
KEPT = []

def test_keeps(simulated_gpus):
    KEPT.append(tv.Variable([1.0], name='kept'))
""",
    )
    assert '1 passed, 1 error' in output, output
    assert 'kept:0' in output


def test_assert_placed(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:1'):
        variable = tv.Variable([1.0], name='w')
    tv.testing.assert_placed(variable, 'gpu:1')
    tv.testing.assert_placed(variable + 1.0, '/device:GPU:1')
    with pytest.raises(AssertionError, match='w:0 was expected on GPU:0 but lives on GPU:1'):
        tv.testing.assert_placed(variable, 'GPU:0')


@pytest.mark.parametrize(
    ('kind', 'error'),
    [
        ('allocate', tv.errors.ResourceExhaustedError),
        ('copy', tv.errors.InternalError),
        ('lost', tv.errors.UnavailableError),
    ],
)
def test_fail_in_any_spelling(kind: str, error: Any, simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        variable = tv.Variable([1.0])
    asked_for = pytest.raises(error, match=r'GPU:0.*tv\.testing\.fail')
    with tv.testing.fail('/gpu:0', kind), asked_for, tv.device('GPU:0'):
        variable + 1.0
    with tv.device('GPU:0'):
        assert (variable + 1.0).numpy() == 2.0


@pytest.mark.parametrize('arguments', [('GPU:9', 'copy'), ('GPU:0', 'melt'), ('GPU:0', 'copy', -1)])
def test_fail_refuses_nonsense(arguments: Any, simulated_gpus: list[str]) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError), tv.testing.fail(*arguments):
        pass
