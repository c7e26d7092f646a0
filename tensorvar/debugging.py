"""Seeing what happens: placements, copies, memory, living variables; and assertions."""

from tensorvar import _left_out
from tensorvar._core.live import LiveVariable as LiveVariable
from tensorvar._core.live import live_variables as live_variables
from tensorvar._core.numerics_check import disable_check_numerics as disable_check_numerics
from tensorvar._core.numerics_check import enable_check_numerics as enable_check_numerics
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
from tensorvar._ops.assertions import Assert as Assert
from tensorvar._ops.assertions import assert_equal as assert_equal
from tensorvar._ops.assertions import assert_greater as assert_greater
from tensorvar._ops.assertions import assert_greater_equal as assert_greater_equal
from tensorvar._ops.assertions import assert_less as assert_less
from tensorvar._ops.assertions import assert_less_equal as assert_less_equal
from tensorvar._ops.assertions import assert_near as assert_near
from tensorvar._ops.assertions import assert_negative as assert_negative
from tensorvar._ops.assertions import assert_non_negative as assert_non_negative
from tensorvar._ops.assertions import assert_non_positive as assert_non_positive
from tensorvar._ops.assertions import assert_none_equal as assert_none_equal
from tensorvar._ops.assertions import assert_positive as assert_positive
from tensorvar._ops.check_numerics import assert_all_finite as assert_all_finite
from tensorvar._ops.check_numerics import check_numerics as check_numerics
from tensorvar._ops.shape_assertions import assert_rank as assert_rank
from tensorvar._ops.shape_assertions import assert_rank_at_least as assert_rank_at_least
from tensorvar._ops.shape_assertions import assert_rank_in as assert_rank_in
from tensorvar._ops.shape_assertions import assert_scalar as assert_scalar
from tensorvar._ops.shape_assertions import assert_shapes as assert_shapes
from tensorvar._ops.type_assertions import assert_integer as assert_integer
from tensorvar._ops.type_assertions import assert_proper_iterable as assert_proper_iterable
from tensorvar._ops.type_assertions import assert_same_float_dtype as assert_same_float_dtype
from tensorvar._ops.type_assertions import assert_type as assert_type
from tensorvar._ops.type_assertions import is_numeric_tensor as is_numeric_tensor

__all__ = [
    'Assert',
    'CopyRecord',
    'EventRecord',
    'LiveVariable',
    'PlacementLog',
    'PlacementRecord',
    'assert_all_finite',
    'assert_equal',
    'assert_greater',
    'assert_greater_equal',
    'assert_integer',
    'assert_less',
    'assert_less_equal',
    'assert_near',
    'assert_negative',
    'assert_non_negative',
    'assert_non_positive',
    'assert_none_equal',
    'assert_positive',
    'assert_proper_iterable',
    'assert_rank',
    'assert_rank_at_least',
    'assert_rank_in',
    'assert_same_float_dtype',
    'assert_scalar',
    'assert_shapes',
    'assert_type',
    'check_numerics',
    'disable_check_numerics',
    'enable_check_numerics',
    'get_log_device_placement',
    'get_synchronous',
    'is_numeric_tensor',
    'live_variables',
    'read_jsonl',
    'record_placement',
    'set_log_device_placement',
    'set_synchronous',
]

_left_out.install(__name__, __all__)
