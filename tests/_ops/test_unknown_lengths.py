"""Shape rules of ops on rows and sequences where a dimension is not known."""

from typing import Any

import numpy as np
import pytest

from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._ops import (
    bitcast,
    reverse_sequence,
    searchsorted,
    segment_reduction,
    sequence_mask,
    space_batch,
    space_depth,
    unique,
    unravel_index,
    unsorted_segment,
)

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int32)


def spec(*shape: int | None, dtype: Any = FLOAT) -> ArraySpec:
    return ArraySpec(shape, dtype)


CASES: list[tuple[OpDef, list[ArraySpec], dict[str, Any], Any]] = [
    (segment_reduction.SEGMENT_SUM, [spec(None, 3), spec(5, dtype=INT)], {}, (None, 3)),
    (unsorted_segment.MAX, [spec(None, 3), spec(5, dtype=INT)], {'num_segments': 4}, (4, 3)),
    (
        space_batch.SPACE_TO_BATCH,
        [spec(2, None)],
        {'block_shape': (2,), 'paddings': ((0, 0),)},
        (4, None),
    ),
    (
        space_batch.BATCH_TO_SPACE,
        [spec(None, 3)],
        {'block_shape': (2,), 'crops': ((0, 1),)},
        (None, 5),
    ),
    (
        space_depth.SPACE_TO_DEPTH,
        [spec(1, None, 4, 2)],
        {'block_size': 2, 'data_format': 'NHWC'},
        (1, None, 2, 8),
    ),
    (
        space_depth.DEPTH_TO_SPACE,
        [spec(1, 2, 4, None)],
        {'block_size': 2, 'data_format': 'NHWC'},
        (1, 4, 8, None),
    ),
    (bitcast.BITCAST, [spec(None)], {'type': np.dtype(np.uint8)}, (None, 4)),
    (bitcast.BITCAST, [spec(2, None)], {'type': np.dtype(np.float64)}, (2,)),
    (sequence_mask.SEQUENCE_MASK, [spec(None)], {'maxlen': None}, (None, None)),
    (searchsorted.LOWER_BOUND, [spec(None, 3), spec(2, None)], {'out_type': INT}, (2, None)),
    (
        reverse_sequence.REVERSE_SEQUENCE,
        [spec(None, 3), spec(2, dtype=INT)],
        {'seq_axis': 1, 'batch_axis': 0},
        (None, 3),
    ),
    (unique.UNIQUE, [spec(4)], {'out_idx': INT}, [(None,), (4,)]),
    (unravel_index.UNRAVEL_INDEX, [spec(None, dtype=INT)], {'dims': (2, 3)}, (2, None)),
]


@pytest.mark.parametrize(('op', 'inputs', 'attributes', 'expected'), CASES, ids=str)
def test_rule(op: OpDef, inputs: Any, attributes: dict[str, Any], expected: Any) -> None:
    result = op.infer(*inputs, **attributes)
    if isinstance(expected, list):
        assert [part.shape for part in result] == expected
    else:
        assert result.shape == expected
