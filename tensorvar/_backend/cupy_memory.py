"""Memory of one logical GPU: a CuPy pool of its own, with a limit and a peak.

The pool's blocks in use are what is charged: CuPy rounds each up to 512 bytes and takes
it back at the moment the last array over it dies. The limit binds the whole pool, the
free blocks it keeps included, so a logical GPU never takes more of its card than that.
"""

import threading
from typing import Any

from tensorvar._backend import faults, memory_ledger


class PoolMemory:
    """Hands out memory of the current card.

    Args:
        cupy: the CuPy module.
        ordinal: CUDA's number of the card, which is current now.
        device: short name of the logical GPU, for errors and events.
        limit: bytes that may be taken from the card, or None for all there are.

    Attributes:
        peak: highest number of bytes in use since the last reset, CuPy's temporaries
            included.
        limit: bytes that may be taken from the card, or None.
    """

    def __init__(self, cupy: Any, ordinal: int, device: str, limit: int | None) -> None:
        self._device = device
        self._ordinal = ordinal
        self._current_ordinal = cupy.cuda.runtime.getDevice
        self._foreign_pool = cupy.get_default_memory_pool()
        self._pool = cupy.cuda.memory.SingleDeviceMemoryPool()
        self._library_pool = cupy.cuda.memory.SingleDeviceMemoryPool()
        self._out_of_memory = cupy.cuda.memory.OutOfMemoryError
        # Re-entrant, as the collector may run somebody's destructor while it is held.
        self._lock = threading.RLock()
        self.peak = 0
        self.limit: int | None = self._pool.get_limit() or None  # CUPY_GPU_MEMORY_LIMIT
        if limit is not None:
            self.set_limit(limit)

    @property
    def in_use(self) -> int:
        """Bytes of living arrays, each rounded up to 512."""
        return int(self._pool.used_bytes())

    @property
    def taken(self) -> int:
        """Bytes taken from the card: those in use, and free blocks kept for later."""
        return int(self._pool.total_bytes())

    def set_limit(self, limit: int | None) -> None:
        """Sets the limit; one below the bytes in use refuses every new block."""
        self.limit = limit
        # CuPy reads 0 as no limit; a limit of one byte refuses every block.
        self._pool.set_limit(size=0 if limit is None else max(limit, 1))

    def reset_peak(self) -> None:
        """Sets the peak to the bytes in use now."""
        with self._lock:
            self.peak = self.in_use

    def free_kept_blocks(self) -> int:
        """Gives the card the blocks back that nobody uses; returns the pool's bytes of them."""
        before = self.taken
        self._pool.free_all_blocks()
        self._library_pool.free_all_blocks()
        return max(before - self.taken, 0)

    def allocate(self, nbytes: int) -> Any:
        """CuPy's allocator while this GPU is current.

        Raises:
            ResourceExhaustedError: no block of that size can be had, after everything
                that could be given up was.
        """
        if faults.armed:
            faults.check('allocate', self._device)
        if self._current_ordinal() != self._ordinal:
            # Code inside chose another card for a moment; this pool has nothing there.
            return self._foreign_pool.malloc(nbytes)
        pointer = self._try_allocate(nbytes)
        if pointer is None:
            pointer = self._make_room(nbytes)
        in_use = self._pool.used_bytes()
        if in_use > self.peak:
            self._raise_peak(in_use)
        memory_ledger.report('allocation', self._device, memory_ledger.rounded(nbytes), in_use, '')
        return pointer

    def allocate_for_library(self, nbytes: int) -> Any:
        """CuPy's allocator for what a library keeps: charged to nobody, under no limit.

        Raises:
            ResourceExhaustedError: the card is full, after all that could be was given up.
        """
        try:
            return self._library_pool.malloc(nbytes)
        except self._out_of_memory:
            memory_ledger.reclaim(self._device, lambda: self.in_use, -1)
        try:
            return self._library_pool.malloc(nbytes)
        except self._out_of_memory:
            raise memory_ledger.out_of_memory(
                self._device, nbytes, self.in_use, self.limit
            ) from None

    def _try_allocate(self, nbytes: int) -> Any:
        try:
            return self._pool.malloc(nbytes)
        except self._out_of_memory:
            return None

    def _make_room(self, nbytes: int) -> Any:
        # First as much as is missing. That may not do where free memory lies scattered,
        # so then all there is.
        ceiling = self.in_use if self.limit is None else self.limit
        for target in (max(ceiling - memory_ledger.rounded(nbytes), 0), -1):
            memory_ledger.reclaim(self._device, lambda: self.in_use, target)
            pointer = self._try_allocate(nbytes)
            if pointer is not None:
                return pointer
        raise memory_ledger.out_of_memory(self._device, nbytes, self.in_use, self.limit)

    def _raise_peak(self, in_use: int) -> None:
        with self._lock:
            self.peak = max(self.peak, in_use)
