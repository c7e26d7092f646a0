"""Installs the CuPy that fits the NVIDIA driver of this machine.

Run by the Makefile with the interpreter of the local environment, only where there
is a driver. Exits with 1 after one line that says what is missing.
"""

import subprocess
import sys

import tensorvar as tv
from tensorvar._backend import gpu_discovery

PYTHON = sys.executable
WHY = 'import tensorvar; print(tensorvar.config.why_no_gpu())'


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command and keeps what it prints."""
    return subprocess.run(command, check=False, capture_output=True, text=True)


def install(requirement: str) -> str:
    """Installs an extra of the package; returns what went wrong, or nothing."""
    print(f'first run: installing CuPy for the driver found ({requirement})', flush=True)
    # The package itself is installed, so only what the extra adds is fetched.
    pip = (PYTHON, '-m', 'pip', '--disable-pip-version-check', '--retries', '1')
    installed = run(*pip, 'install', '-qq', requirement)
    if installed.returncode == 0:
        # This process has looked for cards already.
        return run(PYTHON, '-c', WHY).stdout.strip()
    last = (installed.stderr.strip().splitlines() or ['pip said nothing'])[-1]
    return f'CuPy could not be installed: {last}; run: pip install "{requirement}"'


def main() -> str:
    """Installs CuPy if that is all that is missing; returns why there is no GPU, or nothing."""
    why = tv.config.why_no_gpu()
    if why.startswith('CuPy is missing'):
        why = install(gpu_discovery.cupy_requirement())
    return why


if __name__ == '__main__':
    reason = main()
    if reason:
        sys.exit(f'no real GPU: {reason}')
