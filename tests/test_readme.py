"""The README is true: its programs run and print what it shows, its names exist."""

import doctest
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tensorvar._core import op_registry
from tests.support import source_tree

README = (source_tree.ROOT / 'README.md').read_text()
BLOCKS = re.findall(r'^```(\w+)\n(.*?)^```$', README, re.MULTILINE | re.DOTALL)
PROGRAMS = {
    text.partition('\n')[0].removeprefix('# '): text
    for language, text in BLOCKS
    if language == 'python'
}
# The text block that follows a program is what the program prints.
OUTPUTS = {
    text.partition('\n')[0].removeprefix('# '): following
    for (language, text), (next_language, following) in itertools.pairwise(BLOCKS)
    if (language, next_language) == ('python', 'text')
}
NEW_OP = 'tensorvar/_ops/hypot.py'

CHECK_NEW_OP = """
import numpy as np
import tensorvar as tv
from tests.support import device_parity, numeric_gradient

x, y = np.array([[3.0], [0.5]]), np.array([4.0, 2.0, 1.0])
for device in ('CPU:0', 'GPU:0'):
    for dtype in (np.float16, np.float32, np.float64):
        device_parity.check(device, hypot, np.hypot, x.astype(dtype), y.astype(dtype))
    with tv.device(device):
        numeric_gradient.check(hypot, x, y)
try:
    hypot(x, [1.0, 2.0, 3.0, 4.0, 5.0][:4] * 2)
    hypot(np.ones([2]), np.ones([3]))
except tv.errors.InvalidArgumentError as error:
    assert '[Hypot]' in str(error), error
else:
    raise AssertionError('shapes that do not broadcast were accepted')
"""


def run(name: str, text: str, folder: Path, gpus: str = '1') -> str:
    """Runs a program with simulated GPUs; gives what it printed and logged."""
    (folder / name).write_text(text)
    finished = subprocess.run(
        [sys.executable, '-W', 'error', name],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={
            **os.environ,
            'PYTHONPATH': str(source_tree.ROOT),
            'TENSORVAR_SIMULATE_GPUS': gpus,
        },
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


def test_every_program_has_a_name() -> None:
    assert set(PROGRAMS) == {*OUTPUTS, NEW_OP}


@pytest.mark.parametrize('name', OUTPUTS)
def test_program_prints_what_is_shown(name: str, tmp_path: Path) -> None:
    printed = run(name, PROGRAMS[name], tmp_path)
    shown = OUTPUTS[name]
    same = doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)
    assert same, f'README shows\n{shown}\nbut {name} prints\n{printed}'


def test_the_new_op_is_complete(tmp_path: Path) -> None:
    assert 'Hypot' not in op_registry.OPS, 'choose another example: this op exists'
    run('hypot.py', PROGRAMS[NEW_OP] + CHECK_NEW_OP, tmp_path)


def test_twenty_lines_are_twenty() -> None:
    lines = PROGRAMS['train.py'].splitlines()[1:]
    assert len(lines) <= 20


def test_environment_variables_are_those_of_the_source() -> None:
    table = set(re.findall(r'^\| `(TENSORVAR_\w+)', README, re.MULTILINE))
    folders = ('tensorvar', 'benchmarks', 'examples')
    read = {
        name
        for folder in folders
        for path in (source_tree.ROOT / folder).rglob('*.py')
        for name in re.findall(r"'(TENSORVAR_\w+)['{]", path.read_text())
        if name != 'TENSORVAR_SIMULATE'  # the start of two names
    }
    assert table == read


def test_make_targets_exist() -> None:
    makefile = (source_tree.ROOT / 'Makefile').read_text()
    targets = set(re.findall(r'^(\w+):', makefile, re.MULTILINE))
    assert set(re.findall(r'\bmake ([a-z]+)', README)) <= targets


def test_files_that_are_named_exist() -> None:
    examples = re.findall(r'`(\w+\.py)`', README)
    folders = re.findall(r'`((?:tensorvar|tests|benchmarks|examples|_\w+)/[\w/.]*)`', README)
    assert examples
    assert folders
    for name in examples:
        assert (source_tree.ROOT / 'examples' / name).exists(), name
    for name in set(folders) - {'benchmarks/results/'}:  # made by `make bench-peers`
        here = (source_tree.ROOT / name, source_tree.ROOT / 'tensorvar' / name)
        assert any(path.exists() for path in here), name


def test_layers_are_those_of_the_package() -> None:
    layers = re.search(r'^```text\n6 .*?^```$', README, re.MULTILINE | re.DOTALL)
    assert layers is not None
    for name in re.findall(r'^\d  (\S+)/', layers[0], re.MULTILINE):
        assert (source_tree.ROOT / 'tensorvar' / name).is_dir(), name
