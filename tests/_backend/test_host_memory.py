"""Arrays that come and go do not ask the system for their pages each time."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
import tensorvar as tv

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

with tv.device('CPU:0'):
    x = tv.constant(np.ones((256, 1000), np.float32))
    for number in range(40):
        if number == 20:
            before = faults()
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = tv.nn.softmax(x) * x
        tape.gradient(y, x)
print(faults() - before)
"""
PAGES = 250
"""Of one of the arrays."""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='another allocator')
def test_pages_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('MALLOC_TRIM_THRESHOLD_', raising=False)
    monkeypatch.delenv('MALLOC_MMAP_THRESHOLD_', raising=False)
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < PAGES
