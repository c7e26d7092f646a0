"""Libraries of CUDA's that keep memory from one call to the next, as CuPy calls them.

Plans of Fourier transforms keep work areas, and random generators their states. No array
of the program's is in such memory, so it comes from a pool beside that of the logical
GPU: it is charged to nobody, is no value that lives on the device, and shows as ``other``.
"""

import threading
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._backend.cupy_memory import PoolMemory

_TRANSFORMS = ('fftn', 'ifftn', 'irfftn', 'rfftn')


class Libraries:
    """Calls of one CuPy module; each on the logical GPU that is current.

    Args:
        cupy: the CuPy module.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._of_thread = threading.local()

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Runs a function in memory that the library keeps; its arrays come from there, too.

        Raises:
            InternalError: a graph is captured, which would go on using such memory when
                the library has given it up.
        """
        return self._call(self._memory(), function, args, options)

    def transforms(self) -> ModuleType:
        """``cupy.fft``, whose functions give arrays of the logical GPU."""
        original = self._cupy.fft
        module = ModuleType(original.__name__, original.__doc__)
        vars(module).update(vars(original))
        for name in _TRANSFORMS:
            setattr(module, name, self._transform(getattr(original, name)))
        return module

    def _transform(self, function: Callable[..., Array]) -> Callable[..., Array]:
        def transform(*args: Any, **options: Any) -> Array:
            memory = self._memory()
            self._take_over_plans(memory)
            return self._call(memory, function, args, options).copy()

        transform.__doc__ = function.__doc__
        return transform

    def _memory(self) -> PoolMemory:
        allocator = self._cupy.cuda.memory._get_thread_local_allocator()
        memory = getattr(allocator, '__self__', None)
        if isinstance(memory, PoolMemory):
            return memory
        raise errors.InternalError(
            '[capture] a library of CUDA that keeps memory was called while a graph was '
            'captured; the memory may be given to others before the graph runs'
        )

    def _call(
        self, memory: PoolMemory, function: Callable[..., Any], args: Any, options: Any
    ) -> Any:
        cuda = self._cupy.cuda
        allocator = cuda.memory._get_thread_local_allocator()
        cuda.memory._set_thread_local_allocator(memory.allocate_for_library)
        try:
            return function(*args, **options)
        finally:
            cuda.memory._set_thread_local_allocator(allocator)

    def _take_over_plans(self, memory: PoolMemory) -> None:
        """Forgets the plans that another logical GPU of the card has used in this thread.

        CuPy keeps them by card, but their work areas belong to one stream.
        """
        card = self._cupy.cuda.runtime.getDevice()
        users = vars(self._of_thread).setdefault('users', {})
        user = users.get(card)
        if user is None or user() is not memory:
            self._cupy.fft.config.get_plan_cache().clear()
            users[card] = weakref.ref(memory)
