"""Arrays that come and go do not ask the system for their pages each time; aligned ones."""

import platform
import subprocess
import sys

import numpy as np
import pytest

from tensorvar._backend import host_memory

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


@pytest.mark.parametrize('dtype', [np.bool_, np.float32, np.float64, np.complex128])
@pytest.mark.parametrize('shape', [(), (0,), (3,), (5, 1, 7), (300, 11)])
def test_an_aligned_array(shape: tuple[int, ...], dtype: type) -> None:
    made = host_memory.aligned(shape, np.dtype(dtype))
    assert (made.shape, made.dtype) == (shape, dtype)
    assert made.flags.carray
    assert made.size == 0 or made.ctypes.data % host_memory.LINE == 0
    assert not made.any()
