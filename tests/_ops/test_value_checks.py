"""Checks of values that go into arithmetic."""

import types
from typing import ClassVar

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._device import switches
from tensorvar._ops import _index_checks, _value_checks


class CardArray(np.ndarray):
    """An array that the host can read only through ``get``, which says how much it read."""

    read: ClassVar[list[int]] = []

    def get(self):
        self.read.append(self.size)
        return np.array(self)


CARD = types.SimpleNamespace(__name__='cupy', asarray=lambda x: np.asarray(x).view(CardArray))


def on_card(data):
    CardArray.read.clear()
    return CARD.asarray(data)


@pytest.fixture
def synchronous():
    switches.set_switch(switches.SYNCHRONOUS, True)
    yield
    switches.set_switch(switches.SYNCHRONOUS, False)


def test_the_first_bad_place_is_named():
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[Op\] why, first at \[1, 0\]$'):
        _value_checks.refuse_where(np, np.array([[False, False], [True, True]]), 'Op', 'why')
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[Op\] why$'):
        _value_checks.refuse_where(np, np.array(True), 'Op', 'why')
    _value_checks.refuse_where(np, np.zeros((2, 0), bool), 'Op', 'why')


def test_a_card_is_not_waited_for():
    bad = on_card([True])
    _value_checks.refuse_where(CARD, bad, 'Op', 'why')
    assert bad.read == []


def test_a_card_is_waited_for_where_the_op_does():
    bad = on_card([False, True])
    with pytest.raises(errors.InvalidArgumentError, match=r'first at \[1\]$'):
        _value_checks.refuse_where(CARD, bad, 'Op', 'why', waits=True)
    assert bad.read == [1, 2]


@pytest.mark.usefixtures('synchronous')
def test_a_card_is_waited_for_if_that_was_asked_for():
    good, bad = on_card([False] * 9), on_card([True])
    _value_checks.refuse_where(CARD, good, 'Op', 'why')
    assert good.read == [1]
    with pytest.raises(errors.InvalidArgumentError):
        _value_checks.refuse_where(CARD, bad, 'Op', 'why')


def test_of_good_indices_on_a_card_one_bool_is_read():
    indices = on_card(np.arange(5))
    _index_checks.refuse_outside(CARD, 'Op', indices, 5)
    assert indices.read == [1]
    with pytest.raises(errors.InvalidIndexError, match=r'indices\[4\] = 4 is not in \[0, 4\)'):
        _index_checks.refuse_outside(CARD, 'Op', indices, 4)
