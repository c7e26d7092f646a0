"""NVIDIA's compute-sanitizer over the checks of all families of kernels.

First each tool has to find a mistake that was planted for it: one that finds nothing there
would find nothing elsewhere. Then each tool looks at the families, a few together; where it
finds something, at each of these by itself, so that the one at fault is named. A tool's
verdict is the summary that it writes at its end.
"""

import concurrent.futures
import glob
import os
import re
import shutil
import site
import sys
from typing import NamedTuple

from benchmarks.on_gpu_steps import programs, runner, session
from benchmarks.on_gpu_steps.families import __main__ as program

TOOLS = ('memcheck', 'racecheck', 'synccheck', 'initcheck')
PROGRAM = (sys.executable, '-m', 'benchmarks.on_gpu_steps.families', '--separate')
PLANTED = (sys.executable, '-m', 'benchmarks.on_gpu_steps.planted')
GROUPS = {
    'writes': ('assign', 'transpose', 'fused'),
    'rows': ('gather', 'scatter_atomic', 'scatter_16_bit', 'scatter_sorted', 'scatter_bulk'),
    'steps': ('optimizers', 'reduce'),
    'products': ('simt', 'gemv', 'split_k', 'mma'),
    'hopper': ('sm90', 'sm90_cluster', 'sm90_split_k', 'sm90_tf32'),
    'others': ('graph', 'cublas'),
}
MOST_AT_ONCE = 6
# Given to a tool that knows them: its versions differ.
OPTIONS = {
    # The library looks at what every call returns; some are made to see where they fail.
    '--report-api-errors': 'no',
    # The checks after one at fault go on.
    '--destroy-on-device-error': 'kernel',
    # The checks say themselves what they end with.
    '--check-exit-code': 'no',
    # What the copy engine does for Hopper's products.
    '--check-tensor-ops': 'yes',
    '--launch-timeout': '120',
}

_FOUND_SOMETHING = 9
_HELP_SECONDS = 20.0
_PLACES = (
    '/usr/local/cuda/bin', '/usr/local/cuda/compute-sanitizer', '/usr/local/cuda-*/bin',
    '/usr/local/cuda-*/compute-sanitizer', '/opt/nvidia/compute-sanitizer*',
    '/opt/nvidia/nsight-compute/*/host/target-linux-x64',
)  # fmt: skip
# Folders of wheels: of CUDA 13, of CUDA 12, and of NVIDIA's Conda packages.
_IN_PACKAGES = (
    'nvidia/cu*/bin', 'nvidia/cu*/compute-sanitizer', 'nvidia/cuda_sanitizer_api/bin',
    'nvidia/cuda_sanitizer_api/compute-sanitizer',
)  # fmt: skip
_SUMMARY = re.compile(r'(?:ERROR|RACECHECK) SUMMARY: (\d+) (?:error|hazard)')
_BANNER = 'COMPUTE-SANITIZER'
_SHOWN = 4
_WIDTH = 120
_KEPT = 200


Words = tuple[str, ...]
"""Of a command."""


class Verdict(NamedTuple):
    """What a tool says of a program.

    Attributes:
        wrong: what is wrong; empty where nothing is.
        found: errors that its summary counts; None where it wrote none.
        lines: of its report.
        seconds: which it took.
    """

    wrong: str
    found: int | None
    lines: list[str]
    seconds: float


def find() -> str | None:
    """The tool's path, or None."""
    found = shutil.which('compute-sanitizer')
    if found:
        return found
    homes = [os.environ[name] for name in ('CUDA_HOME', 'CUDA_PATH') if os.environ.get(name)]
    places = [f'{home}/{part}' for home in homes for part in ('bin', 'compute-sanitizer')]
    packages = [*site.getsitepackages(), site.getusersitepackages(), *sys.path]
    places += _PLACES
    places += [f'{folder}/{part}' for folder in packages if folder for part in _IN_PACKAGES]
    for place in places:
        for path in sorted(glob.glob(f'{place}/compute-sanitizer'), reverse=True):
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    return None


