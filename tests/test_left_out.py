"""Every public name of TensorFlow is there or explained."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import tensorvar as tv
from tensorvar import _left_out

NAMES = (Path(__file__).parent / 'data' / 'tensorflow_public_names.txt').read_text().split()


def missing_part(name: str) -> str | None:
    """The first part of a dotted name that is not there; None if all are."""
    value = tv
    parts = name.split('.')
    for count, part in enumerate(parts, 1):
        if not hasattr(value, part):
            return '.'.join(parts[:count])
        value = getattr(value, part)
    return None


def test_every_name_is_there_or_explained() -> None:
    missing = {name: missing_part(name) for name in NAMES}
    unexplained = [
        name for name, part in missing.items() if part and not _left_out.explanation(part)
    ]
    assert not unexplained


def test_the_table_explains_only_what_is_missing() -> None:
    there = [name for name in _left_out._SENTENCES if missing_part(name) is None]
    assert not there
    unknown = [name for name in _left_out._SENTENCES if name not in NAMES]
    assert not unknown


def test_each_name_stands_once() -> None:
    names = [name for _, names in _left_out._TABLE for name in names.split()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ('namespace', 'name', 'text'),
    [
        ('tensorvar', 'io', 'left out on purpose; files are read with Python or NumPy'),
        ('tensorvar', 'data', 'left out on purpose; cut batches in Python'),
        ('tensorvar', 'keras', 'use Keras 3 itself'),
        ('tensorvar.nn', 'ctc_loss', 'left out on purpose; CTC'),
        (
            'tensorvar.config',
            'experimental_run_functions_eagerly',
            'use tv.config.run_functions_eagerly',
        ),
        ('tensorvar', 'reduce_summ', "did you mean 'reduce_sum'"),
        ('tensorvar.math', 'reduce_summ', "did you mean 'reduce_sum'"),
        ('tensorvar', 'log', "did you mean 'tv.math.log'"),
        ('tensorvar', 'mean', "did you mean 'tv.reduce_mean'"),
        ('tensorvar.nn', 'std', "did you mean 'tv.math.reduce_std'"),
        ('tensorvar.math', 'reshape', "did you mean 'tv.reshape'"),
        ('tensorvar', 'zzzz', "module 'tensorvar' has no attribute 'zzzz'$"),
    ],
)
def test_what_the_error_says(namespace: str, name: str, text: str) -> None:
    module = importlib.import_module(namespace)
    assert not hasattr(module, name)
    assert getattr(module, name, 7) == 7
    with pytest.raises(AttributeError, match=text):
        getattr(module, name)


def test_importing_a_name_that_is_left_out() -> None:
    code = 'from tensorvar import data'
    ran = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ran.returncode == 1
    assert "ImportError: cannot import name 'data' from 'tensorvar'" in ran.stderr


def test_star_import_gives_all_and_nothing_else() -> None:
    names: dict[str, object] = {}
    exec('from tensorvar import *', names)
    assert set(names) - {'__builtins__'} == set(tv.__all__)


def test_names_of_dtypes_that_cannot_be_globals_there() -> None:
    assert tv.dtypes.bool is tv.bool
    assert tv.dtypes.cast is tv.cast
    assert tv.dtypes.as_dtype(bool) is tv.bool
