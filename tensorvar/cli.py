"""The command line: ``python -m tensorvar devices``."""

import argparse
import sys
from collections.abc import Sequence

from tensorvar import _sizes, _tables, _version, errors
from tensorvar._core import conversion
from tensorvar._device import inventory, registry
from tensorvar._device.device import Device

_UNKNOWN = '-'


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: the command line after the program's name; None for the process's.

    Returns:
        The exit code: 0 if all is well, 1 if a device does not work.

    Raises:
        SystemExit: with code 2 for a bad command line, with 0 after ``--help``.
    """
    parser = argparse.ArgumentParser(
        prog='python -m tensorvar',
        description='TensorFlow-style variables that live on a device of your choice.',
    )
    version = f'tensorvar {_version.VERSION}'
    parser.add_argument('--version', action='version', version=version)
    commands = parser.add_subparsers(dest='command', required=True, metavar='command')
    commands.add_parser(
        'devices',
        help='list the devices, say why there is no GPU, and try the default device',
        description='Lists the devices and runs one operation on the default one. '
        'Exits with 0 if that works, else with 1.',
    )
    parser.parse_args(arguments)
    try:
        return _devices()
    except errors.OpError as error:
        print(f'unhealthy: {error}', file=sys.stderr)
        return 1


def _devices() -> int:
    devices = registry.devices()
    names = ('device', 'kind', 'card', 'limit', 'in use', 'total', 'free')
    rows = [_row(device) for device in devices]
    print(_tables.format_table(names, rows, numbers=names[3:]))
    drivers = {one.physical.driver_version for one in devices if one.physical}
    for driver in sorted(filter(None, drivers)):
        print(f'NVIDIA driver {driver}')
    if registry.why_no_gpu():
        print(f'no GPU: {registry.why_no_gpu()}')
    print(f'default device: {_try(registry.default_device())}')
    return 0


def _row(device: Device) -> tuple[str, ...]:
    kind = f'simulated {device.kind}' if device.simulated else device.kind
    card = device.physical
    memory = device.backend.memory_info()
    free = inventory.free_memory(device)
    return (
        device.short,
        kind,
        card.name if card is not None else _UNKNOWN,
        'none' if memory.limit is None else _sizes.format_bytes(memory.limit),
        _sizes.format_bytes(memory.current),
        _size(card.total_memory if card is not None else None),
        _size(free if free < sys.maxsize // 2 else None),
    )


def _size(count: int | None) -> str:
    return _UNKNOWN if count is None else _sizes.format_bytes(count)


def _try(device: Device) -> str:
    """Runs an operation on a device; raises if it does not work."""
    result = (conversion.constant([1.0, 2.0]) + 1.0).numpy().tolist()
    if result != [2.0, 3.0]:
        raise errors.InternalError(
            f'[devices] [1, 2] + 1 gave {result} on {device.short}; [2, 3] is right; '
            f'check the card, its driver and CuPy'
        )
    return f'{device.label}, and an operation on it works'
