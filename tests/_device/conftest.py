"""A machine of the test's choice: cards and backends that do not exist."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tensorvar import errors
from tensorvar._device import configuration, registry
from tensorvar._device.device import Device
from tensorvar._device.physical import Discovery, PhysicalGpu

NO_GPU = 'no NVIDIA driver: install the driver'
UUIDS = ('GPU-11112222-3333-4444-5555-666677778888', 'GPU-1111ffff-3333-4444-5555-666677778888')


class MemoryInfo(NamedTuple):
    current: int
    peak: int
    limit: int | None
    other: int


@dataclasses.dataclass
class FakeBackend:
    """Keeps the books of one device, and computes nothing."""

    device: Device
    limit: int | None
    several: bool
    current: int = 0
    peak: int = 0
    released: int = 0

    def memory_info(self) -> MemoryInfo:
        return MemoryInfo(self.current, self.peak, self.limit, 0)

    def reset_memory_stats(self) -> None:
        self.peak = self.current

    def release_memory(self) -> int:
        return self.released

    def set_memory_limit(self, nbytes: int | None) -> None:
        if self.device.kind == 'CPU' and self.limit is None:
            raise errors.FailedPreconditionError('[set_memory_limit] a plain CPU')
        self.limit = nbytes

    def stream(self) -> str:
        return f'stream of {self.device.short}'


@dataclasses.dataclass
class Machine:
    """What discovery will find, and what was asked of it.

    Attributes:
        free: free bytes of each card; its length is the number of cards.
        discoveries: how often cards were looked for.
        made: short names of the devices that got a backend, in order.
        living: lines of the living values.
    """

    free: list[int]
    discoveries: int = 0
    made: list[str] = dataclasses.field(default_factory=list)
    living: list[str] = dataclasses.field(default_factory=list)

    def discover(self) -> Discovery:
        self.discoveries += 1
        cards = [
            PhysicalGpu(
                ordinal=index,
                name='Test Card',
                pci_bus_id=f'00000000:{index:02X}:00.0',
                uuid=UUIDS[index],
                total_memory=8 << 30,
                free_memory=lambda index=index: self.free[index],
                compute_capability=(9, 0),
                driver_version='570.1',
            )
            for index in range(len(self.free))
        ]
        return Discovery(tuple(cards), '' if cards else NO_GPU)

    def make_backend(self, device: Device, limit: int | None, several: bool) -> FakeBackend:
        self.made.append(device.short)
        return FakeBackend(device, limit, several)

    def live_values(self, device: Device | None) -> list[str]:
        return [line for line in self.living if device is None or device.short in line]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine without cards; ``machine.free`` adds some before the first use."""
    for name in (
        configuration.SIMULATE_GPUS,
        configuration.SIMULATED_GPU_MEMORY,
        configuration.DEFAULT_DEVICE,
    ):
        monkeypatch.delenv(name, raising=False)
    registry.reset()
    before: tuple[Any, ...] = (
        registry._make_backend,
        registry._discover,
        registry.live_values,
        registry.peer_routes,
    )
    made = Machine([])
    registry.set_backend_factory(made.make_backend)
    registry.set_gpu_discovery(made.discover)
    registry.set_live_values(made.live_values)
    yield made
    made.living.clear()
    for device in registry.devices() if registry.is_initialised() else ():
        device.backend.current = 0
    registry.reset()
    registry.set_backend_factory(before[0])
    registry.set_gpu_discovery(before[1])
    registry.set_live_values(before[2])
    registry.set_peer_routes(before[3])
