"""What a wrapper needs of the device that its kernels run on."""

import operator
from collections.abc import Callable
from typing import Any, Protocol

from tensorvar import errors
from tensorvar._cuda import arguments, cache, launch, libraries, nvrtc, source, tensor_map

Array = Any
"""An array of the target's kind: CuPy's on a card, NumPy's in the emulation."""


class NoKernelError(errors.NotFoundError):
    """A kernel could not be compiled or loaded; nothing was launched."""


class Target(Protocol):
    """A device that runs kernels.

    Attributes:
        name: of the kind of chip, for the tables of ``select``.
        multiprocessors: how many the device has.
    """

    name: str
    multiprocessors: int

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        """The kernel, compiled and loaded on first use.

        Raises:
            NoKernelError: that is not possible.
        """

    def pointer(self, array: Array) -> int:
        """The address of the first element."""

    def stream(self) -> int:
        """The stream that is current."""

    def tensor_map(self, tiled: tensor_map.Tiled) -> bytes:
        """What a kernel takes by value to move boxes of matrices."""


class DeviceTarget:
    """A card.

    Its context must be current whenever a kernel is asked for or launched.

    Args:
        capability: compute capability, as (major, minor).
        multiprocessors: how many the card has.
        kernels: keeps what was compiled.
        stream: gives the stream that is current.
        cuda: major version of CUDA whose compiler is to be preferred.

    Attributes:
        name: what is compiled for, such as ``'sm_90a'``.
        multiprocessors: how many the card has.
        pointer: the address of an array's first element.
    """

    # Called twice for each launch, and faster than a method.
    pointer = operator.attrgetter('data.ptr')

    def __init__(
        self,
        capability: tuple[int, int],
        multiprocessors: int,
        kernels: cache.Cache,
        stream: Callable[[], int],
        cuda: int = libraries.NEWEST,
    ) -> None:
        self.name = nvrtc.architecture(*capability)
        self.multiprocessors = multiprocessors
        self.stream = stream
        self._kernels = kernels
        self._cuda = cuda
        self._driver = launch.driver()
        self._loaded: dict[source.Export, launch.Kernel] = {}
        self._missing: dict[source.Export, str] = {}

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        """The kernel, compiled and loaded on first use.

        Raises:
            NoKernelError: it does not compile or load, now or when it was first asked for.
        """
        kernel = self._loaded.get(export)
        if kernel is not None:
            return kernel
        if export in self._missing:
            raise NoKernelError(self._missing[export])
        try:
            module = self._driver.load(self.cubin(export))
            kernel = launch.DeviceKernel(self._driver, module, export.name, signature)
        except errors.OpError as error:
            why = f'{export.name} for {self.name}: {error}'
            if not isinstance(error, errors.ResourceExhaustedError):
                # Compiling takes long, so it is not tried again.
                self._missing[export] = why
            raise NoKernelError(why) from error
        self._loaded[export] = kernel
        return kernel

    def cubin(self, export: source.Export) -> bytes:
        """Machine code of one kernel, from the cache or compiled now."""
        text = source.render(export.file, [export])
        compiler = nvrtc.compiler(self._cuda)
        version = '.'.join(map(str, compiler.version))
        name = cache.key('nvrtc', version, self.name, ' '.join(nvrtc.FLAGS), text)
        return self._kernels.get_or_build(
            name, lambda: compiler.compile(text, self.name, name=export.name).cubin
        )

    def tensor_map(self, tiled: tensor_map.Tiled) -> bytes:
        """What a kernel takes by value to move boxes of matrices."""
        return tensor_map.encode(self._driver, tiled)
