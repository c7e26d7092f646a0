"""Cards as they are found, and the public values that describe devices.

``PhysicalGpu`` and ``Discovery`` are what GPU discovery hands to the registry.
``PhysicalDevice``, ``LogicalDevice`` and ``LogicalDeviceConfiguration`` are
TensorFlow's named tuples.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple


def _unknown_memory() -> int | None:
    return None


@dataclasses.dataclass(frozen=True, slots=True)
class PhysicalGpu:
    """A card that CUDA shows to this process, or a simulated one.

    Attributes:
        ordinal: CUDA's number of the card in this process.
        name: product name.
        pci_bus_id: PCI id such as ``'00000000:17:00.0'``.
        uuid: ``'GPU-...'``.
        total_memory: bytes on the card; None if unknown or unlimited.
        free_memory: tells the bytes free now, without a CUDA context; None if unknown.
        compute_capability: such as ``(9, 0)``.
        driver_version: such as ``'570.86.15'``.
        simulated: whether NumPy computes for it.
    """

    ordinal: int
    name: str
    pci_bus_id: str = ''
    uuid: str = ''
    total_memory: int | None = None
    free_memory: Callable[[], int | None] = _unknown_memory
    compute_capability: tuple[int, int] | None = None
    driver_version: str | None = None
    simulated: bool = False


def simulated_gpu(index: int, memory: int | None) -> PhysicalGpu:
    """A card that does not exist.

    Args:
        index: its number.
        memory: its bytes, or None for no limit.

    Returns:
        The card; every text of it says that it is simulated.
    """
    return PhysicalGpu(
        ordinal=index,
        name=f'simulated GPU {index}',
        pci_bus_id=f'simulated:{index}',
        uuid=f'GPU-simulated-{index}',
        total_memory=memory,
        simulated=True,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Discovery:
    """What GPU discovery found.

    Attributes:
        gpus: the usable cards in CUDA's order.
        why: where there are none, why, and what to install; else empty.
    """

    gpus: tuple[PhysicalGpu, ...]
    why: str = ''


class PhysicalDevice(NamedTuple):
    """A processor of this machine.

    Attributes:
        name: such as ``'/physical_device:GPU:0'``.
        device_type: ``'CPU'`` or ``'GPU'``.
    """

    name: str
    device_type: str

    @property
    def simulated(self) -> bool:
        """Whether NumPy computes for this device."""
        return False


class SimulatedPhysicalDevice(PhysicalDevice):
    """A physical device that is simulated, and says so when shown."""

    __slots__ = ()

    @property
    def simulated(self) -> bool:
        """Whether NumPy computes for this device."""
        return True

    def __repr__(self) -> str:
        return (
            f'PhysicalDevice(name={self.name!r}, device_type={self.device_type!r}, simulated=True)'
        )


class LogicalDevice(NamedTuple):
    """A device that programs place values on.

    Attributes:
        name: such as ``'/device:GPU:0'``; ``tv.device`` takes it, and this object.
        device_type: ``'CPU'`` or ``'GPU'``.
    """

    name: str
    device_type: str

    @property
    def simulated(self) -> bool:
        """Whether NumPy computes for this device."""
        return False


class SimulatedLogicalDevice(LogicalDevice):
    """A logical device that is simulated, and says so when shown."""

    __slots__ = ()

    @property
    def simulated(self) -> bool:
        """Whether NumPy computes for this device."""
        return True

    def __repr__(self) -> str:
        return (
            f'LogicalDevice(name={self.name!r}, device_type={self.device_type!r}, simulated=True)'
        )


class LogicalDeviceConfiguration(NamedTuple):
    """How to make one logical device of a physical one.

    Attributes:
        memory_limit: memory that the logical device may use, in MiB; None for no limit.
            Differs from TensorFlow: the CPU can have a limit, too.
        experimental_priority: TensorFlow's stream priority; only None is supported.
        experimental_device_ordinal: only None and 0 are supported.
    """

    memory_limit: float | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None
