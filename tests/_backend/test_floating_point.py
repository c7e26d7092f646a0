"""NumPy code runs without warnings, and leaves the error state of its caller."""

import contextvars
import warnings

import numpy as np
import pytest

from tensorvar._backend import floating_point

LARGEST = np.array([np.finfo(np.float32).max])


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def test_a_quiet_call_warns_nobody():
    assert np.isinf(floating_point.quietly(np.add, LARGEST, LARGEST))
    assert np.isnan(floating_point.quietly(np.log, -LARGEST))


def test_the_state_of_the_caller_stays():
    with np.errstate(over='raise'):
        floating_point.quietly(np.add, LARGEST, LARGEST)
        with pytest.raises(FloatingPointError):
            np.add(LARGEST, LARGEST)


def test_an_error_goes_through():
    with pytest.raises(ValueError, match='broadcast'):
        floating_point.quietly(np.add, np.ones(2), np.ones(3))
    assert floating_point.quietly(np.add, 1, 2) == 3


def test_a_call_within_a_call_is_refused_before_it_has_done_anything():
    seen = []
    with pytest.raises(RuntimeError, match='already entered'):
        floating_point.quietly(floating_point.quietly, seen.append, 1)
    assert not seen


def test_variables_of_the_context_are_not_seen():
    variable = contextvars.ContextVar('variable', default='none')
    token = variable.set('mine')
    try:
        assert floating_point.quietly(variable.get) == 'none'
    finally:
        variable.reset(token)
