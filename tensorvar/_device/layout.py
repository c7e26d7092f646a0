"""Which logical devices the settings amount to. Pure: nothing is created here."""

import dataclasses
from collections.abc import Sequence

from tensorvar import _sizes, errors
from tensorvar._device import device
from tensorvar._device.configuration import Settings
from tensorvar._device.physical import (
    LogicalDeviceConfiguration,
    PhysicalDevice,
    PhysicalGpu,
    SimulatedPhysicalDevice,
)

MEBIBYTE = 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """A logical device to be made.

    Attributes:
        kind: ``'CPU'`` or ``'GPU'``.
        index: position among the logical devices of its kind.
        gpu: the card it lies on; None on the CPU.
        limit: bytes it may use, or None.
        several: whether others share its physical device.
    """

    kind: str
    index: int
    gpu: PhysicalGpu | None
    limit: int | None
    several: bool


def physical_devices(gpus: Sequence[PhysicalGpu]) -> tuple[PhysicalDevice, ...]:
    """The physical devices, the CPU first.

    Args:
        gpus: the cards.

    Returns:
        One CPU, then a device per card in the same order.
    """
    cards = [
        (SimulatedPhysicalDevice if gpu.simulated else PhysicalDevice)(
            f'/physical_device:GPU:{index}', device.GPU
        )
        for index, gpu in enumerate(gpus)
    ]
    return (PhysicalDevice('/physical_device:CPU:0', device.CPU), *cards)


def visible_devices(settings: Settings, gpus: Sequence[PhysicalGpu]) -> tuple[PhysicalDevice, ...]:
    """The physical devices that get logical ones, in the order the user gave."""
    found = physical_devices(gpus)
    chosen: list[PhysicalDevice] = []
    for kind in device.KINDS:
        everything = tuple(one for one in found if one.device_type == kind)
        chosen.extend(settings.visible.get(kind, everything))
    return tuple(chosen)


def logical_slots(settings: Settings, gpus: Sequence[PhysicalGpu]) -> tuple[Slot, ...]:
    """The logical devices to be made.

    Args:
        settings: what was asked for.
        gpus: the cards.

    Returns:
        The slots, CPUs first, numbered by kind.
    """
    card_of = dict(zip(physical_devices(gpus)[1:], gpus, strict=True))
    counts = dict.fromkeys(device.KINDS, 0)
    slots: list[Slot] = []
    for physical in visible_devices(settings, gpus):
        gpu = card_of.get(physical)
        configurations = settings.logical.get(physical) or (LogicalDeviceConfiguration(),)
        for limit in _limits(configurations, gpu):
            index = counts[physical.device_type]
            counts[physical.device_type] += 1
            limit = settings.limits.get(f'{physical.device_type}:{index}', limit)
            slots.append(Slot(physical.device_type, index, gpu, limit, len(configurations) > 1))
    return tuple(slots)


def check_fit(
    op: str, configurations: Sequence[LogicalDeviceConfiguration], gpu: PhysicalGpu | None
) -> None:
    """Refuses logical devices that do not fit on their card together.

    Args:
        op: name of the public function, for the error.
        configurations: the logical devices.
        gpu: the card; None on the CPU, which takes any limit.

    Raises:
        InvalidArgumentError: the limits add up to more than the card has.
    """
    if gpu is None or gpu.total_memory is None:
        return
    limits = [_bytes(one) for one in configurations]
    asked = sum(limits)
    if asked > gpu.total_memory or (asked == gpu.total_memory and 0 in limits):
        raise errors.InvalidArgumentError(
            f'[{op}] the memory limits add up to {_sizes.format_bytes(asked)}; {gpu.name} has '
            f'{_sizes.format_bytes(gpu.total_memory)}; lower the limits'
        )


def _limits(
    configurations: Sequence[LogicalDeviceConfiguration], gpu: PhysicalGpu | None
) -> list[int | None]:
    limits = [_bytes(one) or None for one in configurations]
    if gpu is None or not gpu.simulated or gpu.total_memory is None:
        return limits
    # A simulated card has no allocator of its own that would keep its logical devices
    # within the card's memory, so those without a limit share what the others leave.
    open_count = limits.count(None)
    rest = gpu.total_memory - sum(limit or 0 for limit in limits)
    return [rest // open_count if limit is None else limit for limit in limits]


def _bytes(configuration: LogicalDeviceConfiguration) -> int:
    return int((configuration.memory_limit or 0) * MEBIBYTE)
