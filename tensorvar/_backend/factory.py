"""Which backend a logical device gets, and who hears of memory events."""

from tensorvar._backend import cupy_backend, gpu_discovery, memory_ledger, peer
from tensorvar._backend.base import Backend
from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._backend.simulated_backend import SimulatedBackend
from tensorvar._device import listeners, registry
from tensorvar._device.device import Device


def make_backend(device: Device, limit: int | None, several: bool) -> Backend:
    """The backend of a device; touches no card yet.

    Args:
        device: the logical device.
        limit: bytes it may use, or None.
        several: whether other logical devices share its physical one.

    Returns:
        NumPy's backend for a plain CPU, CuPy's for a card, and the charging one for
        simulated GPUs and for CPUs that are limited or one of several.
    """
    if device.is_gpu and not device.simulated:
        assert device.physical is not None
        return cupy_backend.CupyBackend(device.short, device.physical.ordinal, limit)
    if device.is_gpu or limit is not None or several:
        return SimulatedBackend(device.short, limit)
    return NumpyBackend(device.short)


def register() -> None:
    """Connects this layer with the device layer below; called once at import."""
    registry.set_backend_factory(make_backend)
    registry.set_gpu_discovery(gpu_discovery.discover)
    registry.set_peer_routes(peer.table.matrix)
    listeners.register_event_source(memory_ledger.set_event_sink)
