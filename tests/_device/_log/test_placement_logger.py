"""The lines of the placement log: format, counts, and where they become visible."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tensorvar._device import listeners, scope, switches
from tensorvar._device._log import placement_logger
from tests.support import records as samples
from tests.support.source_tree import ROOT

NAME = 'tensorvar.placement'


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    placement_logger.set_log_device_placement(True)
    yield caplog
    placement_logger.set_log_device_placement(False)


@pytest.mark.parametrize(
    ('fields', 'expected'),
    [
        ({}, 'MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, train.py:12]'),
        (
            {'copies': (samples.copy(), samples.copy(cached=True))},
            'MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, train.py:12]  '
            'copied a 24 B CPU:0 -> GPU:0',
        ),
        (
            {'copies': (samples.copy(variable='w:0'), samples.copy(operand='b', nbytes=2048))},
            'MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, train.py:12]  '
            'copied w:0 24 B CPU:0 -> GPU:0, b 2 KiB CPU:0 -> GPU:0',
        ),
        (
            {'dtype': 'bfloat16', 'shapes': ((3,), ())},
            'MatMul (3,)x() bfloat16 (computed in float32) -> GPU:0  [explicit, train.py:12]',
        ),
        (
            {'reason': 'fallback', 'note': 'asked GPU:7', 'device': 'CPU:0', 'shapes': ()},
            'MatMul float32 -> CPU:0  [fallback: asked GPU:7, train.py:12]',
        ),
    ],
)
def test_line(fields: dict[str, object], expected: str) -> None:
    assert placement_logger.placement_line(samples.placement(**fields)) == expected


def test_one_line_per_site_op_device_and_reason(log: pytest.LogCaptureFixture) -> None:
    distinct = [{}, {'where': 'a.py:1'}, {'op': 'Add'}, {'device': 'CPU:0'}, {'reason': 'inputs'}]
    for fields in distinct * 2:
        listeners.emit(samples.placement(**fields), None)
    assert len(log.messages) == len(distinct)


def test_repeats_are_counted_at_powers_of_ten(log: pytest.LogCaptureFixture) -> None:
    for _ in range(1000):
        listeners.emit(samples.placement(copies=(samples.copy(),)), None)
    assert log.messages[1:] == [
        'MatMul -> GPU:0  [explicit, train.py:12]  x 10 so far, copied 240 B',
        'MatMul -> GPU:0  [explicit, train.py:12]  x 100 so far, copied 2.3 KiB',
        'MatMul -> GPU:0  [explicit, train.py:12]  x 1,000 so far, copied 23.4 KiB',
    ]


def test_switching_off_reports_the_rest_and_forgets(log: pytest.LogCaptureFixture) -> None:
    for _ in range(12):
        listeners.emit(samples.placement(), None)
    placement_logger.set_log_device_placement(False)
    assert log.messages[-1] == 'MatMul -> GPU:0  [explicit, train.py:12]  x 12 so far'
    listeners.emit(samples.placement(), None)
    assert len(log.messages) == 3
    placement_logger.set_log_device_placement(True)
    listeners.emit(samples.placement(), None)
    assert len(log.messages) == 4
    placement_logger.set_log_device_placement(False)
    assert len(log.messages) == 4


def test_copies_outside_of_ops_have_their_own_line(log: pytest.LogCaptureFixture) -> None:
    listeners.emit(samples.copy(op='numpy', operand='value', explicit=True), None)
    listeners.emit(samples.copy(record_id=7), None)
    listeners.emit(samples.copy(cached=True), None)
    listeners.emit(samples.event(), None)
    assert log.messages == ['numpy  [explicit copy, train.py:12]  copied value 24 B CPU:0 -> GPU:0']


def test_the_getter_follows_the_setter() -> None:
    assert not placement_logger.get_log_device_placement()
    placement_logger.set_log_device_placement(True)
    assert placement_logger.get_log_device_placement()
    assert switches.flags & switches.LOG_PLACEMENT
    placement_logger.set_log_device_placement(False)
    assert not placement_logger.get_log_device_placement()


class LoggingScope(scope.Scope):
    """Stands for a device scope with ``log=True``."""

    log = True

    def apply(self, state: scope.ContextState) -> None:
        state.device_scope = self


def test_a_scope_logs_its_own_placements_only(caplog: pytest.LogCaptureFixture) -> None:
    with LoggingScope():
        listeners.emit(samples.placement(op='Inside'), scope.current())
    listeners.emit(samples.placement(op='Outside'), scope.current())
    placement_logger.set_log_device_placement(False)
    assert [message.split()[0] for message in caplog.messages] == ['Inside']


PROGRAM = """
import logging, sys
from tensorvar._device import listeners
from tensorvar._device._log import placement_logger
from tests.support import records
{setup}
placement_logger.set_log_device_placement(True)
listeners.emit(records.placement(), None)
listeners.emit(records.placement(), None)
"""
LINE = 'MatMul (2,3)x(3,2) float32 -> GPU:0  [explicit, train.py:12]'
COUNT = 'MatMul -> GPU:0  [explicit, train.py:12]  x 2 so far'


@pytest.mark.parametrize(
    ('setup', 'stdout', 'stderr'),
    [
        ('', [], [LINE, COUNT]),
        (
            'logging.basicConfig(format="%(name)s %(message)s", stream=sys.stdout)',
            [f'{NAME} {LINE}', f'{NAME} {COUNT}'],
            [],
        ),
        (f'logging.getLogger("{NAME}").setLevel(logging.WARNING)', [], []),
    ],
)
def test_visible_without_configuration(setup: str, stdout: list[str], stderr: list[str]) -> None:
    """Standard error where nothing is configured; the program's handlers otherwise."""
    program = [sys.executable, '-c', PROGRAM.format(setup=setup)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    assert (done.stdout.splitlines(), done.stderr.splitlines()) == (stdout, stderr)


def test_own_handler_gives_way_to_the_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger(NAME)
    monkeypatch.setattr(logger, 'propagate', False)
    placement_logger.set_log_device_placement(True)
    listeners.emit(samples.placement(op='First'), None)
    handler = logging.NullHandler()
    logger.addHandler(handler)
    listeners.emit(samples.placement(op='Second'), None)
    assert logger.handlers == [handler]
    logger.removeHandler(handler)
    placement_logger.set_log_device_placement(False)
    assert capsys.readouterr().err.split()[0] == 'First'
    assert logger.handlers == []
