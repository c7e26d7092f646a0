"""Memory of the cards that stand in for CuPy's: blocks of the host's, kept by stream."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tests.support.fake_cupy import FakeCuda


class OutOfMemoryError(MemoryError):
    pass


class Memory:
    """Bytes on a card, filled with garbage."""

    def __init__(self, nbytes: int, device_id: int = 0) -> None:
        self.size = nbytes
        self.device_id = device_id
        self._bytes = np.full(max(nbytes, 1), 0xCD, np.uint8)
        self.ptr = self._bytes.ctypes.data


class UnownedMemory:
    def __init__(self, ptr: int, size: int, owner: object, device_id: int) -> None:
        self.ptr = ptr
        self.size = size
        self.device_id = device_id
        self._owner = owner


class MemoryPointer:
    def __init__(self, mem: 'Memory | UnownedMemory | _Pooled', offset: int) -> None:
        self.mem = mem
        self.offset = offset
        self.ptr = mem.ptr + offset
        self.device_id = mem.device_id


class _Pooled:
    """A block in use; back to the arena of its stream when it dies."""

    def __init__(self, pool: 'Pool', block: Memory, arena: list[Memory]) -> None:
        # No weak reference: the collector would clear it before ``__del__``.
        self._pool = pool
        self._block = block
        self._arena = arena
        self.ptr = block.ptr
        self.size = block.size
        self.device_id = block.device_id

    def __del__(self) -> None:
        self._pool.used -= self.size
        self._arena.append(self._block)


class Pool:
    def __init__(self, cuda: 'FakeCuda') -> None:
        self._cuda = cuda
        self._arenas: dict[int, list[Memory]] = {}
        self.used = 0
        self.total = 0
        self.limit = 0

    def malloc(self, nbytes: int) -> MemoryPointer:
        size = -(-nbytes // 512) * 512
        arena = self._arenas.setdefault(self._cuda.get_current_stream().ptr, [])
        block = next((kept for kept in arena if kept.size == size), None)
        if block is not None:
            arena.remove(block)
        else:
            block = self._new_block(size)
        self.used += size
        return MemoryPointer(_Pooled(self, block, arena), 0)

    def _new_block(self, size: int) -> Memory:
        if self.limit and self.total + size > self.limit:
            self.free_all_blocks()
            if self.total + size > self.limit:
                raise OutOfMemoryError
        self.total += size
        return Memory(size, self._cuda.device)

    def free_all_blocks(self) -> None:
        for stream in self._cuda.streams.values():
            stream.synchronize()  # as cudaFree does
        for arena in self._arenas.values():
            self.total -= sum(block.size for block in arena)
            arena.clear()

    def used_bytes(self) -> int:
        return self.used

    def total_bytes(self) -> int:
        return self.total

    def set_limit(self, size: int) -> None:
        self.limit = size

    def get_limit(self) -> int:
        return self.limit
