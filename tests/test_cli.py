"""The command line, in this process; and once as users start it."""

import subprocess
import sys

import pytest

import tensorvar as tv
from tensorvar import cli
from tensorvar._device import registry

pytestmark = pytest.mark.usefixtures('fresh_devices')


def test_devices_lists_every_device(capsys: pytest.CaptureFixture[str]) -> None:
    tv.config.simulate_gpus(2, memory_limit='64MiB')
    assert cli.main(['devices']) == 0
    assert capsys.readouterr().out.splitlines() == [
        'device  kind           card              limit  in use   total    free',
        'CPU:0   CPU            -                  none     0 B       -       -',
        'GPU:0   simulated GPU  simulated GPU 0  64 MiB     0 B  64 MiB  64 MiB',
        'GPU:1   simulated GPU  simulated GPU 1  64 MiB     0 B  64 MiB  64 MiB',
        'default device: GPU:0 (simulated), and an operation on it works',
    ]


def test_devices_says_why_there_is_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    why = registry.why_no_gpu()
    assert cli.main(['devices']) == 0
    assert why
    assert f'\nno GPU: {why}\n' in capsys.readouterr().out


def test_devices_shows_what_is_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    variable = tv.Variable(tv.zeros([256]))
    cli.main(['devices'])
    _, cpu, *_ = capsys.readouterr().out.splitlines()
    assert cpu.split() == ['CPU:0', 'CPU', '-', 'none', '1', 'KiB', '-', '-']
    assert variable.shape == [256]


@pytest.mark.parametrize('kind', ['allocate', 'lost'])
def test_a_device_that_does_not_work_is_unhealthy(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tv.config.simulate_gpus(1)
    with tv.testing.fail('GPU:0', kind):
        assert cli.main(['devices']) == 1
    assert capsys.readouterr().err.startswith('unhealthy: ')


def test_a_wrong_default_device_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('TENSORVAR_DEFAULT_DEVICE', 'GPUO')
    assert cli.main(['devices']) == 1
    assert 'GPUO' in capsys.readouterr().err


@pytest.mark.parametrize('arguments', [[], ['device'], ['devices', 'GPU:0']])
def test_a_bad_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2
    assert 'usage: python -m tensorvar' in capsys.readouterr().err


def test_as_a_program() -> None:
    run = [sys.executable, '-W', 'error', '-m', 'tensorvar']
    version = subprocess.run([*run, '--version'], capture_output=True, text=True, check=True)
    assert version.stdout == f'tensorvar {tv.__version__}\n'
    devices = subprocess.run([*run, 'devices'], capture_output=True, text=True, check=False)
    assert (devices.returncode, devices.stderr) == (0, '')
    assert devices.stdout.startswith('device ')


@pytest.mark.gpu
def test_a_real_card_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(['devices']) == 0
    output = capsys.readouterr().out
    assert 'NVIDIA driver' in output
    assert 'default device: GPU:0, and an operation on it works' in output
