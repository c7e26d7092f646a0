"""TensorFlow's ``tf.config.experimental`` names for what ``tv.config`` does."""

from tensorvar import _left_out
from tensorvar._backend.guard import get_device_policy, set_device_policy
from tensorvar._device.determinism import enable_op_determinism
from tensorvar._device.device_details import (
    get_device_details,
    get_memory_growth,
    set_memory_growth,
)
from tensorvar._device.device_lists import (
    get_logical_device_configuration as get_virtual_device_configuration,
)
from tensorvar._device.device_lists import (
    get_visible_devices,
    list_logical_devices,
    list_physical_devices,
    set_visible_devices,
)
from tensorvar._device.device_lists import (
    set_logical_device_configuration as set_virtual_device_configuration,
)
from tensorvar._device.memory import get_memory_info, get_memory_usage, reset_memory_stats
from tensorvar._device.physical import LogicalDeviceConfiguration as VirtualDeviceConfiguration
from tensorvar._device.precision import (
    enable_tensor_float_32_execution as enable_tensor_float_32_execution,
)
from tensorvar._device.precision import (
    tensor_float_32_execution_enabled as tensor_float_32_execution_enabled,
)

__all__ = [
    'VirtualDeviceConfiguration', 'enable_op_determinism', 'enable_tensor_float_32_execution',
    'get_device_details', 'get_device_policy', 'get_memory_growth', 'get_memory_info',
    'get_memory_usage', 'get_virtual_device_configuration', 'get_visible_devices',
    'list_logical_devices', 'list_physical_devices', 'reset_memory_stats', 'set_device_policy',
    'set_memory_growth', 'set_virtual_device_configuration', 'set_visible_devices',
    'tensor_float_32_execution_enabled',
]  # fmt: skip

_left_out.install(__name__, __all__)
