"""The process of one library, as the harness sees it."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MESSAGE_LINES = 20

PINNED_KERNELS = frozenset({
    'ATEN_CPU_CAPABILITY', 'MKL_CBWR', 'MKL_ENABLE_INSTRUCTIONS', 'ONEDNN_MAX_CPU_ISA',
    'OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE',
})  # fmt: skip
"""Variables that keep a library from choosing its kernels by itself."""


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: turns of each library at each case.
        batches: timed batches per turn; the turn's time is their median.
        batch_seconds: about how long a batch lasts.
        rest_seconds: pause before a turn. Threads of a linear algebra library spin for
            a while after their last work, and would take a core from the next library.
    """

    rounds: int = 5
    batches: int = 5
    batch_seconds: float = 0.01
    rest_seconds: float = 0.05


QUICK = Effort(rounds=1, batches=1, batch_seconds=0.0005, rest_seconds=0.01)


class Contender:
    """A library's process. It starts when made, and is ready after ``meet``.

    Attributes:
        name: of the library.
        version: of the library.
        cases: what it can time.
        memory: bytes of the process, at most, when the library was loaded (``'start'``)
            and since (``'peak'``).
    """

    def __init__(self, name: str, interpreter: str, family: str, device: str) -> None:
        self.name = name
        self.version = ''
        self.cases: list[str] = []
        self.memory: dict[str, int] = {}
        # What it says is shown only if it fails: peers chat while they load.
        self._said = tempfile.TemporaryFile('w+')
        self._process = subprocess.Popen(
            [interpreter, '-m', 'benchmarks.worker', name, family, device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=ROOT,
            env=quiet_environment(),
        )

    def meet(self) -> None:
        """Waits until the library is loaded and its cases are built.

        Raises:
            RuntimeError: the process ended.
        """
        answer = self._answer()
        self.version = answer['version']
        self.cases = answer['cases']
        self.memory['start'] = answer['start_bytes']

    def seconds(self, case: str, effort: Effort) -> float:
        """Seconds per call of one case, in one round.

        Raises:
            RuntimeError: the process ended.
        """
        request = {
            'case': case,
            'batch_seconds': effort.batch_seconds,
            'batches': effort.batches,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + '\n')
        self._process.stdin.flush()
        answer = self._answer()
        self.memory['peak'] = answer['peak_bytes']
        return float(answer['seconds'])

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()
        self._said.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._said.seek(0)
            last = self._said.readlines()[-MESSAGE_LINES:]
            raise RuntimeError(f'the process of {self.name} ended with {code}:\n{"".join(last)}')
        answer: dict[str, Any] = json.loads(line)
        return answer


def quiet_environment() -> dict[str, str]:
    """The environment without simulated GPUs, and with peers kept from chatting.

    What makes one linear algebra library compute as if it ran on an older processor, so that
    results are the same on many machines, is left out too.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('TENSORVAR_SIMULATE') and name not in PINNED_KERNELS
    }
    return {**kept, 'TF_CPP_MIN_LOG_LEVEL': '3'}
