"""The libraries: how each is loaded, put on a device, and waited for.

A ``bench_<family>`` module has a function ``<program>_cases`` per program text. The
programs of tensorvar and TensorFlow are one text, as are those of NumPy and CuPy.
"""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Scope = AbstractContextManager[Any]


def _no_scope(module: Any, device: str) -> Scope:
    return contextlib.nullcontext()


def _no_wait(module: Any, device: str, result: Any) -> None:
    """Eager computation on the CPU is complete when the call returns."""


def _tensorvar_scope(module: Any, device: str) -> Scope:
    listed = {found.name: found for found in module.config.list_logical_devices()}
    found = listed.get(f'/device:{device}')
    if found is None:
        raise SystemExit(f'no {device} here: {module.config.why_no_gpu()}')
    if found.simulated:
        raise SystemExit(f'{device} is simulated; the speed of a simulated GPU means nothing')
    scope: Scope = module.device(device, fallback='error')
    return scope


def _tensorvar_wait(module: Any, device: str, result: Any) -> None:
    if device.startswith('GPU'):
        module.config.stream(device).synchronize()


def _tensorflow_scope(module: Any, device: str) -> Scope:
    scope: Scope = module.device(device)
    return scope


def _tensorflow_wait(module: Any, device: str, result: Any) -> None:
    if device.startswith('GPU'):
        module.test.experimental.sync_devices()


def _torch_scope(module: Any, device: str) -> Scope:
    if device == 'CPU:0':
        # The default anyway, and under a scope every call goes through Python once more.
        return contextlib.nullcontext()
    scope: Scope = module.device(device.replace('GPU', 'cuda'))
    return scope


def _torch_wait(module: Any, device: str, result: Any) -> None:
    if device.startswith('GPU'):
        module.cuda.synchronize()


def _jax_scope(module: Any, device: str) -> Scope:
    kind, index = device.lower().split(':')
    found = module.devices(kind)[int(index)]
    if found == module.devices()[0]:
        return contextlib.nullcontext()
    scope: Scope = module.default_device(found)
    return scope


def _jax_wait(module: Any, device: str, result: Any) -> None:
    module.block_until_ready(result)


def _cupy_scope(module: Any, device: str) -> Scope:
    scope: Scope = module.cuda.Device(int(device.split(':')[1]))
    return scope


def _cupy_wait(module: Any, device: str, result: Any) -> None:
    module.cuda.get_current_stream().synchronize()


@dataclass(frozen=True)
class Library:
    """One contender.

    Attributes:
        name: of the module to import.
        program: whose ``<program>_cases`` it runs.
        kinds: device kinds that it computes on.
        scope: ``scope(module, device)`` makes the device current.
        wait: ``wait(module, device, result)`` returns when the work is done.
    """

    name: str
    program: str
    kinds: tuple[str, ...] = ('CPU', 'GPU')
    scope: Callable[[Any, str], Scope] = _no_scope
    wait: Callable[[Any, str, Any], None] = _no_wait

    @property
    def interpreter_variable(self) -> str:
        """Environment variable that names a Python which has the library."""
        return f'TENSORVAR_BENCH_{self.name.upper()}'

    def interpreter(self) -> str | None:
        """The Python to run it with, or None where it is not installed."""
        named = os.environ.get(self.interpreter_variable)
        if named:
            return named
        return sys.executable if importlib.util.find_spec(self.name) else None


ALL = {
    library.name: library
    for library in (
        Library('tensorvar', 'tensorvar', scope=_tensorvar_scope, wait=_tensorvar_wait),
        Library('numpy', 'numpy', kinds=('CPU',)),
        Library('cupy', 'numpy', kinds=('GPU',), scope=_cupy_scope, wait=_cupy_wait),
        Library('tensorflow', 'tensorvar', scope=_tensorflow_scope, wait=_tensorflow_wait),
        Library('torch', 'torch', scope=_torch_scope, wait=_torch_wait),
        Library('jax', 'jax', scope=_jax_scope, wait=_jax_wait),
    )
}


def interpreters(names: Sequence[str] | None = None) -> dict[str, str]:
    """The Python of each library.

    Args:
        names: of libraries; None for all that are installed.

    Raises:
        SystemExit: one that was named is not installed.
    """
    found: dict[str, str] = {}
    for name in names or ALL:
        interpreter = ALL[name].interpreter()
        if interpreter is not None:
            found[name] = interpreter
        elif names is not None:
            variable = ALL[name].interpreter_variable
            raise SystemExit(f'{name} is not installed; name a Python that has it in {variable}')
    return found
