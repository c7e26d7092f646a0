"""One small problem for each family of kernels, compared with NumPy, each in its own process.

So a family that hangs, or leaves the card's context broken, is a line among the others. See
``families`` for what is checked.
"""

import concurrent.futures
import os
import sys

from benchmarks.on_gpu_steps import families, programs, runner, session
from benchmarks.on_gpu_steps.families import __main__ as program

PROGRAM = (sys.executable, '-m', 'benchmarks.on_gpu_steps.families')
FAMILY_SECONDS = 45.0
MOST_AT_ONCE = 6

_SHOWN_LINES = 60


def main(step: session.Session) -> None:
    """Runs all families, as many at once as there are cores for, and says each one's end."""
    names = [family.name for family in families.FAMILIES]
    at_once = max(1, min(MOST_AT_ONCE, (os.cpu_count() or 2) // 2))
    good = 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        jobs = {pool.submit(_run, step, name): name for name in names}
        for job in concurrent.futures.as_completed(jobs):
            good += _tell(step, jobs[job], job.result())
    step.say(f'{good} of {len(names)} families are right')


def _run(step: session.Session, name: str) -> programs.Ended:
    seconds = min(FAMILY_SECONDS, step.seconds_left())
    if seconds <= 0:
        return programs.Ended(None, '', 0.0)
    return programs.run((*PROGRAM, name), seconds, runner.ROOT, runner.environment())


def _tell(step: session.Session, name: str, ended: programs.Ended) -> bool:
    """Says how a family did; whether it is right."""
    step.facts[name] = {'code': ended.code, 'seconds': round(ended.seconds, 1)}
    said = [line for line in ended.text.splitlines() if line.startswith(('PASS', 'SKIP', 'FAIL'))]
    last = said[-1] if said else ''
    if ended.code == 0 and last.startswith('PASS'):
        step.say(last)
        return True
    print('\n'.join([f'-- {name}', *ended.text.splitlines()[-_SHOWN_LINES:]]), flush=True)
    if ended.code == program.NOT_HERE and last.startswith('SKIP'):
        step.say(last)
    elif last.startswith('FAIL'):
        step.fail(last)
    else:
        words = ended.text.strip().splitlines()[-1:]
        cut = ended.code is None and ended.seconds < FAMILY_SECONDS
        what = f'had {ended.seconds:.0f} s only' if cut else ended.words
        step.fail(f'FAIL {name}: {what}{"".join(f": {line[:200]}" for line in words)}')
    return False


if __name__ == '__main__':
    session.run(main)
