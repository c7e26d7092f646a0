"""Finds the GPUs, or says why there are none.

NVML is asked first: it comes with the driver and needs neither CuPy nor a CUDA context.
Only where it shows a card is CuPy loaded, because CUDA alone knows which cards this
process may use and in which order. The two lists are joined by PCI id.
"""

import dataclasses
import os
import sys
from types import ModuleType
from typing import Any

from tensorvar import _optional, errors
from tensorvar._backend import cupy_process
from tensorvar._device import physical

_OLDEST_CUDA = 12
_NEWEST_CUDA = 13
_NO_CARD = 100
_DRIVER_TOO_OLD = 35
_CONTAINER_MARKS = ('/.dockerenv', '/run/.containerenv')
_CUPY_PACKAGES = (
    'cupy', 'cupy-cuda11x', 'cupy-cuda12x', 'cupy-cuda13x', 'cupy-rocm-5-0', 'cupy-rocm-7-0',
)  # fmt: skip

_PciId = tuple[int, int, int]

_extra = f'cuda{_NEWEST_CUDA}'


class _NoGpuError(Exception):
    """Carries the reason why no GPU can be used."""


def cupy_requirement() -> str:
    """What to install for the driver found, such as ``'tensorvar[cuda13]'``."""
    return f'tensorvar[{_extra}]'


def load_cupy() -> ModuleType:
    """Loads CuPy; cards are numbered by PCI id unless the user chose an order.

    Raises:
        ImportError: CuPy is missing or broken.
    """
    chosen = 'CUDA_VISIBLE_DEVICES' in os.environ or 'CUDA_DEVICE_ORDER' in os.environ
    # Later than this, CUDA may have read the variable already.
    if not chosen and 'cupy' not in sys.modules:
        os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'
    return _optional.load('cupy', cupy_requirement())


def discover() -> physical.Discovery:
    """Lists the GPUs that CUDA shows to this process, in CUDA's order.

    Returns:
        The cards; or none, and why there are none and what to install. Whatever is
        wrong with a driver or a package is such a reason and is never raised.
    """
    try:
        return physical.Discovery(_find_gpus())
    except _NoGpuError as reason:
        return physical.Discovery((), str(reason))
    except errors.FailedPreconditionError as error:
        return physical.Discovery((), error.message)
    except Exception as error:  # noqa: BLE001 a broken GPU stack must leave the CPU usable
        return physical.Discovery((), f'looking for GPUs failed: {_describe(error)}')


def _find_gpus() -> tuple[physical.PhysicalGpu, ...]:
    nvml, count = _open_nvml()
    if count == 0:
        raise _NoGpuError('no card is visible: the driver works but shows no NVIDIA card')
    _choose_extra(nvml)
    cupy = _usable_cupy()
    cupy_process.claim()
    rows = _nvml_rows(nvml, count)
    driver = _text(nvml.nvmlSystemGetDriverVersion())
    return tuple(
        _describe_card(cupy, ordinal, rows, driver) for ordinal in range(_count_visible(cupy))
    )


def _open_nvml() -> tuple[Any, int]:
    try:
        nvml = _optional.load('pynvml', 'nvidia-ml-py')
    except ImportError as error:
        raise _NoGpuError(f'the driver cannot be asked: {error}') from error
    try:
        nvml.nvmlInit()
        return nvml, nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        raise _NoGpuError(
            f'no NVIDIA driver: {error}; install the driver'
            + (
                ', and start this container with access to it (docker run --gpus all)'
                if any(map(os.path.exists, _CONTAINER_MARKS))
                else ''
            )
        ) from error


def _choose_extra(nvml: Any) -> None:
    """Chooses the requirement that fits the driver."""
    global _extra
    version = nvml.nvmlSystemGetCudaDriverVersion_v2()
    major = version // 1000
    if major < _OLDEST_CUDA:
        raise _NoGpuError(
            f'the driver is too old: it supports CUDA {major}.{version % 1000 // 10}, and '
            f'{_OLDEST_CUDA}.0 or newer is needed; install a newer driver'
        )
    _extra = f'cuda{min(major, _NEWEST_CUDA)}'


