"""What ``make demo`` says where there is a driver but no usable card."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import source_tree

NO_DRIVER = """
class NVMLError(Exception):
    pass
def nvmlInit():
    raise NVMLError('Driver Not Loaded')
"""
OLD_DRIVER = """
class NVMLError(Exception):
    pass
def nvmlInit():
    pass
def nvmlDeviceGetCount():
    return 1
def nvmlSystemGetCudaDriverVersion_v2():
    return 11040
"""


@pytest.mark.parametrize(
    ('pynvml', 'reason'),
    [
        (NO_DRIVER, 'no NVIDIA driver: Driver Not Loaded'),
        (OLD_DRIVER, 'the driver is too old: it supports CUDA 11.4'),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, pynvml: str, reason: str) -> None:
    (tmp_path / 'pynvml.py').write_text(pynvml)
    path = os.pathsep.join([str(tmp_path), str(source_tree.ROOT)])
    finished = subprocess.run(
        [sys.executable, '.ci/install_cupy.py'],
        check=False,
        capture_output=True,
        cwd=source_tree.ROOT,
        env={**os.environ, 'PYTHONPATH': path},
        text=True,
        timeout=60,
    )
    assert finished.returncode == 1
    assert finished.stdout == ''
    [line] = finished.stderr.splitlines()
    assert line.startswith(f'no real GPU: {reason}')
