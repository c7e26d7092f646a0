"""Loads cubins and launches kernels through the CUDA driver, by ctypes.

The launch configuration is built once per kernel and grid, the arguments are packed into
one buffer per thread, and nothing synchronises. The caller has a context current on this
thread; CuPy sees to that.
"""

import ctypes
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from tensorvar import errors
from tensorvar._cuda import arguments

_LIBRARY = 'libcuda.so.1'
_CLUSTER_DIMENSION = 4
_PROGRAMMATIC_STREAM_SERIALIZATION = 6
_INVALID_VALUE = 1
_OUT_OF_MEMORY = 2
_MAX_DYNAMIC_SHARED_SIZE = 8
_DEFAULT_SHARED_BYTES = 48 * 1024
_MOST_BLOCKS = (1 << 31) - 1
# Up to here arguments go to the driver in one buffer. That it takes more in this way, as it
# does one by one since CUDA 12.1, is written nowhere.
_MOST_BYTES_PACKED = 4096
_SHOWN_ARGUMENT = 80


class Grid(NamedTuple):
    """How a kernel is launched.

    Attributes:
        blocks: along x.
        threads: per block.
        shared: bytes of dynamic shared memory per block.
        cluster: blocks per cluster; 1 for none.
        programmatic: whether the kernel may start before the one ahead of it has ended.
    """

    blocks: int
    threads: int
    shared: int = 0
    cluster: int = 1
    programmatic: bool = False


class Launch(Protocol):
    """A kernel with its grid."""

    def __call__(self, stream: int, *values: Any) -> None:
        """Launches with arguments by value: addresses and counts as int, the rest as bytes."""


class Kernel(Protocol):
    """Something that can be launched: on a card, or in the emulation of one."""

    def bind(self, grid: Grid) -> Launch:
        """The kernel with a grid, to be launched many times."""


class _AttributeValue(ctypes.Union):
    _fields_ = (
        ('cluster', ctypes.c_uint * 3),
        ('programmatic', ctypes.c_int),
        ('padding', ctypes.c_char * 64),
    )


class _Attribute(ctypes.Structure):
    _fields_ = (
        ('identifier', ctypes.c_int),
        ('padding', ctypes.c_char * 4),
        ('value', _AttributeValue),
    )


class LaunchConfig(ctypes.Structure):
    """The driver's ``CUlaunchConfig``."""

    _fields_ = (
        ('grid', ctypes.c_uint * 3),
        ('block', ctypes.c_uint * 3),
        ('shared', ctypes.c_uint),
        ('stream', ctypes.c_void_p),
        ('attributes', ctypes.POINTER(_Attribute)),
        ('attribute_count', ctypes.c_uint),
    )


class Driver:
    """The functions of the driver that launching needs; every return code is looked at.

    Raises:
        NotFoundError: the driver is older than CUDA 11.8.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        try:
            self.launch = library.cuLaunchKernelEx
        except AttributeError as error:
            raise errors.NotFoundError(
                f'[cuda] the driver is too old ({error}); install one for CUDA 12 or newer'
            ) from error

    def version(self) -> int:
        """The CUDA version that the driver knows: 12010 for 12.1."""
        version = ctypes.c_int()
        self._check('cuDriverGetVersion', ctypes.byref(version))
        return version.value

    def load(self, cubin: bytes) -> int:
        """Loads a cubin into the current context; gives the module."""
        module = ctypes.c_void_p()
        self._check('cuModuleLoadData', ctypes.byref(module), cubin)
        return module.value or 0

    def function(self, module: int, name: str) -> int:
        """The kernel of that name in a module."""
        function = ctypes.c_void_p()
        handle = ctypes.c_void_p(module)
        self._check('cuModuleGetFunction', ctypes.byref(function), handle, name.encode())
        return function.value or 0

    def parameters(self, function: int) -> list[tuple[int, int]] | None:
        """Offset and size of each parameter, as the compiler laid them out.

        Returns:
            None where the driver cannot tell: before CUDA 12.4.
        """
        ask = getattr(self._library, 'cuFuncGetParamInfo', None)
        if ask is None:
            return None
        found: list[tuple[int, int]] = []
        offset, size = ctypes.c_size_t(), ctypes.c_size_t()
        handle = ctypes.c_void_p(function)
        while True:
            status = ask(
                handle,
                ctypes.c_size_t(len(found)),
                ctypes.byref(offset),
                ctypes.byref(size),
            )
            # The index past the last parameter is an invalid value.
            if status == _INVALID_VALUE:
                return found
            if status:
                raise errors.InternalError(f'[cuda] cuFuncGetParamInfo: {self.reason(status)}')
            found.append((offset.value, size.value))

    def allow_shared(self, function: int, nbytes: int) -> None:
        """Lets a kernel use more dynamic shared memory than every chip has."""
        handle = ctypes.c_void_p(function)
        self._check('cuFuncSetAttribute', handle, _MAX_DYNAMIC_SHARED_SIZE, nbytes)

    def encode_tensor_map(self, *values: Any) -> None:
        """``cuTensorMapEncodeTiled`` with its 12 arguments."""
        self._check('cuTensorMapEncodeTiled', *values)

    def reason(self, status: int) -> str:
        """A return code in words."""
        name, text = ctypes.c_char_p(), ctypes.c_char_p()
        self._library.cuGetErrorName(status, ctypes.byref(name))
        self._library.cuGetErrorString(status, ctypes.byref(text))
        words = b': '.join(part.value for part in (name, text) if part.value)
        return f'{words.decode() or "unknown error"} ({status})'

    def _check(self, function: str, *values: Any) -> None:
        status = getattr(self._library, function)(*values)
        if status:
            full = status == _OUT_OF_MEMORY
            kind = errors.ResourceExhaustedError if full else errors.InternalError
            raise kind(f'[cuda] {function} failed: {self.reason(status)}')


@functools.cache
def driver() -> Driver:
    """The driver of this machine, loaded on first use.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return Driver(ctypes.CDLL(_LIBRARY))
    except OSError as error:
        raise errors.NotFoundError(
            f'[cuda] the driver could not be loaded ({error}); install the NVIDIA driver'
        ) from error