def main(step: session.Session) -> None:
    """Tries the tools out, then has them look at every group of families."""
    tool = find()
    if tool is None:
        raise session.SkipStepError(
            'compute-sanitizer was not found: not on the PATH, in CUDA_HOME or CUDA_PATH, '
            'under /usr/local/cuda*, nor in a wheel (nvidia-cuda-sanitizer-api)'
        )
    step.facts['path'] = tool
    known = programs.run((tool, '--help'), _HELP_SECONDS, runner.ROOT, runner.environment()).text
    options = [word for pair in OPTIONS.items() if pair[0] in known for word in pair]
    step.facts['options'] = options
    start = (tool, '--error-exitcode', str(_FOUND_SOMETHING), '--print-limit', '20', *options)
    at_once = max(1, min(MOST_AT_ONCE, (os.cpu_count() or 2) // 2))
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        _look(step, pool, start, _try_out(step, pool, start))


def _try_out(step: session.Session, pool: concurrent.futures.Executor, start: Words) -> list[str]:
    """The tools that find what was planted for them."""
    jobs = {name: pool.submit(_check, step, start, name, (*PLANTED, name)) for name in TOOLS}
    able = []
    for name, job in jobs.items():
        verdict = job.result()
        step.facts[f'planted {name}'] = verdict.lines
        if verdict.found:
            able.append(name)
        else:
            what = verdict.wrong or 'it is said to be clean'
            step.fail(f'{name}: does not find the mistake planted for it: {what}')
    if able:
        step.say(f'{", ".join(able)}: find the mistakes planted for them')
    return able


def _look(
    step: session.Session, pool: concurrent.futures.Executor, start: Words, able: list[str]
) -> None:
    # Memory first: what the other tools say of a stray access is of little use.
    jobs = {
        pool.submit(_check, step, start, name, (*PROGRAM, *members)): (name, group)
        for name in TOOLS
        for group, members in GROUPS.items()
    }
    again: dict[concurrent.futures.Future[Verdict], tuple[str, str]] = {}
    for job in concurrent.futures.as_completed(jobs):
        name, group = jobs[job]
        verdict = job.result()
        _tell(step, f'{name} of {group}', verdict, name in able)
        # A tool that does not work at all would say the same of each.
        if verdict.wrong and name in able and len(GROUPS[group]) > 1:
            for member in GROUPS[group]:
                alone = pool.submit(_check, step, start, name, (*PROGRAM, member))
                again[alone] = (name, member)
    for job in concurrent.futures.as_completed(again):
        name, member = again[job]
        _tell(step, f'{name} of {member} alone', job.result(), name in able)


def _tell(step: session.Session, what: str, verdict: Verdict, able: bool) -> None:
    step.facts[what] = verdict.lines
    clean = 'clean' if able else 'nothing, but nor was the mistake found that was planted'
    say = step.fail if verdict.wrong or not able else step.say
    say(f'{what}: {verdict.wrong or clean} ({verdict.seconds:.0f} s)')


def _check(step: session.Session, start: Words, name: str, command: Words) -> Verdict:
    """Runs a program under a tool."""
    seconds = step.seconds_left()
    if seconds <= 0:
        return Verdict('no time left', None, [], 0.0)
    words = (*start, '--tool', name, *command)
    ended = programs.run(words, seconds, runner.ROOT, runner.environment())
    print(f'$ {" ".join(words)}\n{ended.text}', flush=True)
    return judge(ended)


def judge(ended: programs.Ended) -> Verdict:
    """Reads a tool's report; without a summary nothing was looked at."""
    lines = [line for line in ended.text.splitlines() if line.startswith('=========')]
    counts = [int(match[1]) for line in lines if (match := _SUMMARY.search(line))]
    found = sum(counts) if counts else None
    said = (line.strip('= ') for line in lines)
    shown = [line[:_WIDTH] for line in said if line and line != _BANNER][:_SHOWN]
    report = lines[:_KEPT]
    if ended.code is None:
        wrong = f'not done after {ended.seconds:.0f} s'
    elif found:
        wrong = f'{found} found: {" | ".join(shown)}'
    elif found is None:
        tail = [line for line in ended.text.splitlines() if line.strip()][-1:]
        wrong = f'no summary, {ended.words}: {" | ".join(shown or tail)}'
    elif ended.code not in (0, program.NOT_HERE):
        failed = [line for line in ended.text.splitlines() if line.startswith('FAIL')]
        wrong = f'nothing found, but the program {ended.words}: {" | ".join(failed[:_SHOWN])}'
    else:
        wrong = ''
    return Verdict(wrong, found, report, ended.seconds)


if __name__ == '__main__':
    session.run(main)
