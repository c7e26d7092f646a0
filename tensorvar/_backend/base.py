"""What every kind of device memory offers to the layers above.

A backend belongs to one logical device. It hands out arrays of one kind (NumPy's,
CuPy's, simulated ones) and runs array code with that device current. Nothing here
knows of tensors or variables.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar._backend import byte_counter, faults, memory_ledger

Array = Any
"""An array of any backend; which kind is known only at run time."""


class MemoryInfo(NamedTuple):
    """Bytes of one device.

    Attributes:
        current: bytes charged now.
        peak: highest value of ``current`` since the last reset.
        limit: bytes that may be charged, or None for no limit.
        other: bytes that are in use but not charged, such as library workspace.
    """

    current: int
    peak: int
    limit: int | None
    other: int


class Timed(NamedTuple):
    """A result with the time that the device measured for it.

    Attributes:
        result: what the array code gave.
        start_ns: when the device began, on the clock of ``time.perf_counter_ns``.
        end_ns: when the device was done.
    """

    result: Any
    start_ns: int
    end_ns: int


class Backend(abc.ABC):
    """Memory and array code of one logical device.

    Attributes:
        device: short name of the device, such as ``'GPU:0'``.
        array_module: a module with NumPy's functions for this kind of array.
        array_type: class of the arrays.
        ledger: what charges this device's memory, or None where nothing is charged.
        variable_bytes: what counts the bytes of variables, or None where the ledger
            has counted them as arrays.
        kernels: what the layer above has made of the CUDA kernels for this device; None
            until an op first asks for it.
        captures: whether work can be captured as a graph, by ``capture``.
        on_wait: called when the host has waited for the device, to report what kernels
            found; may raise.
    """

    array_module: Any
    array_type: type[Any]
    ledger: memory_ledger.MemoryLedger | None = None
    variable_bytes: byte_counter.ByteCounter | None = None
    kernels: Any = None
    captures: bool = False
    on_wait: Callable[[], None] | None = None

    def __init__(self, device: str) -> None:
        self.device = device

    @abc.abstractmethod
    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Returns an array of the given shape whose values are not set."""

    @abc.abstractmethod
    def from_host(self, host: np.ndarray[Any, Any]) -> Array:
        """Returns the device's own copy of host data, in C order."""

    def adopt(self, host: np.ndarray[Any, Any]) -> Array:
        """Does the same as ``from_host`` for an array that nobody else writes or keeps.

        Args:
            host: the array; where the device computes on host memory, it is the result.
        """
        return self.from_host(host)

    @abc.abstractmethod
    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """Returns an own, writable host copy; it is complete when returned."""

    @abc.abstractmethod
    def copy(self, array: Array) -> Array:
        """Returns a copy on the same device, in C order."""

    @abc.abstractmethod
    def copy_from(self, other: 'Backend', array: Array) -> Array:
        """Returns this device's own copy of an array of the backend ``other``."""

    @abc.abstractmethod
    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Runs array code with this device and its compute stream current."""

    def launch(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs code that launches kernels and asks for no memory: a cheaper ``call``."""
        return self.call(function, *args)

    def is_capturing(self) -> bool:
        """Whether what is launched now goes into a graph and is not run."""
        return False

    def timed_call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Timed | None:
        """Does the same as ``call``, waits for the end, and tells the device's own times.

        Returns:
            The result with its times; None, without a call, if the device has no clock.
        """
        return None

    @abc.abstractmethod
    def refresh(self, target: Array, source: Array) -> None:
        """Overwrites ``target``, an array of this device, in place.

        Args:
            target: the array to write; its address stays the same.
            source: a host array or an array of any device of the same kind, with
                the shape and dtype of ``target``.
        """

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Waits until everything queued on this device is done."""

    @abc.abstractmethod
    def memory_info(self) -> MemoryInfo:
        """Returns the bytes in use."""

    @abc.abstractmethod
    def reset_memory_stats(self) -> None:
        """Sets the peak back to the current use."""

    @abc.abstractmethod
    def set_memory_limit(self, nbytes: int | None) -> None:
        """Sets how many bytes may be charged; None takes the limit away."""

    @abc.abstractmethod
    def release_memory(self) -> int:
        """Gives back what nobody needs now; returns how many bytes that were."""

    def charge_variable(self, nbytes: int) -> None:
        """Hears that a variable holds ``nbytes`` more here."""
        if self.variable_bytes is not None:
            self.variable_bytes.add(nbytes)

    def release_variable(self, nbytes: int) -> None:
        """Hears that a variable holds ``nbytes`` less here."""
        if self.variable_bytes is not None:
            self.variable_bytes.subtract(nbytes)

    def _waited(self) -> None:
        """Reports what kernels have found; called after each wait of the host."""
        if self.on_wait is not None:
            self.on_wait()

    def _count_use(self, *kinds: str) -> None:
        """Counts a use of this device for the faults that tests arm.

        Args:
            kinds: what else than a use it is: ``'allocate'``, ``'copy'``.

        Raises:
            UnavailableError, ResourceExhaustedError, InternalError: an armed fault.
        """
        if faults.armed:
            for kind in ('lost', *kinds):
                faults.check(kind, self.device)
