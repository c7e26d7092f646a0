"""A device that computes with NumPy behind its own memory, limit and counters.

Simulated GPUs use it, and CPUs that have a memory limit or are several logical
devices.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend import faults, floating_point, memory_ledger
from tensorvar._backend.base import Array, Backend, MemoryInfo
from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_module import SimulatedModule

_error_state = floating_point.state
_QUIET = floating_point.QUIET


class SimulatedBackend(Backend):
    """Memory and array code of a simulated device.

    Args:
        device: short name, such as ``'GPU:0'`` or ``'CPU:1'``.
        limit: bytes that may be charged, or None for no limit.
    """

    array_type = SimulatedArray
    ledger: memory_ledger.MemoryLedger

    def __init__(self, device: str, limit: int | None = None) -> None:
        super().__init__(device)
        self.ledger = memory_ledger.MemoryLedger(device, limit)
        self.array_module = SimulatedModule(device, self.ledger)

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        return self.call(self.array_module.empty, shape, dtype)

    def from_host(self, host: np.ndarray[Any, Any]) -> Array:
        self._count_use('copy')
        return self.array_module.copy_in(host)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        self._count_use('copy')
        host = np.array(self._own_data(array, 'to_host'), order='C')
        self._waited()
        return host

    def copy(self, array: Array) -> Array:
        return self.call(self.array_module.copy_in, self._own_data(array, 'copy'))

    def copy_from(self, other: Backend, array: Array) -> Array:
        """Copies at once from a simulated device, else through the host."""
        if not isinstance(other, SimulatedBackend):
            return self.from_host(other.to_host(array))
        other._count_use('copy')
        return self.from_host(other._own_data(array, 'copy_from'))

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if faults.armed:
            self._count_use()
        token = _error_state.set(_QUIET)
        try:
            return function(*args, **kwargs)
        except errors.ResourceExhaustedError:
            raise
        except MemoryError as error:
            in_use = self.ledger.current
            raise memory_ledger.out_of_memory(self.device, None, in_use, None) from error
        finally:
            _error_state.reset(token)

    def refresh(self, target: Array, source: Array) -> None:
        self._count_use('copy')
        data = source._data if isinstance(source, SimulatedArray) else source
        np.copyto(self._own_data(target, 'refresh'), data, casting='no')

    def synchronize(self) -> None:
        self._count_use()
        self._waited()

    def memory_info(self) -> MemoryInfo:
        ledger = self.ledger
        return MemoryInfo(ledger.current, ledger.peak, ledger.limit, 0)

    def reset_memory_stats(self) -> None:
        self.ledger.reset_peak()

    def set_memory_limit(self, nbytes: int | None) -> None:
        self.ledger.set_limit(nbytes)

    def release_memory(self) -> int:
        before = self.ledger.current
        memory_ledger.reclaim(self.device, lambda: self.ledger.current, -1)
        freed = before - self.ledger.current
        memory_ledger.report('release', self.device, freed, self.ledger.current, '')
        return freed

    def _own_data(self, array: Array, op: str) -> np.ndarray[Any, Any]:
        """Returns the data inside, which the copy path alone may see."""
        if not isinstance(array, SimulatedArray):
            raise TypeError(
                f'[{op}] a {type(array).__name__} was given; {self.device} holds arrays of its '
                'own kind; use from_host or copy_from first'
            )
        if array.device != self.device:
            raise errors.InvalidArgumentError(
                f'[{op}] an array of {array.device} with shape {array.shape} was given to '
                f'{self.device}; it reads its own arrays; use copy_from'
            )
        data: np.ndarray[Any, Any] = array._data
        return data
