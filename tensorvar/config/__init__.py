"""Devices: which there are, which to use, and their memory.

The first use of a device makes all devices. Until then settings may be changed and
repeated; afterwards they raise, naming the line that used a device first, until
``tv.config.reset()``.
"""

from tensorvar import _left_out
from tensorvar._backend.cpu_blas import cpu_blas
from tensorvar._core.function_mode import functions_run_eagerly, run_functions_eagerly
from tensorvar._device.defaults import (
    get_default_device,
    get_soft_device_placement,
    set_default_device,
    set_soft_device_placement,
)
from tensorvar._device.device_details import get_device_details
from tensorvar._device.device_lists import (
    get_logical_device_configuration as get_logical_device_configuration,
)
from tensorvar._device.device_lists import (
    get_visible_devices,
    list_logical_devices,
    list_physical_devices,
    set_visible_devices,
)
from tensorvar._device.device_lists import (
    set_logical_device_configuration as set_logical_device_configuration,
)
from tensorvar._device.links import peer_matrix, stream
from tensorvar._device.memory import (
    get_memory_info,
    release_memory,
    reset_memory_stats,
    set_memory_limit,
)
from tensorvar._device.physical import LogicalDevice, LogicalDeviceConfiguration, PhysicalDevice
from tensorvar._device.registry import reset, why_no_gpu
from tensorvar._device.simulation import simulate_gpus
from tensorvar.config import experimental, threading

__all__ = [
    'LogicalDevice', 'LogicalDeviceConfiguration', 'PhysicalDevice', 'cpu_blas', 'experimental',
    'functions_run_eagerly', 'get_default_device', 'get_device_details',
    'get_logical_device_configuration', 'get_memory_info', 'get_soft_device_placement',
    'get_visible_devices', 'list_logical_devices', 'list_physical_devices', 'peer_matrix',
    'release_memory', 'reset', 'reset_memory_stats', 'run_functions_eagerly',
    'set_default_device', 'set_logical_device_configuration', 'set_memory_limit',
    'set_soft_device_placement', 'set_visible_devices', 'simulate_gpus', 'stream', 'threading',
    'why_no_gpu',
]  # fmt: skip

_left_out.install(__name__, __all__)
