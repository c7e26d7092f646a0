"""The methods of ndarray that array code calls, for simulated arrays.

Each is NumPy's method, run by the array module on the data inside; arguments are
NumPy's. Methods that would read values into Python are not here: such reads go
through the backend's ``to_host``, where they are counted.
"""

from typing import Any

import numpy as np


class SimulatedMethods:
    """Methods that hand themselves to ``self._module``."""

    __slots__ = ()

    _module: Any

    def _run(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return self._module.apply(method, (self, *args), kwargs)

    # Shape and layout.

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.reshape, *shape, **kwargs)

    def ravel(self, order: str = 'C') -> Any:
        return self._run(np.ndarray.ravel, order)

    def flatten(self, order: str = 'C') -> Any:
        return self._run(np.ndarray.flatten, order)

    def transpose(self, *axes: Any) -> Any:
        return self._run(np.ndarray.transpose, *axes)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        return self._run(np.ndarray.swapaxes, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Any:
        return self._run(np.ndarray.squeeze, axis)

    def diagonal(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.diagonal, *args, **kwargs)

    def view(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.view, *args, **kwargs)

    # Copies and values.

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.astype, dtype, **kwargs)

    def copy(self, order: str = 'C') -> Any:
        return self._run(np.ndarray.copy, order)

    def fill(self, value: Any) -> None:
        self._run(np.ndarray.fill, value)

    def sort(self, *args: Any, **kwargs: Any) -> None:
        self._run(np.ndarray.sort, *args, **kwargs)

    def argsort(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.argsort, *args, **kwargs)

    def take(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.take, *args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> None:
        self._run(np.ndarray.put, *args, **kwargs)

    def repeat(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.repeat, *args, **kwargs)

    def nonzero(self) -> Any:
        return self._run(np.ndarray.nonzero)

    def clip(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.clip, *args, **kwargs)

    def round(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.round, *args, **kwargs)

    def conj(self) -> Any:
        return self._run(np.ndarray.conj)

    # Reductions and scans.

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.sum, *args, **kwargs)

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.prod, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.mean, *args, **kwargs)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.var, *args, **kwargs)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.std, *args, **kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.max, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.min, *args, **kwargs)

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.argmax, *args, **kwargs)

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.argmin, *args, **kwargs)

    def any(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.any, *args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.all, *args, **kwargs)

    def cumsum(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.cumsum, *args, **kwargs)

    def cumprod(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.cumprod, *args, **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.trace, *args, **kwargs)

    def dot(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(np.ndarray.dot, *args, **kwargs)
