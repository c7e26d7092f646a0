"""Transfer guards, budgets and the device policy: who decides, and what is said."""

import concurrent.futures
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tensorvar import errors
from tensorvar._backend import guard
from tensorvar._device import scope, switches

ALL = (guard.HOST_TO_DEVICE, guard.DEVICE_TO_HOST, guard.DEVICE_TO_DEVICE)


@pytest.fixture(autouse=True)
def silent_policy() -> Iterator[None]:
    yield
    guard.set_device_policy(None)
    guard._log.reset()


def request(**fields: Any) -> guard.Request:
    defaults: dict[str, Any] = {
        'direction': guard.HOST_TO_DEVICE,
        'op': 'MatMul',
        'operand': 'a',
        'variable': None,
        'created': None,
        'source': 'CPU:0',
        'destination': 'GPU:0',
        'nbytes': 24,
        'dtype': 'float32',
    }
    return guard.Request(**{**defaults, **fields})


def check(is_operand: bool = True, **fields: Any) -> None:
    guard.check(request(**fields), scope.current(), is_operand=is_operand)


def test_a_guard_takes_ops_off_the_fast_path() -> None:
    with guard.transfer_guard('allow') as entered:
        state = scope.current()
        assert state is not None
        assert state.guards == (entered,)
        assert not state.plain


def test_disallow_says_everything() -> None:
    with (
        guard.transfer_guard('disallow') as entered,
        pytest.raises(errors.TransferError) as caught,
    ):
        check(variable='w:0', created='/home/me/train.py:3')
    assert str(caught.value) == (
        "[MatMul] operand 'a' (variable 'w:0', created at train.py:3) lies on CPU:0 and is needed "
        f"on GPU:0: an implicit host to device copy of 24 B; transfer_guard('disallow') of "
        f'{entered.where.short} refuses it; explicit copies are allowed: use tv.identity(...) '
        "inside `with tv.device('GPU:0')`, or open tv.transfer_guard('allow')"
    )
    assert caught.value.op == 'MatMul'
    assert entered.where.path == __file__
    assert entered.used == 0


def test_disallow_of_a_read_says_numpy() -> None:
    with guard.transfer_guard('disallow'), pytest.raises(errors.TransferError, match='numpy()'):
        check(is_operand=False, op='bool', direction=guard.DEVICE_TO_HOST)


@pytest.mark.parametrize('direction', ALL)
def test_each_direction_has_its_mode(direction: str) -> None:
    with guard.transfer_guard('allow', **{direction: 'disallow'}):
        for other in ALL:
            if other != direction:
                check(direction=other)
        with pytest.raises(errors.TransferError):
            check(direction=direction)


def test_the_innermost_guard_decides() -> None:
    with guard.transfer_guard('disallow'):
        with guard.transfer_guard('allow'):
            check()
        with pytest.raises(errors.TransferError):
            check()


def test_a_guard_that_says_nothing_leaves_it_to_the_enclosing_one() -> None:
    with guard.transfer_guard('disallow'):
        with guard.transfer_guard(budget='1MiB'), pytest.raises(errors.TransferError):
            check()
        with guard.transfer_guard(device_to_host='allow'):
            check(direction=guard.DEVICE_TO_HOST)
            with pytest.raises(errors.TransferError):
                check()


def test_warn_comes_once_per_line() -> None:
    def same_line() -> None:
        check(variable='w:0')

    with guard.transfer_guard('warn'), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        same_line()
        same_line()
        guard.check(request(), scope.current(), is_operand=True)
    assert [warning.category for warning in caught] == [errors.TransferWarning] * 2
    assert caught[0].filename == __file__
    assert "(variable 'w:0')" in str(caught[0].message)
    assert f'at test_guard.py:{caught[0].lineno}' in str(caught[0].message)


def test_with_the_usual_filter_a_new_guard_warns_no_more() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('default')
        for _ in range(3):
            with guard.transfer_guard('warn'):
                check()
    assert len(caught) == 1


def test_a_warning_that_raises_raises_every_time() -> None:
    with guard.transfer_guard('warn'):
        for _ in range(2):
            with pytest.raises(errors.TransferWarning):
                check()


def test_log_writes_a_line_and_counts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, 'tensorvar.transfer'), guard.transfer_guard('log'):
        for _ in range(10):
            check(variable='w:0')
    line, count = caplog.messages
    where = r'\[implicit copy, test_guard\.py:\d+\]'
    assert re.fullmatch(rf'MatMul w:0 24 B CPU:0 -> GPU:0  {where}', line)
    assert re.fullmatch(rf'MatMul w:0 CPU:0 -> GPU:0  {where}  x 10 so far, copied 240 B', count)