def _usable_cupy() -> Any:
    packages = [name for name in _CUPY_PACKAGES if _is_distribution(name)]
    install = f'pip install "{cupy_requirement()}"'
    if len(packages) > 1:
        raise _NoGpuError(
            f'CuPy is broken: {len(packages)} packages of it are installed over each other; '
            f'run: pip uninstall {" ".join(packages)}; then: {install}'
        )
    if not _optional.is_installed('cupy'):
        raise _NoGpuError(f'CuPy is missing; run: {install}')
    try:
        cupy: Any = load_cupy()
    except ImportError as error:
        raise _NoGpuError(f'CuPy is broken: {error}') from error
    try:
        cupy.cuda.nvrtc.getVersion()
    except (RuntimeError, AssertionError, OSError) as error:
        raise _NoGpuError(f'CuPy finds no NVRTC: {_describe(error)}; run: {install}') from error
    if not _has_headers():
        raise _NoGpuError(f'CuPy finds no CUDA headers; run: {install}')
    return cupy


def _is_distribution(name: str) -> bool:
    # Of the standard library, but it costs 12 ms to import and is seldom needed.
    metadata = _optional.load('importlib.metadata', 'python')
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _has_headers() -> bool:
    """Whether CuPy will find the headers that every kernel of its includes."""
    try:
        pathfinder = _optional.load('cuda.pathfinder', cupy_requirement())
    except ImportError:
        return True  # a CuPy before 14.1 looks for them in its own way
    return pathfinder.find_nvidia_header_directory('cudart') is not None


def _count_visible(cupy: Any) -> int:
    try:
        count = int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        if error.status == _DRIVER_TOO_OLD:
            raise _NoGpuError(
                f'the driver is too old for the CuPy that is installed ({error}); run: pip '
                f'uninstall {" ".join(filter(_is_distribution, _CUPY_PACKAGES))}; then: pip '
                f'install "{cupy_requirement()}"'
            ) from error
        if error.status != _NO_CARD:
            raise _NoGpuError(f'CUDA does not start: {error}') from error
        count = 0
    if count == 0:
        visible = os.environ.get('CUDA_VISIBLE_DEVICES')
        raise _NoGpuError(
            'no card is visible to CUDA'
            + ('' if visible is None else f': CUDA_VISIBLE_DEVICES is {visible!r}')
        )
    return count


def _nvml_rows(nvml: Any, count: int) -> dict[_PciId, Any]:
    """What NVML knows of each card, by PCI id."""
    rows = {}
    for index in range(count):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        pci = nvml.nvmlDeviceGetPciInfo(handle)
        rows[pci.domain, pci.bus, pci.device] = _Row(nvml, handle)
    return rows


class _Row:
    """One card of NVML's list."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle
        self.uuid = _text(nvml.nvmlDeviceGetUUID(handle))

    def free_memory(self) -> int | None:
        """Bytes free on the card now."""
        return self._memory('free')

    def is_whole(self, visible_bytes: int) -> bool:
        """Whether CUDA shows the whole card, and not a slice of it (MIG)."""
        total = self._memory('total')
        return total is not None and visible_bytes > 0.8 * total

    def _memory(self, which: str) -> int | None:
        try:
            return int(getattr(self._nvml.nvmlDeviceGetMemoryInfo(self._handle), which))
        except self._nvml.NVMLError:
            return None  # chips that share the host's memory do not tell


def _describe_card(
    cupy: Any, ordinal: int, rows: dict[_PciId, Any], driver: str
) -> physical.PhysicalGpu:
    properties = cupy.cuda.runtime.getDeviceProperties(ordinal)
    pci = (properties['pciDomainID'], properties['pciBusID'], properties['pciDeviceID'])
    total = int(properties['totalGlobalMem'])
    card = physical.PhysicalGpu(
        ordinal=ordinal,
        name=_text(properties['name']),
        pci_bus_id='{:08X}:{:02X}:{:02X}.0'.format(*pci),
        total_memory=total,
        compute_capability=(properties['major'], properties['minor']),
        driver_version=driver,
    )
    row = rows.get(pci)
    if row is None or not row.is_whole(total):
        return card
    return dataclasses.replace(card, uuid=row.uuid, free_memory=row.free_memory)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _describe(error: BaseException) -> str:
    return f'{type(error).__name__}: {" ".join(str(error).split())}'
