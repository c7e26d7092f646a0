"""``import tensorvar`` is silent and loads nothing heavy."""

import json
import subprocess
import sys

HEAVY = {
    'cupy', 'cupyx', 'hypothesis', 'jax', 'jinja2', 'keras', 'mpi4py', 'pynvml', 'pytest',
    'rich', 'safetensors', 'scipy', 'sklearn', 'tensorflow', 'torch',
}  # fmt: skip


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-W', 'error', '-c', program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_import_prints_nothing() -> None:
    finished = run('import tensorvar')
    assert (finished.stdout, finished.stderr) == ('', '')


def test_import_loads_nothing_heavy() -> None:
    program = 'import json, sys, tensorvar; print(json.dumps(sorted(sys.modules)))'
    loaded = {name.split('.')[0] for name in json.loads(run(program).stdout)}
    assert 'tensorvar' in loaded
    assert not loaded & HEAVY


def test_import_starts_no_thread() -> None:
    program = 'import threading, tensorvar; print(threading.active_count())'
    assert run(program).stdout.strip() == '1'


def test_first_op_on_the_cpu_loads_nothing_heavy() -> None:
    program = (
        'import sys, tensorvar as tv\n'
        'with tv.device("CPU:0"):\n'
        '    variable = tv.Variable([[1.0, 2.0]])\n'
        '    variable.assign_add([[1.0, 1.0]])\n'
        '    print((variable @ variable.read_value()[0][:, None]).numpy().item())\n'
        'print(*sorted({name.split(".")[0] for name in sys.modules}))\n'
    )
    value, loaded = run(program).stdout.splitlines()
    assert float(value) == 13.0
    # Finding out whether there is a GPU asks NVML; CuPy follows only where one answers.
    assert not set(loaded.split()) & (HEAVY - {'pynvml', 'cupy', 'cupyx'})
