"""Records with plausible fields, for tests that look at one or two of them."""

from typing import Any

from tensorvar._device.records import CopyRecord, EventRecord, PlacementRecord


def placement(**fields: Any) -> PlacementRecord:
    """A matmul on GPU:0, asked for explicitly."""
    defaults: dict[str, Any] = {
        'op': 'MatMul',
        'device': 'GPU:0',
        'reason': 'explicit',
        'shapes': ((2, 3), (3, 2)),
        'dtype': 'float32',
        'compute_dtype': 'float32',
        'where': '/home/me/train.py:12',
        'start_ns': 1_000,
        'end_ns': 5_000,
        'nbytes': 16,
    }
    return PlacementRecord(**{**defaults, **fields})


def copy(**fields: Any) -> CopyRecord:
    """24 bytes from CPU:0 to GPU:0 for a matmul."""
    defaults: dict[str, Any] = {
        'source': 'CPU:0',
        'destination': 'GPU:0',
        'nbytes': 24,
        'variable': None,
        'operand': 'a',
        'where': '/home/me/train.py:12',
        'op': 'MatMul',
        'start_ns': 1_500,
        'end_ns': 2_500,
    }
    return CopyRecord(**{**defaults, **fields})


def event(**fields: Any) -> EventRecord:
    """An allocation of 512 bytes on GPU:0."""
    defaults: dict[str, Any] = {
        'event': 'allocation',
        'device': 'GPU:0',
        'nbytes': 512,
        'where': '/home/me/train.py:12',
        'memory_after': 512,
        'time_ns': 3_000,
    }
    return EventRecord(**{**defaults, **fields})
