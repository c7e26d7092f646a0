"""The records of the assign ops: rules, and computing in place like computing aside."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import dtypes, errors
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, OPS, ArraySpec
from tensorvar._ops import assign

FLOAT32 = dtypes.float32.numpy
WHOLE = [assign.ASSIGN, assign.ASSIGN_ADD, assign.ASSIGN_SUB]
SAMPLES = [dtype for dtype in dtypes.ALL if dtype is not dtypes.string]


def spec(*shape: int) -> ArraySpec:
    return ArraySpec(shape, FLOAT32)


@pytest.mark.parametrize('op', [*WHOLE, assign.ASSIGN_SLICE], ids=repr)
def test_records_are_registered_and_not_differentiable(op: Any) -> None:
    assert OPS[op.name] is op
    assert op.gradient is NOT_DIFFERENTIABLE
    assert op.in_place is not None


def test_rules() -> None:
    assert assign.ASSIGN.infer(spec(2), spec(3, 4)) == spec(3, 4)
    for op in WHOLE[1:]:
        assert op.infer(spec(2, 3), spec(2, 3)) == spec(2, 3)
        for other in ((), (3,), (1, 3), (2, 3, 1)):
            with pytest.raises(errors.InvalidArgumentError, match=rf'^\[{op.name}\] .*\[2, 3\]'):
                op.infer(spec(2, 3), spec(*other))


@pytest.mark.parametrize(
    ('part', 'value', 'fits'),
    [
        ((3,), (), True),
        ((3,), (3,), True),
        ((3,), (1,), True),
        ((3,), (1, 1, 3), True),
        ((2, 3), (3,), True),
        ((2, 3), (2, 1), True),
        ((), (1,), True),
        ((0,), (), True),
        ((0,), (1,), True),
        ((3,), (2,), False),
        ((3,), (2, 3), False),
        ((2, 3), (2,), False),
        ((), (2,), False),
        ((0,), (2,), False),
    ],
)
def test_what_broadcasts_to_a_slice(part: Any, value: Any, fits: bool) -> None:
    """The rule agrees with NumPy's assignment."""
    shape = tuple(dim + 1 for dim in part)
    where = tuple(('slice', 0, dim, 1) for dim in part)
    key = tuple(slice(0, dim) for dim in part)
    target = np.zeros(shape, np.float32)
    if fits:
        target[(*key, ...)] = np.ones(value, np.float32)
        assert assign.ASSIGN_SLICE.infer(
            spec(*shape), spec(*value), spec=where, indexed=shape
        ) == spec(*shape)
        return
    with pytest.raises(ValueError, match='could not broadcast'):
        target[(*key, ...)] = np.ones(value, np.float32)
    with pytest.raises(errors.InvalidArgumentError, match='has to broadcast to the slice'):
        assign.ASSIGN_SLICE.infer(spec(*shape), spec(*value), spec=where, indexed=shape)


def test_a_slice_of_another_shape_is_stale() -> None:
    with pytest.raises(errors.InvalidArgumentError, match='index it again'):
        assign.ASSIGN_SLICE.infer(spec(2), spec(), spec=(('int', 0),), indexed=(3,))


@pytest.mark.parametrize('dtype', SAMPLES, ids=lambda dtype: dtype.name)
def test_every_dtype_in_place_and_aside(device: str, dtype: dtypes.DType) -> None:
    start, value = np.array([1, 0, 1]).astype(dtype.numpy), np.array([1, 1, 0]).astype(dtype.numpy)
    with tv.device(device):
        v, given = tv.Variable(start), tv.constant(value)
    writes: list[tuple[Any, Any]] = [(lambda: v.assign(given), value)]
    if dtype.is_numeric:
        writes += [
            (lambda: v.assign_add(given), (start + value).astype(dtype.numpy)),
            (lambda: v.assign_sub(given), (start - value).astype(dtype.numpy)),
        ]
    sliced = start.copy()
    sliced[1:] = value[1:]
    writes.append((lambda: v[1:].assign(given[1:]), sliced))
    for write, expected in writes:
        for hold in (False, True):
            v.assign(start)
            held = v.value() if hold else None
            write()
            assert v.value()._spec().dtype is dtype.numpy
            np.testing.assert_array_equal(v.numpy(), expected)
            if held is not None:
                np.testing.assert_array_equal(held.numpy(), start)


def test_integers_wrap_around(device: str) -> None:
    with tv.device(device):
        v = tv.Variable([127, -128], dtype=tv.int8)
    v.assign_add([1, -1])
    assert v.numpy().tolist() == [-128, 127]


def test_strings(simulated_gpus: list[str]) -> None:
    v = tv.Variable(['a', 'b'])
    v.assign(['c', 'd'])
    v[0].assign('e')
    assert v.numpy().tolist() == [b'e', b'd']


@pytest.mark.parametrize('shape', [(0,), (2, 0, 3)])
def test_empty_variables(device: str, shape: Any) -> None:
    with tv.device(device):
        v = tv.Variable(tv.zeros(shape))
    assert v.assign(np.zeros(shape)) is v
    assert v.assign_add(tv.zeros(shape)) is v
    assert v[...].assign(1.0) is v
    assert v.numpy().shape == shape


def test_the_lone_buffer_is_kept(device: str) -> None:
    with tv.device(device):
        v = tv.Variable(np.zeros(4, np.float32))
        value = tv.ones([4])
    before = id(v._array)
    for write in (
        lambda: v.assign(value),
        lambda: v.assign([1, 2, 3, 4]),
        lambda: v.assign_add(value),
        lambda: v.assign_sub([1, 1, 1, 1]),
        lambda: v[1:3].assign(5.0),
    ):
        write()
        assert id(v._array) == before
    assert v.numpy().tolist() == [1.0, 5.0, 5.0, 4.0]
