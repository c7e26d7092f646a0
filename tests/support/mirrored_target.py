"""Kernels of a card for the tables of tests, whose arrays are NumPy's.

All memory of the host that a kernel was given an address in has a copy on the card, at an
address that is aligned alike. Before a launch all copies are written, and after it they are
read back, margins included, so a test sees what the kernel did as it does in the emulation.
"""

import ctypes
import weakref
from typing import Any, Literal, Protocol

import numpy as np

from tensorvar._cuda import arguments, launch, layout, source, tensor_map

_ALIGNMENT = 256


class Memory(Protocol):
    """Memory of a card."""

    def allocate(self, nbytes: int) -> tuple[Any, int]:
        """A block, and its address."""

    def write(self, block: Any, offset: int, data: np.ndarray) -> None:
        """Copies bytes to a block."""

    def read(self, block: Any, offset: int, data: np.ndarray) -> None:
        """Copies bytes from a block, when all launches are done."""

    def call(self, function: Any, *values: Any) -> Any:
        """Calls a function with the card current."""


class CardMemory:
    """Memory of a CuPy backend."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.call = backend.call

    def allocate(self, nbytes: int) -> tuple[Any, int]:
        block = self._backend.empty((nbytes,), np.dtype(np.uint8))
        return block, int(block.data.ptr)

    def write(self, block: Any, offset: int, data: np.ndarray) -> None:
        self._backend.refresh(block[offset : offset + data.size], data)

    def read(self, block: Any, offset: int, data: np.ndarray) -> None:
        data[...] = self._backend.to_host(block[offset : offset + data.size])


class _Mirror:
    """The copy of some memory of the host.

    Attributes:
        low: the host's address.
        address: the card's.
    """

    def __init__(self, memory: Memory, owner: np.ndarray) -> None:
        first: int = owner.__array_interface__['data'][0]
        low, high = layout.byte_range(owner) if owner.size else (0, 1)
        self.low = first + low
        self._memory = memory
        self._owner = weakref.ref(owner)
        self._nbytes = high - low
        self._block, begin = memory.allocate(self._nbytes + _ALIGNMENT)
        self._offset = (self.low - begin) % _ALIGNMENT
        self.address = begin + self._offset

    @property
    def lives(self) -> bool:
        return self._owner() is not None

    def write(self) -> None:
        self._copy(self._memory.write)

    def read(self) -> None:
        self._copy(self._memory.read)

    def _copy(self, function: Any) -> None:
        owner = self._owner()
        if owner is not None and owner.size:
            there = (ctypes.c_uint8 * self._nbytes).from_address(self.low)
            function(self._block, self._offset, np.frombuffer(there, np.uint8))


class MirroredTarget:
    """A ``targets.Target`` for arrays of the host.

    Args:
        target: of the card.
        memory: of the card.

    Attributes:
        name: what is compiled for.
        multiprocessors: how many the card is said to have.
        order: for tests that choose the order of threads; a card has its own.
        launches: how many there were.
    """

    order: Literal['forward', 'reverse', 'random'] = 'forward'

    def __init__(self, target: Any, memory: Memory) -> None:
        self.name = target.name
        self.multiprocessors = target.multiprocessors
        self.launches = 0
        self._target = target
        self._memory = memory
        self._mirrors: dict[int, _Mirror] = {}

    def kernel(self, export: source.Export, signature: arguments.Signature) -> '_Kernel':
        return _Kernel(self, self._memory.call(self._target.kernel, export, signature))

    def pointer(self, array: np.ndarray) -> int:
        """The address of the first element in the card's copy."""
        address: int = array.__array_interface__['data'][0]
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        mirror = self._mirrors.get(id(owner))
        if mirror is None or not mirror.lives:
            mirror = self._mirrors[id(owner)] = _Mirror(self._memory, owner)
        return mirror.address + address - mirror.low

    def stream(self) -> int:
        """Chosen by each launch."""
        return 0

    def tensor_map(self, tiled: tensor_map.Tiled) -> bytes:
        made: bytes = self._memory.call(self._target.tensor_map, tiled)
        return made

    def run(self, bound: launch.Launch, values: tuple[Any, ...]) -> None:
        """Launches, between a copy there and back."""
        self._mirrors = {key: each for key, each in self._mirrors.items() if each.lives}
        for mirror in self._mirrors.values():
            mirror.write()
        self._memory.call(lambda: bound(self._target.stream(), *values))
        self.launches += 1
        for mirror in self._mirrors.values():
            mirror.read()


class _Kernel:
    """A kernel between copies."""

    def __init__(self, target: MirroredTarget, kernel: Any) -> None:
        self._target = target
        self._kernel = kernel

    def bind(self, grid: launch.Grid) -> launch.Launch:
        bound = self._kernel.bind(grid)
        return lambda stream, *values: self._target.run(bound, values)
