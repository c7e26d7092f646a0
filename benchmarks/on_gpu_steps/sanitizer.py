"""NVIDIA's compute-sanitizer over a short program (``sanitizer_program``)."""

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.on_gpu_steps import runner, session

TOOLS = ('memcheck', 'racecheck', 'synccheck', 'initcheck')
PROGRAM = (sys.executable, '-m', 'benchmarks.on_gpu_steps.sanitizer_program')

_FOUND_SOMETHING = 9
_PLACES = (
    '/usr/local/cuda/bin', '/usr/local/cuda/compute-sanitizer', '/usr/local/cuda-*/bin',
    '/usr/local/cuda-*/compute-sanitizer', '/opt/nvidia/compute-sanitizer*',
)  # fmt: skip
_LEAST_SECONDS = 5.0
_SHOWN = 5


def find() -> str | None:
    """The tool's path, or None."""
    found = shutil.which('compute-sanitizer')
    if found:
        return found
    home = os.environ.get('CUDA_HOME') or os.environ.get('CUDA_PATH')
    places = [f'{home}/bin', f'{home}/compute-sanitizer'] if home else []
    for place in (*places, *_PLACES):
        for path in sorted(glob.glob(f'{place}/compute-sanitizer'), reverse=True):
            if os.access(path, os.X_OK):
                return path
    return None


def main(step: session.Session) -> None:
    """Runs the program plainly, which fills the kernel cache, then under each tool."""
    tool = find()
    if tool is None:
        raise session.SkipStepError('compute-sanitizer is neither on the PATH nor with CUDA')
    step.facts['path'] = tool
    plain = _run(PROGRAM, step.seconds_left())
    if plain.returncode:
        step.fail(f'the program alone ended with {plain.returncode}; see the log')
        return
    for number, name in enumerate(TOOLS):
        share = step.seconds_left() / (len(TOOLS) - number)
        if share < _LEAST_SECONDS:
            step.fail(f'{name}: no time left')
            continue
        _check(step, tool, name, share)


def _check(step: session.Session, tool: str, name: str, seconds: float) -> None:
    command = (
        tool, '--tool', name, '--error-exitcode', str(_FOUND_SOMETHING), '--print-limit', '20',
        *PROGRAM,
    )  # fmt: skip
    try:
        done = _run(command, seconds)
    except subprocess.TimeoutExpired:
        step.fail(f'{name}: not done after {seconds:.0f} s')
        return
    lines = [line for line in done.stdout.splitlines() if line.startswith('=========')]
    step.facts[name] = lines[:200]
    if done.returncode == 0:
        step.say(f'{name}: clean')
        return
    found = 'found errors' if done.returncode == _FOUND_SOMETHING else 'could not run'
    shown = [line.lstrip('= ') for line in lines if line.strip('= ')][:_SHOWN]
    step.fail(f'{name}: {found} (exit code {done.returncode}): {" | ".join(shown)}')


def _run(command: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(runner.ROOT),
        timeout=seconds,
    )
    print(f'$ {" ".join(command)}\n{done.stdout}', flush=True)
    return done


if __name__ == '__main__':
    session.run(main)
