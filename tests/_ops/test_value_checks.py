"""Checks of values that go into arithmetic."""

import types

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._device import switches
from tensorvar._ops import _value_checks


class CardArray:
    """An array that the host can read only through ``get``."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def get(self):
        return self.data


CARD = types.SimpleNamespace(__name__='cupy')


def test_the_first_bad_place_is_named():
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[Op\] why, first at \[1, 0\]$'):
        _value_checks.refuse_where(np, np.array([[False, False], [True, True]]), 'Op', 'why')
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[Op\] why$'):
        _value_checks.refuse_where(np, np.array(True), 'Op', 'why')
    _value_checks.refuse_where(np, np.zeros((2, 0), bool), 'Op', 'why')


def test_a_card_is_waited_for_only_if_that_was_asked_for():
    bad = CardArray([True])
    _value_checks.refuse_where(CARD, bad, 'Op', 'why')
    switches.set_switch(switches.SYNCHRONOUS, True)
    try:
        with pytest.raises(errors.InvalidArgumentError):
            _value_checks.refuse_where(CARD, bad, 'Op', 'why')
    finally:
        switches.set_switch(switches.SYNCHRONOUS, False)
