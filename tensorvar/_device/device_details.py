"""``tv.config``: facts about physical devices."""

import warnings
from collections.abc import Callable
from typing import Any

from tensorvar._device import physical_arguments
from tensorvar._device.physical import PhysicalDevice, PhysicalGpu


def _unknown(card: PhysicalGpu) -> str:
    return 'unknown'


_describe_kernels: Callable[[PhysicalGpu], str] = _unknown


def set_kernel_description(function: Callable[[PhysicalGpu], str]) -> None:
    """Registers who knows which kernels a card runs.

    Args:
        function: called with a card; gives the row ``'kernels'`` of its details.
    """
    global _describe_kernels
    _describe_kernels = function


def get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """Facts about a physical device.

    Args:
        device: one of ``list_physical_devices()``.

    Returns:
        For a GPU ``device_name``, and as far as they are known ``compute_capability``
        (a pair), ``pci_bus_id``, ``uuid``, ``driver_version``, and ``total_memory`` and
        ``free_memory`` in bytes; ``simulated`` is there, and True, for a simulated one.
        For a real one ``kernels`` is ``'own'``, or why CuPy computes alone, or
        ``'not used yet'``. Empty for the CPU.

    Raises:
        InvalidArgumentError: it is no physical device here.
    """
    card = physical_arguments.require('get_device_details', device)
    if card is None:
        return {}
    facts: dict[str, Any] = {
        'device_name': card.name,
        'compute_capability': card.compute_capability,
        'pci_bus_id': card.pci_bus_id or None,
        'uuid': card.uuid or None,
        'driver_version': card.driver_version,
        'total_memory': card.total_memory,
        'free_memory': card.free_memory(),
        'simulated': card.simulated or None,
        'kernels': None if card.simulated else _describe_kernels(card),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def get_memory_growth(device: PhysicalDevice) -> bool:
    """Whether memory is taken from a GPU as it is needed.

    Args:
        device: a GPU of ``list_physical_devices()``.

    Returns:
        Always True: tensorvar never takes a card's memory ahead.

    Raises:
        InvalidArgumentError: it is no physical GPU here.
    """
    physical_arguments.require_gpu('get_memory_growth', device)
    return True


def set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Accepts that memory is taken from a GPU as it is needed, which is always so.

    Differs from TensorFlow: False has no effect, and says so in a warning. To bound the
    memory of a device, use ``tv.config.set_memory_limit``.

    Args:
        device: a GPU of ``list_physical_devices()``.
        enable: True.

    Raises:
        InvalidArgumentError: it is no physical GPU here.
    """
    physical_arguments.require_gpu('set_memory_growth', device)
    if not enable:
        warnings.warn(
            '[set_memory_growth] tensorvar always takes memory as it is needed; bound it with '
            'tv.config.set_memory_limit',
            stacklevel=2,
        )
