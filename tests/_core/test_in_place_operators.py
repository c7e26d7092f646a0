"""Python's in-place operators: refused, or another object."""

import operator
from typing import Any

import pytest

import tensorvar as tv


def variable(value: Any = (1.0, 2.0, 3.0), **keywords: Any) -> tv.Variable:
    return tv.Variable(value, **{'name': 'v', **keywords})


@pytest.mark.parametrize(
    ('apply', 'method'),
    [
        (operator.iadd, 'assign_add'),
        (operator.isub, 'assign_sub'),
        (operator.imul, 'assign'),
        (operator.itruediv, 'assign'),
        (operator.ipow, 'assign'),
    ],
)
def test_in_place_operators_are_refused(apply: Any, method: str) -> None:
    v = variable()
    with pytest.raises(RuntimeError, match=rf'use variable\.{method}\('):
        apply(v, 2.0)
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


def test_other_in_place_operators_rebind(device: str) -> None:
    with tv.device(device):
        m, n = variable([[1.0, 2.0], [3.0, 4.0]]), variable(7)
        v, k = m, n
        v @= m
        k //= 2
    assert isinstance(v, tv.Tensor)
    assert v.numpy().tolist() == [[7.0, 10.0], [15.0, 22.0]]
    assert int(k) == 3
    assert n.numpy() == 7
