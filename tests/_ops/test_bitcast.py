"""bitcast."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops.bitcast import bitcast
from tests._ops import rules
from tests.support import device_parity


@pytest.mark.parametrize('target', rules.NUMBERS, ids=rules.name_of)
@pytest.mark.parametrize('source', rules.NUMBERS, ids=rules.name_of)
def test_every_pair(source: Any, target: Any) -> None:
    ratio = max(np.dtype(target).itemsize // np.dtype(source).itemsize, 1)
    x = device_parity.sample(source, (3, ratio))
    found = bitcast(x, target)
    assert found.dtype == target
    assert found.numpy().tobytes() == x.tobytes()
    smaller = np.dtype(source).itemsize // np.dtype(target).itemsize
    tail = (ratio, smaller) if smaller > 1 else (1,) if ratio == 1 else ()
    assert found.shape == (3, *tail)


def test_devices(device: str) -> None:
    x = device_parity.sample(np.float32, (2, 4))
    rules.check(
        device,
        lambda x: bitcast(tv.transpose(x), tv.uint32),
        lambda x: np.ascontiguousarray(x.T).view(np.uint32),
        x,
        dtype=np.uint32,
    )


def test_sizes_of_zero_and_scalars() -> None:
    assert bitcast(tv.zeros([0, 4], tv.uint8), tv.int32).shape == (0,)
    assert bitcast(tv.zeros([0], tv.int32), tv.uint8).shape == (0, 4)
    assert bitcast(1.0, tv.int32).numpy() == 0x3F800000
    assert bitcast(1.0, tv.uint8).shape == (4,)


@pytest.mark.parametrize(
    ('value', 'target'),
    [
        (np.zeros((2, 3), np.uint8), tv.int32),
        (np.uint8(0), tv.int32),
        (1.0, tv.bool),
        (1.0, tv.string),
        (True, tv.int8),
    ],
    ids=str,
)
def test_bad_arguments(value: Any, target: Any) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='Bitcast'):
        bitcast(value, target)
