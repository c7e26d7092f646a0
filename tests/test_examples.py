"""Every example runs, warns of nothing, needs no network, and prints what it promises."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tensorvar as tv
from tests.support.source_tree import ROOT

EXAMPLES = ROOT / 'examples'

# What a run must print, in this order.
PROMISES = {
    'cross_device': [
        'copies: 1 (262,144 bytes); saved by replicas: 999',
        'after a write: copies: 2 (524,288 bytes); saved by replicas: 999',
        'copies: 10 (2,621,440 bytes); saved by replicas: 0',
        "transfer_guard('disallow') of cross_device.py:",
        'after 1,048,576 bytes: [MatMul]',
        'copies: 0 (0 bytes)',
    ],
    'custom_training_loop': [
        'everything runs on /job:localhost',
        'step 300: loss 0.0',
        "None: the way from variable 'slope:0' left the tape by numpy",
    ],
    'placement': [
        'Const (2,3) float32 -> GPU:0  [explicit, placement.py:',
        'copied weights:0 24 B CPU:0 -> GPU:0',
        'Sum (2,2) float32 -> GPU:0  [inputs, placement.py:',
        'AssignSubVariableOp (2,)x(2,) float32 -> CPU:0  [variable, placement.py:',
        'x 100 so far',
        'Square ran on CPU:0, fallback: GPU:7 was asked for',
        '[device] GPU:7 was asked for',
    ],
    'simulated_gpus': [
        'simulated=True',
        'sum of squares 140.0 on /job:localhost/replica:0/task:0/device:GPU:0',
        'AddN copied 4 B GPU:1 -> GPU:0',
        'big:0 390.6 KiB',
        'The next operation that fits works: 100000.0',
        'ResourceExhaustedError',
        'largest value of big: 0.0',
    ],
    'variables': [
        "<tv.Variable 'layer/weights:0' shape=(2, 2) dtype=float32",
        '[[0.0, 0.0], [13.0, 99.0]] then [[0.0, 0.0], [0.0, 0.0]]',
        'int32 cannot hold without damage',
        'counter is still 0',
        'layer/weights:0 lives on /job:localhost/replica:0/task:0/device:GPU:0',
        'variables.py:',
    ],
}

NO_NETWORK = """
import socket
def refuse(*arguments):
    raise OSError('the network was used')
socket.getaddrinfo = socket.socket.connect = refuse
"""


@pytest.fixture(scope='module')
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that, on Python's path, refuses every use of the network."""
    folder = tmp_path_factory.mktemp('offline')
    (folder / 'sitecustomize.py').write_text(NO_NETWORK)
    return folder


def run(name: str, folder: Path, offline: Path, *arguments: str, real_gpu: bool = False) -> str:
    """Runs an example in an empty folder; gives what it printed."""
    environment = {key: value for key, value in os.environ.items() if 'TENSORVAR' not in key}
    environment['PYTHONPATH'] = os.pathsep.join([str(offline), str(ROOT)])
    if not real_gpu:
        environment['CUDA_VISIBLE_DEVICES'] = ''
    finished = subprocess.run(
        [sys.executable, '-W', 'error', str(EXAMPLES / f'{name}.py'), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ''
    return finished.stdout


def check_promises(name: str, output: str) -> None:
    position = 0
    for promise in PROMISES[name]:
        found = output.find(promise, position)
        assert found >= 0, f'{promise!r} is missing, or comes too early, in:\n{output}'
        position = found


def check_digits(output: str, folder: Path) -> None:
    accuracy = re.search(r'^test accuracy: ([\d.]+)% of 300 images$', output, re.MULTILINE)
    assert accuracy is not None
    assert float(accuracy[1]) >= 95.0
    assert '380/380 steps' in output
    assert re.search(r'MatMul +GPU:0 +[\d,]+  gradient [\d,]+, explicit [\d,]+\n', output)
    assert re.search(r'AssignSubVariableOp +CPU:0 +[\d,]+  variable [\d,]+\n', output)
    assert re.search(r'digits.py:\d+ +MatMul +classifier/hidden/weights:0 +CPU:0 -> GPU:0', output)
    assert re.search(r'replicas saved [\d,]+ more', output)
    assert re.search(r'^  CPU:0 .* KiB now .* KiB at most$', output, re.MULTILINE)
    assert re.search(r'^  GPU:0 .* KiB now .* KiB at most$', output, re.MULTILINE)
    # The files hold what was printed.
    log = tv.debugging.read_jsonl(folder / 'output' / 'placements.jsonl')
    assert str(log.summary()) in output
    trace = json.loads((folder / 'output' / 'placements.trace.json').read_text())
    names = {event['name'] for event in trace['traceEvents']}
    assert {'MatMul', 'classifier/hidden/weights:0 CPU:0 -> GPU:0', 'memory GPU:0'} <= names


def test_every_example_has_its_promises() -> None:
    assert {path.stem for path in EXAMPLES.glob('*.py')} == {*PROMISES, 'digits'}


@pytest.mark.parametrize('name', PROMISES)
def test_example(name: str, tmp_path: Path, offline: Path) -> None:
    check_promises(name, run(name, tmp_path, offline))


def test_digits_twice(tmp_path: Path, offline: Path) -> None:
    first = run('digits', tmp_path, offline)
    assert first.startswith('GPU:0 is SIMULATED')
    assert 'per second' not in first, 'a simulated card has no speed'
    check_digits(first, tmp_path)
    second = run('digits', tmp_path, offline, '--output', 'second')
    assert second == first.replace(' output/', ' second/')
    assert len(list((tmp_path / 'second').iterdir())) == 2


@pytest.mark.gpu
@pytest.mark.parametrize('name', PROMISES)
def test_example_on_a_real_gpu(name: str, tmp_path: Path, offline: Path) -> None:
    output = run(name, tmp_path, offline, real_gpu=True)
    assert 'no GPU here' not in output
    check_promises(name, output)


@pytest.mark.gpu
def test_digits_on_a_real_gpu(tmp_path: Path, offline: Path) -> None:
    output = run('digits', tmp_path, offline, real_gpu=True)
    assert output.startswith('GPU:0 is a real card: ')
    assert 'steps per second' in output
    check_digits(output, tmp_path)
