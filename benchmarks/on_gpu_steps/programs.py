"""Runs other programs, several at once, none of them longer than it may take.

Each has a process group of its own, in the session of whoever runs it: a program that hangs
is ended with all it started, and so is all that runs when the step itself is told to end.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.05

_running: set[int] = set()
_lock = threading.Lock()


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        code: what it returned, negative for a signal; None where it was stopped.
        text: all that it wrote.
        seconds: which it took.
    """

    code: int | None
    text: str
    seconds: float

    @property
    def words(self) -> str:
        """The end in words."""
        if self.code is None:
            return f'hung and was stopped after {self.seconds:.0f} s'
        return f'died of signal {-self.code}' if self.code < 0 else f'ended with {self.code}'


def run(command: Sequence[str], seconds: float, folder: Path, environment: dict[str, str]) -> Ended:
    """Runs a program to its end, or for so many seconds.

    Args:
        command: its words.
        seconds: after which it is stopped, with all it started.
        folder: that it runs in.
        environment: that it sees.
    """
    start = time.monotonic()
    # A file: a pipe would stay open as long as anything that the program left behind.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            process_group=0,
        )
        with noted(process.pid):
            code: int | None
            try:
                code = process.wait(max(seconds, _POLL_SECONDS))
            except subprocess.TimeoutExpired:
                code = None
            finally:
                stop(process)
        output.seek(0)
        text = output.read().decode(errors='replace')
    return Ended(code, text, time.monotonic() - start)


def stop(process: 'subprocess.Popen[Any]') -> None:
    """Ends a program that leads a process group, and what is left of the group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            break
    # What the leader started may outlive it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end_all_on_term() -> None:
    """Has SIGTERM end this process and all programs that it runs."""
    signal.signal(signal.SIGTERM, _end_all)


def _end_all(number: int, frame: FrameType | None) -> None:
    del frame
    for group in tuple(_running):
        with contextlib.suppress(ProcessLookupError):
            # Not SIGKILL: a step has to end what it runs in its turn.
            os.killpg(group, signal.SIGTERM)
    os._exit(128 + number)


@contextlib.contextmanager
def noted(group: int) -> Iterator[None]:
    """Has a process group end with this process meanwhile; see ``end_all_on_term``."""
    with _lock:
        _running.add(group)
    try:
        yield
    finally:
        with _lock:
            _running.discard(group)
