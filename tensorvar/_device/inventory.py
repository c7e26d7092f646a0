"""The logical devices of this process, and how a name finds one."""

import dataclasses
import sys
from typing import Any

from tensorvar import _sizes, errors
from tensorvar._device import spec
from tensorvar._device.device import CPU, GPU, KINDS, Device
from tensorvar._device.physical import LogicalDevice, PhysicalDevice


@dataclasses.dataclass(frozen=True, slots=True)
class Absent:
    """The answer to a name that is a device name, but not of a device here.

    Attributes:
        requested: what was asked for, such as ``'GPU:0'``.
        kind: its type.
        index: its number; None where the name selects by UUID or ``auto``.
        why: why it is not there.
    """

    requested: str
    kind: str
    index: int | None
    why: str

    @property
    def reason(self) -> str:
        """What was asked for, and why that is not possible."""
        return f'{self.requested} was asked for, but {self.why}'


class Inventory:
    """A fixed set of logical devices.

    Args:
        devices: the devices, CPUs first.
        why_no_gpu: why there is no GPU; empty if there is one.

    Attributes:
        devices: the devices.
        why_no_gpu: why there is no GPU.
        default: the device of ops that nothing else decides; may be replaced.
    """

    def __init__(self, devices: tuple[Device, ...], why_no_gpu: str) -> None:
        self.devices = devices
        self.why_no_gpu = why_no_gpu
        self._by_key = {(device.kind, device.index): device for device in devices}
        self.default = self._by_key.get((GPU, 0), self._by_key[CPU, 0])

    def lookup(self, kind: str, index: int) -> Device | None:
        """The device of that kind and index, or None."""
        return self._by_key.get((kind, index))

    def listing(self) -> str:
        """The devices for an error text: ``'CPU:0, GPU:0 (simulated)'``."""
        return ', '.join(device.label for device in self.devices)

    def read(self, value: Any, op: str = 'device') -> spec.DeviceName:
        """Reads what a user gave as a device.

        Args:
            value: a name, or a device object of this library.
            op: name of the public function, for the error.

        Returns:
            The parsed name.

        Raises:
            InvalidArgumentError: it is neither, no device name, or one of another process.
            FailedPreconditionError: it is a function.
        """
        if isinstance(value, str):
            return self._in_this_process(spec.parse(value, self.devices, op), op)
        if isinstance(value, Device):
            parts = spec.DeviceSpec(device_type=value.kind, device_index=value.index)
            return spec.DeviceName(value.short, parts)
        if isinstance(value, LogicalDevice):
            return spec.parse(value.name, self.devices, op)
        if isinstance(value, spec.DeviceSpec):
            return self._in_this_process(spec.DeviceName(value.to_string(), value), op)
        raise self._no_name(value, op)

    def find(
        self, name: spec.DeviceName, outer: Device | Absent | None = None, op: str = 'device'
    ) -> Device | Absent:
        """Finds the device of a name.

        Parts that the name leaves open come from ``outer``, else from the default
        device. An open index is taken over only from a device of the same type: inside
        CPU:1, ``'GPU'`` is GPU:0, where TensorFlow would take GPU:1.

        Args:
            name: the parsed name.
            outer: what the enclosing scope asked for.
            op: name of the public function, for the error.

        Returns:
            The device, or why it is absent.

        Raises:
            InvalidArgumentError: the index is negative, or a shortened UUID is ambiguous.
        """
        if name.selector == spec.AUTO:
            return self._freest()
        if name.selector is not None:
            return self._by_uuid(name, op)
        base = self.default if outer is None else outer
        kind = name.spec.device_type
        index = name.spec.device_index
        if kind is None and index is None:
            return base
        if kind is None:
            kind = base.kind
        if index is None:
            index = base.index if base.kind == kind and base.index is not None else 0
        if index < 0:
            raise spec.bad_name(name.text, 'the index is negative', self.devices, op)
        return self.lookup(kind, index) or self._absent(kind, index)

    def _in_this_process(self, name: spec.DeviceName, op: str) -> spec.DeviceName:
        asked = name.spec
        # A single process is replica 0 and task 0 of its job.
        if asked.job in (None, 'localhost') and not asked.replica and not asked.task:
            return name
        problem = 'this process is /job:localhost/replica:0/task:0'
        raise spec.bad_name(name.text, problem, self.devices, op)

    def _absent(self, kind: str, index: int) -> Absent:
        requested = f'{kind}:{index}'
        if kind not in KINDS:
            return Absent(requested, kind, index, f'tensorvar has no {kind} devices')
        if kind == GPU and self.why_no_gpu:
            return Absent(requested, kind, index, self.why_no_gpu)
        return Absent(requested, kind, index, f'the devices here are {self.listing()}')

    def _freest(self) -> Device | Absent:
        cards = [device for device in self.devices if device.is_gpu]
        if not cards:
            return Absent('GPU:auto', GPU, None, self.why_no_gpu)
        # max keeps the first of equal ones, which is the lowest.
        return max(cards, key=free_memory)

    def _by_uuid(self, name: spec.DeviceName, op: str) -> Device | Absent:
        wanted = (name.selector or '').lower()
        cards = [one for one in self.devices if one.physical and _uuid(one).startswith(wanted)]
        if len({_uuid(one) for one in cards}) > 1:
            found = ', '.join(f'{one.short} {_uuid(one)}' for one in cards)
            problem = f'it fits several cards ({found})'
            raise spec.bad_name(name.text, problem, self.devices, op)
        if cards:
            return cards[0]
        why = self.why_no_gpu or 'no visible card has this UUID: ' + ', '.join(
            f'{one.short} is {_uuid(one)}' for one in self.devices if one.physical
        )
        return Absent(name.text, GPU, None, why)

    def _no_name(self, value: object, op: str) -> errors.OpError:
        if callable(value) and not isinstance(value, type):
            return errors.FailedPreconditionError(
                f'[{op}] the function {getattr(value, "__name__", value)} was given; functions '
                f'that choose a device per operation are not supported; name a device'
            )
        what = repr(value) if isinstance(value, (int, bytes)) else f'a {type(value).__name__}'
        hint = "give a name such as 'GPU:0'"
        if isinstance(value, PhysicalDevice):
            hint = 'give one of tv.config.list_logical_devices()'
        return errors.InvalidArgumentError(
            f'[{op}] {what} was given; allowed are names, Device, LogicalDevice, DeviceSpec and '
            f'None; the devices here are {self.listing()}; {hint}'
        )


def is_complete(name: spec.DeviceName) -> bool:
    """Whether the name means the same device in every scope."""
    parts = name.spec
    if name.selector is not None:
        return True
    return parts.device_type is not None and parts.device_index is not None


def free_memory(device: Device) -> int:
    """Bytes that may still be allocated on a device.

    Args:
        device: any device.

    Returns:
        The bytes left of its limit and, on a real card, of the card. Of devices
        without any limit, the less used one has more.
    """
    left = sys.maxsize
    if device.backend is not None:
        info = device.backend.memory_info()
        left = int((sys.maxsize if info.limit is None else info.limit) - info.current)
    on_card = device.physical.free_memory() if device.physical is not None else None
    return left if on_card is None else min(left, on_card)


def describe_free(device: Device) -> str:
    """The free memory of a device, for people."""
    free = free_memory(device)
    return 'no limit' if free > 2**60 else f'{_sizes.format_bytes(free)} free'


def _uuid(device: Device) -> str:
    return device.physical.uuid.lower() if device.physical is not None else ''
