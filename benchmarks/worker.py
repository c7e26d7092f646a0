"""One library in its own process: answers timing requests, one JSON line each.

Started by ``contender`` as ``python -m benchmarks.worker <library> <family> <device>``,
with an interpreter that has the library. Says first which cases it has and how much memory
it took to load; then reads ``{"case": ..., "batch_seconds": ..., "batches": ...}`` and
answers ``{"seconds": ..., "peak_bytes": ...}``.
"""

import gc
import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from benchmarks import libraries

WARM_UP_CALLS = 3
SLOW_SECONDS = 0.2
OVERTIME = 10


class Case:
    """One timed call, with the number of calls per batch found at first use."""

    def __init__(self, call: Callable[[], Any], wait: Callable[[Any], None]) -> None:
        self._call = call
        self._wait = wait
        self._calls_per_batch = 0

    def seconds_per_call(self, batch_seconds: float, batches: int) -> float:
        """Median over ``batches`` batches that last about ``batch_seconds`` each.

        There are fewer where a single call takes much longer than that.
        """
        if self._calls_per_batch == 0:
            self._calls_per_batch = self._calibrate(batch_seconds)
        times: list[float] = []
        while len(times) < batches and sum(times) < OVERTIME * batches * batch_seconds:
            times.append(self._batch(self._calls_per_batch))
        return statistics.median(times) / self._calls_per_batch

    def _calibrate(self, batch_seconds: float) -> int:
        # The first call may trace and compile; what is slow after that is slow for good.
        self._batch(1)
        for _ in range(WARM_UP_CALLS - 1):
            if self._batch(1) > SLOW_SECONDS:
                return 1
        calls = 1
        while (taken := self._batch(calls)) < batch_seconds / 4:
            calls *= 2
        return max(1, round(calls * batch_seconds / taken))

    def _batch(self, calls: int) -> float:
        call = self._call
        start = time.perf_counter()
        for _ in range(calls):
            result = call()
        self._wait(result)
        return time.perf_counter() - start


def serve(library: libraries.Library, family: str, device: str, replies: TextIO) -> None:
    """Answers requests from standard input until it ends."""
    module = importlib.import_module(library.name)
    start_bytes = peak_bytes()
    program = importlib.import_module(f'benchmarks.bench_{family}')
    build = getattr(program, f'{library.program}_cases', None)
    with library.scope(module, device):
        calls = build(module) if build else {}
        cases = {
            name: Case(call, lambda result: library.wait(module, device, result))
            for name, call in calls.items()
        }
        _send(
            replies,
            version=module.__version__,
            cases=list(cases),
            start_bytes=start_bytes,
        )
        # The collector would stop the clock's owner at random; results are freed by count.
        gc.disable()
        for line in sys.stdin:
            request = json.loads(line)
            case = cases[request['case']]
            seconds = case.seconds_per_call(request['batch_seconds'], request['batches'])
            # Before the answer: after it this would take a core from the next library, for
            # 0.1 s in a process that has loaded a large one.
            gc.collect()
            _send(replies, seconds=seconds, peak_bytes=peak_bytes())


def peak_bytes() -> int:
    """The most memory that this process had so far."""
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes if sys.platform == 'darwin' else kibibytes * 1024


def _send(replies: TextIO, **answer: Any) -> None:
    replies.write(json.dumps(answer) + '\n')
    replies.flush()


def main() -> None:
    """Keeps standard output for answers: what a library prints goes to standard error."""
    name, family, device = sys.argv[1:]
    replies = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(libraries.ALL[name], family, device, replies)


if __name__ == '__main__':
    main()