class DeviceKernel:
    """A kernel in the memory of a card.

    Attributes:
        name: of the kernel.
    """

    def __init__(
        self, driver: Driver, module: int, name: str, signature: arguments.Signature
    ) -> None:
        self.name = name
        self._driver = driver
        self._signature = signature
        self._function = driver.function(module, name)
        self._shared_allowed = _DEFAULT_SHARED_BYTES
        laid_out = driver.parameters(self._function)
        if laid_out is not None:
            signature.verify(name, laid_out)

    def bind(self, grid: Grid) -> Launch:
        """The kernel with a grid.

        Returns:
            What launches it and returns at once. It raises InternalError, naming kernel,
            launch and arguments, where the driver refuses.

        Raises:
            InvalidArgumentError: there are more blocks than a grid has.
        """
        check_grid(self.name, grid)
        if grid.shared > self._shared_allowed:
            self._driver.allow_shared(self._function, grid.shared)
            self._shared_allowed = grid.shared
        packed = self._signature.is_natural and self._signature.size <= _MOST_BYTES_PACKED
        return self._packed(grid) if packed else self._placed(grid)

    # What follows are functions in functions: calling one takes less than the ``__call__``
    # of an object, and this is done for every launch.

    def _packed(self, grid: Grid) -> Launch:
        """A launch that hands the driver one buffer of arguments."""
        driver_launch, handle = self._driver.launch, ctypes.c_void_p(self._function)
        pack_into, size = self._signature.pack_into, self._signature.size
        configs, per_thread = _Configs(grid), arguments.per_thread

        def launch(stream: int, *values: Any) -> None:
            memory, extras = per_thread.ready
            pack_into(memory, 0, *values)
            status = driver_launch(configs[stream], handle, None, extras[size])
            if status:
                raise self._refused(grid, status, values)

        return launch

    def _placed(self, grid: Grid) -> Launch:
        """A launch for which the driver puts each argument where the compiler wants it."""
        driver_launch, handle = self._driver.launch, ctypes.c_void_p(self._function)
        signature, configs = self._signature, _Configs(grid)

        def launch(stream: int, *values: Any) -> None:
            pointers = signature.pack(values).pointers(signature)
            status = driver_launch(configs[stream], handle, pointers, None)
            if status:
                raise self._refused(grid, status, values)

        return launch

    def _refused(self, grid: Grid, status: int, values: Sequence[Any]) -> errors.InternalError:
        what = describe(self.name, grid, values)
        return errors.InternalError(f'{what}: {self._driver.reason(status)}')


class _Configs(dict[int, Any]):
    """Pointers to the driver's configuration of a grid by stream, made when asked for."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self._grid = grid

    def __missing__(self, stream: int) -> Any:
        self[stream] = pointer = ctypes.byref(configure(self._grid, stream))
        return pointer


def check_grid(kernel: str, grid: Grid) -> None:
    """Raises unless there are such grids; a number too large would be cut off in silence.

    Raises:
        InvalidArgumentError: there are no blocks, or too many.
    """
    if not 0 < grid.blocks <= _MOST_BLOCKS:
        raise errors.InvalidArgumentError(
            f'[launch] {kernel} on {grid.blocks} blocks; a grid has 1 to {_MOST_BLOCKS}; '
            f'report this'
        )


def configure(grid: Grid, stream: int) -> LaunchConfig:
    """The driver's form of a grid."""
    attributes = []
    if grid.cluster > 1:
        value = _AttributeValue(cluster=(grid.cluster, 1, 1))
        attributes.append(_Attribute(identifier=_CLUSTER_DIMENSION, value=value))
    if grid.programmatic:
        value = _AttributeValue(programmatic=1)
        attributes.append(_Attribute(identifier=_PROGRAMMATIC_STREAM_SERIALIZATION, value=value))
    return LaunchConfig(
        (grid.blocks, 1, 1),
        (grid.threads, 1, 1),
        grid.shared,
        stream,
        (_Attribute * len(attributes))(*attributes) if attributes else None,
        len(attributes),
    )


def describe(kernel: str, grid: Grid, values: Sequence[Any]) -> str:
    """A launch in words, for errors."""
    shown = ', '.join(_show(value) for value in values)
    clusters = f' in clusters of {grid.cluster}' if grid.cluster > 1 else ''
    return (
        f'[launch] {kernel} on {grid.blocks} blocks of {grid.threads} threads{clusters} with '
        f'{grid.shared} bytes of shared memory and the arguments ({shown}) failed'
    )


def _show(value: Any) -> str:
    if isinstance(value, bytes):
        return f'0x{value.hex()}'[:_SHOWN_ARGUMENT]
    return hex(value) if value >= 1 << 32 else str(value)
