"""A constraint is stored, and applied to every write if it is to be enforced."""

import copy
from typing import Any

import pytest

import tensorvar as tv


def variable(value: Any = (1.0, 2.0, 3.0), **keywords: Any) -> tv.Variable:
    return tv.Variable(value, **{'name': 'v', **keywords})


def clipped(value: tv.Tensor) -> tv.Tensor:
    return tv.clip_by_value(value, 0.0, 1.0)


def test_a_constraint_is_stored_only(device: str) -> None:
    with tv.device(device):
        v = variable([-1.0, 5.0], constraint=clipped)
    assert v.constraint is clipped
    v.assign([-2.0, 7.0])
    assert v.numpy().tolist() == [-2.0, 7.0]


def test_an_enforced_constraint_holds_after_every_write(device: str) -> None:
    with tv.device(device):
        v = variable([0.5, 0.5], constraint=clipped, enforce_constraint=True)
    writes = [
        lambda: v.assign([-2.0, 7.0]),
        lambda: v.assign_add([0.5, -3.0]),
        lambda: v.assign_sub([9.0, -9.0]),
        lambda: v[0].assign(4.0),
        lambda: v.scatter_add(tv.IndexedSlices([3.0], [1])),
        lambda: v.scatter_nd_update([[0]], [-3.0]),
        lambda: v.update(lambda value: value + 5.0),
    ]
    expected = [[0.0, 1.0], [0.5, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]
    for write, value in zip(writes, expected, strict=True):
        assert write() is v
        assert v.numpy().tolist() == value
    copied = copy.deepcopy(v)
    copied.assign([8.0, 8.0])
    assert copied.numpy().tolist() == [1.0, 1.0]


def test_a_constraint_that_fails_changes_nothing(device: str) -> None:
    def refuse(value: tv.Tensor) -> tv.Tensor:
        raise ArithmeticError('not today')

    with tv.device(device):
        v = variable([0.5], constraint=refuse, enforce_constraint=True)
        w = variable([0.5], constraint=tv.reduce_sum, enforce_constraint=True)
    with pytest.raises(ArithmeticError, match='not today'):
        v.assign([1.0])
    with pytest.raises(ValueError, match='Shape mismatch'):
        w.assign([1.0])
    assert (v.numpy(), w.numpy()) == ([0.5], [0.5])
