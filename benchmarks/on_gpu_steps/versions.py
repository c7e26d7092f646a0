"""What runs here: driver, CUDA, libraries, the card and its clocks (read, never set)."""

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.on_gpu_steps import runner, session

PACKAGES = (
    'numpy', 'ml_dtypes', 'scipy', 'cupy', 'cupy-cuda12x', 'cupy-cuda13x', 'torch', 'triton',
    'jax', 'nvidia-ml-py', 'pytest', 'pytest-timeout', 'pytest-xdist', 'hypothesis',
)  # fmt: skip

_DEVICES_SECONDS = 60


def main(step: session.Session) -> None:
    """Fills the facts; what cannot be found out is a fact, too."""
    step.facts['python'] = platform.python_version()
    step.facts['packages'] = {
        name: version for name in PACKAGES if (version := _version(name)) is not None
    }
    _note(step, 'nvml', _nvml)
    _note(step, 'cuda', _cuda)
    _note(step, 'peers', _peers)
    card, cuda, packages = (step.facts[name] for name in ('nvml', 'cuda', 'packages'))
    if isinstance(card, dict) and isinstance(cuda, dict):
        step.say(
            f'{cuda["name"]}, {cuda["memory"] / 2**30:.0f} GiB, {cuda["multiprocessors"]} '
            f'multiprocessors, driver {card["driver"]}, CUDA {cuda["runtime"]}, NVRTC '
            f'{cuda["nvrtc"]}'
        )
    step.say(', '.join(f'{name} {version}' for name, version in packages.items()))
    _try_devices(step)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _note(step: session.Session, name: str, find: Callable[[], Any]) -> None:
    try:
        step.facts[name] = find()
    except Exception as error:  # noqa: BLE001 one fact missing must not cost the others
        step.facts[name] = f'{type(error).__name__}: {error}'
        step.fail(f'{name}: {step.facts[name]}')
    print(name, step.facts[name], flush=True)


def _nvml() -> dict[str, Any]:
    import pynvml  # noqa: PLC0415 absent on some machines, which is a finding

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    clocks = {
        name: pynvml.nvmlDeviceGetClockInfo(handle, kind)
        for name, kind in (('sm', pynvml.NVML_CLOCK_SM), ('memory', pynvml.NVML_CLOCK_MEM))
    }
    return {
        'driver': pynvml.nvmlSystemGetDriverVersion(),
        'name': pynvml.nvmlDeviceGetName(handle),
        'clocks_mhz': clocks,
        'power_watts': pynvml.nvmlDeviceGetPowerUsage(handle) / 1e3,
        'celsius': pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU),
    }


def _cuda() -> dict[str, Any]:
    import cupy  # noqa: PLC0415 absent on some machines, which is a finding

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(0)
    return {
        'name': properties['name'].decode(),
        'compute_capability': f'{properties["major"]}.{properties["minor"]}',
        'multiprocessors': properties['multiProcessorCount'],
        'memory': properties['totalGlobalMem'],
        'cache': properties['l2CacheSize'],
        'shared_memory_per_block': properties['sharedMemPerBlockOptin'],
        'registers_per_multiprocessor': properties['regsPerMultiprocessor'],
        'cards': runtime.getDeviceCount(),
        'runtime': runtime.runtimeGetVersion(),
        'driver_api': runtime.driverGetVersion(),
        'nvrtc': '.'.join(map(str, cupy.cuda.nvrtc.getVersion())),
    }


def _peers() -> dict[str, bool]:
    import cupy  # noqa: PLC0415 absent on some machines, which is a finding

    count = cupy.cuda.runtime.getDeviceCount()
    return {
        f'{one} reads {other}': bool(cupy.cuda.runtime.deviceCanAccessPeer(one, other))
        for one in range(count)
        for other in range(count)
        if one != other
    }


def _try_devices(step: session.Session) -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'tensorvar', 'devices'],
        capture_output=True,
        text=True,
        cwd=runner.ROOT,
        timeout=_DEVICES_SECONDS,
    )
    print(done.stdout + done.stderr, flush=True)
    step.facts['devices'] = (done.stdout + done.stderr).splitlines()
    if done.returncode:
        step.fail(f'python -m tensorvar devices ended with {done.returncode}')


if __name__ == '__main__':
    session.run(main)
