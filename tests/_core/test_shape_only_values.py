"""Values without data run through every op by its rule, and are never looked at.

That each op gives its rule's answer is checked for the whole suite, by
``tests/support/verify_rules.py``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import tensor
from tensorvar._core.op_registry import ArraySpec
from tests.support import verify_rules

Shape = tuple[int | None, ...]


def blank(shape: Shape, dtype: Any = tv.float32, device: str = 'CPU:0') -> Any:
    """A tensor without data."""
    with tv.device(device):
        place = tv.constant(0.0)._device
    return tensor.wrap(ShapeOnlyArray(shape, dtype.numpy), place)


def seen(value: Any) -> ArraySpec:
    assert type(value._array) is ShapeOnlyArray
    spec: ArraySpec = value._spec()
    return spec


PROGRAMS: dict[str, tuple[Callable[[Any], Any], Shape]] = {
    'operators': (lambda x: (x + 1.0) * x / 2.0 - x, (2, 3)),
    'broadcast': (lambda x: x[:, None, :] * x, (2, 2, 3)),
    'matmul': (lambda x: tv.matmul(x, x, transpose_b=True), (2, 2)),
    'reductions': (lambda x: tv.reduce_sum(x, axis=1) + tv.reduce_max(x), (2,)),
    'softmax': (lambda x: tv.nn.softmax(tv.nn.relu(x)), (2, 3)),
    'join': (lambda x: tv.concat([x, x], 0), (4, 3)),
    'reshape': (lambda x: tv.reshape(tv.transpose(x), [2, -1]), (2, 3)),
    'index': (lambda x: x[1:, ..., 0], (1,)),
    'gather': (lambda x: tv.gather(x, [0, 1, 1]), (3, 3)),
    'host data': (lambda x: x + np.ones((2, 3)), (2, 3)),
    'variable': (lambda x: tv.Variable(tv.ones([2, 3])) * x, (2, 3)),
    'split': (lambda x: tv.split(x, 3, axis=1)[0], (2, 1)),
    'where': (lambda x: tv.where(x > 0.0, x, 0.0), (2, 3)),
}


@pytest.mark.parametrize('name', PROGRAMS)
def test_programs(device: str, name: str) -> None:
    function, shape = PROGRAMS[name]
    x = blank((2, 3), device=device)
    with tv.device(device):
        result = function(x)
    assert seen(result) == ArraySpec(shape, np.dtype(np.float32))
    assert result.device.endswith(device)


def test_dtypes_follow_the_rules() -> None:
    x = blank((2,), tv.float64)
    assert seen(tv.cast(x, tv.int32)).dtype == np.int32
    assert seen(x > 1.0).dtype == np.bool_
    assert seen(tv.argmax(x)).dtype == np.int64
    assert (x + 1).dtype is tv.float64


def test_unknown_dimensions() -> None:
    x = blank((None, 3))
    assert x.shape.as_list() == [None, 3]
    assert seen(x * x + 1.0).shape == (None, 3)
    assert seen(tv.matmul(x, tv.ones([3, 5]))).shape == (None, 5)
    assert seen(tv.reduce_sum(x, axis=0)).shape == (3,)


def test_forwards_that_need_no_data_do_not_run() -> None:
    """The largest of no values is known without a look; there is still nothing here."""
    assert seen(tv.reduce_max(blank((0, 3)), axis=0)).shape == (3,)
    assert seen(tv.zeros_like(blank((2, 3)))).shape == (2, 3)


def test_rules_still_refuse() -> None:
    x = blank((2, 3))
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[AddV2\]'):
        x + tv.ones([4])
    with pytest.raises(errors.InvalidTypeError, match='float64'):
        x + tv.ones([3], tv.float64)


LOOKS: dict[str, Callable[[Any], Any]] = {
    'numpy': lambda x: x.numpy(),
    'asarray': np.asarray,
    'bool': bool,
    'int': int,
    'float': float,
    'complex': complex,
    'item': lambda x: x.item(),
    'repr': repr,
    'numpy function': np.sqrt,
}


@pytest.mark.parametrize('look', LOOKS)
def test_looks_are_refused(device: str, look: str) -> None:
    x = blank((), device=device)
    with pytest.raises(errors.OperatorNotAllowedInGraphError, match='without data'):
        LOOKS[look](x)


def test_nothing_is_computed_or_copied(simulated_gpus: list[str]) -> None:
    x, y = blank((1000,), device='GPU:0'), blank((1000,), device='CPU:0')
    before = tv.config.get_memory_info('GPU:0')['current']
    with (
        tv.transfer_guard('disallow'),
        tv.debugging.record_placement() as log,
        tv.device('GPU:1'),
    ):
        z = tv.sin(x + y) * x
    assert z.device.endswith('GPU:1')
    assert seen(z).shape == (1000,)
    assert log.copies == []
    assert tv.config.get_memory_info('GPU:0')['current'] == before
    assert tv.config.get_memory_info('GPU:1')['peak'] == 0


def test_records() -> None:
    x = blank((2, None))
    with tv.debugging.record_placement() as log:
        x + x
    [record] = log.records
    assert record.shapes == ((2, None), (2, None))
    assert record.nbytes == 0
    assert 0 < record.start_ns <= record.end_ns


def test_gradients(device: str) -> None:
    x = blank((2, 3), device=device)
    v = tv.Variable(tv.ones([3]))
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.reduce_sum(tv.nn.softmax(x * v) * x)
    by_x, by_v = tape.gradient(y, [x, v])
    assert seen(by_x).shape == (2, 3)
    assert seen(by_v).shape == (3,)


def test_the_suite_checks_every_op() -> None:
    """A rule that lies is noticed on both paths, by the fixture of the whole suite."""
    before = len(verify_rules._seen)
    tv.constant([[1.0] * 7] * 3) + tv.constant([[1.0] * 7] * 3)
    assert len(verify_rules._seen) >= before
    keys = {(key[0], key[1][0].shape) for key in verify_rules._seen if key[1]}
    assert ('AddV2', (3, 7)) in keys
