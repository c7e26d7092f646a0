"""The CPU: NumPy arrays, no limit, nothing charged."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend import (
    byte_counter,
    faults,
    floating_point,
    host_blocks,
    host_memory,
    host_pieces,
    memory_ledger,
)
from tensorvar._backend.base import Array, Backend, MemoryInfo

_error_state = floating_point.state
_QUIET = floating_point.QUIET


class NumpyBackend(Backend):
    """Plain ``CPU:0``.

    The memory it reports is that of living variables, which tell it so.
    """

    array_module = np
    array_type = np.ndarray
    variable_bytes: byte_counter.ByteCounter

    def __init__(self, device: str = 'CPU:0') -> None:
        super().__init__(device)
        self.variable_bytes = byte_counter.ByteCounter()
        host_memory.keep_freed()

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        self._count_use('allocate')
        return self._run(np.empty, shape, dtype)

    def from_host(self, host: np.ndarray[Any, Any]) -> Array:
        self._count_use('copy', 'allocate')
        return self._run(host_pieces.copy, host)

    def adopt(self, host: np.ndarray[Any, Any]) -> Array:
        # A view would keep the rest of what it is part of, and is taken for one of a variable.
        if not host_blocks.is_whole(host) or not host.flags.carray:
            return self.from_host(host)
        self._count_use('copy', 'allocate')
        return host

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        self._count_use('copy')
        copied: np.ndarray[Any, Any] = self._run(host_pieces.copy, array)
        return copied

    def copy(self, array: Array) -> Array:
        self._count_use('allocate')
        return self._run(host_pieces.copy, array)

    def copy_from(self, other: Backend, array: Array) -> Array:
        self._count_use('copy', 'allocate')
        return other.to_host(array)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if faults.armed:
            self._count_use(*(() if 'out' in kwargs else ('allocate',)))
        token = _error_state.set(_QUIET)
        try:
            return function(*args, **kwargs)
        except MemoryError as error:
            raise self._full(error) from error
        finally:
            _error_state.reset(token)

    def refresh(self, target: Array, source: Array) -> None:
        self._count_use('copy')
        host_pieces.copy_into(target, source)

    def synchronize(self) -> None:
        self._count_use()

    def memory_info(self) -> MemoryInfo:
        counter = self.variable_bytes
        return MemoryInfo(counter.current, counter.peak, None, 0)

    def reset_memory_stats(self) -> None:
        self.variable_bytes.reset_peak()

    def set_memory_limit(self, nbytes: int | None) -> None:
        """Takes None alone.

        Raises:
            FailedPreconditionError: a limit was given; the CPU has one only if that
                was configured before its first use.
        """
        if nbytes is not None:
            raise errors.FailedPreconditionError(
                f'[set_memory_limit] {nbytes} bytes were given for {self.device}, which counts '
                'no arrays; a limit on the CPU is configured before its first use; call '
                'tv.config.set_logical_device_configuration with a memory_limit first'
            )

    def release_memory(self) -> int:
        freed = memory_ledger.reclaim(self.device, lambda: self.variable_bytes.current, -1)
        freed += host_blocks.release()
        memory_ledger.report('release', self.device, freed, self.variable_bytes.current, '')
        return freed

    def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MemoryError as error:
            raise self._full(error) from error

    def _full(self, error: MemoryError) -> MemoryError:
        """The error that lists who holds the machine's memory."""
        if isinstance(error, errors.ResourceExhaustedError):
            return error
        host_blocks.release()
        in_use = self.variable_bytes.current
        return memory_ledger.out_of_memory(self.device, None, in_use, None)
