"""A new Python process that imports the library and ends; NumPy's is the least of all."""

import subprocess
import sys
from typing import Any

from benchmarks.cases import Cases


def tensorvar_cases(tv: Any) -> Cases:
    return _cases(tv)


def numpy_cases(np: Any) -> Cases:
    return _cases(np)


def torch_cases(torch: Any) -> Cases:
    return _cases(torch)


def jax_cases(jax: Any) -> Cases:
    return _cases(jax)


def _cases(module: Any) -> Cases:
    command = [sys.executable, '-c', f'import {module.__name__}']
    return {'a process that imports it': lambda: subprocess.run(command, check=True)}
