"""Packs the arguments of a kernel as the driver lays out its parameters."""

import ctypes
import struct
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from tensorvar import errors

MAX_BYTES = 32_764
_BUFFER_BYTES = 32 * 1024
_BUFFER_ALIGNMENT = 128
_LAUNCH_PARAM_END = 0
_LAUNCH_PARAM_BUFFER_POINTER = 1
_LAUNCH_PARAM_BUFFER_SIZE = 2


class Parameter(NamedTuple):
    """One parameter: its place in ``struct`` and its natural alignment."""

    code: str
    size: int
    alignment: int


POINTER = Parameter('Q', 8, 8)
COUNT = Parameter('Q', 8, 8)


def by_value(size: int, alignment: int) -> Parameter:
    """A structure or number that is handed over as ``bytes``."""
    return Parameter(f'{size}s', size, alignment)


class Signature:
    """The parameters of a kernel, in order, each at a multiple of its alignment.

    Attributes:
        layout: offset and size of each parameter.
        size: bytes of all of them.
    """

    def __init__(self, *parameters: Parameter) -> None:
        codes = ['<']
        layout = []
        end = 0
        for parameter in parameters:
            padding = -end % parameter.alignment
            codes.append(f'{padding}x{parameter.code}')
            layout.append((end + padding, parameter.size))
            end += padding + parameter.size
        if end > MAX_BYTES:
            raise errors.InvalidArgumentError(
                f'[launch] {end} bytes of arguments; a kernel takes {MAX_BYTES} at most'
            )
        self.layout = tuple(layout)
        self.size = end
        self._struct = struct.Struct(''.join(codes))

    def pack(self, arguments: Sequence[Any]) -> 'ArgumentBuffer':
        """Writes the arguments to the buffer of this thread and returns that."""
        buffer = _thread.buffer
        self._struct.pack_into(buffer.memory, 0, *arguments)
        buffer.size.value = self.size
        return buffer

    def verify(self, kernel: str, actual: Sequence[tuple[int, int]]) -> None:
        """Compares the layout with the compiler's.

        Raises:
            InternalError: they differ, so that the kernel would read garbage.
        """
        if self.layout != tuple(actual):
            raise errors.InternalError(
                f'[launch] {kernel}: arguments (offset, size) {self.layout} would be packed '
                f'for the parameters {tuple(actual)}; report this'
            )


class ArgumentBuffer:
    """Aligned memory for the arguments of one launch, and the address table of it.

    Attributes:
        memory: to pack into.
        address: of the memory.
        size: bytes that the last launch used.
        extra: what ``cuLaunchKernelEx`` takes: the keys of buffer and size with them.
    """

    def __init__(self) -> None:
        owner = ctypes.create_string_buffer(_BUFFER_BYTES + _BUFFER_ALIGNMENT)
        skip = -ctypes.addressof(owner) % _BUFFER_ALIGNMENT
        self.memory = (ctypes.c_char * _BUFFER_BYTES).from_buffer(owner, skip)
        self.address = ctypes.addressof(self.memory)
        self.size = ctypes.c_size_t()
        self.extra = (ctypes.c_void_p * 5)(
            _LAUNCH_PARAM_BUFFER_POINTER,
            self.address,
            _LAUNCH_PARAM_BUFFER_SIZE,
            ctypes.addressof(self.size),
            _LAUNCH_PARAM_END,
        )


class _PerThread(threading.local):
    # A foreign call lets other threads run, so they must not share the buffer.
    def __init__(self) -> None:
        self.buffer = ArgumentBuffer()


_thread = _PerThread()