def test_a_budget_raises_before_it_is_exceeded() -> None:
    with guard.transfer_guard('allow', budget='1KiB') as entered:
        check(nbytes=1000)
        check(nbytes=24)
        with pytest.raises(
            errors.TransferError, match=r"budget='1 KiB'\) of test_guard\.py:\d+ has used 1 KiB"
        ):
            check(nbytes=1)
        check(nbytes=0)
        assert entered.used == 1024


def test_every_enclosing_budget_is_charged() -> None:
    with guard.transfer_guard(budget=100) as outer:
        with guard.transfer_guard('allow', budget=60) as inner:
            check(nbytes=50)
            with pytest.raises(errors.TransferError, match='60 B'):
                check(nbytes=20)
        assert (outer.used, inner.used) == (50, 50)
        with guard.transfer_guard('allow'), pytest.raises(errors.TransferError, match='100 B'):
            check(nbytes=51)
        assert outer.used == 50


def test_a_guard_entered_twice_is_charged_once() -> None:
    entered = guard.transfer_guard(budget=100)
    with entered, entered:
        check(nbytes=60)
    with entered, pytest.raises(errors.TransferError):
        check(nbytes=60)
    assert entered.used == 60


def test_a_budget_is_exact_between_threads() -> None:
    entered = guard.transfer_guard(budget=1_000)
    start = threading.Barrier(4)

    def work() -> int:
        start.wait()
        passed = 0
        for _ in range(500):
            try:
                check(nbytes=1)
            except errors.TransferError:
                continue
            passed += 1
        return passed

    with entered, concurrent.futures.ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(scope.propagate(work)) for _ in range(4)]
        assert sum(future.result() for future in futures) == 1_000
    assert entered.used == 1_000


@pytest.mark.parametrize('name', ['mode', *ALL])
def test_unknown_modes_are_refused(name: str) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="'error' is no mode; .* 'disallow'"):
        guard.transfer_guard(**{name: 'error'})


def test_a_budget_must_be_a_size() -> None:
    with pytest.raises(errors.InvalidArgumentError, match=r"^\[transfer_guard\] 'lots' is no size"):
        guard.transfer_guard(budget='lots')


def test_a_guard_shows_what_it_was_given() -> None:
    shown = repr(guard.transfer_guard('log', device_to_host='allow', budget='1KiB'))
    assert shown.startswith("<tv.transfer_guard(host_to_device='log', device_to_host='allow', ")
    assert 'budget=1024) of test_guard.py:' in shown


def test_the_policy_is_silent_at_first() -> None:
    assert guard.get_device_policy() == 'silent'
    check()


@pytest.mark.parametrize('policy', ['silent', 'warn', 'explicit', 'silent_for_int32'])
def test_get_returns_what_set_was_given(policy: str) -> None:
    guard.set_device_policy(policy)
    assert guard.get_device_policy() == policy
    assert bool(switches.flags & switches.DEVICE_POLICY) == (policy != 'silent')
    guard.set_device_policy(None)
    assert guard.get_device_policy() == 'silent'
    assert not switches.flags


def test_explicit_refuses_operands_only() -> None:
    guard.set_device_policy('explicit')
    check(is_operand=False)
    with pytest.raises(errors.InvalidArgumentError, match=r"set_device_policy\('explicit'\)"):
        check()


def test_silent_for_int32() -> None:
    guard.set_device_policy('silent_for_int32')
    check(dtype='int32')
    with pytest.raises(errors.TransferError, match=r"set_device_policy\('silent_for_int32'\)"):
        check(dtype='int64')


def test_the_policy_warns_once_per_line() -> None:
    guard.set_device_policy('warn')
    with pytest.warns(errors.TransferWarning, match='reports it once per line'):
        check()
    check()


def test_a_guard_with_a_mode_wins_over_the_policy() -> None:
    guard.set_device_policy('explicit')
    with guard.transfer_guard('allow'):
        check()
    with guard.transfer_guard(budget='1MiB') as entered, pytest.raises(errors.TransferError):
        check()
    assert entered.used == 0


def test_unknown_policies_are_refused() -> None:
    with pytest.raises(ValueError, match="'loud' is no policy; allowed are None, 'silent'"):
        guard.set_device_policy('loud')
