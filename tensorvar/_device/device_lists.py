"""``tv.config``: which devices there are, and which of them to use, and how."""

from collections.abc import Sequence

from tensorvar import errors
from tensorvar._device import configuration, layout, physical_arguments, registry
from tensorvar._device.device import CPU, KINDS
from tensorvar._device.physical import (
    LogicalDevice,
    LogicalDeviceConfiguration,
    PhysicalDevice,
    SimulatedLogicalDevice,
)


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The processors of this machine. Fixes no configuration.

    Args:
        device_type: ``'CPU'``, ``'GPU'``, or None for all.

    Returns:
        The devices; simulated GPUs say so. Empty for an unknown type;
        ``tv.config.why_no_gpu()`` says why there is no GPU.
    """
    return _of_type(registry.physical_devices(), device_type)


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices that programs place values on. Fixes the configuration.

    Args:
        device_type: ``'CPU'``, ``'GPU'``, or None for all.

    Returns:
        The devices, named ``/device:GPU:0`` and so on; simulated ones say so.
    """
    return [
        (SimulatedLogicalDevice if one.simulated else LogicalDevice)(
            f'/device:{one.short}', one.kind
        )
        for one in registry.devices()
        if device_type in (None, one.kind)
    ]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The physical devices that get logical ones.

    Args:
        device_type: ``'CPU'``, ``'GPU'``, or None for all.

    Returns:
        The devices, in the order in which logical devices are numbered.
    """
    cards = registry.gpus().gpus
    return _of_type(layout.visible_devices(configuration.settings, cards), device_type)


def set_visible_devices(
    devices: PhysicalDevice | Sequence[PhysicalDevice], device_type: str | None = None
) -> None:
    """Chooses the physical devices to use, before any device is used.

    Args:
        devices: one or several of ``list_physical_devices()``; the first GPU given
            becomes GPU:0. An empty list hides the devices of ``device_type``.
        device_type: the type to choose for; None chooses for all types, so that
            ``set_visible_devices(gpus[0])`` would hide the CPU, which is refused.

    Raises:
        InvalidArgumentError: something is no physical device here, is given twice, is
            not of ``device_type``, or every CPU would be hidden.
        FailedPreconditionError: a device was used already.
    """
    op = 'set_visible_devices'
    # A physical device is a tuple itself.
    several = (devices,) if isinstance(devices, PhysicalDevice) else devices
    chosen = physical_arguments.as_tuple(op, several)
    kinds = KINDS if device_type is None else (device_type,)
    with configuration.lock:
        for one in chosen:
            physical_arguments.require(op, one)
            if one.device_type not in kinds or chosen.count(one) > 1:
                raise errors.InvalidArgumentError(
                    f'[{op}] {one} was given; allowed are different devices of the types {kinds}; '
                    f'leave it out'
                )
        visible = dict(configuration.settings.visible)
        for kind in kinds:
            visible[kind] = tuple(one for one in chosen if one.device_type == kind)
        if not visible.get(CPU, True):
            raise errors.InvalidArgumentError(
                f'[{op}] this would hide every CPU, and CPU:0 is always needed; allowed are lists '
                f"with the CPU, or a device_type; write for instance {op}(devices, 'GPU')"
            )
        configuration.change(op, visible=visible)


def get_logical_device_configuration(
    device: PhysicalDevice,
) -> list[LogicalDeviceConfiguration] | None:
    """The logical devices configured for a physical one.

    Args:
        device: one of ``list_physical_devices()``.

    Returns:
        What ``set_logical_device_configuration`` was given; None if it was not called.

    Raises:
        InvalidArgumentError: it is no physical device here.
    """
    physical_arguments.require('get_logical_device_configuration', device)
    configured = configuration.settings.logical.get(device)
    return None if configured is None else list(configured)


def set_logical_device_configuration(
    device: PhysicalDevice, logical_devices: Sequence[LogicalDeviceConfiguration]
) -> None:
    """Makes several logical devices of a physical one, or limits its memory.

    It may be called repeatedly, before any device is used.

    Args:
        device: one of ``list_physical_devices()``.
        logical_devices: one configuration per logical device, with memory limits in
            MiB; an empty list means one without a limit. Logical devices of one
            simulated GPU that have no limit share what the others leave.

    Raises:
        InvalidArgumentError: it is no physical device here, or the limits are not
            positive numbers, or do not fit on the card.
        FailedPreconditionError: a device was used already.
    """
    op = 'set_logical_device_configuration'
    configured = physical_arguments.as_tuple(op, logical_devices)
    physical_arguments.check_configurations(op, configured)
    with configuration.lock:
        layout.check_fit(op, configured, physical_arguments.require(op, device))
        logical = {**configuration.settings.logical, device: configured}
        configuration.change(op, logical=logical)


def _of_type(devices: Sequence[PhysicalDevice], device_type: str | None) -> list[PhysicalDevice]:
    return [one for one in devices if device_type in (None, one.device_type)]
