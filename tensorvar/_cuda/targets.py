"""What a wrapper needs of the device that its kernels run on."""

from collections.abc import Callable
from typing import Any, Protocol

from tensorvar._cuda import arguments, cache, launch, nvrtc, source

Array = Any
"""An array of the target's kind: CuPy's on a card, NumPy's in the emulation."""


class Target(Protocol):
    """A device that runs kernels.

    Attributes:
        name: of the kind of chip, for the tables of ``select``.
        multiprocessors: how many the device has.
    """

    name: str
    multiprocessors: int

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        """The kernel, compiled and loaded on first use."""

    def pointer(self, array: Array) -> int:
        """The address of the first element."""

    def stream(self) -> int:
        """The stream that is current."""


class DeviceTarget:
    """A card.

    Its context must be current whenever a kernel is asked for or launched.

    Attributes:
        name: what is compiled for, such as ``'sm_90a'``.
        multiprocessors: how many the card has.
    """

    def __init__(
        self,
        capability: tuple[int, int],
        multiprocessors: int,
        kernels: cache.Cache,
        stream: Callable[[], int],
    ) -> None:
        self.name = nvrtc.architecture(*capability)
        self.multiprocessors = multiprocessors
        self.stream = stream
        self._kernels = kernels
        self._driver = launch.driver()

    def kernel(self, export: source.Export, signature: arguments.Signature) -> launch.Kernel:
        """The kernel, compiled and loaded on first use.

        Raises:
            NotFoundError: it is in no cache and there is no compiler.
        """
        module = self._driver.load(self.cubin(export))
        return launch.DeviceKernel(self._driver, module, export.name, signature)

    def cubin(self, export: source.Export) -> bytes:
        """Machine code of one kernel, from the cache or compiled now."""
        text = source.render(export.file, [export])
        compiler = nvrtc.compiler()
        version = '.'.join(map(str, compiler.version))
        name = cache.key('nvrtc', version, self.name, ' '.join(nvrtc.FLAGS), text)
        return self._kernels.get_or_build(
            name, lambda: compiler.compile(text, self.name, name=export.name).cubin
        )

    def pointer(self, array: Array) -> int:
        """The address of the first element."""
        address: int = array.data.ptr
        return address
