"""What stays bounded however long a program runs: counts, not times.

``python -m benchmarks.bounds`` prints them as JSON, for 10 to 10,000 repetitions. A simulated
GPU serves, since a count is the same on a real one.
"""

import json
from collections.abc import Callable, Sequence

import tensorvar as tv

REPETITIONS = (10, 100, 1_000, 10_000)
KIB = 1024


def replicas(times: int) -> int:
    """KiB on the GPU after a CPU variable of 1 KiB was written and read there so often."""
    variable = _variable()
    for _ in range(times):
        variable.assign_add(tv.ones_like(variable))
        with tv.device('GPU:0'):
            tv.reduce_sum(variable)
    in_use: int = tv.config.get_memory_info('GPU:0')['current']
    return in_use // KIB


def copies(times: int) -> int:
    """Copies of a CPU variable that was read so often on the GPU and never written."""
    variable = _variable()
    with tv.debugging.record_placement() as log, tv.device('GPU:0'):
        for _ in range(times):
            tv.reduce_sum(variable)
    return sum(not copy.cached for copy in log.copies)


def traces(times: int) -> int:
    """Traces of a function that was called so often with arguments of one signature."""
    double = tv.function(lambda x: x * 2.0)
    for number in range(times):
        double(tv.constant(float(number)))
    count: int = double.experimental_get_tracing_count()
    return count


COUNTS: dict[str, Callable[[int], int]] = {
    'KiB on the GPU: write and read there of a 1 KiB variable': replicas,
    'copies to the GPU: read there of a variable': copies,
    'traces: call of a function': traces,
}


def count(repetitions: Sequence[int] = REPETITIONS) -> dict[str, dict[str, int]]:
    """Each count by the number of repetitions. There must be a ``GPU:0``."""
    return {
        name: {str(times): function(times) for times in repetitions}
        for name, function in COUNTS.items()
    }


def _variable() -> tv.Variable:
    with tv.device('CPU:0'):
        return tv.Variable(tv.zeros([KIB // 4]))


if __name__ == '__main__':
    tv.config.simulate_gpus(1)
    print(json.dumps(count()))
