"""Names of NumPy looked up for a simulated device: functions and submodules."""

from collections.abc import Callable
from types import ModuleType
from typing import Any


class SimulatedFunction:
    """One function of NumPy for simulated arrays; also a ufunc with its methods."""

    __slots__ = ('_function', '_module')

    def __init__(self, module: Any, function: Callable[..., Any]) -> None:
        self._module = module
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._module.apply(self._function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._function, name)
        return SimulatedFunction(self._module, value) if callable(value) else value

    def __repr__(self) -> str:
        return f'<{self._function!r} for {self._module.device}>'


class SimulatedNamespace:
    """The functions of a NumPy module, or the methods of a random generator.

    What was looked up once is kept as a plain attribute.

    Args:
        module: the array module whose device the functions are for.
        source: where the functions are found, such as ``numpy.linalg``.
    """

    def __init__(self, module: Any, source: Any) -> None:
        self._module = module
        self._source = source

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        value = getattr(self._source, name)
        if isinstance(value, ModuleType):
            value = SimulatedNamespace(self._module, value)
        elif callable(value) and not isinstance(value, type):
            value = SimulatedFunction(self._module, value)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return f'<{self._source!r} for {self._module.device}>'
