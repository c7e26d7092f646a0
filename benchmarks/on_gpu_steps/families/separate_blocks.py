"""An allocation of its own for each array, so that compute-sanitizer sees where it ends.

Inside a pool's larger blocks an access beyond the end of an array would still be one to
allocated memory.
"""

from typing import Any


def install() -> None:
    """Has CuPy's pool and ours ask the driver for every array; before a card is used."""
    import cupy  # noqa: PLC0415 absent where the checks run without a card

    cupy.cuda.set_allocator(None)
    cupy.cuda.memory.SingleDeviceMemoryPool = lambda: SeparateBlocks(cupy)


class SeparateBlocks:
    """Stands in for CuPy's pool of one card, and keeps nothing."""

    def __init__(self, cupy: Any) -> None:
        self._cuda = cupy.cuda
        self._limit = 0

    def malloc(self, nbytes: int) -> Any:
        return self._cuda.MemoryPointer(self._cuda.Memory(nbytes), 0)

    def used_bytes(self) -> int:
        return 0

    def total_bytes(self) -> int:
        return 0

    def free_all_blocks(self, stream: Any = None) -> None:
        """Nothing is kept."""

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self._limit = size or 0

    def get_limit(self) -> int:
        return self._limit
