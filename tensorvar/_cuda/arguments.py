"""Packs the arguments of a kernel as the driver lays out its parameters."""

import ctypes
import struct
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from tensorvar import errors

MAX_BYTES = 32_764
_MAX_BYTES_BEFORE_12_1 = 4096
_BUFFER_BYTES = 32 * 1024
_BUFFER_ALIGNMENT = 128
# Up to here the place of a parameter depends on those before it alone. From here on the
# compiler aligns its address in the memory of the chip, and where that begins is its secret.
_NATURAL_ALIGNMENT = 16
_LAUNCH_PARAM_END = 0
_LAUNCH_PARAM_BUFFER_POINTER = 1
_LAUNCH_PARAM_BUFFER_SIZE = 2


def most_bytes(driver: int) -> int:
    """Bytes of arguments that a kernel takes.

    Args:
        driver: the CUDA version that the driver knows, as it tells it: 12010 for 12.1.
    """
    return MAX_BYTES if driver >= 12010 else _MAX_BYTES_BEFORE_12_1


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
        is_natural: whether the compiler puts the parameters at the same offsets.
        pack_into: ``pack_into(memory, 0, *arguments)`` writes them in this layout.
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
        self.is_natural = all(each.alignment <= _NATURAL_ALIGNMENT for each in parameters)
        self.pack_into = struct.Struct(''.join(codes)).pack_into

    def pack(self, arguments: Sequence[Any]) -> 'ArgumentBuffer':
        """Writes the arguments to the buffer of this thread and returns that."""
        buffer = per_thread.buffer
        self.pack_into(buffer.memory, 0, *arguments)
        return buffer

    def verify(self, kernel: str, actual: Sequence[tuple[int, int]]) -> None:
        """Compares the layout with the compiler's, or the sizes where that is all there is.

        Raises:
            InternalError: they differ, so that the kernel would read garbage.
        """
        same = self.layout == tuple(actual)
        if not self.is_natural:
            same = [size for _, size in self.layout] == [size for _, size in actual]
        if not same:
            raise errors.InternalError(
                f'[launch] {kernel}: arguments (offset, size) {self.layout} would be packed '
                f'for the parameters {tuple(actual)}; report this'
            )


class _Extras(dict[int, Any]):
    """What ``cuLaunchKernelEx`` takes for so many bytes at an address, made when asked for."""

    def __init__(self, address: int) -> None:
        super().__init__()
        self._address = address
        self._sizes: list[ctypes.c_size_t] = []

    def __missing__(self, size: int) -> Any:
        nbytes = ctypes.c_size_t(size)
        # The driver gets their addresses, so they have to stay.
        self._sizes.append(nbytes)
        self[size] = extra = (ctypes.c_void_p * 5)(
            _LAUNCH_PARAM_BUFFER_POINTER,
            self._address,
            _LAUNCH_PARAM_BUFFER_SIZE,
            ctypes.addressof(nbytes),
            _LAUNCH_PARAM_END,
        )
        return extra


class ArgumentBuffer:
    """Aligned memory for the arguments of one launch, and the address table of it.

    Attributes:
        memory: to pack into.
        address: of the memory.
        extras: by the size of the arguments, what ``cuLaunchKernelEx`` takes: the keys of
            buffer and size with them.
    """

    def __init__(self) -> None:
        owner = ctypes.create_string_buffer(_BUFFER_BYTES + _BUFFER_ALIGNMENT)
        skip = -ctypes.addressof(owner) % _BUFFER_ALIGNMENT
        self.memory = (ctypes.c_char * _BUFFER_BYTES).from_buffer(owner, skip)
        self.address = ctypes.addressof(self.memory)
        self.extras = _Extras(self.address)
        self._pointers: dict[tuple[tuple[int, int], ...], Any] = {}

    def pointers(self, signature: Signature) -> Any:
        """The address of each argument of a signature, for the driver to put in place."""
        found = self._pointers.get(signature.layout)
        if found is None:
            places = [self.address + offset for offset, _ in signature.layout]
            found = self._pointers[signature.layout] = (ctypes.c_void_p * len(places))(*places)
        return found


class _PerThread(threading.local):
    # A foreign call lets other threads run, so they must not share the buffer.
    def __init__(self) -> None:
        self.buffer = ArgumentBuffer()
        self.ready = self.buffer.memory, self.buffer.extras


per_thread = _PerThread()
"""What this thread packs into: ``buffer``, and as ``ready`` its memory and extras."""
