"""A forked child records and logs, whichever thread held a lock at the fork."""

import subprocess
import sys

from tests.support.source_tree import ROOT

PROGRAM = """
import os, threading
from tensorvar._backend import guard
from tensorvar._device import listeners, scope
from tensorvar._device._log import counted_log, placement_logger, recorder, recording
from tests.support import records

locks = [guard._charging, listeners._lock, counted_log._lock, recording._lock]
threading.Thread(target=lambda: [lock.acquire() for lock in locks]).start()
child = os.fork()
if child:
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
with recorder.record_placement() as log, guard.transfer_guard(budget=100) as guarded:
    placement_logger.set_log_device_placement(True)
    listeners.emit(records.placement(), scope.current())
    request = guard.Request(
        'host_to_device', 'Add', 'x', None, None, 'CPU:0', 'GPU:0', 24, 'int32')
    guard.check(request, scope.current(), is_operand=True)
assert len(log.records) == 1 and guarded.used == 24
os._exit(7)
"""


def test_locks_are_renewed_in_a_forked_child() -> None:
    program = [sys.executable, '-c', PROGRAM]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stderr.split()[:1]) == (7, ['MatMul']), done.stderr
