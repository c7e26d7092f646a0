"""Devices: which there are, which to use, and their memory.

The first use of a device makes all devices. Until then settings may be changed and
repeated; afterwards they raise, naming the line that used a device first, until
``tv.config.reset()``.
"""

from tensorvar import _left_out
from tensorvar._backend.cpu_blas import cpu_blas as cpu_blas
from tensorvar._core.function_mode import functions_run_eagerly as functions_run_eagerly
from tensorvar._core.function_mode import run_functions_eagerly as run_functions_eagerly
from tensorvar._device.defaults import get_default_device as get_default_device
from tensorvar._device.defaults import get_soft_device_placement as get_soft_device_placement
from tensorvar._device.defaults import set_default_device as set_default_device
from tensorvar._device.defaults import set_soft_device_placement as set_soft_device_placement
from tensorvar._device.device_details import get_device_details as get_device_details
from tensorvar._device.device_lists import (
    get_logical_device_configuration as get_logical_device_configuration,
)
from tensorvar._device.device_lists import get_visible_devices as get_visible_devices
from tensorvar._device.device_lists import list_logical_devices as list_logical_devices
from tensorvar._device.device_lists import list_physical_devices as list_physical_devices
from tensorvar._device.device_lists import (
    set_logical_device_configuration as set_logical_device_configuration,
)
from tensorvar._device.device_lists import set_visible_devices as set_visible_devices
from tensorvar._device.links import peer_matrix as peer_matrix
from tensorvar._device.links import stream as stream
from tensorvar._device.memory import get_memory_info as get_memory_info
from tensorvar._device.memory import release_memory as release_memory
from tensorvar._device.memory import reset_memory_stats as reset_memory_stats
from tensorvar._device.memory import set_memory_limit as set_memory_limit
from tensorvar._device.physical import LogicalDevice as LogicalDevice
from tensorvar._device.physical import LogicalDeviceConfiguration as LogicalDeviceConfiguration
from tensorvar._device.physical import PhysicalDevice as PhysicalDevice
from tensorvar._device.registry import reset as reset
from tensorvar._device.registry import why_no_gpu as why_no_gpu
from tensorvar._device.simulation import simulate_gpus as simulate_gpus
from tensorvar.config import experimental as experimental
from tensorvar.config import threading as threading

__all__ = [
    'LogicalDevice',
    'LogicalDeviceConfiguration',
    'PhysicalDevice',
    'cpu_blas',
    'experimental',
    'functions_run_eagerly',
    'get_default_device',
    'get_device_details',
    'get_logical_device_configuration',
    'get_memory_info',
    'get_soft_device_placement',
    'get_visible_devices',
    'list_logical_devices',
    'list_physical_devices',
    'peer_matrix',
    'release_memory',
    'reset',
    'reset_memory_stats',
    'run_functions_eagerly',
    'set_default_device',
    'set_logical_device_configuration',
    'set_memory_limit',
    'set_soft_device_placement',
    'set_visible_devices',
    'simulate_gpus',
    'stream',
    'threading',
    'why_no_gpu',
]

_left_out.install(__name__, __all__)
