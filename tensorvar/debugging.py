"""Seeing what happens: placements, copies, memory, living variables."""

from tensorvar._core.live import LiveVariable as LiveVariable
from tensorvar._core.live import live_variables as live_variables
from tensorvar._device._log.placement_logger import (
    get_log_device_placement as get_log_device_placement,
)
from tensorvar._device._log.placement_logger import (
    set_log_device_placement as set_log_device_placement,
)
from tensorvar._device._log.recorder import read_jsonl as read_jsonl
from tensorvar._device._log.recorder import record_placement as record_placement
from tensorvar._device._log.recording import PlacementLog as PlacementLog
from tensorvar._device.records import CopyRecord as CopyRecord
from tensorvar._device.records import EventRecord as EventRecord
from tensorvar._device.records import PlacementRecord as PlacementRecord
from tensorvar._device.synchronous import get_synchronous as get_synchronous
from tensorvar._device.synchronous import set_synchronous as set_synchronous

__all__ = [
    'CopyRecord',
    'EventRecord',
    'LiveVariable',
    'PlacementLog',
    'PlacementRecord',
    'get_log_device_placement',
    'get_synchronous',
    'live_variables',
    'read_jsonl',
    'record_placement',
    'set_log_device_placement',
    'set_synchronous',
]
