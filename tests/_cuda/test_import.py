"""The CUDA side loads no heavy package and needs no card to be imported."""

import pathlib
import subprocess
import sys

MODULES = 'assign, cache, host_emulation, launch, nvrtc, select, source, targets'
CHECK = f"""
import sys
from tensorvar._cuda import {MODULES}
loaded = {{'cupy', 'cuda', 'nvidia'}} & set(sys.modules)
assert not loaded, loaded
"""


def test_neither_cupy_nor_nvrtc_is_loaded() -> None:
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run([sys.executable, '-c', CHECK], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
