"""Checks of the arguments of ``tv.config`` that name physical devices."""

from collections.abc import Iterable, Sequence
from typing import Any

from tensorvar import errors
from tensorvar._device import registry
from tensorvar._device.physical import LogicalDeviceConfiguration, PhysicalDevice, PhysicalGpu


def require(op: str, value: object) -> PhysicalGpu | None:
    """Insists on a physical device of this machine.

    Args:
        op: name of the public function, for the error.
        value: what the user gave.

    Returns:
        Its card; None on the CPU.

    Raises:
        InvalidArgumentError: it is something else.
    """
    here = registry.physical_devices()
    if not isinstance(value, PhysicalDevice) or value not in here:
        raise errors.InvalidArgumentError(
            f'[{op}] {value!r} was given; allowed are the physical devices '
            f'{[one.name for one in here]}; take one from tv.config.list_physical_devices()'
        )
    return registry.card(value)


def require_gpu(op: str, value: object) -> PhysicalGpu:
    """Insists on a physical GPU of this machine.

    Args:
        op: name of the public function, for the error.
        value: what the user gave.

    Returns:
        The card.

    Raises:
        InvalidArgumentError: it is something else.
    """
    card = require(op, value)
    if card is None:
        raise errors.InvalidArgumentError(
            f'[{op}] {value!r} was given; allowed are GPUs only; '
            f"take one from tv.config.list_physical_devices('GPU')"
        )
    return card


def as_tuple(op: str, values: object) -> tuple[Any, ...]:
    """Insists on a sequence, and takes a copy of it."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise errors.InvalidArgumentError(
            f'[{op}] {values!r} was given; a list is needed; put it in brackets, and take '
            f'devices from tv.config.list_physical_devices()'
        )
    return tuple(values)


def check_configurations(op: str, configurations: Sequence[object]) -> None:
    """Insists on supported configurations of logical devices.

    Args:
        op: name of the public function, for the error.
        configurations: what the user gave.

    Raises:
        InvalidArgumentError: something is no configuration, or a limit is not above zero.
        UnimplementedError: a priority or an ordinal is asked for.
    """
    for one in configurations:
        if not isinstance(one, LogicalDeviceConfiguration):
            raise errors.InvalidArgumentError(
                f'[{op}] {one!r} was given; allowed are tv.config.LogicalDeviceConfiguration; '
                f'make one with a memory_limit in MiB, or without one'
            )
        limit = one.memory_limit
        if limit is not None and not 0 < limit < float('inf'):
            raise errors.InvalidArgumentError(
                f'[{op}] memory_limit is {limit!r}; allowed are MiB above 0, and None; '
                f'give the limit in MiB'
            )
        if one.experimental_priority is not None or one.experimental_device_ordinal:
            raise errors.UnimplementedError(
                f'[{op}] {one} was given; stream priorities and device ordinals are not supported; '
                f'leave them out'
            )
