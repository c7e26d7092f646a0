"""Seeing what happens: placements, copies, memory, living variables; and assertions."""

from tensorvar import _left_out
from tensorvar._core.live import LiveVariable, live_variables
from tensorvar._core.numerics_check import disable_check_numerics, enable_check_numerics
from tensorvar._device._log.placement_logger import (
    get_log_device_placement as get_log_device_placement,
)
from tensorvar._device._log.placement_logger import (
    set_log_device_placement as set_log_device_placement,
)
from tensorvar._device._log.recorder import read_jsonl, record_placement
from tensorvar._device._log.recording import PlacementLog
from tensorvar._device.records import CopyRecord, EventRecord, PlacementRecord
from tensorvar._device.synchronous import get_synchronous, set_synchronous
from tensorvar._ops.assertions import (
    Assert,
    assert_equal,
    assert_greater,
    assert_greater_equal,
    assert_less,
    assert_less_equal,
    assert_near,
    assert_negative,
    assert_non_negative,
    assert_non_positive,
    assert_none_equal,
    assert_positive,
)
from tensorvar._ops.check_numerics import assert_all_finite, check_numerics
from tensorvar._ops.shape_assertions import (
    assert_rank,
    assert_rank_at_least,
    assert_rank_in,
    assert_scalar,
    assert_shapes,
)
from tensorvar._ops.type_assertions import (
    assert_integer,
    assert_proper_iterable,
    assert_same_float_dtype,
    assert_type,
    is_numeric_tensor,
)

__all__ = [
    'Assert', 'CopyRecord', 'EventRecord', 'LiveVariable', 'PlacementLog', 'PlacementRecord',
    'assert_all_finite', 'assert_equal', 'assert_greater', 'assert_greater_equal',
    'assert_integer', 'assert_less', 'assert_less_equal', 'assert_near', 'assert_negative',
    'assert_non_negative', 'assert_non_positive', 'assert_none_equal', 'assert_positive',
    'assert_proper_iterable', 'assert_rank', 'assert_rank_at_least', 'assert_rank_in',
    'assert_same_float_dtype', 'assert_scalar', 'assert_shapes', 'assert_type',
    'check_numerics', 'disable_check_numerics', 'enable_check_numerics',
    'get_log_device_placement', 'get_synchronous', 'is_numeric_tensor', 'live_variables',
    'read_jsonl', 'record_placement', 'set_log_device_placement', 'set_synchronous',
]  # fmt: skip

_left_out.install(__name__, __all__)
