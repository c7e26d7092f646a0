"""``tv.config.simulate_gpus``: cards that NumPy stands in for."""

from collections.abc import Callable, Mapping
from typing import SupportsIndex, TypeVar

from tensorvar import errors
from tensorvar._device import configuration
from tensorvar._device.device import GPU

K = TypeVar('K')
V = TypeVar('V')


def simulate_gpus(count: int, memory_limit: str | SupportsIndex | None = None) -> None:
    """Simulates GPUs, so that programs for several cards run on any machine.

    NumPy computes for them, behind a memory of their own: placement, copies, limits and
    out-of-memory errors come as on a card, speed does not. They hide real cards, and
    are shown as simulated wherever devices are listed. Call it before any device is
    used; it may be repeated until then, and forgets what was configured for GPUs. The
    environment variable TENSORVAR_SIMULATE_GPUS does the same.

    Args:
        count: how many; 0 for real cards.
        memory_limit: memory of each, such as ``'64MiB'``, or in bytes; None takes
            TENSORVAR_SIMULATED_GPU_MEMORY if that is set, else there is no limit.

    Raises:
        InvalidArgumentError: the count is no number of devices, or the limit no size.
        FailedPreconditionError: a device was used already.

    Example:
        >>> import tensorvar as tv
        >>> tv.config.simulate_gpus(2, memory_limit='64MiB')  # doctest: +SKIP
        >>> tv.config.list_physical_devices('GPU')[0]  # doctest: +SKIP
        PhysicalDevice(name='/physical_device:GPU:0', device_type='GPU', simulated=True)
    """
    op = 'simulate_gpus'
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] the count is {count!r}; allowed are whole numbers from 0; give how many GPUs'
        )
    memory = None if memory_limit is None else configuration.parse_limit(op, memory_limit)
    with configuration.lock:
        now = configuration.settings
        if (now.simulated_gpus, now.simulated_memory) == (count, memory):
            return
        cpu_only = {
            'visible': _without_gpus(now.visible, lambda kind: kind),
            'logical': _without_gpus(now.logical, lambda physical: physical.device_type),
            'limits': _without_gpus(now.limits, lambda short: short.partition(':')[0]),
        }
        configuration.change(op, simulated_gpus=count, simulated_memory=memory, **cpu_only)


def _without_gpus(settings: Mapping[K, V], kind_of: Callable[[K], str]) -> dict[K, V]:
    return {key: value for key, value in settings.items() if kind_of(key) != GPU}
